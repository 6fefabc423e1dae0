"""How is an explanation given to a program? Plain JSON values, described by `schemas/explanation.schema.json`.

Amounts stand in fen (``value``) and as yuan text (``yuan``); an exact quotient as ``{"numerator", "denominator"}``.
`schema` makes that file.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

from meanscheck.decisions.explain import cause_text, settle_text
from meanscheck.decisions.explaining.tree import INELIGIBLE, Citation, Explanation, Place
from meanscheck.law.law import Law
from meanscheck.law.plain_rows import Result
from meanscheck.values.money import format_yuan


def data(tree: Explanation, law: Law) -> dict[str, Any]:
    """The tree as JSON values, every node with all members."""
    return {
        "kind": tree.kind,
        "name": tree.name,
        "who": tree.who or None,
        "label": tree.label,
        "label_zh": tree.label_zh,
        "unit": tree.unit or None,
        "value": _value(tree.value),
        "yuan": _yuan(tree, tree.value),
        "limit": _value(tree.limit),
        "limit_yuan": _yuan(tree, tree.limit),
        "margin": tree.margin,
        "margin_yuan": _yuan(tree, tree.margin),
        "months": tree.months,
        "bounds": None if tree.bounded is None else _bounds(tree),
        "holds": tree.holds,
        "counts": tree.counts,
        "formula": tree.formula or None,
        "cite": [_citation(c) for c in tree.cite],
        "causes": [_cause(c, law) for c in tree.causes],
        "place": None if tree.place is None else _place(tree.place),
        "left_out": tree.left_out,
        "repeated": tree.is_repeated,
        "children": [data(child, law) for child in tree.children],
    }


def _bounds(tree: Explanation) -> dict[str, Any]:
    assert tree.bounded is not None
    sides = {"value": tree.bounded.value, "limit": tree.bounded.limit}
    return {
        **{name: None if span is None else list(span) for name, span in sides.items()},
        **{
            f"{name}_yuan": None if span is None else [_yuan(tree, end) for end in span] for name, span in sides.items()
        },
    }


def _value(value: Result) -> int | bool | str | dict[str, int] | None:
    if isinstance(value, Fraction):
        if value.denominator == 1:
            return value.numerator
        return {"numerator": value.numerator, "denominator": value.denominator}
    return value.isoformat() if isinstance(value, date) else value


def _yuan(tree: Explanation, value: Result) -> str | None:
    whole = _value(value)
    return format_yuan(whole) if tree.is_money and isinstance(whole, int) else None


def _citation(cite: Citation) -> dict[str, str]:
    return {
        "instrument": cite.instrument,
        "title": cite.title,
        "number": cite.number,
        "article": cite.article,
        "quote": cite.quote,
    }


def _cause(cause: str, law: Law) -> dict[str, str]:
    if cause.startswith(f"{INELIGIBLE}:"):
        return {"cause": cause, "zh": "", "en": "", "settle_zh": "", "settle_en": ""}
    return {
        "cause": cause,
        "zh": cause_text(cause, "zh", law),
        "en": cause_text(cause, "en", law),
        "settle_zh": settle_text(cause, "zh", law),
        "settle_en": settle_text(cause, "en", law),
    }


def _place(place: Place) -> dict[str, Any]:
    day = place.answered_on
    return {
        "feed": place.feed,
        "file": place.file or None,
        "line": place.line,
        "row_ref": place.ref or None,
        "batch": place.batch or None,
        "sender": place.sender or None,
        "answered_on": None if day is None else day.isoformat(),
    }
