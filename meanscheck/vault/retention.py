"""Until when must the records of a household be kept?

Two periods count, in months, both from the pack of the place:

    approval     what relief was granted on is kept so long after relief stops
    management   every record is kept so long after the day that it decides on

The later end counts. A household that was found eligible or referred to a person in any record may have been paid, so
the day on which relief stopped must be known, or that it never began; while it is not, no end is known either. Only the
office knows: the library decides nothing and pays nothing.

>>> rule = Retention(approval_months=36, management_months=60)
>>> refused = [Decided("2026-11-A", date(2026, 11, 1), may_be_paid=False)]
>>> rule.until(refused)
datetime.date(2031, 11, 1)
>>> granted = [*refused, Decided("2026-12-A", date(2026, 12, 1), may_be_paid=True)]
>>> rule.until(granted) is None                           # relief may be running
True
>>> rule.until(granted, relief_stopped_on=date(2030, 2, 28))
datetime.date(2033, 2, 28)
>>> rule.until(granted, relief_stopped_on=date(2026, 11, 30)) is None      # it was granted again after that day
True
>>> rule.until(granted, never_paid=True)
datetime.date(2031, 12, 1)
>>> rule.until([])                                        # nothing decided, nothing to keep
datetime.date(1, 1, 1)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from meanscheck.values.dates import month_number, month_start


@dataclass(frozen=True, slots=True)
class Decided:
    """That a batch has a record of the household: the day it decides on, and whether relief may have followed."""

    batch_id: str
    on: date
    may_be_paid: bool


@dataclass(frozen=True, slots=True)
class Retention:
    """The periods of a place, in months."""

    approval_months: int
    management_months: int

    def until(
        self, decided: Sequence[Decided], *, relief_stopped_on: date | None = None, never_paid: bool = False
    ) -> date | None:
        """The first day on which the records may be erased; None while it is not known when relief stopped.

        Args:
            decided: all that was decided on the household.
            relief_stopped_on: the day from which nothing is paid any more, if anything was.
            never_paid: the office states that no relief followed.
        """
        ends = [months_after(d.on, self.management_months) for d in decided]
        granted = [d.on for d in decided if d.may_be_paid]
        if granted and not never_paid:
            if relief_stopped_on is None or relief_stopped_on < max(granted):
                return None
            ends.append(months_after(relief_stopped_on, self.approval_months))
        return max(ends, default=date.min)


def months_after(day: date, months: int) -> date:
    """The same day some months later; a day that the month has not is the first of the next (`values.dates`).

    >>> months_after(date(2026, 11, 30), 3)
    datetime.date(2027, 3, 1)
    """
    number = month_number(day) + months
    try:
        return month_start(number).replace(day=day.day)
    except ValueError:
        return month_start(number + 1)
