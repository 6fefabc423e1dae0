"""From which day on is an answer stale, and until when does a verification report (核对报告) hold?

Both are figures of the pack, `evidence.freshness` (months by feed) and `evidence.report_validity` (months); no
instrument fixes them, so a deployment may. An answer dated `as_of` may be used on a reference day if `as_of` lies in
the month of that day or in one of the so many months before it: that is how both executors reckon (`PlainRun.state`),
so it is stale from the first day of the month after these. A report holds until the day of the same number in the last
of its months, its own day not counted, and where that month lacks the day until its end (民法典 art. 201, 202).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import date

from meanscheck.law.law import Law
from meanscheck.law.plain import FRESHNESS
from meanscheck.law.tables import entry
from meanscheck.values.dates import month_number, month_start

REPORT_VALIDITY = "evidence.report_validity"


def freshness_months(law: Law, feed: str) -> int | None:
    """For how many months an answer of a feed may be used; None if the law does not bound it."""
    parameter = law.parameters.get(FRESHNESS)
    months = None if parameter is None else entry(parameter, (feed,))
    return months if isinstance(months, int) else None


def stale_from(law: Law, feed: str, as_of: date | None) -> date | None:
    """The first reference day for which an answer of a feed dated `as_of` is stale; None if it never is."""
    months = freshness_months(law, feed)
    if months is None or as_of is None:
        return None
    return month_start(month_number(as_of) + months + 1)


def report_valid_until(law: Law, issued_on: date) -> date | None:
    """The last day on which a report of that day holds; None if the law does not bound it."""
    parameter = law.parameters.get(REPORT_VALIDITY)
    months = None if parameter is None else parameter.get()
    if not isinstance(months, int):
        return None
    first = month_start(month_number(issued_on) + months)
    return first.replace(day=min(issued_on.day, monthrange(first.year, first.month)[1]))


def age_lines(ages: Sequence[tuple[str, date | None]], valid_until: date | None, *, zh: bool) -> list[str]:
    """What a report says of its age: the first day on which an answer in it is stale, and until when it holds.

    Args:
        ages: name of the feed and the day from which its answer is stale.
        valid_until: the last day on which the report holds.
        zh: in Chinese, else in English.
    """
    lines: list[str] = []
    days = [day for _, day in ages if day is not None]
    if days:
        first = min(days)
        names = list(dict.fromkeys(name for name, day in ages if day == first))
        shown = ("、" if zh else ", ").join(names[:4]) + (f" (+{len(names) - 4})" if len(names) > 4 else "")
        lines.append(f"最早过期：{first} 起，{shown}" if zh else f"first to be stale, from {first}: {shown}")
    if valid_until is not None:
        lines.append(
            f"报告有效期至 {valid_until}（含）" if zh else f"The report holds until {valid_until}, that day included."
        )
    return lines
