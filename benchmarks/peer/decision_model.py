"""How is the same means test written for another engine? As the decision graph (JSON) that ZEN reads, in several ways.

Amounts are whole fen, which ZEN's decimals of 28 digits hold exactly. The household it is asked about is
``{"members": [{"tax_income": [{"amount": …}], "bank_deposits": [{"balance": …}], "vehicles": [{}]}]}``; the graphs in
`BY_TOTALS` are given ``{"size": …, "income": …, "assets": …, "cars": …}`` instead, reckoned by whoever asks.

Choices
    * `rows` is the one that is timed: sums in an expression node, a table of two rows after it, as its manual shows.
    * The other ways differ only in what they make of a value that is not there, since that is the author's to write.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

STANDARD, INCOME_MONTHS, ASSET_MONTHS = 90_000, 6, 24
AWARD = f"round(size * {STANDARD} - income / {INCOME_MONTHS})"
WITHIN = {
    "income": f"< size * {STANDARD} * {INCOME_MONTHS}",
    "assets": f"<= size * {STANDARD} * {ASSET_MONTHS}",
    "cars": "== 0",
}
BEYOND = {
    "income": f">= size * {STANDARD} * {INCOME_MONTHS}",
    "assets": f"> size * {STANDARD} * {ASSET_MONTHS}",
    "cars": "> 0",
}
ELIGIBLE = {"outcome": "'eligible'", "award": AWARD}
INELIGIBLE = {"outcome": "'ineligible'", "award": "null"}
REFER = {"outcome": "'refer'", "award": "null"}

Node = tuple[str, str, Mapping[str, Any]]


def _graph(*nodes: Node, schema: Mapping[str, Any] | None = None) -> str:
    """The nodes in a row, between input and output."""
    given = {"schema": "" if schema is None else json.dumps(schema)}
    row = [("in", "inputNode", given), *nodes, ("out", "outputNode", {"schema": ""})]
    drawn = [
        {"id": name, "type": kind, "name": name, "position": {"x": 200 * i, "y": 0}, "content": content}
        for i, (name, kind, content) in enumerate(row)
    ]
    edges = [{"id": f"{a[0]}-{b[0]}", "type": "edge", "sourceId": a[0], "targetId": b[0]} for a, b in pairwise(row)]
    return json.dumps({"nodes": drawn, "edges": edges})


def _table(*rules: Mapping[str, str], pass_through: bool = False) -> Node:
    """A decision table whose first fitting row counts; a cell left out fits everything."""
    inputs, outputs = ("income", "assets", "cars"), ("outcome", "award")
    content = {
        "hitPolicy": "first",
        "passThrough": pass_through,
        "inputs": [{"id": name, "name": name, "field": name} for name in inputs],
        "outputs": [{"id": name, "name": name, "field": name} for name in outputs],
        "rules": [
            {"_id": f"row {i}", **{name: rule.get(name, "") for name in (*inputs, *outputs)}}
            for i, rule in enumerate(rules, 1)
        ],
    }
    return "decide", "decisionTableNode", content


def _sums(absent: str) -> Node:
    """Totals of the household from its members' rows; `absent` is what is put after a list that may not be there."""

    def total(feed: str, each: str) -> str:
        return f"sum(map(members, {each.format(rows=f'(#.{feed}{absent})')}))"

    formulas = {
        "size": "len(members)",
        "income": total("tax_income", "sum(map({rows}, #.amount))"),
        "assets": total("bank_deposits", "sum(map({rows}, #.balance))"),
        "cars": total("vehicles", "len({rows})"),
    }
    expressions = [{"id": name, "key": name, "value": formula} for name, formula in formulas.items()]
    return "sums", "expressionNode", {"passThrough": False, "expressions": expressions}


def _refusals(*last: Mapping[str, str]) -> Sequence[Mapping[str, str]]:
    """A row for each limit that is passed, and the last ones."""
    return (*({name: cell, **INELIGIBLE} for name, cell in BEYOND.items()), *last)


_EITHER = (WITHIN | ELIGIBLE, INELIGIBLE)
_UNKNOWN = [{name: "null", **REFER} for name in WITHIN]
_NEEDED = {
    "type": "object",
    "required": ["size", *WITHIN],
    "properties": {name: {"type": "integer"} for name in ("size", *WITHIN)},
}

BY_TOTALS: Mapping[str, str] = {
    "a row of all limits, else ineligible": _graph(_table(*_EITHER)),
    "a row a refusal, else eligible": _graph(_table(*_refusals(ELIGIBLE))),
    "a row of all limits, no other": _graph(_table(WITHIN | ELIGIBLE)),
    "rows that ask for null first": _graph(_table(*_UNKNOWN, *_EITHER)),
    "refusals, then rows that ask for null": _graph(_table(*_refusals(*_UNKNOWN, ELIGIBLE))),
    "a schema that requires all": _graph(_table(*_EITHER), schema=_NEEDED),
}
"""Way of writing → graph that is given totals."""
BY_ROWS: Mapping[str, str] = {
    "rows": _graph(_sums(""), _table(*_EITHER)),
    "rows, or none where there is no list": _graph(_sums(" ?? []"), _table(*_EITHER)),
}
"""Way of writing → graph that is given the members' rows."""
