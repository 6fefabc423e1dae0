"""Is a contract file sound, and what feed does it define?

Reads one ODCS file strictly and checks what the standard cannot: that stored names and types follow from the kind, that
no header and no spelling of a choice can mean two things, that keys name columns. Errors name file, line and remedy.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import rfc8785
from pydantic import ValidationError

from meanscheck.contracts.model import _DUCKDB, FILE_UNITS, KINDS, PERSON, UNIT_SUFFIX, Column, FeedContract
from meanscheck.contracts.odcs import CHOICE_CUSTOM, COLUMN_CUSTOM, FEED_CUSTOM, CustomProperty, DataContract, Property
from meanscheck.contracts.spelling import choice_key, header_key
from meanscheck.contracts.strict_yaml import Lines, load_yaml
from meanscheck.errors import ContractError

_LOGICAL: Mapping[str, str] = {
    "money": "number",
    "area": "number",
    "ratio": "number",
    "number": "integer",
    "bool": "boolean",
    "date": "date",
    "month": "date",
    "choice": "string",
    "text": "string",
    "person": "string",
}
_IDENTITY = ("id_type", "id_number", "name")


class _File:
    """A contract file being read: turns a path inside it into a located error."""

    def __init__(self, where: str, lines: Lines) -> None:
        self.where, self.lines = where, lines

    def fault(self, what: str, *path: str | int) -> ContractError:
        while path and path not in self.lines:
            path = path[:-1]
        line = self.lines.get(path, 1)
        return ContractError(what, where=f"{self.where}:{line}", remedy="Mend the contract file")


def load_contract(text: str, *, where: str, application: bool = False) -> FeedContract:
    """Read one contract file.

    Args:
        where: the file's name for messages.
        application: a contract of the application side: no feed properties, no identity columns needed.

    Raises:
        ContractError: with file, line and what to mend.
    """
    value, lines = load_yaml(text, where=where)
    file = _File(where, lines)
    try:
        document = DataContract.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        path = first["loc"]
        raise file.fault(f"{'.'.join(str(part) for part in path)}: {first['msg']}", *path) from None
    table = document.schema_[0]
    if table.name != document.name:
        raise file.fault("the schema object has another name than the contract", "schema", 0, "name")
    custom = _custom(document.customProperties, FEED_CUSTOM, file, "customProperties")
    columns = tuple(_column(prop, file, ("schema", 0, "properties", at)) for at, prop in enumerate(table.properties))
    contract = FeedContract(
        name=document.name,
        title_zh=_text(custom, "titleZh", file),
        purpose=document.description.purpose,
        row_is=table.dataGranularityDescription,
        usage=document.description.usage or "",
        limitations=document.description.limitations or "",
        senders=_names(custom, "senders", file),
        authorisation=_word(custom, "authorisation", ("required", "office"), file, application),
        basis=_word(custom, "basis", ("month", "as_of", "event", "register"), file, application),
        period_column=custom.get("periodColumn"),
        key=_names(custom, "key", file),
        latest_by=_names(custom, "latestBy", file),
        columns=columns,
        version=document.version,
        digest=hashlib.sha256(rfc8785.dumps(value)).hexdigest(),
    )
    _check_headers(columns, file)
    if not application:
        _check_feed(contract, table.physicalName, file)
    return contract


def _column(prop: Property, file: _File, path: tuple[str | int, ...]) -> Column:
    custom = _custom(prop.customProperties, COLUMN_CUSTOM, file, *path, "customProperties")
    kind = custom.get("kind")
    if kind not in KINDS:
        raise file.fault(f"column {prop.name}: kind is not one of {', '.join(KINDS)}", *path)
    if prop.logicalType != _LOGICAL[kind] or prop.physicalType != _DUCKDB[kind]:
        raise file.fault(f"column {prop.name}: a {kind} is {_LOGICAL[kind]}, stored as {_DUCKDB[kind]}", *path)
    if prop.physicalName != prop.name + UNIT_SUFFIX.get(kind, ""):
        raise file.fault(f"column {prop.name}: stored name must be {prop.name}{UNIT_SUFFIX.get(kind, '')}", *path)
    unit = custom.get("unit")
    if (kind in FILE_UNITS) != (unit is not None) or (unit is not None and unit not in FILE_UNITS[kind]):
        raise file.fault(f"column {prop.name}: unit does not fit the kind", *path)
    if (kind == "choice") != (prop.enum is not None):
        raise file.fault(f"column {prop.name}: a choice, and only a choice, lists an enum", *path)
    choices, spellings, labels = _choices(prop, file, path)
    default = custom.get("default")
    if kind == "choice" and default is not None and default not in choices:
        raise file.fault(f"column {prop.name}: the default is not a choice", *path)
    if prop.logicalTypeOptions.pattern is not None:
        try:
            re.compile(prop.logicalTypeOptions.pattern)
        except re.error:
            raise file.fault(f"column {prop.name}: the pattern is no regular expression", *path) from None
    only_when = [(name, tuple(values)) for name, values in (custom.get("negativeOnlyWhen") or {}).items()]
    return Column(
        name=prop.name,
        kind=kind,
        required=prop.required,
        choices=choices,
        choice_aliases=spellings,
        choice_labels=labels,
        aliases=tuple(custom.get("aliases") or ()),
        title_zh=prop.businessName,
        sensitivity=prop.classification,
        unit=unit,
        stored_name=prop.physicalName,
        description=prop.description,
        in_formulas=custom.get("inFormulas", True),
        standard=custom.get("standard"),
        default=default,
        minimum=prop.logicalTypeOptions.minimum,
        maximum=prop.logicalTypeOptions.maximum,
        max_length=prop.logicalTypeOptions.maxLength,
        pattern=prop.logicalTypeOptions.pattern,
        may_be_negative=custom.get("mayBeNegative", False),
        negative_only_when=only_when[0] if only_when else None,
        may_be_future=custom.get("mayBeFuture", False),
        as_of_from=custom.get("asOfFrom"),
        example=prop.examples[0],
    )


def _choices(
    prop: Property, file: _File, path: tuple[str | int, ...]
) -> tuple[tuple[str, ...], dict[str, str], dict[str, str]]:
    """Choices in order, accepted spelling → choice, choice → Chinese label."""
    spellings: dict[str, str] = {}
    entries = prop.enum or []
    for at, entry in enumerate(entries):
        custom = _custom(entry.customProperties, CHOICE_CUSTOM, file, *path, "enum", at)
        for spelling in (entry.value, entry.label, *custom.get("aliases", ())):
            key = choice_key(spelling)
            if spellings.setdefault(key, entry.value) != entry.value:
                raise file.fault(f"column {prop.name}: {spelling} spells two choices", *path, "enum", at)
    return tuple(entry.value for entry in entries), spellings, {entry.value: entry.label for entry in entries}


def _check_headers(columns: Sequence[Column], file: _File) -> None:
    owner: dict[str, str] = {}
    for at, column in enumerate(columns):
        for header in (column.name, column.stored_name, column.title_zh, *column.aliases):
            if owner.setdefault(header_key(header), column.name) != column.name:
                other = owner[header_key(header)]
                raise file.fault(f"header {header} names both {other} and {column.name}", "schema", 0, "properties", at)


def _check_feed(contract: FeedContract, physical: str, file: _File) -> None:
    names = contract.column_names
    if physical != f"feed_{contract.name}":
        raise file.fault(f"the table must be named feed_{contract.name}", "schema", 0, "physicalName")
    if names[:3] != _IDENTITY:
        raise file.fault("the first columns must be id_type, id_number, name", "schema", 0, "properties")
    if ("month" in names) == ("as_of" in names):
        raise file.fault("a feed has either a month or an as_of", "schema", 0, "properties")
    if (contract.basis in ("month", "event")) != (contract.period_column is not None):
        raise file.fault("a month or event feed, and no other, names its periodColumn", "customProperties")
    if contract.period_column is not None and contract.column(contract.period_column).kind not in ("month", "date"):
        raise file.fault("periodColumn must be a month or a date", "customProperties")
    for name in (*contract.key, *contract.latest_by):
        if name != PERSON and name not in names:
            raise file.fault(f"key or latestBy names {name}, which is no column", "customProperties")
        if name in contract.latest_by and name != PERSON and contract.column(name).stored_name != name:
            raise file.fault(f"latestBy may not name an amount ({name})", "customProperties")
    for column in contract.columns:
        if column.as_of_from is not None and contract.column(column.as_of_from).kind != "date":
            raise file.fault(f"asOfFrom names {column.as_of_from}, which is no date", "schema", 0, "properties")
        if column.negative_only_when is not None:
            other, choices = column.negative_only_when
            if not set(choices) <= set(contract.column(other).choices):
                raise file.fault(f"negativeOnlyWhen of {column.name} names no choice of {other}", "schema", 0)


def _custom(given: Sequence[CustomProperty], known: frozenset[str], file: _File, *path: str | int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for at, item in enumerate(given):
        if item.property not in known:
            raise file.fault(f"unknown custom property {item.property}; known: {', '.join(sorted(known))}", *path, at)
        if item.property in found:
            raise file.fault(f"custom property {item.property} is given twice", *path, at)
        found[item.property] = item.value
    return found


def _text(custom: Mapping[str, Any], name: str, file: _File) -> str:
    value = custom.get(name)
    if not isinstance(value, str) or not value:
        raise file.fault(f"custom property {name} is missing", "customProperties")
    return value


def _names(custom: Mapping[str, Any], name: str, file: _File) -> tuple[str, ...]:
    value = custom.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise file.fault(f"custom property {name} must be a list of names", "customProperties")
    return tuple(value)


def _word(custom: Mapping[str, Any], name: str, words: Sequence[str], file: _File, application: bool) -> Any:
    value = custom.get(name, words[-1] if application else None)
    if value not in words:
        raise file.fault(f"custom property {name} must be one of {', '.join(words)}", "customProperties")
    return value
