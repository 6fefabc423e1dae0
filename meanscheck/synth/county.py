"""How does a whole made-up county get onto disk? Part by part: facts, truth, then the files of every department.

inbox/   requests.jsonl, consents.jsonl, <feed>[-<n>].<suffix> with <stem>.manifest.json
truth/   outcomes.parquet   case_id · programme · member (null for a household) · outcome · award_fen
         doubtful.parquet   case_id · feed · id_number · key · real · reason    adverse entries of the three registers
         mess.parquet       kind · feed · file · line (null: the whole file, or no row)
         county.json        what was made, and `County.describe()`
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from meanscheck.contracts import FeedContract, feed
from meanscheck.errors import InputError
from meanscheck.synth import mess as disorder
from meanscheck.synth.chance import PART, Bools, Chance, Ints
from meanscheck.synth.estate import BANKS
from meanscheck.synth.facts import Facts
from meanscheck.synth.files import SUFFIXES, FileKind, write_rows
from meanscheck.synth.findings import KEYS
from meanscheck.synth.identity import Numbers
from meanscheck.synth.inbox import (
    ConsentState,
    asked_feeds,
    case_ids,
    consent_lines,
    manifest,
    member_ids,
    request_lines,
    request_numbers,
)
from meanscheck.synth.part import draw_part
from meanscheck.synth.people import MEMBER
from meanscheck.synth.rows import Rows, has, take
from meanscheck.synth.truth import ELIGIBLE, NOT_VEHICLES, OUTCOMES, Truth, reckon
from meanscheck.synth.wording import PLAIN, Style, header, numbered, written

DAY = date(2020, 6, 30)
"""The day as of which the truth is reckoned: Jiangmen's figures of that day are sourced."""
PROGRAMMES = ("dibao", "medical_relief", "tekun")
FileStyle = Literal["files", "parquet"]


@dataclass(frozen=True, slots=True)
class County:
    """A made-up county on disk."""

    folder: Path
    households: int
    seed: int
    on: date
    is_messy: bool
    persons: int
    members: int
    rows: Mapping[str, int]
    """Rows written per feed."""
    files: int
    outcomes: Mapping[str, Mapping[str, int]]
    """Programme → outcome → how many."""
    mess: Mapping[str, int]
    """Kind of disorder → places."""

    @property
    def inbox(self) -> Path:
        """Where the departments' files lie."""
        return self.folder / "inbox"

    @property
    def truth(self) -> Path:
        """Where the truth lies."""
        return self.folder / "truth"

    def describe(self) -> dict[str, object]:
        """The county in figures, as plain JSON values: for a summary."""
        return {
            "on": str(self.on),
            "seed": self.seed,
            "is_messy": self.is_messy,
            "households": self.households,
            "persons": self.persons,
            "members": self.members,
            "feeds": len(self.rows),
            "files": self.files,
            "feed_rows": sum(self.rows.values()),
            "rows_by_feed": dict(self.rows),
            "true_outcomes": {programme: dict(counts) for programme, counts in self.outcomes.items()},
            "mess": dict(self.mess),
        }


@dataclass(slots=True)
class _Ledger:
    """What has been written so far."""

    rows: Counter[str] = field(default_factory=Counter)
    files: Counter[str] = field(default_factory=Counter)
    persons: int = 0
    members: int = 0
    outcomes: list[pl.DataFrame] = field(default_factory=list)
    doubtful: list[pl.DataFrame] = field(default_factory=list)
    mess: list[pl.DataFrame] = field(default_factory=list)

    def spoilt(self, kind: str, feed_name: str, file: str, lines: list[int] | Ints | None = None, n: int = 1) -> None:
        """Note places of one kind: at lines, or `n` of them without a line."""
        cells = [None] * n if lines is None else list(map(int, lines))
        frame = pl.DataFrame({"line": cells}, schema={"line": pl.Int64})
        notes = {"kind": kind, "feed": feed_name, "file": file}
        self.mess.append(frame.select(*(pl.lit(text).alias(name) for name, text in notes.items()), "line"))


