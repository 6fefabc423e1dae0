"""What does the real world do to the files? Every kind of disorder at a stated rate, each spoilt place written down.

Rates are in thousandths: of rows, of persons per feed, or of households. Harmless habits (spelling of numbers,
encodings, units) change no decision; harmful ones (spoilt cells, silence, missing consent) make something unknown.
Nothing here removes a true row silently: a number with a wrong check digit comes beside the right row, as when a
clerk types a row again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from meanscheck.contracts import FeedContract, feed_names
from meanscheck.synth.chance import Bools, Chance, Ints
from meanscheck.synth.files import FileKind
from meanscheck.synth.identity import REGIONS, Numbers, checked, names
from meanscheck.synth.people import CO_RESIDENT, Households, People
from meanscheck.synth.wording import DateStyle, MoneyUnit, Style

ROW_RATES: Mapping[str, int] = {
    "full_width_number": 5,
    "spaced_number": 3,
    "fifteen_digits": 8,
    "lower_case_x": 9,
    "repeated_row": 4,
    "stranger": 3,
    "bad_check_digit": 1,
    "impossible_date": 1,
    "negative_amount": 1,
    "formula": 20,
}
"""Thousandths of a file's rows. Impossible dates and negative amounts only where the feed has such a column, formulas
in sheets only."""
PERSON_RATES: Mapping[str, int] = {"not_answered": 1}
"""Thousandths of the persons, anew for every feed that needs consent."""
HOUSEHOLD_RATES: Mapping[str, int] = {"silent_bank": 15, "late_month": 30}
"""Thousandths of the households."""
CONSENT_RATES: Mapping[str, int] = {"consent_expired": 6, "consent_withdrawn": 4, "consent_missing": 4}
"""Thousandths of the persons."""

SHEETS = ("absences", "deaths", "farmland", "labour_capacity", "securities", "self_care_assessments", "work_offers")
_ENCODINGS: tuple[FileKind, ...] = ("csv", "csv_gb18030", "csv_bom", "csv_gb18030")
_DATES: tuple[DateStyle, ...] = ("iso", "compact", "slash", "chinese", "compact")
_IN_WAN = ("securities", "insurance_policies")
_IN_FEN = ("housing_fund", "wallets")
_FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
_NO_SPOILING = ("household_register", "marriages", "medical_enrolment", "case_events")
"""Feeds large and beside the point: spelling mess only."""


@dataclass(frozen=True, slots=True)
class Spoilt:
    """A file's cells after the mess, with what was done: kind and row (from 0) of each place."""

    frame: pl.DataFrame
    places: pl.DataFrame
    formulas: tuple[tuple[int, int], ...]


def habits(feed: str) -> tuple[Style, FileKind]:
    """How the sender of a feed writes when nobody tells him how."""
    number = feed_names().index(feed)
    kind: FileKind = "xlsx" if feed in SHEETS else _ENCODINGS[number % len(_ENCODINGS)]
    money: MoneyUnit = "wan_yuan" if feed in _IN_WAN else "fen" if feed in _IN_FEN else "yuan"
    return Style(chinese=number % 5 != 3, dates=_DATES[number % len(_DATES)], money=money), kind


def consent_states(chance: Chance, people: People, dead: Bools) -> Ints:
    """Which consents lapse: 0 live, 1 expired, 2 withdrawn, 3 never given (the dead co-residents never sign)."""
    lot = chance.between(0, 999, n=people.n)
    bounds = np.cumsum(list(CONSENT_RATES.values()))
    state = (np.searchsorted(bounds, lot, side="right") + 1) % (len(bounds) + 1)
    return np.where((people.role == CO_RESIDENT) & dead, 3, state)


def of_households(chance: Chance, households: Households, kind: str) -> Bools:
    """Households hit by a kind of `HOUSEHOLD_RATES`."""
    return chance.happens(HOUSEHOLD_RATES[kind], n=households.n)


def unanswered(chance: Chance, contract: FeedContract, people: People) -> Bools:
    """Persons left out of a feed's answer."""
    if contract.authorisation == "office":
        return np.zeros(people.n, dtype=np.bool_)
    return chance.happens(PERSON_RATES["not_answered"], n=people.n)


def spoil(chance: Chance, contract: FeedContract, frame: pl.DataFrame, *, kind: FileKind, numbers: Numbers) -> Spoilt:
    """Spoil a file's cells (String columns under the contract's names) at the stated rates."""
    n = frame.height
    places: dict[str, Ints] = {}
    harmed = np.zeros(n, dtype=np.bool_)
    formulas: list[tuple[int, int]] = []
    if contract.name not in _NO_SPOILING:
        for reason, column, cell in _harms(contract, frame, kind):
            rows = np.flatnonzero(
                chance.happens(ROW_RATES[reason], n=n) & ~harmed & frame[column].is_not_null().to_numpy()
            )
            harmed[rows] = True
            places[reason] = rows
            text = frame[column]
            spoilt = (
                pl.Series(["-1.00"] * len(rows)) if cell is None else pl.Series([cell] * len(rows), dtype=pl.String)
            )
            frame = frame.with_columns(text.scatter(rows, spoilt) if len(rows) else text)
            if reason == "formula":
                formulas = [(int(row), frame.columns.index(column)) for row in rows]
    number = frame["id_number"]
    for reason in ("full_width_number", "spaced_number", "fifteen_digits", "lower_case_x"):
        chosen = chance.happens(ROW_RATES[reason], n=n) & number.str.contains("^[0-9]{17}[0-9X]$").to_numpy()
        if reason == "fifteen_digits":
            chosen &= (number.str.slice(6, 2) == "19").to_numpy()
        if reason == "lower_case_x":  # a tenth of those that end in X: one in a hundred of all
            chosen = chance.happens(100, n=n) & number.str.ends_with("X").to_numpy()
        rows = np.flatnonzero(chosen)
        places[reason] = rows
        if len(rows):
            number = number.scatter(rows, _respelt(reason, number.gather(rows)))
    frame = frame.with_columns(number)
    return _with_extra_rows(chance, frame, places, harmed, formulas, numbers)


