"""Who works on a caseload? The same kernel (`meanscheck.decisions.kernel`) in several processes.

    result = assess(store, law, engine=Pool(processes=2))

Records, their root and the order of entries are those of one process; only the time differs. `processes` is what a pool
is made of and knows nothing of a caseload, so that it loads neither Polars nor DuckDB by itself. `room` says which
blocks and how many processes fit into the memory that there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meanscheck.engines.pool import Pool
    from meanscheck.engines.room import Room, free_memory

__all__ = ["Pool", "Room", "free_memory"]


def __getattr__(name: str) -> Any:
    if name == "Pool":
        from meanscheck.engines.pool import Pool

        return Pool
    if name in __all__:
        from meanscheck.engines import room

        return getattr(room, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
