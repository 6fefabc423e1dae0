"""Which ordinal has a person? Dense, in the order of arrival; they stay inside the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store


def add_persons(store: Store, identities: str) -> int:
    """Give ordinals to identities not met before.

    Args:
        store: the evidence store, in a transaction.
        identities: a query with columns id_type, id_number (normalised).

    Returns:
        How many are new.
    """
    before = int(store.value("select coalesce(max(person), -1) + 1 from persons"))
    store.run(
        f"""insert into persons
        select {before} + row_number() over (order by id_type, id_number) - 1, id_type, id_number
        from (select distinct id_type, id_number from ({identities}) where id_number is not null) new
        anti join persons using (id_type, id_number) order by id_type, id_number"""
    )
    return int(store.value("select count(*) from persons")) - before
