"""Law as data: rule packs, the rule language, its two executors.

    levels_of → RulePack → Law → PlainRun (one case, exact fractions) or VectorRun (blocks of cases, Polars)

Choices
    * `review` acts on a test: the test reads its feeds through copies of the variables (``id~feed``) in which an
      unreviewed row has unknown membership; other tests read the same variables plainly.
    * `outcome(x)` is a text, unknown while x refers; `latest(… , by=day)`, `same_year` and `row["from"]` were added.
    * Causes of an unknown name the exact state and feed per person; both executors give the same set.
"""

from __future__ import annotations

from meanscheck.law.law import Law
from meanscheck.law.resolve import RulePack

__all__ = ["Law", "RulePack"]
