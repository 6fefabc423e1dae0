"""Who works on a caseload? The same kernel (`meanscheck.decisions.kernel`) in several processes.

    result = assess(store, law, engine=Pool(processes=2))

Records, their root and the order of entries are those of one process; only the time differs. `processes` is what a pool
is made of and knows nothing of a caseload, so that it loads neither Polars nor DuckDB by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meanscheck.engines.pool import Pool

__all__ = ["Pool"]


def __getattr__(name: str) -> Any:
    if name != "Pool":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from meanscheck.engines.pool import Pool

    return Pool
