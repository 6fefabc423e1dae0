"""Exact quotients brought to whole units by a named rule.

>>> round_to(Fraction(201, 2), "fen", "half_up")
101
>>> round_to(Fraction(149120, 1), "yuan", "up")
149200
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, get_args

RoundingUnit = Literal["fen", "jiao", "yuan", "10 yuan"]
RoundingMode = Literal["half_up", "half_even", "up", "down"]

UNIT_FEN: dict[str, int] = {"fen": 1, "jiao": 10, "yuan": 100, "10 yuan": 1000}
ROUNDING_UNITS: tuple[str, ...] = tuple(UNIT_FEN)
ROUNDING_MODES: tuple[str, ...] = get_args(RoundingMode)


def round_to(amount: Fraction | int, unit: str, mode: str) -> int:
    """Bring an exact amount (in fen) to a multiple of `unit`; the result is again in fen.

    ``half_up`` is floor(x + 1/2), ``up`` is toward plus infinity, ``down`` toward minus infinity.
    """
    step = UNIT_FEN[unit]
    # In whole numbers: a fraction made on the way costs more than all the rest.
    top, bottom = amount.numerator, amount.denominator * step
    if mode == "down":
        whole = top // bottom
    elif mode == "up":
        whole = -(-top // bottom)
    elif mode == "half_up":
        whole = (2 * top + bottom) // (2 * bottom)
    elif mode == "half_even":
        whole = round(Fraction(top, bottom))
    else:
        raise ValueError(f"unknown rounding mode {mode!r}; use one of {', '.join(ROUNDING_MODES)}")
    return whole * step
