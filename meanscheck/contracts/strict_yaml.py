"""How is a contract file read without YAML's surprises?

YAML 1.1 reads ``010101`` as 4161, ``no`` as false, ``2020-05`` as text but ``2020-05-01`` as a date, and keeps the
second of two equal keys. Here only ``true``, ``false``, ``null`` and plain decimal integers are not text; equal keys,
anchors, aliases and tags are refused, and every value keeps its line.

>>> load_yaml("a: 010101\\nb: no\\nc: 7", where="x.yaml")[0]
{'a': '010101', 'b': 'no', 'c': 7}
"""

from __future__ import annotations

import re
from typing import Any

import yaml
from yaml.events import AliasEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

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
        for event in yaml.parse(text, Loader=_LOADER):
            if isinstance(event, AliasEvent) or getattr(event, "anchor", None) is not None:
                raise _fault("anchors and aliases are not used in contracts", where, _line(event.start_mark))
            tag = getattr(event, "tag", None)
            if tag is not None and tag != "!":
                raise _fault("tags are not used in contracts", where, _line(event.start_mark))
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        raise _fault(f"not YAML: {getattr(error, 'problem', None) or 'cannot be parsed'}", where, line) from None
    if root is None:
        raise _fault("empty file", where, 1)
    lines: Lines = {}
    return _value(root, (), lines, where), lines


def _value(node: Node, path: tuple[str | int, ...], lines: Lines, where: str) -> Any:
    line = node.start_mark.line + 1
    lines[path] = line
    if len(path) > _MAX_DEPTH:
        raise _fault("nested too deep", where, line)
    if isinstance(node, ScalarNode):
        return _scalar(node)
    if isinstance(node, SequenceNode):
        return [_value(item, (*path, position), lines, where) for position, item in enumerate(node.value)]
    assert isinstance(node, MappingNode)
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, ScalarNode):
            raise _fault("a key is not text", where, key_node.start_mark.line + 1)
        key = str(key_node.value)
        if key in found:
            raise _fault(f"key {key} is given twice", where, key_node.start_mark.line + 1)
        found[key] = _value(value_node, (*path, key), lines, where)
    return found


def _scalar(node: ScalarNode) -> str | int | bool | None:
    text = str(node.value)
    if node.style in ("'", '"', "|", ">"):  # quoted or block text is text, whatever it looks like
        return text
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if _INTEGER.fullmatch(text) else text


def _line(mark: Any) -> int:
    return 1 if mark is None else int(mark.line) + 1


def _fault(what: str, where: str, line: int) -> ContractError:
    return ContractError(what, where=f"{where}:{line}", remedy="Mend the contract file")