def county(
    folder: Path,
    *,
    households: int,
    seed: int,
    mess: bool = True,
    style: FileStyle = "files",
    on: date = DAY,
    progress: Callable[[int, int], None] | None = None,
) -> County:
    """Make a county.

    Args:
        folder: where; `inbox` and `truth` in it are replaced.
        households: how many applications (at least 1).
        seed: same seed and size, same data.
        mess: what the real world does to files and consents. Without it everything is answered cleanly; wrong register
            entries are there all the same, and want the office's review (`complete_findings`).
        style: `files`, as departments send them, or `parquet` (canonical names, for large counties).
        on: the day of the truth; only 2020-06-30 is sourced.
        progress: called with (households done, households) after each part.

    Raises:
        InputError: no households, or a day of which the truth is not known.
    """
    if households < 1:
        raise InputError("a county has at least one household", where="households", remedy="Give a number from 1")
    if not date(2020, 3, 30) <= on <= date(2020, 12, 31):
        raise InputError("the truth is known for days of 2020 from 30 March", where="on", remedy="Use 2020-06-30")
    inbox, truth = folder / "inbox", folder / "truth"
    for place in (inbox, truth):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
    numbers, kept = Numbers(), _Ledger()
    parts = -(-households // PART)
    for part in range(parts):
        first = part * PART + 1
        n = min(PART, households - part * PART)
        facts = draw_part(Chance(seed, part=part), first=first, n=n, numbers=numbers, on=on)
        _keep_truth(facts, reckon(facts), kept)
        chance = Chance(seed, part=part, stream=1) if mess else None
        _write_part(facts, inbox, kept, numbers, chance=chance, style=style, is_only=parts == 1)
        if progress is not None:
            progress(first - 1 + n, households)
    return _finish(folder, kept, households=households, seed=seed, on=on, mess=mess)


def _keep_truth(facts: Facts, truth: Truth, kept: _Ledger) -> None:
    people = facts.people
    cases, ids = case_ids(facts), member_ids(facts)
    words, programmes = pl.Enum(OUTCOMES), pl.Enum(PROGRAMMES)
    frames = [
        _outcomes(
            "dibao",
            cases,
            pl.Series([None], dtype=pl.String).new_from_index(0, len(cases)),
            truth.dibao,
            truth.dibao_award,
        )
    ]
    who = np.flatnonzero(people.role == MEMBER)
    of_member, id_of_member = cases.gather(people.household[who]), ids.gather(who)
    frames.append(_outcomes("tekun", of_member, id_of_member, truth.tekun[who], truth.tekun_award[who]))
    frames.append(_outcomes("medical_relief", of_member, id_of_member, truth.medical[who], None))
    frame = pl.concat(frames).with_columns(pl.col("programme").cast(programmes), pl.col("outcome").cast(words))
    kept.outcomes.append(frame.sort("case_id", "programme", "member"))
    kept.doubtful.extend(_doubtful(facts, cases))
    kept.persons += people.n
    kept.members += len(who)


def _outcomes(programme: str, cases: pl.Series, members: pl.Series, outcome: Ints, award: Ints | None) -> pl.DataFrame:
    amount = pl.Series([None], dtype=pl.Int64).new_from_index(0, len(cases))
    if award is not None:
        amount = pl.Series(award).set(pl.Series(outcome != ELIGIBLE), None)
    return pl.DataFrame(
        {"case_id": cases, "member": members, "outcome": pl.Series(OUTCOMES).gather(outcome), "award_fen": amount}
    ).select("case_id", pl.lit(programme).alias("programme"), "member", "outcome", "award_fen")


def _doubtful(facts: Facts, cases: pl.Series) -> Iterator[pl.DataFrame]:
    """Entries of the three registers that would fail a test on their face, true or not."""
    for name, key in KEYS.items():
        rows = facts.feeds[name]
        adverse = np.flatnonzero(_is_adverse(name, rows))
        person = rows.person[adverse]
        held = rows.columns[key]
        token = (
            held
            if isinstance(held, pl.Series)
            else numbered({"vehicle_token": "V", "right_token": "R"}[key], rows.ints(key))
        )
        real = np.ones(rows.height, dtype=np.bool_) if rows.real is None else rows.real
        frame = pl.DataFrame(
            {
                "case_id": cases.gather(facts.people.household[person]),
                "id_number": facts.people.identity.gather(person),
                "key": token.gather(adverse),
                "real": real[adverse],
                "reason": _reasons(name, rows, adverse),
            }
        ).with_columns(reason=pl.when(~pl.col("real")).then(pl.col("reason")))
        yield frame.select("case_id", pl.lit(name).alias("feed"), "id_number", "key", "real", "reason")


def _is_adverse(name: str, rows: Rows) -> Bools:
    if name == "vehicles":
        return ~rows.coded("vehicle_class").within(NOT_VEHICLES) & ~rows.coded("status").where("scrapped")
    if name == "real_estate":
        return rows.coded("use").within(("commercial", "industrial")) & rows.coded("status").within(("owned", "sealed"))
    return rows.coded("status").within(("open", "suspended"))


def _reasons(name: str, rows: Rows, index: Ints) -> pl.Series:
    """Why the office would disregard a wrong entry."""
    if name == "vehicles":
        return pl.Series(["lent", "scrapped"]).gather(rows.coded("status").where("overdue")[index].astype(np.int64))
    if name == "real_estate":
        return pl.Series(["namesake"]).new_from_index(0, len(index))
    sole = rows.coded("role").where("sole_trader")[index].astype(np.int64)
    return pl.Series(["namesake", "revoked"]).gather(sole)


def _write_part(
    facts: Facts,
    inbox: Path,
    kept: _Ledger,
    numbers: Numbers,
    *,
    chance: Chance | None,
    style: FileStyle,
    is_only: bool,
) -> None:
    people, households = facts.people, facts.households
    dead = has(facts.feeds["deaths"].person, people.n)
    nobody = np.zeros(households.n, dtype=np.bool_)
    silent = late = nobody
    state = np.where((people.role == 2) & dead, 3, 0)
    if chance is not None:
        state = disorder.consent_states(chance, people, dead)
        silent = disorder.of_households(chance, households, "silent_bank")
        late = disorder.of_households(chance, households, "late_month")
        for code, kind in enumerate(disorder.CONSENT_RATES, start=1):
            kept.spoilt(kind, "", "consents.jsonl", n=int((state == code).sum()))
        first_line = int(households.number[0])
        kept.spoilt("silent_bank", "bank_deposits", "requests.jsonl", np.flatnonzero(silent) + first_line)
    with (inbox / "requests.jsonl").open("a", encoding="utf-8") as out:
        out.write("\n".join(request_lines(facts, asks_silent_bank=silent).to_list()) + "\n")
    with (inbox / "consents.jsonl").open("a", encoding="utf-8") as out:
        out.write("\n".join(consent_lines(facts, ConsentState(state)).to_list()) + "\n")
    for name in asked_feeds():
        _write_feed(facts, feed(name), inbox, kept, numbers, chance=chance, style=style, is_only=is_only, late=late)


def _write_feed(
    facts: Facts,
    contract: FeedContract,
    inbox: Path,
    kept: _Ledger,
    numbers: Numbers,
    *,
    chance: Chance | None,
    style: FileStyle,
    is_only: bool,
    late: Bools,
) -> None:
    people, rows = facts.people, facts.feeds[contract.name]
    words = PLAIN if style == "parquet" else Style()
    kind: FileKind = "parquet" if style == "parquet" else "csv"
    left_out = np.zeros(people.n, dtype=np.bool_)
    if chance is not None:
        left_out = disorder.unanswered(chance, contract, people)
        if style == "files":
            words, kind = disorder.habits(contract.name)
    answers = _answers(facts, contract, rows, style=style, late=late if chance is not None else None)
    requests = request_numbers(facts)
    for answer in answers:
        chosen = np.flatnonzero(answer.rows & ~left_out[rows.person])
        part = Rows(rows.person[chosen], {name: take(column, chosen) for name, column in rows.columns.items()})
        frame = written(contract, part, facts, words)
        stem = contract.name if is_only and len(answers) == 1 else f"{contract.name}-{kept.files[contract.name]:03d}"
        path = inbox / (stem + SUFFIXES[kind])
        formulas: tuple[tuple[int, int], ...] = ()
        if chance is not None:
            spoilt = disorder.spoil(chance, contract, frame, kind=kind, numbers=numbers)
            frame, formulas = spoilt.frame, spoilt.formulas
            _note(kept, contract, path.name, spoilt, kind, words, is_late=answer.months_late > 0)
        columns = {column.name: header(column, words) for column in contract.columns if column.name in frame.columns}
        write_rows(path, frame.rename(columns), kind=kind, formulas=formulas)
        everyone = bool(answer.households.all()) and (is_only or chance is None)
        silent_persons = left_out & answer.households[people.household]
        facts_of_answer = manifest(
            contract,
            on=facts.on,
            requests=None if everyone else requests.filter(pl.Series(answer.households)).to_list(),
            institutions=answer.institutions,
            not_answered=people.identity.filter(pl.Series(silent_persons)).to_list(),
            months_late=answer.months_late,
        )
        text = json.dumps(facts_of_answer, ensure_ascii=False, indent=None if not everyone else 1)
        path.with_name(stem + ".manifest.json").write_text(text + "\n", encoding="utf-8")
        if silent_persons.any():
            kept.spoilt("not_answered", contract.name, path.name, n=int(silent_persons.sum()))
        kept.rows[contract.name] += frame.height
        kept.files[contract.name] += 1


@dataclass(frozen=True, slots=True)
class _Answer:
    """One file's share of a feed: rows, households answered for, institutions, months missing at the end."""

    rows: Bools
    households: Bools
    institutions: tuple[str, ...] | None = None
    months_late: int = 0


def _answers(
    facts: Facts, contract: FeedContract, rows: Rows, *, style: FileStyle, late: Bools | None
) -> list[_Answer]:
    everyone = np.ones(facts.households.n, dtype=np.bool_)
    every_row = np.ones(rows.height, dtype=np.bool_)
    if contract.name == "bank_deposits":
        if style == "parquet":
            return [_Answer(every_row, everyone, BANKS)]
        return [_Answer(rows.coded("bank_code").where(bank), everyone, (bank,)) for bank in BANKS]
    if contract.name == "tax_income" and late is not None and late.any():
        of_late = late[facts.people.household[rows.person]]
        last = rows.ints("month") == rows.ints("month").max(initial=0)
        return [_Answer(~of_late, ~late), _Answer(of_late & ~last, late, months_late=1)]
    return [_Answer(every_row, everyone)]


def _note(
    kept: _Ledger,
    contract: FeedContract,
    file: str,
    spoilt: disorder.Spoilt,
    kind: FileKind,
    words: Style,
    *,
    is_late: bool,
) -> None:
    """Write down what was done to a file; a row's line counts from 1, after a header where the file has one."""
    first_line = 1 if kind == "parquet" else 2
    for reason, rows in spoilt.places.partition_by("kind", as_dict=True, maintain_order=True).items():
        kept.spoilt(str(reason[0]), contract.name, file, rows["row"].to_numpy() + first_line)
    for name, applies in (
        (f"file_{kind}", kind not in ("csv", "parquet")),
        (f"money_{words.money}", words.money != "yuan"),
        (f"dates_{words.dates}", words.dates != "iso"),
        ("late_month", is_late),
    ):
        if applies:
            kept.spoilt(name, contract.name, file)


def _finish(folder: Path, kept: _Ledger, *, households: int, seed: int, on: date, mess: bool) -> County:
    outcomes = pl.concat(kept.outcomes)
    outcomes.write_parquet(folder / "truth" / "outcomes.parquet")
    pl.concat(kept.doubtful).sort("case_id", "feed", "key").write_parquet(folder / "truth" / "doubtful.parquet")
    schema = {"kind": pl.String, "feed": pl.String, "file": pl.String, "line": pl.Int64}
    spoilt = pl.concat([pl.DataFrame(schema=schema), *kept.mess])
    spoilt.write_parquet(folder / "truth" / "mess.parquet")
    counts = outcomes.group_by("programme", "outcome").len().sort("programme", "outcome")
    by_programme: dict[str, dict[str, int]] = {programme: {} for programme in PROGRAMMES}
    for programme, outcome, n in counts.iter_rows():
        by_programme[programme][outcome] = n
    made = County(
        folder=folder,
        households=households,
        seed=seed,
        on=on,
        is_messy=mess,
        persons=kept.persons,
        members=kept.members,
        rows=dict(sorted(kept.rows.items())),
        files=sum(kept.files.values()),
        outcomes=by_programme,
        mess=dict(sorted(Counter(spoilt["kind"].to_list()).items())),
    )
    text = json.dumps(made.describe(), ensure_ascii=False, indent=1)
    (folder / "truth" / "county.json").write_text(text + "\n", encoding="utf-8")
    return made