def _respelt(reason: str, numbers: pl.Series) -> pl.Series:
    """The same identity numbers in another spelling."""
    if reason == "full_width_number":
        return pl.Series([text.translate(_FULL_WIDTH) for text in numbers.to_list()])
    if reason == "spaced_number":
        return numbers.str.slice(0, 6) + " " + numbers.str.slice(6, 8) + " " + numbers.str.slice(14)
    if reason == "lower_case_x":
        return numbers.str.to_lowercase()
    return numbers.str.slice(0, 6) + numbers.str.slice(8, 9)


def _harms(contract: FeedContract, frame: pl.DataFrame, kind: FileKind) -> list[tuple[str, str, str | None]]:
    """Which cells can be spoilt how: reason, column, new text."""
    out: list[tuple[str, str, str | None]] = []
    here = [column for column in contract.columns if column.name in frame.columns]
    days = [column for column in here if column.kind in ("date", "month") and column.required]
    amounts = [
        c for c in here if c.kind == "money" and c.required and not c.may_be_negative and c.negative_only_when is None
    ]
    if days:
        out.append(("impossible_date", days[0].name, "2020-13" if days[0].kind == "month" else "2020-02-31"))
    if amounts:
        out.append(("negative_amount", amounts[0].name, None))
    if kind == "xlsx":
        numeric = [column for column in here if column.kind in ("money", "number", "date") and column.required]
        if numeric:
            out.append(("formula", numeric[0].name, "=SUM(1,1)"))
    return out


def _with_extra_rows(
    chance: Chance,
    frame: pl.DataFrame,
    places: dict[str, Ints],
    harmed: Bools,
    formulas: list[tuple[int, int]],
    numbers: Numbers,
) -> Spoilt:
    n = frame.height
    sources: list[Ints] = []
    extra: list[pl.DataFrame] = []
    reasons: list[str] = []
    for reason in ("repeated_row", "stranger", "bad_check_digit"):
        rows = np.flatnonzero(chance.happens(ROW_RATES[reason], n=n) & ~harmed)
        if not len(rows):
            continue
        lot = frame[rows]
        if reason == "stranger":
            lot = lot.with_columns(_strangers(chance, numbers, len(rows)))
        if reason == "bad_check_digit":
            # 12 of 13 characters would be wrong; another digit at the end always is
            last = pl.col("id_number").str.slice(-1).replace_strict({"0": "7"}, default="0", return_dtype=pl.String)
            lot = lot.filter(pl.col("id_number").str.contains("^[0-9]{17}[0-9X]$"))
            rows = rows[frame["id_number"].gather(rows).str.contains("^[0-9]{17}[0-9X]$").to_numpy()]
            lot = lot.with_columns(pl.col("id_number").str.slice(0, 17) + last)
        sources.append(rows)
        extra.append(lot)
        reasons.append(reason)
    # each extra row comes right after its source
    order_key = np.concatenate([np.arange(n) * 4, *(rows * 4 + 1 + i for i, rows in enumerate(sources))])
    order = np.argsort(order_key, kind="stable")
    place_of = np.empty(len(order), dtype=np.int64)
    place_of[order] = np.arange(len(order))
    whole = pl.concat([frame, *extra])[order]
    logs = [(reason, place_of[rows]) for reason, rows in places.items()]
    start = n
    for reason, lot in zip(reasons, extra, strict=True):
        logs.append((reason, place_of[start : start + lot.height]))
        start += lot.height
    log = pl.concat(
        [pl.DataFrame({"kind": [], "row": []}, schema={"kind": pl.String, "row": pl.Int64})]
        + [
            pl.DataFrame({"row": rows}, schema={"row": pl.Int64}).select(kind=pl.lit(reason), row="row")
            for reason, rows in logs
        ]
    )
    return Spoilt(whole, log.sort("row", "kind"), tuple((int(place_of[row]), column) for row, column in formulas))


def _strangers(chance: Chance, numbers: Numbers, n: int) -> list[pl.Series]:
    region = np.full(n, len(REGIONS), dtype=np.int64)
    body = numbers.draw(region, chance.between(-9_000, 10_000, n=n), chance.between(0, 1, n=n))
    return [checked(body).alias("id_number"), names(chance, n).alias("name")]
