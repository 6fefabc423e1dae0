"""Which feed is an unknown file, and which of its columns is which? A proposal with how sure it is, never more.

What is looked at: spellings of headers against the names that contracts know, and what the cells can be read as
(identity numbers by their check digit, days, amounts, words of a choice). Of a cell nothing is ever shown; of a header
only what cannot be a person's. Sure and likely columns go into the mapping, the others stand in it as comments, for a
person to decide; and the proposal is tried on the file, so that it is known how many rows it would set aside.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

import polars as pl

from meanscheck.contracts.cast import cast_rows
from meanscheck.contracts.catalogue import all_feeds
from meanscheck.contracts.furniture import furniture_of
from meanscheck.contracts.headers import header_of, known_headers
from meanscheck.contracts.mapping import ColumnMapping, FileMapping, FileShape
from meanscheck.contracts.mapping_checks import Problem, check_mapping
from meanscheck.contracts.model import Column, FeedContract
from meanscheck.contracts.profile import Profile, profiles_of
from meanscheck.contracts.readers import read_rows
from meanscheck.contracts.sniff_file import Seen, see
from meanscheck.contracts.spelling import header_key, header_unit
from meanscheck.errors import FeedError

Sureness = Literal["sure", "likely", "perhaps", "no idea"]

_COMMON = frozenset({"id_type", "id_number", "name", "as_of"})
"""Columns of every feed: they tell nothing about which feed it is."""
_DOCUMENT = frozenset({"id_type", "id_number"})
_POINTS: Mapping[Sureness, int] = {"sure": 4, "likely": 2, "perhaps": 0, "no idea": 0}
_MOST, _FEW = 90, 50
"""Cells in a hundred that decide for a reading, and below which they decide against it."""
_END = date(9999, 12, 31)


@dataclass(frozen=True)
class Guess:
    """One column of the file: which column of the contract it is, if any, how sure that is, and why."""

    place: int
    header: str
    column: str | None
    sure: Sureness
    why: str
    form: str | None = None


@dataclass(frozen=True)
class Sniffed:
    """A proposal for one file.

    Attributes:
        seen: format, encoding, separator, header, sheet, rows.
        feed: the feed it seems to be; None if nothing points to one.
        sure: how sure the feed is.
        why: what points to it.
        others: feeds that come next, with fewer signs.
        columns: every column of the file in order.
        missing: required columns of the contract that no column of the file seems to be.
        mapping: the proposal, from what is sure or likely; None without a feed.
        problems: what keeps the mapping from being used.
        is_needed: whether the file cannot be read as well without the mapping.
        trial: reason → rows that the proposal would set aside; None if it could not be tried.
        accepted: rows that it would accept.
        refused: why the file would be refused as a whole, if it would.
    """

    seen: Seen
    feed: str | None
    sure: Sureness
    why: str
    others: tuple[str, ...]
    columns: tuple[Guess, ...]
    missing: tuple[str, ...]
    mapping: FileMapping | None = field(repr=False, default=None)
    problems: tuple[Problem, ...] = ()
    is_needed: bool = True
    trial: Mapping[str, int] | None = None
    accepted: int = 0
    refused: str = ""


def sniff(path: Path, *, feed: FeedContract | None = None) -> Sniffed:
    """Look at a file.

    Args:
        feed: which feed it is, if that is known.

    Raises:
        FeedError: it cannot be read as a table at all.
    """
    seen = see(path)
    if seen.table is None:
        return Sniffed(seen, None if feed is None else feed.name, "no idea", seen.note, (), (), ())
    profiles = _profiles(seen)
    named = _feeds_in(path.stem)
    ranked = []
    for contract in [feed] if feed is not None else all_feeds().values():
        guesses = _guesses(contract, seen, profiles)
        ranked.append((_points(contract, guesses) + (5 if contract.name in named else 0), contract, guesses))
    ranked.sort(key=lambda entry: (-entry[0], entry[1].name))
    points, contract, guesses = ranked[0]
    others = tuple(other.name for score, other, _ in ranked[1:4] if score > 0)
    if feed is None and points <= 0:
        blank = tuple(Guess(g.place, g.header, None, "no idea", _nothing(profiles[g.place - 1])) for g in guesses)
        return Sniffed(seen, None, "no idea", "no header and no content points to one feed", others, blank, ())
    lead = points - (ranked[1][0] if len(ranked) > 1 else 0)
    found = {g.column for g in guesses if g.sure in ("sure", "likely")}
    missing = tuple(c.name for c in contract.columns if c.required and c.name not in found)
    sure: Sureness = "perhaps" if missing or lead < 2 else "sure" if lead >= 4 else "likely"
    known = sum(g.column is not None and header_of(contract, g.header) == g.column for g in guesses)
    why = f"{known} of {len(guesses)} headers are known names of its columns"
    if feed is not None:
        why = "as given, " + why
    if contract.name in named:
        why += ", and the file is named after it"
    return _tried(path, contract, seen, guesses, missing, feed=(("sure" if feed else sure), why), others=others)


def _tried(
    path: Path,
    contract: FeedContract,
    seen: Seen,
    guesses: tuple[Guess, ...],
    missing: tuple[str, ...],
    *,
    feed: tuple[Sureness, str],
    others: tuple[str, ...],
) -> Sniffed:
    mapping = _mapping(contract, seen, guesses)
    problems = check_mapping(contract, mapping)
    plain = all(header_of(contract, g.header) == g.column for g in guesses if g.sure in ("sure", "likely"))
    is_needed = not plain or seen.header_line == 0 or any(g.form for g in guesses) or bool(missing)
    trial: dict[str, int] | None = None
    accepted, refused = 0, ""
    if not problems:
        try:
            file = read_rows(contract, path, mapping=mapping if is_needed else None)
            cast = cast_rows(contract, file.rows, as_of=None, not_after=_END, units=file.units)
            bad = pl.concat([file.broken, cast.quarantined]).unique(["row_no", "reason"])
            trial = dict(sorted(bad.group_by("reason").len().iter_rows()))
            accepted = cast.rows.height
        except FeedError as error:
            refused = str(error)
    return Sniffed(
        seen,
        contract.name,
        feed[0],
        feed[1],
        others,
        guesses,
        missing,
        mapping,
        problems,
        is_needed,
        trial,
        accepted,
        refused,
    )


def _profiles(seen: Seen) -> Sequence[Profile]:
    """Of the rows alone: totals and notes would blur what a column holds."""
    assert seen.table is not None
    cells, has_serials = seen.table.cells, seen.table.serial_days is not None
    everything = profiles_of(cells, has_serials=has_serials)
    best = max(range(len(everything)), key=lambda at: everything[at].identities(), default=0)
    if not everything or not everything[best].identities():
        return everything
    kinds = furniture_of(cells, seen.table.headers, identity=f"c{best}", read=cells.columns)
    return profiles_of(cells.filter(kinds.is_null()), has_serials=has_serials)


def _feeds_in(stem: str) -> frozenset[str]:
    """Feeds that a file's name names."""
    return frozenset(
        name for name, contract in all_feeds().items() if stem.startswith(name) or contract.title_zh in stem
    )


