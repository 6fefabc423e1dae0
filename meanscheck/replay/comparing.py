"""In which fields do two records differ? Paths, never values.

Lists of objects that carry an `id` or a `programme` are held against each other by it, so that one more member shows
as one more member:

>>> a = {"members": [{"id": "A", "age": 70}, {"id": "B", "age": 3}]}
>>> b = {"members": [{"id": "A", "age": 71}, {"id": "C", "age": 3}, {"id": "B", "age": 3}]}
>>> differences({"household": a}, {"household": b})
('household.members[A].age', 'household.members[C]: only in the replay')

Yes is not one, and an absent member is not null:

>>> differences({"means": {"x": True, "y": None}}, {"means": {"x": 1}})
('means.x', 'means.y: only in the record')
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from meanscheck.decisions.record import canonical
from meanscheck.replay.verdict import Replay


def compare(recorded: Mapping[str, Any], again: Mapping[str, Mapping[str, Any]]) -> Replay:
    """Field by field, in the groups that the recorded side has; the differences are not classed."""
    names = tuple(name for name in again if name in recorded)
    found = differences({name: recorded[name] for name in names}, as_json({name: again[name] for name in names}))
    return Replay(str(recorded["subject"]["case"]), names, found)


def as_json(groups: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Groups as they come back from their canonical bytes."""
    return {name: json.loads(canonical(group)) for name, group in groups.items()}


def differences(recorded: Mapping[str, Any], again: Mapping[str, Any]) -> tuple[str, ...]:
    """Paths in which two records differ, in the groups that both have, in the order of the second."""
    return tuple(path for name in again if name in recorded for path in _walk(name, recorded[name], again[name]))


def _walk(path: str, a: Any, b: Any) -> Iterator[str]:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        yield from _by_key(path, a, b, ".{}")
    elif isinstance(a, list) and isinstance(b, list):
        x, y = _keyed(a), _keyed(b)
        if x is not None and y is not None:
            yield from _by_key(path, x, y, "[{}]")
            if [k for k in x if k in y] != [k for k in y if k in x]:
                yield f"{path}: in another order"
            return
        if len(a) != len(b):
            yield f"{path}: {len(a)} entries in the record, {len(b)} in the replay"
        for i, (one, other) in enumerate(zip(a, b, strict=False)):
            yield from _walk(f"{path}[{i}]", one, other)
    elif a != b or type(a) is not type(b):
        yield path


def _by_key(path: str, a: Mapping[str, Any], b: Mapping[str, Any], form: str) -> Iterator[str]:
    for key in sorted({*a, *b}):
        place = path + form.format(key)
        if key not in a or key not in b:
            yield f"{place}: only in the {'record' if key in a else 'replay'}"
        else:
            yield from _walk(place, a[key], b[key])


def _keyed(items: Sequence[Any]) -> dict[str, Any] | None:
    """Items by programme and id; None if some have neither, or two have the same."""
    keys = [
        " ".join(str(item[name]) for name in ("programme", "id") if item.get(name) is not None)
        if isinstance(item, Mapping)
        else ""
        for item in items
    ]
    return dict(zip(keys, items, strict=True)) if all(keys) and len(set(keys)) == len(keys) else None
