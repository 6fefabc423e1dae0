"""Calendar arithmetic as the law counts it.

A window of n months before a day is the n whole calendar months before the month of that day; an age is reached on the
birthday (of 29 February: on 1 March in other years, by the general rule that a missing day is counted on the next one).
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache


def month_number(day: date) -> int:
    """Months since year 0: the ordinal in which months are added and compared."""
    return day.year * 12 + day.month - 1


def month_start(number: int) -> date:
    """First day of the month with that ordinal."""
    return date(number // 12, number % 12 + 1, 1)


@lru_cache(maxsize=4096)
def window_of(months: int, before: date) -> tuple[date, date]:
    """First day of the window and the first day after it: the `months` whole months before the month of `before`."""
    end = month_number(before)
    return month_start(end - months), month_start(end)


def is_within(day: date, months: int, before: date) -> bool:
    """Whether `day` (or the first day of a month) lies in that window."""
    first, after = window_of(months, before)
    return first <= day < after


def age_on(born_on: date, on: date) -> int:
    """Completed years on the day `on`."""
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))


def months_between(earlier: date, later: date) -> int:
    """Whole months from `earlier` to `later`, negative if later is earlier; complete on the same day number."""
    whole = month_number(later) - month_number(earlier)
    if whole > 0 and later.day < earlier.day:
        return whole - 1
    if whole < 0 and later.day > earlier.day:
        return whole + 1
    return whole
