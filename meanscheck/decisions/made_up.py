"""What do records under a law look like that are nobody's? For dictionaries by which records are packed.

A few made-up households are decided: complete evidence without a row, nothing answered, one person and several. What
comes out has every name, test, citation and cause that records under the law have, and no value of anybody: it hangs on
the law alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import polars as pl

from meanscheck.contracts.units import CaseUnit, FeedFacts, PersonFacts, Value
from meanscheck.decisions.encode import BlockRecords
from meanscheck.decisions.kernel import outcomes_of
from meanscheck.decisions.record import GROUPS, Provenance
from meanscheck.law.framed import framed
from meanscheck.law.keeping import kept_with_law
from meanscheck.law.law import Law
from meanscheck.law.vectors import VectorRun
from meanscheck.values.evidence_state import EvidenceState
from meanscheck.vault import outcome_line

_FAMILY = (("head", "female", 48), ("spouse", "male", 50), ("child", "male", 10), ("parent", "female", 75))
_SIZES = (len(_FAMILY), 1)
_STATES = (EvidenceState.NO_ANSWER, EvidenceState.ANSWERED)
_NOBODY = "0" * 32


@kept_with_law
def dictionaries_of(law: Law) -> Mapping[str, bytes]:
    """A dictionary for each kind of file of a vault whose texts hang on the law: ``records`` and ``outcomes``."""
    units = [_household(law, size, state) for state in _STATES for size in _SIZES]
    block = framed(law, units)
    block = replace(block, households=block.households.with_columns(input_digest=pl.lit(_NOBODY * 2)))
    records = BlockRecords(VectorRun(law, block), provenance=Provenance(_NOBODY * 2))
    nobody = pl.Series([_NOBODY])
    frame = records.frame(
        household_tokens=nobody.new_from_index(0, len(units)),
        person_tokens=nobody.new_from_index(0, block.persons.height),
    )
    texts = frame.select(pl.concat_str(*GROUPS, separator="\n")).to_series().to_list()
    lines = outcomes_of(records).select(outcome_line()).to_series().to_list()
    return {"records": "\n".join(texts).encode(), "outcomes": "\n".join(lines).encode()}


def _household(law: Law, size: int, state: EvidenceState) -> CaseUnit:
    persons = tuple(_person(law, f"P{n}", n, state) for n in range(size))
    known: dict[str, Value] = {
        "residence": "urban",
        "division": law.code,
        "applied_on": law.on,
        "reference_day": law.on,
    }
    return CaseUnit("made-up", known, persons)


def _person(law: Law, name: str, place: int, state: EvidenceState) -> PersonFacts:
    relation, sex, age = _FAMILY[place]
    known: dict[str, Value] = {
        "id": name,
        "relation": relation,
        "sex": sex,
        "born_on": date(law.on.year - age, 1, 1),
        "lives_together": True,
        "is_excused_from_work": False,
    }
    return PersonFacts("member", known, {feed: FeedFacts(state=state) for feed in (*law.needs, "supporters")})
