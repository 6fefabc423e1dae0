"""Who supports whom (法定赡养抚养扶养义务人)? One edge per supporter and supported member.

An edge stands where the application names a supporter, and carries the columns of the feed `supporters` if a row of
that feed speaks of it. A row of the feed: its person is the supported member, unless `supports` lists others by
identity number or by member id; `supporter_id` is the supporter's identity number, and without it the row's person is
the supporter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meanscheck.contracts import all_feeds
from meanscheck.evidence.rows import SUPPORTERS, as_of_sql
from meanscheck.values.sql import quoted

if TYPE_CHECKING:
    from meanscheck.contracts import Column

_NOT_CARRIED = ("supporter_id", "supports")


def edge_columns() -> tuple[Column, ...]:
    """Columns of feed `supporters` that an edge carries: all that formulas may name but the two that make the edge."""
    contract = all_feeds().get(SUPPORTERS)
    return () if contract is None else tuple(c for c in contract.formula_columns if c.name not in _NOT_CARRIED)


def edges_sql(rows: str | None) -> str:
    """Query of the edges: unit, member_place, supporter_place, columns (choices as codes), ordered.

    Args:
        rows: a relation with the counting rows of feed `supporters` (as `rows.rows_sql` gives them, with `person`,
            `batch`, `raw_supporter`, `raw_supports` and `dated`), or None if there are none.
    """
    columns = [quoted(c.name) for c in edge_columns()]
    people = "p_people"
    named = f"""
      select m.unit, m.place as member_place, s.place as supporter_place
      from (select unit, place, unnest(string_split(supports, ',')) as who from {people} where role = 'supporter') s
      join {people} m on m.unit = s.unit and m.role = 'member' and m.id = trim(s.who)"""
    if rows is None:
        nulls = "".join(f", null as {name}" for name in columns)
        return f"select distinct unit, member_place, supporter_place{nulls} from ({named}) order by 2, 3"
    cells = "".join(f", r.{name}" for name in columns)
    picked = "".join(f", t.{name}" for name in columns)
    return f"""
    with named as ({named}),
    told as (
      select r.unit, r.place, r.digest, r.batch, r.dated, r.raw_supporter,
        unnest(case when coalesce(trim(r.raw_supports), '') = '' then [null] else string_split(r.raw_supports, ',') end)
          as who{cells}
      from {rows} r),
    numbered as (
      select p.unit, p.place, p.role, p.id, i.id_number from p_read p join persons i on i.person = p.reads),
    told_edges as (
      select t.unit, m.place as member_place, s.place as supporter_place{picked}
      from told t
      join numbered m on m.unit = t.unit and m.role = 'member'
        and case when t.who is null then m.place = t.place else trim(t.who) in (m.id, m.id_number) end
      join numbered s on s.unit = t.unit and s.role = 'supporter' and s.place <> m.place
        and case when t.raw_supporter is null then s.place = t.place else t.raw_supporter in (s.id, s.id_number) end
      qualify row_number() over (partition by m.place, s.place
        order by t.dated desc nulls last, t.batch desc, t.digest) = 1)
    select coalesce(n.unit, t.unit) as unit, coalesce(n.member_place, t.member_place) as member_place,
      coalesce(n.supporter_place, t.supporter_place) as supporter_place{picked}
    from (select distinct * from named) n
    full join told_edges t on t.member_place = n.member_place and t.supporter_place = n.supporter_place
    order by 2, 3
    """


def support_extra() -> str:
    """What the query of feed `supporters` must carry besides, for `edges_sql`."""
    contract = all_feeds()[SUPPORTERS]
    return (
        ", r.batch as batch, r.supporter_id as raw_supporter, r.supports as raw_supports, "
        f"{as_of_sql(contract, 'r', 'null')} as dated"
    )