def _guesses(contract: FeedContract, seen: Seen, profiles: Sequence[Profile]) -> tuple[Guess, ...]:
    """The best column for each column of the file, each used once: by name, by resemblance, by what is left."""
    assert seen.table is not None
    headers = seen.table.headers
    found: dict[int, Guess] = {}
    taken: set[str] = set()
    for way in (_by_name, _by_identity, _by_resemblance, _by_content):
        for at, header in enumerate(headers):
            if at in found or (not header.strip() and not profiles[at].filled):
                continue
            left = [c for c in contract.columns if c.name not in taken]
            guess = way(contract, left, at, header if seen.header_line else "", profiles[at])
            if guess is not None and guess.column is not None:
                found[at] = guess
                taken.add(guess.column)
    return tuple(
        found.get(at, Guess(at + 1, header, None, "no idea", _nothing(profiles[at])))
        for at, header in enumerate(headers)
        if header.strip() or profiles[at].filled
    )


def _by_name(contract: FeedContract, left: Sequence[Column], at: int, header: str, profile: Profile) -> Guess | None:
    name = header_of(contract, header)
    column = next((c for c in left if c.name == name), None)
    if column is None:
        return None
    fitting, of = profile.fitting(column), profile.looked_at
    form = _only_form(column, profile)
    if form is not None:
        return Guess(at + 1, header, column.name, "likely", f"the header is a known name; days look like {form}", form)
    if of and fitting * 100 < _FEW * of and column.kind != "text":
        why = f"the header is a known name, but only {fitting} of {of} cells are {_plural(column)}"
        return Guess(at + 1, header, column.name, "likely" if column.kind == "choice" else "perhaps", why)
    seen = f"; {fitting} of {of} cells are {_plural(column)}" if of and _plural(column) else ""
    return Guess(at + 1, header, column.name, "sure", f"the header is a known name{seen}")


def _by_identity(
    contract: FeedContract, left: Sequence[Column], at: int, header: str, profile: Profile
) -> Guess | None:
    valid, of = profile.identities(), profile.looked_at
    if not any(c.name == "id_number" for c in left) or not of or valid * 100 < _MOST * of:
        return None
    return Guess(at + 1, header, "id_number", "likely", f"{valid} of {of} cells are valid identity numbers")


