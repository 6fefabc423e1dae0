"""Who works on a caseload? The same kernel (`meanscheck.decisions.kernel`) in several processes, or on a cluster.

    with Pool(processes=2) as engine:                        # or engine=Pool(processes=2), for one caseload
        result = assess(store, law, engine=engine)
    result = assess(store, law, vault="/shared/county.vault", engine=Spark(session))

Records, their root and the order of entries are those of one process; only the time differs. `processes` is what a pool
is made of and knows nothing of a caseload, so that it loads neither Polars nor DuckDB by itself. `spark` is the side of
a cluster's driver, `executing` that of its tasks, `session` starts Spark on one machine (extra ``spark``). `room` says
which blocks and how many processes fit into the memory that there is.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meanscheck.engines.pool import Pool
    from meanscheck.engines.room import Room
    from meanscheck.engines.spark import Spark, in_catalog, in_parquet

__all__ = ["Pool", "Room", "Spark", "in_catalog", "in_parquet"]

_MODULES = {
    "Pool": "meanscheck.engines.pool",
    "Room": "meanscheck.engines.room",
    "Spark": "meanscheck.engines.spark",
    "in_catalog": "meanscheck.engines.spark",
    "in_parquet": "meanscheck.engines.spark",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
