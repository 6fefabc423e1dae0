"""Texts near a good one. By accident: bytes flipped, cut, doubled, spliced. By design: the same value, other spelling.

Every function takes a source of chance, a text and other good texts, and gives a text. `near` applies one to four.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

Spelling = Callable[[Random, bytes, Sequence[bytes]], bytes]

LONGEST = 4 << 20

PIECES: tuple[bytes, ...] = (
    b"\n", b"\n\n", b"\r\n", b"\r", b" ", b"\t", b"\0", b"\x7f", b"\x1f", b"=", b"==", b"+", b"-", b"/", b"_", b"0",
    b"01", b"#", b",", b":", b'"', b"\\", b"{", b"}", b"[", b"]", b"{}", b"[]", b"null", b"true", b"NaN",
    b"Infinity", b"-0", b"1.0", b"1e3", b"9" * 17, b"9" * 400, b"-1", b"18446744073709551616", b"9007199254740992",
    b'"a":1', b'"a":1,"a":1', b"\\ud800", b"\\u0041", b"\\/", b"\\u00e9", b"AAAAAAA=", b"extra e30=\n", b"index 0\n",
    b"quorum none\n", b"any", b"all", "— ".encode(), "— k AAAAAAA=\n".encode(), b"-----BEGIN PRIVATE KEY-----\n",
    b"-----END PRIVATE KEY-----\n",
)  # fmt: skip
# Byte order mark, zero-width and other spaces, line separators, a combining mark, surrogates, overlong and cut UTF-8.
STRANGE: tuple[bytes, ...] = (
    b"\xef\xbb\xbf", "\u200b".encode(), "\u00a0".encode(), "\u2003".encode(), "\u2028".encode(), "\u2029".encode(),
    "\u0085".encode(), "\u0301".encode(), "\u202e".encode(), "\ufffd".encode(), "\U0001f600".encode(),
    b"\xed\xa0\x80", b"\xed\xa0\xbd\xed\xb8\x80", b"\xc0\x8a", b"\xc1\xbf", b"\xe2\x80", b"\xf8\x88\x80\x80\x80",
    b"\xff", b"\x80",
)  # fmt: skip
CONFUSABLE = {
    "a": "а", "c": "с", "e": "е", "o": "о", "p": "р", "i": "і", "x": "х", "0": "٠", "1": "１", "2": "２", "3": "٣",
    "5": "५", "+": "＋", "=": "＝", "—": "–", "-": "‐", ".": "。", "/": "∕", " ": "\u00a0", '"': "＂", ":": "：",
}  # fmt: skip
NUMBERS: tuple[Callable[[str], str], ...] = (
    lambda n: "0" + n, lambda n: "+" + n, lambda n: "-" + n, lambda n: n + ".0", lambda n: n + "e0",
    lambda n: n + "E+0", lambda n: n + "0" * 30, lambda n: "9" * 5000, lambda n: hex(int(n)), lambda n: n + "_0",
    lambda n: n + " ", lambda n: "".join(chr(ord(c) + 0x0660 - 48) for c in n), lambda n: str(int(n) + 1),
    lambda n: str(2**53 - 1), lambda n: str(2**53), lambda n: str(2**64 + int(n)), lambda n: "0", lambda n: "-0",
    lambda n: f'"{n}"', lambda n: "true",
)  # fmt: skip

_BASE64 = re.compile(rb"[A-Za-z0-9+/]{8,}={0,2}")
_NUMBER = re.compile(rb"(?<![0-9A-Za-z+/])[0-9]{1,15}(?![0-9A-Za-z+/])")
_HEX = re.compile(rb"[0-9a-f]{8,}")
_EXTRA = re.compile(rb"^extra ([A-Za-z0-9+/=]+)$", re.MULTILINE)


def flipped(chance: Random, text: bytes, _: Sequence[bytes]) -> bytes:
    """One bit."""
    if not text:
        return bytes([chance.randrange(256)])
    at = chance.randrange(len(text))
    return text[:at] + bytes([text[at] ^ 1 << chance.randrange(8)]) + text[at + 1 :]


def overwritten(chance: Random, text: bytes, _: Sequence[bytes]) -> bytes:
    """One byte by any other."""
    at = chance.randrange(len(text) + 1)
    return text[:at] + bytes([chance.randrange(256)]) + text[at + 1 :]


def inserted(chance: Random, text: bytes, _: Sequence[bytes]) -> bytes:
    """A piece that means something in one of the formats."""
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(PIECES) + text[at:]


def strange(chance: Random, text: bytes, _: Sequence[bytes]) -> bytes:
    """A piece of Unicode, or of what is not Unicode."""
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(STRANGE) + text[at:]


def confused(chance: Random, text: bytes, _: Sequence[bytes]) -> bytes:
    """A character by one that looks like it."""
    shown = text.decode("utf-8", "surrogateescape")
    places = [at for at, character in enumerate(shown[:20_000]) if character in CONFUSABLE]
    if not places:
        return text
    at = chance.choice(places)
    return (shown[:at] + CONFUSABLE[shown[at]] + shown[at + 1 :]).encode("utf-8", "surrogateescape")


def deleted(chance: Random, text: bytes, _: Sequence[bytes]) -> bytes:
    """Some bytes, mostly few."""
    at = chance.randrange(len(text) + 1)
    return text[:at] + text[at + _length(chance, len(text)) :]


def doubled(chance: Random, text: bytes, _: Sequence[bytes]) -> bytes:
    """Some bytes twice."""
    at = chance.randrange(len(text) + 1)
    end = at + _length(chance, len(text))
    return text[:end] + text[at:]


def truncated(chance: Random, text: bytes, _: Sequence[bytes]) -> bytes:
    """Only the beginning."""
    return text[: chance.randrange(len(text) + 1)]


def spliced(chance: Random, text: bytes, others: Sequence[bytes]) -> bytes:
    """The beginning of this text and the end of another."""
    other = chance.choice(others)
    return text[: chance.randrange(len(text) + 1)] + other[chance.randrange(len(other) + 1) :]


def lines_moved(chance: Random, text: bytes, _: Sequence[bytes]) -> bytes:
    """A line repeated, dropped, or exchanged with another."""
    lines = text.split(b"\n")
    a, b = chance.randrange(len(lines)), chance.randrange(len(lines))
    kind = chance.randrange(3)
    if kind == 0:
        lines.insert(b, lines[a])
    elif kind == 1:
        del lines[a]
    else:
        lines[a], lines[b] = lines[b], lines[a]
    return b"\n".join(lines)


def line_ends(chance: Random, text: bytes, _: Sequence[bytes]) -> bytes:
    """Other line ends or white space around."""
    return chance.choice(
        (
            text.replace(b"\n", b"\r\n"),
            text.replace(b"\n", b"\r"),
            text + b"\n",
            text.rstrip(b"\n"),
            text + b" ",
            b" " + text,
            b"\n" + text,
            text.replace(b"\n", b" \n"),
            text.replace(b" ", b"\t"),
            text.replace(b" ", b"  "),
        )
    )


def numbers(chance: Random, text: bytes, _: Sequence[bytes]) -> bytes:
    """A number otherwise spelled, or another, or huge."""
    return _at_one(chance, _NUMBER, text, lambda found: chance.choice(NUMBERS)(found.decode()).encode())


def base64_spelling(chance: Random, text: bytes, _: Sequence[bytes]) -> bytes:
    """The same bytes in another base64: stray bits, no padding, other alphabet, white space."""

    def other(found: bytes) -> bytes:
        bare = found.rstrip(b"=")
        at = chance.randrange(len(found))
        stray = bare[:-1] + bytes([chance.choice(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")])
        return chance.choice(
            (
                bare,
                found + b"=",
                bare + b"===",
                stray + found[len(bare) :],
                found.replace(b"+", b"-").replace(b"/", b"_"),
                found[:at] + chance.choice((b" ", b"\n", b"=", b"\r\n", b"-")) + found[at:],
                found + b"AAAA",
                found[4:],
            )
        )

    return _at_one(chance, _BASE64, text, other)


def hex_spelling(chance: Random, text: bytes, _: Sequence[bytes]) -> bytes:
    """The same bytes in other hex, or one digit less."""
    return _at_one(
        chance, _HEX, text, lambda f: chance.choice((f.upper(), f[:-1], f + b"0", b"0x" + f, b" ".join((f[:4], f[4:]))))
    )


def json_spelling(chance: Random, text: bytes, _: Sequence[bytes]) -> bytes:
    """The same JSON value otherwise written."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return chance.choice(
        (
            json.dumps(value),
            json.dumps(value, indent=1),
            json.dumps(value, separators=(",", ":")),
            json.dumps(value, separators=(",", ":"), sort_keys=True),
            json.dumps(value, ensure_ascii=False),
            json.dumps(_reversed(value), separators=(",", ":"), ensure_ascii=False),
            json.dumps([value], separators=(",", ":"), ensure_ascii=False, sort_keys=True),
            json.dumps(_changed(chance, value), separators=(",", ":"), ensure_ascii=False, sort_keys=True),
            json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True).replace("/", "\\/"),
            _escaped(chance, json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True)),
        )
    ).encode("utf-8", "surrogatepass")


