"""What would another department need to send or keep our feeds, having nothing of ours? JSON Schema and SQL, generated.

`python -m meanscheck.contracts.generate` writes `schemas/generated/`; a test compares the files with what is generated.
The JSON Schema (2020-12) describes one line of a JSON lines file; the SQL is standard enough for DuckDB and PostgreSQL.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from meanscheck.contracts.catalogue import all_feeds
from meanscheck.contracts.model import Column, FeedContract
from meanscheck.values.data import data_dir

_PATTERN: Mapping[str, str] = {
    "yuan": r"^-?[0-9]{1,15}(\.[0-9]{1,2})?$",
    "fen": r"^-?[0-9]{1,15}$",
    "wan_yuan": r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$",
    "m2": r"^[0-9]{1,12}(\.[0-9]{1,4})?$",
    "1": r"^[0-9]{1,12}(\.[0-9]{1,6})?$",
}


def generated_files() -> Mapping[str, str]:
    """Text of every generated file by its name in `schemas/generated/`."""
    files = {f"{name}.schema.json": _pretty(json_schema(contract)) for name, contract in all_feeds().items()}
    files["feeds.sql"] = sql_tables()
    return files


def json_schema(contract: FeedContract) -> dict[str, Any]:
    """JSON Schema of one JSON lines row; names are those of the contract, values are text as in a file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:meanscheck:feed:{contract.name}:{contract.version}",
        "title": f"{contract.name} {contract.title_zh}",
        "description": f"{contract.purpose} One row is {contract.row_is}.",
        "type": "object",
        "properties": {column.name: _property(column) for column in contract.columns},
        "required": [column.name for column in contract.columns if column.required],
        "additionalProperties": False,
        "x-contract-sha256": contract.digest,
    }


def sql_tables() -> str:
    """`create table` of every feed with its stored columns, in order of names."""
    parts = ["-- Generated from schemas/feeds by python -m meanscheck.contracts.generate. Do not edit.\n"]
    for contract in all_feeds().values():
        lines = [f"  {_definition(column)}" for column in contract.columns]
        comments = [
            f"comment on column feed_{contract.name}.{_quoted(column.stored_name)} is '{_escaped(_comment(column))}';"
            for column in contract.columns
        ]
        parts.append(
            f"-- {contract.title_zh}: {contract.purpose}\n"
            f"create table feed_{contract.name} (\n" + ",\n".join(lines) + "\n);\n" + "\n".join(comments) + "\n"
        )
    return "\n".join(parts)


def write() -> int:
    """Write the files, remove stale ones, and return how many there are."""
    folder = data_dir("schemas") / "generated"
    folder.mkdir(exist_ok=True)
    files = generated_files()
    for stale in folder.iterdir():
        if stale.name not in files:
            stale.unlink()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return len(files)


def _property(column: Column) -> dict[str, Any]:
    text: dict[str, Any] = {"title": column.title_zh, "description": column.description}
    kinds = "string" if column.required else ["string", "null"]
    if column.kind in ("number", "bool"):
        other = "integer" if column.kind == "number" else "boolean"
        text["type"] = [other, "string"] if column.required else [other, "string", "null"]
        for word, limit in (("minimum", column.minimum), ("maximum", column.maximum)):
            if limit is not None:
                text[word] = limit
    elif column.kind == "choice":
        text["enum"] = [*column.choices, *([] if column.required else [None])]
        text["x-labels-zh"] = dict(column.choice_labels)
    else:
        text["type"] = kinds
    if column.unit is not None and column.unit in _PATTERN:
        text["pattern"] = _PATTERN[column.unit]
    elif column.kind == "date":
        text["format"] = "date"
    elif column.kind == "month":
        text["pattern"] = "^[0-9]{4}-(0[1-9]|1[0-2])$"
    elif column.pattern is not None:
        text["pattern"] = column.pattern
    if column.max_length is not None:
        text["maxLength"] = column.max_length
    if column.unit is not None:
        text["x-unit"] = column.unit
    if column.standard is not None:
        text["x-standard"] = column.standard
    text["x-sensitivity"] = column.sensitivity
    return text


def _definition(column: Column) -> str:
    null = " not null" if column.required else ""
    check = ""
    if column.kind == "choice":
        words = ", ".join(f"'{choice}'" for choice in column.choices)
        check = f" check ({_quoted(column.stored_name)} in ({words}))"
    return f"{_quoted(column.stored_name)} {column.duckdb_type.lower()}{null}{check}"


def _comment(column: Column) -> str:
    standard = f" [{column.standard}]" if column.standard else ""
    return f"{column.title_zh}: {column.description} ({column.sensitivity}){standard}"


def _quoted(name: str) -> str:
    return f'"{name}"'


def _escaped(text: str) -> str:
    return text.replace("'", "''")


def _pretty(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    print(f"{write()} files written to schemas/generated")
