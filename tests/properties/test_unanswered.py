"""Leaving evidence out never turns an outcome round: it stays, or a person must look.

A rule that names `first_known` may take something else where evidence is silent; ours do so for no evidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl
import pytest
from decisions.office import Office, law_of_2020
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meanscheck.contracts.units import CaseBlock, CaseUnit, FeedFacts, units_of
from meanscheck.decisions.encode import input_needs
from meanscheck.law.law import Law
from meanscheck.law.plain import Outcome, PlainRun
from meanscheck.law.vectors import VectorRun
from meanscheck.values.evidence_state import EvidenceState

FEEDS = sorted(input_needs(law_of_2020()))


def outcomes(law: Law, block: CaseBlock) -> pl.DataFrame:
    """unit Int64, person Int64, programme String, outcome Boolean (null: refer), award Int64; members only."""
    run = VectorRun(law, block)
    parts: list[pl.DataFrame] = []
    for p in law.programmes:
        frame = run.frame(p.entity)
        if p.entity == "member":
            frame = frame.filter(pl.col("role") == "member")
        award = pl.col(f"w:{p.id}") if p.award is not None else pl.lit(None, dtype=pl.Int64)
        position = pl.col("position") if p.entity == "member" else pl.lit(-1, dtype=pl.Int64)
        parts.append(frame.select("unit", position=position, p=pl.lit(p.id), outcome=f"o:{p.id}", award=award))
    return pl.concat(parts)


def test_first_known_stands_over_no_evidence() -> None:
    """No rule in force falls back where a feed, or a cell of one, is silent, so none needs an exception below."""
    replacing = [node for tree in law_of_2020().trees for node in tree.walk() if node.op == "first_known"]
    assert [part for node in replacing for part in node.walk() if part.op in ("agg", "col", "members")] == []
    assert {part.args for node in replacing for part in node.nodes if part.op == "attr"} == {
        ("member", "is_excused_from_work")
    }


@pytest.mark.parametrize("feed", FEEDS)
def test_a_feed_that_nobody_answered_turns_no_outcome_round(clean: Office, feed: str) -> None:
    (block,) = clean.result.projection.blocks(input_needs(clean.law), block_units=1000)
    before = outcomes(clean.law, block)
    silent = block.persons.with_columns(pl.lit(int(EvidenceState.NO_ANSWER), dtype=pl.UInt8).alias(f"s:{feed}"))
    after = outcomes(clean.law, replace(block, persons=silent))
    both = before.join(after, on=["unit", "position", "p"], suffix="_after", validate="1:1")
    assert both.height == before.height
    stays = both.filter(pl.col("outcome_after").is_not_null())
    assert stays.filter(pl.col("outcome").ne_missing(pl.col("outcome_after"))).rows() == []
    assert stays.filter(pl.col("award").ne_missing(pl.col("award_after"))).rows() == []


KEPT: dict[int, list[CaseUnit]] = {}


def units_in(office: Office) -> list[CaseUnit]:
    """The units of a county as plain records, read once."""
    if id(office) not in KEPT:
        (block,) = office.result.projection.blocks(input_needs(office.law), block_units=1000)
        KEPT[id(office)] = units_of(block)
    return KEPT[id(office)]


def told(law: Law, unit: CaseUnit) -> dict[tuple[str, int | None], Outcome]:
    return {(o.programme, o.member): o for o in PlainRun(law, unit).decide()}


def hushed(unit: CaseUnit, person: int, feed: str, state: EvidenceState) -> CaseUnit:
    """The same unit with one person's state in one feed made worse, if it is."""
    facts = unit.persons[person].feed(feed)
    feeds: Mapping[str, FeedFacts] = {
        **unit.persons[person].feeds,
        feed: replace(facts, state=max(facts.state, state)),
    }
    persons = list(unit.persons)
    persons[person] = replace(persons[person], feeds=feeds)
    return replace(unit, persons=tuple(persons))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_worse_state_of_one_person_turns_no_outcome_round(clean: Office, messy: Office, data: st.DataObject) -> None:
    law = clean.law
    units = units_in(data.draw(st.sampled_from([clean, messy])))
    unit = units[data.draw(st.integers(0, len(units) - 1))]
    before = told(law, unit)
    changed = unit
    for _ in range(data.draw(st.integers(1, 3))):
        person = data.draw(st.integers(0, len(unit.persons) - 1))
        feed, state = data.draw(st.sampled_from(FEEDS)), data.draw(st.sampled_from(list(EvidenceState)))
        changed = hushed(changed, person, feed, state)
    for key, after in told(law, changed).items():
        if after.outcome != "refer":
            assert (after.outcome, after.award) == (before[key].outcome, before[key].award)
        else:
            assert after.causes


def test_a_finding_taken_away_refers_or_leaves_the_outcome(clean: Office) -> None:
    """Without the office's review a register hit is a doubtful point: outcomes stay, or a person must look."""
    (block,) = clean.result.projection.blocks(input_needs(clean.law), block_units=1000)
    feeds = {f: r.with_columns(pl.lit(0, dtype=pl.UInt8).alias("verdict")) for f, r in block.feeds.items()}
    before, after = outcomes(clean.law, block), outcomes(clean.law, replace(block, feeds=feeds))
    both = before.join(after, on=["unit", "position", "p"], suffix="_after", validate="1:1")
    assert both.filter(pl.col("outcome").ne_missing(pl.col("outcome_after"))).height > 0
    stays = both.filter(pl.col("outcome_after").is_not_null())
    assert stays.filter(pl.col("outcome").ne_missing(pl.col("outcome_after"))).rows() == []
    assert stays.filter(pl.col("award").ne_missing(pl.col("award_after"))).rows() == []