def within(chance: Random, text: bytes, others: Sequence[bytes]) -> bytes:
    """Any of these changes inside the extra line of a proof, or inside a text within JSON."""
    found = _EXTRA.search(text)
    if found:
        try:
            inner = base64.b64decode(found[1], validate=True)
        except binascii.Error:
            return text
        inner = near(chance, inner, others)
        return text[: found.start(1)] + base64.b64encode(inner) + text[found.end(1) :]
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return json.dumps(_changed(chance, value), separators=(",", ":"), ensure_ascii=False, sort_keys=True).encode(
        "utf-8", "surrogatepass"
    )


def deep(chance: Random, text: bytes, _: Sequence[bytes]) -> bytes:
    """Deeper nested than any parser should follow."""
    depth = chance.choice((10, 63, 64, 65, 1_000, 100_000))
    opening, closing = chance.choice(((b"[", b"]"), (b'{"a":', b"}")))
    return opening * depth + chance.choice((text, b"1", b"")) + closing * chance.choice((depth, depth - 1, 0))


def long(chance: Random, text: bytes, _: Sequence[bytes]) -> bytes:
    """A part of it over and over, up to some megabytes."""
    if chance.random() < 0.9:
        return text * chance.randrange(2, 6)
    start = chance.randrange(len(text) + 1)
    part = text[start : start + _length(chance, len(text))] or b"A"
    times = chance.choice((1_000, 100_000, LONGEST // len(part)))
    return text[:start] + (part * times)[:LONGEST] + text[start:]


SPELLINGS: tuple[Spelling, ...] = (
    flipped, overwritten, inserted, strange, confused, deleted, doubled, truncated, spliced, lines_moved, line_ends,
    numbers, base64_spelling, hex_spelling, json_spelling, within, within, within,
)  # fmt: skip
RARE: tuple[Spelling, ...] = (deep, long)


def near(chance: Random, text: bytes, others: Sequence[bytes]) -> bytes:
    """One to four changes; one in a few hundred is deep or long. Not every change finds something to change."""
    sound = text
    for _ in range(chance.choice((1, 1, 1, 1, 2, 2, 3, 4))):
        change = chance.choice(RARE if chance.random() < 0.003 else SPELLINGS)
        text = change(chance, text, others)[: 2 * LONGEST]
    return flipped(chance, text, others) if text == sound else text


def _length(chance: Random, most: int) -> int:
    return chance.choice((1, 1, 1, 2, 4, 32, chance.randrange(most + 1)))


def _at_one(chance: Random, pattern: re.Pattern[bytes], text: bytes, change: Callable[[bytes], bytes]) -> bytes:
    places = list(pattern.finditer(text[:100_000]))
    if not places:
        return text
    found = chance.choice(places)
    return text[: found.start()] + change(found[0]) + text[found.end() :]


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _reversed(inner) for name, inner in reversed(value.items())}
    return [_reversed(inner) for inner in value] if isinstance(value, list) else value


def _changed(chance: Random, value: Any) -> Any:
    """One value somewhere inside made another: of another kind, missing, more, or a text changed."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        name = chance.choice(list(value))
        if chance.random() < 0.1:
            return {other: inner for other, inner in value.items() if other != name}
        if chance.random() < 0.05:
            return {**value, chance.choice(("a", "é", "", "V", "json", "salt")): value[name]}
        return {**value, name: _changed(chance, value[name])}
    if isinstance(value, list) and value and chance.random() < 0.9:
        at = chance.randrange(len(value))
        if chance.random() < 0.3:
            return [*value[:at], *([value[at]] * chance.choice((0, 2, 70))), *value[at + 1 :]]
        return [*value[:at], _changed(chance, value[at]), *value[at + 1 :]]
    if isinstance(value, str) and chance.random() < 0.7:
        return near(chance, value.encode("utf-8", "surrogatepass"), [b"x"])[:10_000].decode("utf-8", "replace")
    if type(value) is int and chance.random() < 0.5:
        return value + chance.choice((-1, 1, 2**53, -(2**53), 10**30))
    return chance.choice((None, True, False, 0, -1, 1, 2, "", "0", [], {}, [value], {"v": value}, value))


def _escaped(chance: Random, text: str) -> str:
    places = [at for at, character in enumerate(text) if character.isalnum()]
    if not places:
        return text
    at = chance.choice(places)
    return f"{text[:at]}\\u{ord(text[at]):04x}{text[at + 1 :]}"
