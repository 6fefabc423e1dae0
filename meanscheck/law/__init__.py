"""Law as data: rule packs, the rule language, its two executors.

    levels_of → RulePack → Law → PlainRun (one case, exact fractions) or VectorRun (blocks of cases, Polars)

    a formula       check (check_names, check_calls, check_tables) → tree   errors at load: file, line, column, mend
    a pack          levels (pack) → stanzas → resolve (one_day, rewrite) → law     pack_checks walks every day
    tables          tables: categories, bands, months; places: other packs  lookups for many cases at once
    another law     overlay: what-if stanzas laid over a pack               amendment: in what two laws differ
    one case        plain (plain_evidence, _tables, _rows, _causes, kleene) read against the law; bounds (ranges)
    contradictions  conflicts: what feeds say against each other, found before either executor runs
    many cases      vectors (plan, sides, segments) ← emit (quotients, columns)   vector_facts, _programmes, _causes
    bounds of many  vector_bounds ← span_emit (spans, fitting) → settle     what every legal value leads to
    kept            keeping: what is worked out of a law lives as long as the law

What a formula may say, in Python expression syntax:

    + - * / < <= > >= == != in and or not, x if c else y          exact numbers, three-valued yes/no
    sum count any all lowest highest latest (… for x in FEED | members | supporters if …)
    least greatest round_to first_known age months_between within same_year
    outcome(programme) holds("dibao", on) is_confirmed(row) on reference_day size
    table[key, …]              by category, by band ("band:money": greatest lower bound not above), by "month"
    slices(x, table)           each part of an amount at the ratio of its band; slices(x, table[category])
    month_back(d, n)           first day of the month n months before that of d
    streak((… for m in months), n)     in each of the n whole months before the month of `on`
    at(place, table[key, …])   the figure at another place, from the packs beside this one

Choices
    * `review` acts on a test: the test reads its feeds through copies of the variables (``id~feed``) in which an
      unreviewed row has unknown membership; other tests read the same variables plainly.
    * `members = "VARIABLE"` acts on a programme: `members`, `size` and feed aggregates of its formulas range over those
      for whom the variable holds, and it decides them; without it over `is_member`. Household variables are written
      once and read through copies (``id~VARIABLE``), so that each programme has its own family and one formula.
    * `outcome(x)` is a text, unknown while x refers; `latest(… , by=day)`, `same_year`, `is_confirmed` and
      `row["from"]` were added.
    * Causes of an unknown name the exact state and feed per person; both executors give the same set.
    * A ratio has at most six decimals, so "1/3" is no figure; a window has at most 1200 months.
    * A loop beside another argument stands in parentheses, as Python has it: ``streak((… for m in months), n)``.
    * A number that might not fit 128 bits on the way stops the run: exact or not at all.
"""

from __future__ import annotations

from meanscheck.law.law import Law
from meanscheck.law.resolve import RulePack

__all__ = ["Law", "RulePack"]
