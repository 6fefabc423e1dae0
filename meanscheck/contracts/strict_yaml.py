"""How is a contract file read without YAML's surprises?

YAML 1.1 reads ``010101`` as 4161, ``no`` as false, ``2020-05`` as text but ``2020-05-01`` as a date, and keeps the
second of two equal keys. Here only ``true``, ``false``, ``null`` and plain decimal integers are not text; equal keys,
anchors, aliases and tags are refused, and every value keeps its line.

>>> load_yaml("a: 010101\\nb: no\\nc: 7", where="x.yaml")[0]
{'a': '010101', 'b': 'no', 'c': 7}
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from meanscheck.errors import ContractError

Lines = dict[tuple[str | int, ...], int]
"""Line (from 1) of every value, by its path of keys and positions."""

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)", re.ASCII)
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_MAX_DEPTH = 40
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where the wheel has it: ten times faster


def load_yaml(text: str, *, where: str) -> tuple[Any, Lines]:
    """Parse one document; ContractError with file and line on anything outside the strict subset."""
    try:
        reading = _Reading(yaml.parse(text, Loader=_LOADER), where)
        return reading.document(), reading.lines
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        raise _fault(f"not YAML: {getattr(error, 'problem', None) or 'cannot be parsed'}", where, line) from None


class _Reading:
    """Values made from the parser's events, in one pass: nothing here needs YAML's own ideas of types."""

    def __init__(self, events: Iterator[Event], where: str) -> None:
        self._events, self._where = events, where
        self.lines: Lines = {}

    def document(self) -> Any:
        next(self._events)
        event = next(self._events)
        if not isinstance(event, DocumentStartEvent):
            raise _fault("empty file", self._where, 1)
        value = self._value(self._next(), ())
        next(self._events)
        event = next(self._events)
        if not isinstance(event, StreamEndEvent):
            raise _fault("not YAML: a second document begins", self._where, _line(event))
        return value

    def _next(self) -> Event:
        event = next(self._events)
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _fault("anchors and aliases are not used in contracts", self._where, _line(event))
        if getattr(event, "tag", None) not in (None, "!"):
            raise _fault("tags are not used in contracts", self._where, _line(event))
        return event

    def _value(self, event: Event, path: tuple[str | int, ...]) -> Any:
        self.lines[path] = _line(event)
        if len(path) > _MAX_DEPTH:
            raise _fault("nested too deep", self._where, _line(event))
        if isinstance(event, ScalarEvent):
            return _scalar(event)
        if isinstance(event, SequenceStartEvent):
            items: list[Any] = []
            while not isinstance(event := self._next(), SequenceEndEvent):
                items.append(self._value(event, (*path, len(items))))
            return items
        found: dict[str, Any] = {}
        while not isinstance(event := self._next(), MappingEndEvent):
            if not isinstance(event, ScalarEvent):
                raise _fault("a key is not text", self._where, _line(event))
            key = str(event.value)
            if key in found:
                raise _fault(f"key {key} is given twice", self._where, _line(event))
            found[key] = self._value(self._next(), (*path, key))
        return found


def _scalar(node: ScalarEvent) -> str | int | bool | None:
    text = str(node.value)
    if node.style in ("'", '"', "|", ">"):  # quoted or block text is text, whatever it looks like
        return text
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if _INTEGER.fullmatch(text) else text


def _line(event: Event) -> int:
    return 1 if event.start_mark is None else int(event.start_mark.line) + 1


def _fault(what: str, where: str, line: int) -> ContractError:
    return ContractError(what, where=f"{where}:{line}", remedy="Mend the contract file")
