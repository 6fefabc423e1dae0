"""What is a case unit: the people of one application, their register household and their supporters, with evidence?

The room `evidence` produces it, the room `law` reads it, and neither knows the other, so the shape is agreed here,
twice:

* `CaseUnit` — one unit as plain records, for the executor that reads like the law;
* `CaseBlock` — many whole units as frames, for the vector executor.

`block_of` turns the first into the second, `units_of` the second into the first; a property test holds that no value is
lost between them.

Frames of a `CaseBlock` (types as Polars names):

    households   unit Int64 (ascending, unique) · case_id String · residence Enum{urban, rural} · division String ·
                 applied_on, reference_day Date · application_no, accepting_place String · requested String (programme
                 ids, sorted, comma between; empty means all) · n_persons UInt32
    persons      ascending (unit, position): unit, position Int64 · role Enum{member, supporter, register} · person
    Int64 ·
                 the member attributes below · per feed f: `n:f` UInt32 rows, `s:f` UInt8 EvidenceState,
                 `from:f`, `to:f` Date (first and last day the answer covers; null = not limited), `asof:f` Date
    feeds[f]     rows in person order, columns by their names in formulas · verdict UInt8 (0 none, 1 confirmed,
                 2 explained or disregarded) · `ROW_REF` where it was asked for
    supporters   ascending (member_row, supporter_row): unit Int64 · member_row, supporter_row UInt32 (row in
    `persons`) ·
                 first Boolean (the first edge of that supporter in the unit) · the columns of feed `supporters`
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeAlias

import polars as pl

from meanscheck.values.evidence_state import EvidenceState

Value: TypeAlias = int | bool | date | str | None
"""A stored value: fen, cm², millionths or a count as int; yes/no; a day (a month is its first); text; None, unknown."""

RESIDENCE = ("urban", "rural")
ROLE = ("member", "supporter", "register")
RELATION = (
    "head",
    "spouse",
    "child",
    "parent",
    "grandparent",
    "grandchild",
    "sibling",
    "child_in_law",
    "parent_in_law",
    "other",
)
SEX = ("male", "female")

HOUSEHOLD_ATTRIBUTES: Mapping[str, pl.DataType] = {
    "residence": pl.Enum(RESIDENCE),
    "division": pl.String(),
    "applied_on": pl.Date(),
    "reference_day": pl.Date(),
    "application_no": pl.String(),
    "accepting_place": pl.String(),
}
MEMBER_ATTRIBUTES: Mapping[str, pl.DataType] = {
    "id": pl.String(),
    "relation": pl.Enum(RELATION),
    "sex": pl.Enum(SEX),
    "born_on": pl.Date(),
    "lives_together": pl.Boolean(),
    "lives_together_since": pl.Date(),
    "can_live_independently": pl.Boolean(),
    "hukou_division": pl.String(),
    "cares_for": pl.String(),
    "guardian": pl.String(),
    "is_excused_from_work": pl.Boolean(),
}

ROW_REF = "#ref"
"""Column that a feed's rows carry where it is asked for: the `row_ref` a finding would name (String)."""
ROW_BATCH, ROW_LINE = "#batch", "#line"
"""Columns that say where a row stands, where they are asked for of single cases: number of the batch, line (Int64)."""
VERDICT_NONE, VERDICT_CONFIRMED, VERDICT_DROPPED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class FeedFacts:
    """One person's evidence in one feed. Rows are visible to rules only while `state` is ANSWERED.

    A row maps column names to values; the key ``verdict`` holds 0, 1 or 2 (absent means 0).
    """

    state: EvidenceState = EvidenceState.ANSWERED
    rows: tuple[Mapping[str, Value], ...] = field(default=(), repr=False)
    covers_from: date | None = None
    covers_to: date | None = None
    as_of: date | None = None


