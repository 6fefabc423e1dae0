"""How does one case unit come out of a projection while a caseworker waits?

As plain records and without a frame on the way, since the executor that reads like the law wants records: a statement
of DuckDB costs half a millisecond and a small frame as much again. A statement is spared where its answer is known:
feeds in which nobody of the unit has a row (``held``), edges of a unit without supporters, states, which belong to
terms (see `people`) and are read once.

It gives what `units_of` makes of the same unit's block; a test compares the two over a county.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Self

from meanscheck.contracts import all_feeds
from meanscheck.contracts.units import HOUSEHOLD_ATTRIBUTES, MEMBER_ATTRIBUTES, ROW_REF, CaseUnit, PersonFacts
from meanscheck.errors import InternalError, StoreError
from meanscheck.evidence.blocks import CHOICES, HELD, Source
from meanscheck.evidence.digests import SHORT_ID
from meanscheck.evidence.edges import edge_columns
from meanscheck.evidence.rows import SUPPORTERS, formula_columns
from meanscheck.values.sql import quoted

_HOUSEHOLD = ("unit", HELD, "requested", *HOUSEHOLD_ATTRIBUTES)
_PERSON = ("place", "role", "person", "term", *MEMBER_ATTRIBUTES)
_EDGE = ("member_place", "supporter_place")
_NO_CHOICES: tuple[str, ...] = ()
_DIGEST = "digest"

Cells = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Table:
    """Which cells are read, and of which column a stored number is the place in a list of choices."""

    names: tuple[str, ...]
    choices: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, names: Collection[str], choices: Mapping[str, tuple[str, ...]]) -> Self:
        return cls(tuple(names), tuple(choices.get(name, _NO_CHOICES) for name in names))

    def read(self, source: Source, table: str, where: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        cells = ", ".join(map(quoted, self.names))
        found = source.database.rows(f"select {cells} from {source.prefix}{table} {where}", parameters)
        return [
            {
                name: choices[cell] if choices and cell is not None else cell
                for name, choices, cell in zip(self.names, self.choices, row, strict=True)
            }
            for row in found
        ]


_HOUSEHOLDS = _Table.of(_HOUSEHOLD, CHOICES)
_PERSONS = _Table.of(_PERSON, CHOICES)


def case_unit(source: Source, case_id: str, feeds: Mapping[str, Collection[str]]) -> CaseUnit:
    """One unit of a projection.

    Args:
        source: where it is read.
        case_id: which.
        feeds: feed → names of the columns needed, as for `blocks.pull`.

    Raises:
        StoreError: the case is not in the projection.
        InternalError: rows did not come in stored order.
    """
    source.reads(1)
    households = _HOUSEHOLDS.read(source, "households", "where case_id = ?", [case_id])
    if len(households) != 1:
        raise StoreError("the case is not in the store as of the projection's snapshot")
    (household,) = households
    within = f"where unit = {household['unit']}"
    people = _PERSONS.read(source, "persons", within)
    places = [person["place"] for person in people]
    if places != list(range(places[0], places[0] + len(places))):
        raise InternalError("persons of a case did not come in stored order")
    at = {place: number for number, place in enumerate(places)}
    holding = source.holding(household[HELD])
    rows: list[dict[str, list[Cells]]] = [{} for _ in people]
    for feed, columns in feeds.items():
        if feed in holding and feed != SUPPORTERS:
            for row in _in_order(_rows(feed, frozenset(columns)).read(source, f"f_{feed}", within), ("place",), at):
                if _DIGEST in row:  # its head taken by the database makes a statement take half as long again
                    row[ROW_REF] = row.pop(_DIGEST).hex()[:SHORT_ID]
                rows[at[row.pop("place")]].setdefault(feed, []).append(row)
    supports: list[list[str]] = [[] for _ in people]
    support: list[Cells] = [{} for _ in people]
    if any(person["role"] == "supporter" for person in people):
        for edge in _in_order(_edges(frozenset(feeds.get(SUPPORTERS, ()))).read(source, SUPPORTERS, within), _EDGE, at):
            member, supporter = (at[edge.pop(name)] for name in _EDGE)
            supports[supporter].append(str(people[member]["id"]))
            support[supporter] = edge
    return CaseUnit(
        case_id=case_id,
        attributes={name: household[name] for name in HOUSEHOLD_ATTRIBUTES},
        persons=tuple(
            PersonFacts(
                role=person["role"],
                attributes={name: person[name] for name in MEMBER_ATTRIBUTES},
                feeds={
                    feed: replace(source.facts(feed, person["term"]), rows=tuple(own.get(feed, ())))
                    for feed in {*feeds, SUPPORTERS}
                },
                supports=tuple(supported),
                support=edge,
                person=person["person"],
            )
            for person, own, supported, edge in zip(people, rows, supports, support, strict=True)
        ),
        requested=tuple(filter(None, household["requested"].split(","))),
        unit=household["unit"],
    )


def _in_order(rows: list[dict[str, Any]], by: Sequence[str], places: Collection[int]) -> list[dict[str, Any]]:
    """The same, if they are of those people and in the order in which they are stored."""
    keys = [tuple(row[name] for name in by) for row in rows]
    if keys != sorted(keys) or not all(place in places for key in keys for place in key):
        raise InternalError("rows of a case did not come in stored order")
    return rows


@lru_cache(maxsize=1024)
def _rows(feed: str, columns: frozenset[str]) -> _Table:
    wanted = [c for c in formula_columns(all_feeds()[feed]) if c.name in columns]
    names = ["place", *(c.name for c in wanted), "verdict", *([_DIGEST] if ROW_REF in columns else [])]
    return _Table.of(names, {c.name: c.choices for c in wanted})


@lru_cache(maxsize=64)
def _edges(columns: frozenset[str]) -> _Table:
    wanted = [c for c in edge_columns() if c.name in columns]
    return _Table.of([*_EDGE, *(c.name for c in wanted)], {c.name: c.choices for c in wanted})
