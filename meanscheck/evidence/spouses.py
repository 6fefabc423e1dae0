"""Is the other one of a marriage somebody of the same case unit?

Departments name a spouse by identity number, an application by the member's id. Rules must not handle identity numbers,
so `marriages.spouse_id` reads as the id where the number belongs to somebody of the unit other than a supporter; any
other number stays what it is: somebody who is not there.
"""

from __future__ import annotations

from meanscheck.contracts import Column, FeedContract

_COLUMN = "spouse_id"


def spouse_join(contract: FeedContract) -> str:
    """What the query of a feed's rows (`r`, of persons `p`) joins besides; empty unless the feed names spouses."""
    if _COLUMN not in contract.column_names:
        return ""
    return (
        " left join (select pp.unit, pi.id_number, min(pp.id) as id from p_people pp"
        " join persons pi on pi.person = pp.person where pp.role <> 'supporter' group by pp.unit, pi.id_number) sp"
        f" on sp.unit = p.unit and sp.id_number = r.{_COLUMN}"
    )


def spouse_cell(column: Column) -> str:
    """The cell that such a join gives; empty for any other column."""
    return f"coalesce(sp.id, r.{column.stored_name})" if column.name == _COLUMN else ""
