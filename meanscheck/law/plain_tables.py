"""What does one case find in the tables of the law? Entries, slices, other places and streaks of months, plainly.

The part of `plain.PlainRun` that reads figures by a key; exact fractions, None for unknown.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from fractions import Fraction
from typing import cast

from meanscheck.law.kleene import all_of
from meanscheck.law.law import Law
from meanscheck.law.places import figure_at
from meanscheck.law.plain_rows import At, Known, Result, truth
from meanscheck.law.tables import entry, months_before, slices
from meanscheck.law.tree import Node


class TableValues(ABC):
    """Values of the nodes that look something up; what a key is worth, the whole executor says."""

    law: Law

    @abstractmethod
    def value(self, node: Node, at: At) -> Result:
        """The value of a node; None if unknown."""

    def _v_index(self, node: Node, at: At) -> Result:
        keys = [self.value(k, at) for k in node.nodes]
        if None in keys:
            return None
        return entry(self.law.parameters[str(node.args[0])], cast("list[Known]", keys))

    def _v_slices(self, node: Node, at: At) -> Result:
        amount, *keys = (self.value(n, at) for n in node.nodes)
        if amount is None or None in keys:
            return None
        assert isinstance(amount, int | Fraction)
        return slices(self.law.parameters[str(node.args[0])], amount, cast("list[Known]", keys))

    def _v_at(self, node: Node, at: At) -> Result:
        place, *keys = (self.value(n, at) for n in node.nodes)
        if place is None or None in keys:
            return None
        there = figure_at(self.law, str(node.args[0]), str(place))
        return None if there is None else entry(there, cast("list[Known]", keys))

    def _v_month(self, node: Node, at: At) -> Result:
        return at.month

    def _v_streak(self, node: Node, at: At) -> Result:
        months = self.streak(node, at)
        return None if months is None else all_of(truth(self.value(node.nodes[0], m)) for m in months)

    def streak(self, node: Node, at: At) -> tuple[At, ...] | None:
        """The months of a streak, the latest first; None if nobody knows how many."""
        count = self.value(node.nodes[1], at)
        if count is None:
            return None
        assert isinstance(count, int)
        return tuple(replace(at, month=month) for month in months_before(self.law.on, count))
