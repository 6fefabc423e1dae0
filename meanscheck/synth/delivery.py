"""How do the departments answer for one part of the county? Requests and consents, then a file or more for every
feed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from meanscheck.contracts import FeedContract, feed
from meanscheck.synth import mess as disorder
from meanscheck.synth.chance import Bools, Chance
from meanscheck.synth.estate import BANKS
from meanscheck.synth.facts import Facts
from meanscheck.synth.files import SUFFIXES, FileKind, write_rows
from meanscheck.synth.identity import Numbers
from meanscheck.synth.inbox import (
    ConsentState,
    asked_feeds,
    consent_lines,
    manifest,
    request_lines,
    request_numbers,
)
from meanscheck.synth.record import Written
from meanscheck.synth.rows import Rows, has, take
from meanscheck.synth.wording import PLAIN, TYPED, Style, header, written

FileStyle = Literal["files", "parquet"]


def write_part(
    facts: Facts,
    inbox: Path,
    kept: Written,
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
    kept: Written,
    numbers: Numbers,
    *,
    chance: Chance | None,
    style: FileStyle,
    is_only: bool,
    late: Bools,
) -> None:
    people, rows = facts.people, facts.feeds[contract.name]
    words = Style() if style == "files" else TYPED if chance is None else PLAIN  # a spoilt cell is text
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
    kept: Written,
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