NO_ROWS = FeedFacts()


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """A person in a case unit; a feed that is not named has been answered with no rows."""

    role: str
    attributes: Mapping[str, Value] = field(repr=False)
    feeds: Mapping[str, FeedFacts] = field(default_factory=dict, repr=False)
    supports: tuple[str, ...] = ()
    support: Mapping[str, Value] = field(default_factory=dict, repr=False)
    """For a supporter: ids of the members supported, and the columns of feed `supporters`."""
    person: int = 0

    def feed(self, name: str) -> FeedFacts:
        """Evidence in the feed `name`."""
        return self.feeds.get(name, NO_ROWS)


@dataclass(frozen=True, slots=True)
class CaseUnit:
    """One case unit as plain records; members before supporters and register co-residents, in a fixed order."""

    case_id: str
    attributes: Mapping[str, Value] = field(repr=False)
    persons: tuple[PersonFacts, ...] = field(repr=False)
    requested: tuple[str, ...] = ()
    unit: int = 0

    @property
    def members(self) -> tuple[PersonFacts, ...]:
        """Persons of the application (whether each belongs to the household is law, not evidence)."""
        return tuple(p for p in self.persons if p.role == "member")


@dataclass(frozen=True, slots=True)
class CaseBlock:
    """Whole case units as frames; columns and order as in the module's docstring."""

    households: pl.DataFrame = field(repr=False)
    persons: pl.DataFrame = field(repr=False)
    feeds: Mapping[str, pl.DataFrame] = field(repr=False)
    supporters: pl.DataFrame = field(repr=False)

    @property
    def units(self) -> int:
        """How many case units."""
        return self.households.height


def block_of(
    units: Sequence[CaseUnit],
    columns: Mapping[str, Mapping[str, pl.DataType]],
    support_columns: Mapping[str, pl.DataType],
) -> CaseBlock:
    """Plain units as frames.

    Args:
        units: in the order wanted; `unit` ordinals are assigned 0, 1, ….
        columns: feed → column → Polars type, for the feeds that a law reads.
        support_columns: the columns of feed `supporters`.
    """
    households: dict[str, list[Value]] = {"unit": [], "case_id": [], "requested": [], "n_persons": []}
    households.update({name: [] for name in HOUSEHOLD_ATTRIBUTES})
    persons: dict[str, list[Value]] = {name: [] for name in ("unit", "position", "role", "person", *MEMBER_ATTRIBUTES)}
    for feed in (*columns, "supporters"):
        persons.update({f"{prefix}:{feed}": [] for prefix in ("n", "s", "from", "to", "asof")})
    rows: dict[str, dict[str, list[Value]]] = {f: {c: [] for c in (*cs, "verdict")} for f, cs in columns.items()}
    edges: list[dict[str, Value]] = []
    first_row = 0
    for ordinal, unit in enumerate(units):
        households["unit"].append(ordinal)
        households["case_id"].append(unit.case_id)
        households["requested"].append(",".join(sorted(unit.requested)))
        households["n_persons"].append(len(unit.persons))
        for name in HOUSEHOLD_ATTRIBUTES:
            households[name].append(unit.attributes.get(name))
        row_of_member = {
            str(p.attributes.get("id")): first_row + i for i, p in enumerate(unit.persons) if p.role == "member"
        }
        for position, person in enumerate(unit.persons):
            _append_person(persons, person, ordinal, position)
            for feed, cells in rows.items():
                for row in person.feed(feed).rows:
                    for name, column in cells.items():
                        column.append((row.get(name) or 0) if name == "verdict" else row.get(name))
            edges.extend(
                {
                    "unit": ordinal,
                    "member_row": row_of_member[who],
                    "supporter_row": first_row + position,
                    **{c: person.support.get(c) for c in support_columns},
                }
                for who in person.supports
                if who in row_of_member
            )
        first_row += len(unit.persons)
    return CaseBlock(
        households=pl.DataFrame(
            households,
            schema={
                "unit": pl.Int64,
                "case_id": pl.String,
                "requested": pl.String,
                "n_persons": pl.UInt32,
                **HOUSEHOLD_ATTRIBUTES,
            },
        ),
        persons=pl.DataFrame(persons, schema=_person_schema(columns)),
        feeds={
            feed: pl.DataFrame(cells, schema={**columns[feed], "verdict": pl.UInt8}) for feed, cells in rows.items()
        },
        supporters=_edge_frame(edges, support_columns),
    )