def _by_resemblance(
    contract: FeedContract, left: Sequence[Column], at: int, header: str, profile: Profile
) -> Guess | None:
    key = re.sub(r"[()\[\]（）【】_/\-]", "", header_key(header))
    best: tuple[int, Column] | None = None
    for column in left:
        for name in (column.title_zh, column.name, *column.aliases):
            likeness = _likeness(key, header_key(name))
            if likeness > (best[0] if best else 55):
                best = (likeness, column)
    if best is None:
        return None
    column, of = best[1], profile.looked_at
    form = _only_form(column, profile)
    fitting = of if form else profile.fitting(column)
    if of and fitting * 100 < _MOST * of and column.kind != "text":
        if fitting * 100 < _FEW * of:
            return None
        return Guess(at + 1, header, column.name, "perhaps", f"the header resembles 「{column.title_zh}」")
    shown = f"; {fitting} of {of} cells are {_plural(column)}" if of and _plural(column) else ""
    return Guess(
        at + 1,
        header,
        column.name,
        "likely" if of and column.kind != "text" else "perhaps",
        f"the header resembles 「{column.title_zh}」{shown}",
        form,
    )


def _by_content(contract: FeedContract, left: Sequence[Column], at: int, header: str, profile: Profile) -> Guess | None:
    """From the cells alone only what is still needed is proposed, or the one column left of its kind; and never as more
    than perhaps."""
    of = profile.looked_at
    for column in sorted(left, key=lambda c: not c.required):
        is_last = sum(c.kind == column.kind for c in left) == 1 and column.kind in ("money", "date", "month", "choice")
        if not (column.required or is_last) or column.kind in ("text", "person") or not of or column.name in _DOCUMENT:
            continue
        form = _only_form(column, profile)
        fitting = of if form else profile.fitting(column)
        if fitting * 100 >= _MOST * of and not (column.kind != "number" and _is_counter(profile)):
            still = "is still needed" if column.required else "is the one left of its kind"
            why = f"{fitting} of {of} cells are {_plural(column)}, and 「{column.title_zh}」 {still}"
            return Guess(at + 1, header, column.name, "perhaps", why, form)
    return None


def _is_counter(profile: Profile) -> bool:
    """Whether the cells count 1, 2, 3 … or are small codes, and no amounts."""
    return all(text.isdecimal() and len(text) <= 4 for text in profile.texts)


def _likeness(one: str, other: str) -> int:
    """From 50 to 100 by the share of the longer that both have in common, where one holds the other; else 0."""
    if min(len(one), len(other)) < 2 or not (one in other or other in one):
        return 0
    return 50 + 50 * min(len(one), len(other)) // max(len(one), len(other))


def _only_form(column: Column, profile: Profile) -> str | None:
    if column.kind not in ("date", "month") or profile.fitting(column) * 100 >= _FEW * max(profile.looked_at, 1):
        return None
    forms = profile.forms(is_month=column.kind == "month")
    return forms[0] if len(forms) == 1 else None


def _plural(column: Column) -> str:
    if column.name == "id_number" or column.kind == "person":
        return "valid identity numbers"
    return {
        "money": "amounts",
        "area": "areas",
        "ratio": "shares",
        "number": "numbers",
        "bool": "yes or no",
        "date": "days",
        "month": "months",
        "choice": "words of the contract",
    }.get(column.kind, "")


def _nothing(profile: Profile) -> str:
    if not profile.filled:
        return "the column is empty"
    of = profile.looked_at
    for count, word in (
        (profile.identities(), "valid identity numbers"),
        (profile.days(), "days"),
        (of if profile.forms(is_month=False) else 0, "days in another form"),
        (profile.amounts(), "numbers"),
        (profile.names(), "short Chinese texts"),
    ):
        if count * 100 >= _MOST * of:
            return f"no known name; {count} of {of} cells are {word}"
    return "no known name, and the cells tell nothing"


def _points(contract: FeedContract, guesses: Sequence[Guess]) -> int:
    """How much points to a feed."""
    points = 0
    for guess in guesses:
        if guess.column is not None and guess.column not in _COMMON:
            is_required = contract.column(guess.column).required
            points += _POINTS[guess.sure] * (2 if is_required else 1)
    found = {guess.column for guess in guesses}
    return points - sum(4 for c in contract.columns if c.required and c.name not in found)


def _mapping(contract: FeedContract, seen: Seen, guesses: Sequence[Guess]) -> FileMapping:
    columns: dict[str, ColumnMapping] = {}
    for guess in guesses:
        if guess.column is None or guess.sure not in ("sure", "likely"):
            continue
        column = contract.column(guess.column)
        unit = None
        if column.kind in ("money", "area") and header_unit(guess.header) is None:
            unit = seen.units.get(column.kind, column.unit)
        source = guess.header if seen.header_line else str(guess.place)
        columns[guess.column] = ColumnMapping(source=source, unit=unit, form=guess.form)
    shape = FileShape(
        format=seen.format,
        encoding=seen.encoding,
        delimiter=seen.separator,
        header_line=seen.header_line if seen.header_line == 0 else None,
        sheet=seen.sheet,
    )
    if not columns:
        columns = {"id_number": ColumnMapping(source="?")}
    return FileMapping(feed=contract.name, sender="?", version="1", file=shape, columns=columns)


def is_shown(header: str) -> bool:
    """Whether a header may be shown: it is a known name, or short and without a long number."""
    known = known_headers(next(iter(all_feeds().values())))
    return known(header) or (len(header) <= 20 and re.search(r"\d{5,}", header) is None)
