"""Which rows of a projection does a law need, if another system brings them?

A block is pulled out of relations whose rows lie in a known order, in known types (see `blocks`). Whoever brings the
rows by another way (a cluster that reads tables) keeps neither: it widens small integers, and it gives rows as they
come. So each relation is named with the columns that are needed, their types, by which columns its rows are to be put
in order, and how many there are, so that none is lost unnoticed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from meanscheck.contracts import all_feeds
from meanscheck.contracts.units import MEMBER_ATTRIBUTES
from meanscheck.evidence.blocks import HELD, HOUSEHOLD_COLUMNS
from meanscheck.evidence.edges import edge_columns
from meanscheck.evidence.projection import NAME
from meanscheck.evidence.rows import SUPPORTERS, formula_columns
from meanscheck.values.sql import quoted

if TYPE_CHECKING:
    import polars as pl

    from meanscheck.evidence.projection import Projection


@dataclass(frozen=True, slots=True)
class Relation:
    """One table of a projection, every row of which belongs to a unit.

    Attributes:
        name: such as ``persons`` or ``f_deaths``.
        schema: the columns needed, with their types in frames; `unit` is among them.
        order: columns by which rows are ordered; no two rows have the same values there.
        rows: how many there are.
    """

    name: str
    schema: pl.Schema = field(repr=False)
    order: tuple[str, ...]
    rows: int


def relations_of(projection: Projection, feeds: Mapping[str, Collection[str]]) -> list[Relation]:
    """All that blocks and tokens are read from, for the feeds and columns named (as `Projection.blocks` takes them)."""
    edges = feeds.get(SUPPORTERS, ())
    tables: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
        "households": ((*HOUSEHOLD_COLUMNS, HELD), ("unit",)),
        "persons": (("place", "unit", "position", "role", "person", *MEMBER_ATTRIBUTES, "term"), ("place",)),
        "unit_tokens": (("unit", "token"), ("unit",)),
        "person_tokens": (("place", "unit", "token"), ("place",)),
        "supporters": (
            ("unit", "member_place", "supporter_place", *(c.name for c in edge_columns() if c.name in edges)),
            ("member_place", "supporter_place"),
        ),
    }
    for feed in sorted({*feeds, SUPPORTERS} & projection.rows.keys()):
        wanted = () if feed == SUPPORTERS else feeds[feed]
        columns = tuple(c.name for c in formula_columns(all_feeds()[feed]) if c.name in wanted)
        tables[f"f_{feed}"] = (("unit", "place", "digest", *columns, "verdict"), ("place", "digest"))
    store, found = projection.store, []
    for name, (columns, order) in tables.items():
        none = store.fetch(f"select {', '.join(map(quoted, columns))} from {NAME}.main.{name} limit 0")
        rows = int(store.value(f"select count(*) from {NAME}.main.{name}"))
        found.append(Relation(name, none.schema, order, rows))
    return found


def states_of(projection: Projection) -> pl.DataFrame:
    """The relation ``states``: of terms, not of units, and the same for every block."""
    return projection.store.fetch(f"select * from {NAME}.main.states order by feed, term")