def _append_person(persons: dict[str, list[Value]], person: PersonFacts, unit: int, position: int) -> None:
    fixed: dict[str, Value] = {"unit": unit, "position": position, "role": person.role, "person": person.person}
    for name, column in persons.items():
        if ":" in name:
            prefix, feed = name.split(":", 1)
            facts = person.feed(feed)
            column.append(
                {
                    "n": len(facts.rows),
                    "s": int(facts.state),
                    "from": facts.covers_from,
                    "to": facts.covers_to,
                    "asof": facts.as_of,
                }[prefix]
            )
        else:
            column.append(fixed[name] if name in fixed else person.attributes.get(name))


def _person_schema(feeds: Mapping[str, object]) -> dict[str, pl.DataType]:
    schema: dict[str, pl.DataType] = {
        "unit": pl.Int64(),
        "position": pl.Int64(),
        "role": pl.Enum(ROLE),
        "person": pl.Int64(),
        **MEMBER_ATTRIBUTES,
    }
    for feed in (*feeds, "supporters"):
        schema |= {f"n:{feed}": pl.UInt32(), f"s:{feed}": pl.UInt8()}
        schema |= {f"{prefix}:{feed}": pl.Date() for prefix in ("from", "to", "asof")}
    return schema


def _edge_frame(edges: list[dict[str, Value]], support_columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    schema: dict[str, pl.DataType] = {
        "unit": pl.Int64(),
        "member_row": pl.UInt32(),
        "supporter_row": pl.UInt32(),
        **support_columns,
    }
    frame = pl.DataFrame(edges, schema=schema).sort("member_row", "supporter_row")
    return frame.with_columns(first=pl.col("supporter_row").is_first_distinct())


def units_of(block: CaseBlock) -> list[CaseUnit]:
    """The same units as plain records."""
    feeds = list(block.feeds)
    support_columns = [c for c in block.supporters.columns if c not in ("unit", "member_row", "supporter_row", "first")]
    supported: dict[int, list[int]] = {}
    support: dict[int, dict[str, Value]] = {}
    for edge in block.supporters.iter_rows(named=True):
        supported.setdefault(edge["supporter_row"], []).append(edge["member_row"])
        support[edge["supporter_row"]] = {c: edge[c] for c in support_columns}
    rows = {feed: frame.to_dicts() for feed, frame in block.feeds.items()}
    taken = dict.fromkeys(feeds, 0)
    records = block.persons.to_dicts()
    persons: list[PersonFacts] = []
    for index, record in enumerate(records):
        facts: dict[str, FeedFacts] = {}
        for feed in {name.split(":", 1)[1] for name in record if name.startswith("n:")}:
            own: list[dict[str, Value]] = []
            if feed in rows:
                start, taken[feed] = taken[feed], taken[feed] + record[f"n:{feed}"]
                own = rows[feed][start : taken[feed]]
            facts[feed] = FeedFacts(
                EvidenceState(record[f"s:{feed}"]),
                tuple(own),
                record[f"from:{feed}"],
                record[f"to:{feed}"],
                record[f"asof:{feed}"],
            )
        persons.append(
            PersonFacts(
                role=record["role"],
                attributes={name: record[name] for name in MEMBER_ATTRIBUTES if name in record},
                feeds=facts,
                supports=tuple(str(records[m]["id"]) for m in supported.get(index, ())),
                support=support.get(index, {}),
                person=record["person"],
            )
        )
    units: list[CaseUnit] = []
    start = 0
    for record in block.households.iter_rows(named=True):
        end = start + record["n_persons"]
        units.append(
            CaseUnit(
                case_id=record["case_id"],
                attributes={name: record[name] for name in HOUSEHOLD_ATTRIBUTES},
                persons=tuple(persons[start:end]),
                requested=tuple(filter(None, record["requested"].split(","))),
                unit=record["unit"],
            )
        )
        start = end
    return units
