"""Money is whole fen in an int. Text in and out is yuan with at most two decimals.

>>> parse_yuan("570.00"), parse_yuan("-0.5"), format_yuan(57000)
(57000, -50, '570.00')
"""

from __future__ import annotations

import re
from fractions import Fraction

from meanscheck.errors import MoneyError

MAX_FEN = 10**13
"""Bound of every amount on entry (10^13 fen), so that sums of 100 000 rows fit Int64 (Polars sums wrap silently)."""

_YUAN = re.compile(r"(-?)(\d{1,13})(?:\.(\d{1,2}))?", re.ASCII)
_RATIO = re.compile(r"-?\d{1,12}(?:\.\d{1,6})?|\d{1,9}/[1-9]\d{0,8}", re.ASCII)


def parse_yuan(text: str) -> int:
    """Yuan as decimal text to fen; MoneyError on any other form or beyond `MAX_FEN`."""
    match = _YUAN.fullmatch(text)
    if match is None:
        raise MoneyError("not an amount in yuan with at most two decimals", remedy='Write it like "570.00"')
    sign, whole, decimals = match.groups()
    fen = int(whole) * 100 + int((decimals or "").ljust(2, "0"))
    if fen > MAX_FEN:
        raise MoneyError("amount beyond 10^13 fen", remedy="Check the unit; larger amounts are not accepted")
    return -fen if sign else fen


def format_yuan(fen: int) -> str:
    """Fen as yuan with two decimals."""
    sign, rest = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}{rest // 100}.{rest % 100:02d}"


def parse_ratio(text: str) -> Fraction:
    """A ratio of at most six decimals (``"1.6"``), or a quotient of integers (``"1/3"``), exactly."""
    if _RATIO.fullmatch(text) is None:
        raise MoneyError("not a ratio with at most six decimals", remedy='Write it like "1.6"')
    return Fraction(text)
