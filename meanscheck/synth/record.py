"""What has been made so far? The truth of each part and a note of everything written and spoilt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from meanscheck.synth.chance import Bools, Ints
from meanscheck.synth.facts import Facts
from meanscheck.synth.inbox import case_ids, member_ids
from meanscheck.synth.means import NOT_VEHICLES
from meanscheck.synth.people import MEMBER
from meanscheck.synth.rows import Rows
from meanscheck.synth.truth import ELIGIBLE, OUTCOMES, Truth
from meanscheck.synth.wording import PREFIXES, numbered

PROGRAMMES = ("dibao", "medical_relief", "tekun")
KEYS = {"vehicles": "vehicle_token", "real_estate": "right_token", "business_registration": "credit_code"}
"""The column that identifies a row of each register beside the person."""


@dataclass(slots=True)
class Written:
    """What has been written so far."""

    rows: Counter[str] = field(default_factory=Counter)
    files: Counter[str] = field(default_factory=Counter)
    persons: int = 0
    members: int = 0
    outcomes: list[pl.DataFrame] = field(default_factory=list)
    doubtful: list[pl.DataFrame] = field(default_factory=list)
    mess: list[pl.DataFrame] = field(default_factory=list)

    def spoilt(
        self, kind: str, feed_name: str, file: str, lines: Sequence[int] | Ints | None = None, n: int = 1
    ) -> None:
        """Note places of one kind: at lines, or `n` of them without a line."""
        cells = [None] * n if lines is None else list(map(int, lines))
        frame = pl.DataFrame({"line": cells}, schema={"line": pl.Int64})
        notes = {"kind": kind, "feed": feed_name, "file": file}
        self.mess.append(frame.select(*(pl.lit(text).alias(name) for name, text in notes.items()), "line"))


def keep_truth(facts: Facts, truth: Truth, kept: Written) -> None:
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
        token = held if isinstance(held, pl.Series) else numbered(PREFIXES[key], rows.ints(key))
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
