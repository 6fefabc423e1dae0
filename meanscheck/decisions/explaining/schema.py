"""What does another program need to know to read an explanation? A JSON Schema of its JSON form.

`python -m meanscheck.decisions.explaining.schema` writes `schemas/explanation.schema.json`; a test compares the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from meanscheck.decisions.explaining.tree import KINDS
from meanscheck.values.data import data_dir

FILE = "explanation.schema.json"
_TEXT: Mapping[str, Any] = {"type": "string"}
_TEXT_OR_NULL: Mapping[str, Any] = {"type": ["string", "null"]}
_WHOLE: Mapping[str, Any] = {"type": "integer"}
_VALUE: Mapping[str, Any] = {
    "description": "whole fen for money, cm² for area, a count, yes/no, a day, a text; null is unknown",
    "anyOf": [
        {"type": ["integer", "boolean", "string", "null"]},
        {
            "type": "object",
            "properties": {"numerator": _WHOLE, "denominator": {"type": "integer", "minimum": 2}},
            "required": ["numerator", "denominator"],
            "additionalProperties": False,
        },
    ],
}


def _closed(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _span(end: Mapping[str, Any]) -> dict[str, Any]:
    pair = {"type": "array", "prefixItems": [end, end], "minItems": 2, "maxItems": 2, "items": False}
    return {"anyOf": [{"type": "null"}, pair]}


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `data.data`."""
    node = _closed(
        {
            "kind": {"enum": list(KINDS)},
            "name": _TEXT,
            "who": {"description": "ids in the application; null for the household", **_TEXT_OR_NULL},
            "label": _TEXT,
            "label_zh": _TEXT,
            "unit": _TEXT_OR_NULL,
            "value": _VALUE,
            "yuan": _TEXT_OR_NULL,
            "limit": _VALUE,
            "limit_yuan": _TEXT_OR_NULL,
            "margin": {
                "description": "largest change of the left side's numerator that keeps the verdict",
                "type": ["integer", "null"],
            },
            "margin_yuan": _TEXT_OR_NULL,
            "months": {"description": "months over which the margin is told", "type": ["integer", "null"]},
            "bounds": {
                "description": "least and greatest of value and limit, of a test decided although something is unknown",
                "anyOf": [
                    {"type": "null"},
                    _closed(
                        {
                            **dict.fromkeys(("value", "limit"), _span({"type": ["integer", "null"]})),
                            **dict.fromkeys(("value_yuan", "limit_yuan"), _span(_TEXT_OR_NULL)),
                        }
                    ),
                ],
            },
            "holds": {
                "description": "true, false, or null for open; of a programme: eligible, not eligible, referred",
                "type": ["boolean", "null"],
            },
            "counts": {"enum": ["plus", "minus", "not"]},
            "formula": _TEXT_OR_NULL,
            "cite": {
                "type": "array",
                "items": _closed(dict.fromkeys(("instrument", "title", "number", "article", "quote"), _TEXT)),
            },
            "causes": {
                "type": "array",
                "items": _closed(dict.fromkeys(("cause", "zh", "en", "settle_zh", "settle_en"), _TEXT)),
            },
            "place": {
                "anyOf": [
                    {"type": "null"},
                    _closed(
                        {
                            "feed": _TEXT,
                            "file": _TEXT_OR_NULL,
                            "line": _WHOLE,
                            "row_ref": _TEXT_OR_NULL,
                            "batch": _TEXT_OR_NULL,
                            "sender": _TEXT_OR_NULL,
                            "answered_on": _TEXT_OR_NULL,
                        }
                    ),
                ]
            },
            "left_out": _WHOLE,
            "repeated": {"type": "boolean"},
            "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
        }
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:meanscheck:explanation:1",
        "title": "explanation 决定说明",
        "description": "Why a case was decided as it was: from the outcome down to the rows of files.",
        "$ref": "#/$defs/node",
        "$defs": {"node": node},
    }


def schema_text() -> str:
    """The schema as its file holds it."""
    return json.dumps(schema(), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    (data_dir("schemas") / FILE).write_text(schema_text(), encoding="utf-8", newline="\n")
