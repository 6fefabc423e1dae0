"""What does the evidence itself say about a few cases, whatever the projection holds?

Replay and the decision on one household read here: the same queries as the projection, over the same tables,
restricted to the cases asked for, with every row digest computed anew from the stored values. A row that was edited
in the store therefore has another digest here, and the case another input digest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.contracts import all_feeds
from meanscheck.contracts.units import CaseBlock
from meanscheck.errors import StoreError
from meanscheck.evidence.assemble import edges, feed_rows, households_sql, persons
from meanscheck.evidence.blocks import Source, pull
from meanscheck.evidence.coverage import make_states
from meanscheck.evidence.people import drop_people, make_people
from meanscheck.evidence.rows import FINDINGS, SUPPORTERS, Few, feeds_of_people, make_verdicts
from meanscheck.evidence.snapshot import Snapshot, snapshot_named

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store

_PREFIX = "c_"
_CREATE = "create or replace temp table"


def case_block(
    store: Store,
    case_ids: Sequence[str],
    feeds: Mapping[str, Collection[str]],
    *,
    on: date,
    snapshot: Snapshot | str | None = None,
) -> CaseBlock:
    """Units of the cases as a block; `unit` counts 0, 1, … in the order of case_id.

    Args:
        store: the evidence store.
        case_ids: which cases.
        feeds: feed → names of the columns needed, as for `Projection.blocks`.
        on: the day of the decision.
        snapshot: evidence as of a snapshot or its id; the present one unless given.

    Raises:
        StoreError: a case is not in the snapshot.
    """
    taken = snapshot_named(store, snapshot)
    mark = taken.load
    wanted = pl.DataFrame({"case_id": sorted(set(case_ids))}, schema={"case_id": pl.String})
    present: list[str] = []
    try:
        with store.frame("wanted", wanted):
            make_people(store, mark=mark, on=on, only_wanted=True, heeds=taken.heeds)
        found = int(store.value("select count(*) from p_units"))
        if found != wanted.height:
            raise StoreError(
                f"{wanted.height - found} of {wanted.height} cases are not in the store as of that snapshot"
            )
        make_states(store, list(all_feeds()), mark=mark, on=on)
        few = Few.of(store)
        present = feeds_of_people(store, mark=mark, few=few)
        _fill(store, present, mark=mark, few=few)
        return pull(Source(store, present, _PREFIX), feeds, first=0, after=found)
    finally:
        tables = (*(f"f_{feed}" for feed in present), "households", "persons", "states", "supporters")
        store.run("; ".join(f"drop table if exists {_PREFIX}{table}" for table in tables))
        drop_people(store)


def _fill(store: Store, present: Collection[str], *, mark: int, few: Few | None) -> None:
    """Make the relations of the cases in ``p_units`` as temporary tables, of the feeds that have rows."""
    reviewed = frozenset[str]()
    if few is None or store.value(f"select exists (select 1 from feed_{FINDINGS} where {few.among})"):
        reviewed = make_verdicts(store, mark=mark, only_wanted=True)
    for feed in present:
        feed_rows(
            store,
            feed,
            create=_CREATE,
            prefix=_PREFIX,
            mark=mark,
            reviewed=reviewed,
            recompute=True,
            placed=True,
            few=few,
        )
    edges(store, create=_CREATE, prefix=_PREFIX, has_feed=SUPPORTERS in present)
    persons(store, create=_CREATE, prefix=_PREFIX)
    store.run(f"{_CREATE} {_PREFIX}households as {households_sql(list(present), prefix=_PREFIX, within='unit >= 0')}")
