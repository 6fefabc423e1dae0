"""The checked tree of a formula: what both executors run, what a law's digest covers, and what `explain` walks.

A node is an operation, its arguments, its type and its level. The level says for whom it has one value each:
``const`` (one value for the whole law), ``household``, ``member``, ``supporter``, or ``row`` (a row of one feed). The
recorded form is our own JSON (`to_json`, `from_json`), because Python's `ast` changes between versions:

    ["int", 2] · ["text", "wages"] · ["on"] · ["reference_day"] · ["listed"]
    ["undisputed"]  true, unknown while an open contradiction puts the person's membership in doubt
    ["attr", entity, name] · ["col", feed, name] · ["var", id] · ["param", id] · ["index", id, key, …]
    ["+" "-" "*" "/", a, b] · ["neg", a] · ["not", a] · ["and" "or" "least" "greatest", a, b, …]
    ["<" "<=" ">" ">=" "==" "!=", a, b] · ["in", a, text, …] · ["if", condition, x, y]
    ["agg", function, feed, element, condition, by, reviewed]      one value a person, over his rows of the feed
    ["members", function, element, condition]                      one value a household, over its members
    ["members", function, element, condition, membership]          over those of whom this other condition holds
    ["supporters", function, element, condition]                   one value a member (who supports him) or household
    ["round", x, unit, mode] · ["first_known", citation, a, b, …]
    ["slices", id, x, key, …]  each part of x at its own ratio · ["at", id, place, key, …]  the figure at a place
    ["month_back", d, n] · ["streak", condition, n]  in each month before that of `on`, which is ["month"] inside it
    ["confirmed", feed]  whether a finding confirms the row, unknown without one
    ["age", d] · ["months_between", a, b] · ["within", d, n, before] · ["same_year", d, day] · ["outcome", programme]

Types travel beside the arguments as ``{"t": …, "l": level}`` only where they cannot be told from the arguments; to
keep the recorded law readable by itself every node is recorded as ``[op, [args…], type, level]``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, TypeAlias

from meanscheck.errors import InputError
from meanscheck.law.types import BOOL, Type

Arg: TypeAlias = "Node | str | int | bool | None"

LEVELS = ("const", "household", "member", "supporter", "row")
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
READS_FIGURE = ("param", "index", "slices", "at")
"""The nodes that read a parameter, their first argument."""
AGGREGATES = ("sum", "count", "any", "all", "lowest", "highest", "latest")


@dataclass(frozen=True, slots=True)
class Node:
    """One operation of a checked formula."""

    op: str
    args: tuple[Arg, ...]
    type: Type
    level: str
    nodes: tuple[Node, ...] = field(init=False, compare=False, repr=False)
    """Arguments that are nodes themselves."""
    every: tuple[Node, ...] = field(init=False, compare=False, repr=False)
    """All nodes below it, parents first: loading a pack looks through its trees half a million times."""
    key: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        nodes = tuple([a for a in self.args if isinstance(a, Node)])
        object.__setattr__(self, "nodes", nodes)
        object.__setattr__(self, "every", tuple([n for node in nodes for n in (node, *node.every)]))
        object.__setattr__(self, "key", hash((self.op, self.args, self.type, self.level)))

    def __hash__(self) -> int:
        return self.key

    def walk(self) -> Iterator[Node]:
        """This node and all below it, parents first."""
        return chain((self,), self.every)


IS_MEMBER = "is_member"
"""The variable that says who belongs to the household, unless a programme names another."""


def membership(variable: str = IS_MEMBER) -> Node:
    """Whether a person belongs, as a leaf."""
    return Node("var", (variable,), BOOL, "member")


def membership_of(loop: Node) -> Node:
    """By which condition the people of a loop over `members` belong to it."""
    named = loop.args[3] if len(loop.args) > 3 else None
    return named if isinstance(named, Node) else membership()


def to_json(node: Node) -> list[Any]:
    """The recorded form: ``[op, [args…], type, level]``."""
    t = node.type
    kind: list[Any] = [t.kind]
    if t.kind == "num":
        kind += [list(t.dimension), t.form]
    elif t.choices is not None:
        kind += [sorted(t.choices)]
    return [node.op, [to_json(a) if isinstance(a, Node) else a for a in node.args], kind, node.level]


def from_json(recorded: Any) -> Node:
    """The tree of a recorded form; InputError if it is not one."""
    try:
        op, args, kind, level = recorded
        if kind[0] == "num":
            t = Type("num", tuple(kind[1]), kind[2])
        else:
            t = Type(kind[0], choices=frozenset(kind[1]) if len(kind) > 1 else None)
        if level not in LEVELS:
            raise ValueError(level)
        return Node(op, tuple(from_json(a) if isinstance(a, list) else a for a in args), t, level)
    except (TypeError, ValueError, IndexError) as fault:
        raise InputError("a recorded formula is damaged", where="recorded law") from fault


def figures_in(tree: Node) -> tuple[str, ...]:
    """The parameters that a tree reads, in the order of their first use."""
    return tuple(dict.fromkeys(str(n.args[0]) for n in tree.walk() if n.op in READS_FIGURE))
