"""Ages, months and windows of a symbolic day: the calendar's operations, as comparisons of days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

from meanscheck.law.months import in_each_month
from meanscheck.law.proving import terms as t
from meanscheck.law.proving.terms import Day, NotEncodable, Number, Steps, Term, Truth
from meanscheck.law.tree import Node
from meanscheck.values.dates import age_on, month_number, month_start, months_between, window_of

if TYPE_CHECKING:
    from meanscheck.law.proving.encode import At, Encoder


class Calendar:
    """The calendar of `Encoder`."""

    def _v_age(self: Encoder, node: Node, at: At) -> Term:  # type: ignore[misc]
        return self._since(node, at, lambda d, on: age_on(d, on))

    def _v_months_between(self: Encoder, node: Node, at: At) -> Term:  # type: ignore[misc]
        return self._since(node, at, months_between)

    def _since(self: Encoder, node: Node, at: At, reckon: Callable[[date, date], int]) -> Term:  # type: ignore[misc]
        days = [self.value(n, at) for n in node.nodes]
        assert all(isinstance(d, Day) for d in days)
        first, last = days[0], days[-1] if len(days) == 2 else Day(self.on.toordinal())
        assert isinstance(first, Day) and isinstance(last, Day)
        known = t.both(first.known, last.known)
        if t.is_constant(first.at) and t.is_constant(last.at):
            return t.number(reckon(date.fromordinal(first.at), date.fromordinal(last.at)))
        world = self.world if at.row is None else at.row.world
        free = world.whole(f"{node.op} {node.key} {at.person}")
        if t.is_constant(last.at):
            return Number(free, 1, known, None, Steps(first.at, _reached(reckon, last.at, falling=True)))
        if t.is_constant(first.at):
            return Number(free, 1, known, None, Steps(last.at, _reached(reckon, first.at, falling=False), False))
        return Number(free, 1, known)

    def _v_within(self: Encoder, node: Node, at: At) -> Term:  # type: ignore[misc]
        day, before = self.value(node.nodes[0], at), self.value(node.nodes[2], at)
        months = self.number(node.nodes[1], at)
        assert isinstance(day, Day) and isinstance(before, Day)
        if not t.is_constant(months.top) or not t.is_constant(before.at):
            raise NotEncodable("a window that is not fixed on the day")
        first, after = (d.toordinal() for d in window_of(months.top, date.fromordinal(before.at)))
        return t.truth(t.both(day.at >= first, day.at < after), day.known)

    def _v_same_year(self: Encoder, node: Node, at: At) -> Term:  # type: ignore[misc]
        day, other = (self.value(n, at) for n in node.nodes)
        assert isinstance(day, Day) and isinstance(other, Day)
        if not t.is_constant(other.at):
            raise NotEncodable("the same year as a day that is not fixed")
        year = date.fromordinal(other.at).year
        first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
        return t.truth(t.both(day.at >= first, day.at <= last), day.known)

    def _v_month_back(self: Encoder, node: Node, at: At) -> Term:  # type: ignore[misc]
        day, months = self.value(node.nodes[0], at), self.number(node.nodes[1], at)
        assert isinstance(day, Day)
        if not t.is_constant(day.at) or not t.is_constant(months.top):
            raise NotEncodable("months before a day that is not fixed")
        return Day(month_start(month_number(date.fromordinal(day.at)) - months.top).toordinal(), day.known)

    def _v_streak(self: Encoder, node: Node, at: At) -> Term:  # type: ignore[misc]
        months = self.number(node.nodes[1], at)
        if not t.is_constant(months.top):
            raise NotEncodable("a streak of a number of months not found")
        return self.value(in_each_month(node.nodes[0], months.top), at) if months.top else Truth(True, False)


def _reached(reckon: Callable[[date, date], int], fixed: int, *, falling: bool) -> Callable[[int], int]:
    """For a limit, the last (first) day on which the number is at least that, by halving the calendar."""
    other = date.fromordinal(fixed)

    def holds(day: int, limit: int) -> bool:
        d = date.fromordinal(day)
        return (reckon(d, other) if falling else reckon(other, d)) >= limit

    @cache
    def reached(limit: int) -> int:
        low, high = 0, date.max.toordinal() + 1
        # Invariant of a falling number: it holds at `low` (or low is 0) and does not at `high`; else the other way.
        while high - low > 1:
            middle = (low + high) // 2
            if holds(middle, limit) is falling:
                low = middle
            else:
                high = middle
        return low if falling else high

    return reached
