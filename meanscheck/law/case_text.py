"""How is a case written down as TOML, so that `cases.toml` may hold it as it stands? The counterpart of `cases.py`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any


def toml_of(case: Mapping[str, Any]) -> str:
    """A case (nested plain values, as `Case.from_dict` takes them) as one ``[[case]]`` of a TOML file."""
    lines = ["[[case]]", *_plain_lines(case, "")]
    household = case["household"]
    lines += ["  [case.household]", *_plain_lines(household, "  ")]
    for role in ("member", "supporter"):
        for person in (*case.get(role, ()), *household.get(role, ())):
            lines += [f"    [[case.{role}]]", *_plain_lines(person, "    ")]
            for feed, rows in person.items():
                if _is_tables(rows):
                    for row in rows:
                        lines += [f"      [[case.{role}.{feed}]]", *_plain_lines(row, "      ")]
    for programme, entry in case.get("expect", {}).items():
        if all(isinstance(own, Mapping) for own in entry.values()):
            for member, own in entry.items():
                lines += [f"  [case.expect.{programme}.{member}]", *_plain_lines(own, "  ")]
        else:
            lines += [f"  [case.expect.{programme}]", *_plain_lines(entry, "  ")]
    return "\n".join(lines) + "\n"


def _plain_lines(values: Mapping[str, Any], indent: str) -> Iterator[str]:
    """What is neither a table of its own nor a list of tables."""
    for key, value in values.items():
        if key not in ("household", "expect") and not _is_tables(value):
            yield f"{indent}{key} = {_toml(value)}"


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_toml(k)} = {_toml(v)}" for k, v in value.items()) + " }" if value else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return str(value) if isinstance(value, int) else _text(str(value))


def _text(value: str) -> str:
    escaped = "".join(
        f"\\u{ord(c):04x}" if ord(c) < 32 or ord(c) == 127 else f"\\{c}" if c in '"\\' else c for c in value
    )
    return f'"{escaped}"'
