"""Which bytes stand for a value? One answer only, so that a digest of the bytes is a digest of the value.

The form is RFC 8785 (JSON canonicalisation), kept to the values this library writes: text, whole numbers within 2^53,
true, false, null, lists, and objects whose member names are ASCII. Floats do not exist here, so RFC 8785's rules for
numbers are not needed; ASCII names sort alike by UTF-16 unit (as the RFC asks) and by code point.

>>> format({"n": 17, "k": "decision", "names": ["甲", None, True]})
b'{"k":"decision","n":17,"names":["\\xe7\\x94\\xb2",null,true]}'
>>> parse(b'{"k":"decision","n":17}')
{'k': 'decision', 'n': 17}

`parse` reads, writes again and compares bytes, so there is exactly one text for each value:

>>> refused = b'{"n": 17}', b'{"b":1,"a":2}', b'{"a":1,"a":1}', b'[1.0]', b'[01]', b'"\\\\u0041"', b'[9007199254740993]'
>>> for text in refused:
...     try:
...         parse(text)
...     except ValueError as error:
...         print(error)
not in canonical form
not in canonical form
a member name occurs twice
a number with a fraction or exponent
not JSON
not in canonical form
a whole number beyond 2^53 - 1
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TypeAlias

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"

MAX_INT = 2**53 - 1
MAX_DEPTH = 64


class NotCanonical(ValueError):
    """Bytes or a value outside the canonical form; the text never repeats the content."""


def format(value: Json) -> bytes:
    """The one canonical text of a value, as UTF-8. NotCanonical if the value has none."""
    _check(value, 0)
    try:
        # The escapes of json.dumps without ensure_ascii are those of RFC 8785 section 3.2.2.2.
        return _ENCODER.encode(value).encode()
    except UnicodeEncodeError:
        raise NotCanonical("text with a lone surrogate") from None


def parse(text: bytes) -> Any:
    """The value of a canonical text; NotCanonical for every other sequence of bytes."""
    try:
        value = json.loads(
            text.decode("utf-8"),
            object_pairs_hook=_object,
            parse_float=_no_float,
            parse_constant=_no_float,
            parse_int=_int,
        )
    except NotCanonical:
        raise
    except (ValueError, RecursionError):
        raise NotCanonical("not JSON") from None
    if format(value) != text:
        raise NotCanonical("not in canonical form")
    return value


_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotCanonical("a member name occurs twice")
    return members


def _no_float(_: str) -> NoReturn:
    raise NotCanonical("a number with a fraction or exponent")


def _int(digits: str) -> int:
    # Bounded before int(), whose own limit on digits is another exception.
    if len(digits) > 17 or abs(int(digits)) > MAX_INT:
        raise NotCanonical("a whole number beyond 2^53 - 1")
    return int(digits)


def _check(value: object, depth: int) -> None:
    if value is None or isinstance(value, str | bool):
        return
    if isinstance(value, int):
        if abs(value) > MAX_INT:
            raise NotCanonical("a whole number beyond 2^53 - 1")
    elif depth == MAX_DEPTH:
        raise NotCanonical(f"nested deeper than {MAX_DEPTH}")
    elif isinstance(value, dict):
        for name, inner in value.items():
            if not isinstance(name, str) or not name.isascii():
                raise NotCanonical("a member name that is not ASCII")
            _check(inner, depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check(inner, depth + 1)
    else:
        raise NotCanonical("a value of a kind that JSON has not, or a float")
