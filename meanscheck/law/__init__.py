"""Law as data: rule packs, the rule language, its two executors.

    levels_of → RulePack → Law → PlainRun (one case, exact fractions) or VectorRun (blocks of cases, Polars)

    a formula       check (check_names, check_calls) → tree, types          errors at load: file, key, column, mend
    a pack          pack → stanzas → resolve (rewrite) → law, figures       pack_checks walks every day
    another law     overlay: what-if stanzas laid over a pack               amendment: in what two laws differ
    one case        plain (plain_rows, plain_causes, kleene)                read against the law
    contradictions  conflicts: what feeds say against each other, found before either executor runs
    many cases      vectors (plan, sides, segments) ← emit (quotients)      vector_causes for what is undecided

Choices
    * `review` acts on a test: the test reads its feeds through copies of the variables (``id~feed``) in which an
      unreviewed row has unknown membership; other tests read the same variables plainly.
    * `outcome(x)` is a text, unknown while x refers; `latest(… , by=day)`, `same_year`, `is_confirmed` and
      `row["from"]` were added.
    * Causes of an unknown name the exact state and feed per person; both executors give the same set.
    * A ratio has at most six decimals, so "1/3" is no figure; a window has at most 1200 months.
    * A number that might not fit 128 bits on the way stops the run: exact or not at all.
"""

from __future__ import annotations

from meanscheck.law.law import Law
from meanscheck.law.resolve import RulePack

__all__ = ["Law", "RulePack"]
