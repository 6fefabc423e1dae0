"""When are two spellings of a header or a choice the same?

Files differ in width (full-width letters and brackets), case, spaces, quotes and line breaks inside a header; these
never carry meaning. A unit in brackets at the end of a header, as in 金额(万元), does: it is split off and reported.

>>> header_key(" 账户余额（元）"), header_unit("账户余额（万元）"), choice_key("Ａ级 ")
('账户余额', 'wan_yuan', 'a级')
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

UNIT_WORDS: Mapping[str, str] = {
    "元": "yuan",
    "人民币元": "yuan",
    "单位:元": "yuan",
    "yuan": "yuan",
    "分": "fen",
    "单位:分": "fen",
    "fen": "fen",
    "万元": "wan_yuan",
    "单位:万元": "wan_yuan",
    "平方米": "m2",
    "m2": "m2",
    "㎡": "m2",
    "亩": "mu",
    "%": "percent",
    "百分比": "percent",
}
"""Words in brackets at the end of a header and the unit they mean."""

_SPACE = re.compile(r"[\s\ufeff\u200b\"'*]+")
_LONGEST = 400
"""Characters of a header that are looked at: no header is longer, and a hostile one may be megabytes."""
_BRACKET = re.compile(r"[(\[【]([^()\[\]【】]*)[)\]】]$")


def header_key(header: str) -> str:
    """The form in which headers are compared: half-width, lower case, no spaces, no unit at the end."""
    plain = _plain(header)
    match = _BRACKET.search(plain)
    if match is not None and _unit_word(match.group(1)) is not None:
        return plain[: match.start()]
    return plain


def header_unit(header: str) -> str | None:
    """The unit a header names in brackets at its end, if any."""
    match = _BRACKET.search(_plain(header))
    return None if match is None else _unit_word(match.group(1))


def choice_key(text: str) -> str:
    """The form in which spellings of a choice are compared: half-width, lower case, no spaces."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", text)).lower()


def _plain(header: str) -> str:
    return _SPACE.sub("", unicodedata.normalize("NFKC", header[:_LONGEST])).lower()


def _unit_word(word: str) -> str | None:
    return UNIT_WORDS.get(word)
