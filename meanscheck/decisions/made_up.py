"""What do records under a law look like that are nobody's? For dictionaries by which records are packed.

A few made-up households are decided: complete evidence without a row, nothing answered, one person and several. What
comes out has every name, test, citation and cause that records under the law have, and no value of anybody: it hangs on
the law alone. The plain executor decides them, which for so few takes a third of the time of the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import polars as pl

from meanscheck.contracts.units import CaseUnit, FeedFacts, PersonFacts, Value
from meanscheck.decisions.record import GROUPS, Provenance, canonical, plain_record
from meanscheck.law.keeping import kept_with_law
from meanscheck.law.law import Law
from meanscheck.values.evidence_state import EvidenceState
from meanscheck.vault import OUTCOME, outcome_line

_FAMILY = (("head", "female", 48), ("spouse", "male", 50), ("child", "male", 10), ("parent", "female", 75))
_SIZES = (len(_FAMILY), 1)
_STATES = (EvidenceState.NO_ANSWER, EvidenceState.ANSWERED)
_TOKEN = "0" * 32
_DIGEST = "0" * 64


@kept_with_law
def dictionaries_of(law: Law) -> Mapping[str, bytes]:
    """A dictionary for each kind of file of a vault whose texts hang on the law: ``records`` and ``outcomes``."""
    records = [_record(law, size, state) for state in _STATES for size in _SIZES]
    texts = [canonical(record[name]).decode() for record in records for name in GROUPS]
    rows = [row for record in records for row in _outcomes(record["result"])]
    lines = pl.DataFrame(rows, schema=OUTCOME, orient="row").select(outcome_line()).to_series().to_list()
    return {"records": "\n".join(texts).encode(), "outcomes": "\n".join(lines).encode()}


def _record(law: Law, size: int, state: EvidenceState) -> dict[str, dict[str, Any]]:
    return plain_record(
        law,
        _household(law, size, state),
        provenance=Provenance(_DIGEST),
        input_digest=_DIGEST,
        household_token=_TOKEN,
        person_tokens=[_TOKEN] * size,
    )


def _outcomes(result: dict[str, Any]) -> Iterator[tuple[str, str | None, str, int | None, list[str]]]:
    """Rows of `OUTCOME`."""
    everybody = [(None, result["household"]), *((one["id"], one["outcomes"]) for one in result["members"])]
    for member, found in everybody:
        for one in found:
            yield one["programme"], member, one["outcome"], one["award"], one["causes"]


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
