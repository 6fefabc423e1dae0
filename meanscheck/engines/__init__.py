"""Who works on a caseload? The same kernel (`meanscheck.decisions.kernel`) in several processes.

    result = assess(store, law, engine=Pool(processes=2))

Records, their root and the order of entries are those of one process; only the time differs.
"""

from meanscheck.engines.pool import Pool

__all__ = ["Pool"]
