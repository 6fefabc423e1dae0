"""In which statements does evidence become the relations that blocks are pulled from?

Used twice with other destinations: by the projection, range by range of units into a file, and for single cases, into
temporary tables. See `blocks` for the relations, `people` and `coverage` for what is read.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from meanscheck.contracts import all_feeds
from meanscheck.contracts.units import MEMBER_ATTRIBUTES
from meanscheck.evidence.blocks import bits_of, code_sql
from meanscheck.evidence.digests import ROW_DIGEST_BYTES, SORTED_HEX
from meanscheck.evidence.edges import edges_sql, support_extra
from meanscheck.evidence.rows import SUPPORTERS, Few, rows_sql
from meanscheck.evidence.tables import MEMBER_COLUMNS

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store


PLACE = ', r.batch as "#batch", r.row_no as "#line"'
"""Select items of rows with their place (`ROW_BATCH`, `ROW_LINE`)."""


def feed_rows(
    store: Store,
    feed: str,
    *,
    create: str,
    prefix: str,
    mark: int,
    reviewed: Collection[str],
    recompute: bool = False,
    placed: bool = False,
    few: Few | None = None,
) -> None:
    """Make ``f_<feed>``, in the order (place, digest); where `placed`, each row with its batch and its line there."""
    query = rows_sql(
        all_feeds()[feed],
        mark=mark,
        reviewed=reviewed,
        recompute=recompute,
        few=few,
        extra=(support_extra() if feed == SUPPORTERS else "") + (PLACE if placed else ""),
    )
    store.run(f"{create} {prefix}f_{feed} as select * from ({query}) order by place, digest")


def edges(store: Store, *, create: str, prefix: str, has_feed: bool) -> None:
    """Make ``supporters``, in the order (member_place, supporter_place)."""
    store.run(f"{create} {prefix}supporters as {edges_sql(f'{prefix}f_{SUPPORTERS}' if has_feed else None)}")


def persons(store: Store, *, create: str, prefix: str) -> None:
    """Make ``persons`` and ``states``."""
    attributes = ", ".join(
        f"{code_sql(name, name)} as {name}" if name in ("relation", "sex") else name for name in MEMBER_ATTRIBUTES
    )
    store.run(
        f"{create} {prefix}persons as select place, unit, position, {code_sql('role', 'role')} as role, person, "
        f"{attributes}, term from p_people order by place"
    )
    store.run(f"{create} {prefix}states as select * from p_states order by feed, term")


APPLICATION_CELLS = (
    "case_id",
    "application_no",
    "accepting_place",
    "applied_on",
    "reference_day",
    "residence",
    "division",
)
PERSON_CELLS = ("position", "role", "supports", *MEMBER_COLUMNS)


def _cells_digest(kind: str, columns: Sequence[str]) -> str:
    """SQL of a digest like a row's: 16 bytes of SHA-256 over the cells, U+001F between, U+001E for null."""
    cells = ", ".join([f"'{kind}'", *(f"coalesce({c}::varchar, chr(30))" for c in columns)])
    return f"unhex(sha256(concat_ws(chr(31), {cells})))[1:{ROW_DIGEST_BYTES}]"


def households_sql(feeds: Sequence[str], *, prefix: str, within: str) -> str:
    """Query of ``households``, ordered by unit.

    `held` says in which feeds rows count of anybody in the unit, see `blocks.bits_of`.

    input_digest is SHA-256 (hex) over the sorted 16-byte digests of all counting rows of all persons of the unit over
    all feeds, of its request as it came (first 16 bytes of SHA-256 over its canonical text), and of what the store
    holds of it: the application's own cells, and each person's.
    """
    digests = " union all ".join(
        [
            f"select unit, digest, 0::bigint as held from p_units where {within}",
            f"select unit, {_cells_digest('application', APPLICATION_CELLS)}, 0 from p_units where {within}",
            f"select unit, {_cells_digest('person', PERSON_CELLS)}, 0 from p_people where {within}",
            *(
                f"select unit, digest, {bit} from {prefix}f_{feed} where {within}"
                for feed, bit in bits_of(feeds).items()
            ),
        ]
    )
    return f"""
    select u.unit, u.case_id, u.requested, n.n_persons, {code_sql("u.residence", "residence")} as residence, u.division,
      u.applied_on, n.reference_day, u.application_no, u.accepting_place, d.input_digest, d.held
    from (select * from p_units where {within}) u
    join (select unit, count(*)::uinteger as n_persons, any_value(reference_day) as reference_day
          from p_people where {within} group by unit) n on n.unit = u.unit
    join (select unit, sha256(unhex({SORTED_HEX})) as input_digest, bit_or(held) as held
          from ({digests}) group by unit) d on d.unit = u.unit
    order by u.unit
    """
