"""What kind of thing is a value in a formula, and which operations fit it?

A number carries a *dimension*, the exponents of money, month and area, so that an income over six months cannot be
held against a monthly standard; and a *form*: `int` (whole fen, cm², counts), `micro` (a ratio of at most six
decimals, held in millionths) or `exact` (a quotient or product, which may be compared or rounded but not stored).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["num", "bool", "date", "text"]
Form: TypeAlias = Literal["int", "micro", "exact"]
Dimension: TypeAlias = tuple[int, int, int]

PLAIN: Dimension = (0, 0, 0)
MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Type:
    """Type of a node. `choices` is the declared set of a text, None where any text may stand; `zero` marks the
    literal 0."""

    kind: Kind
    dimension: Dimension = PLAIN
    form: Form = "int"
    choices: frozenset[str] | None = None
    zero: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        if self.kind != "num":
            return self.kind
        name = dimension_name(self.dimension)
        if self.dimension == PLAIN and self.form == "micro":
            name = "ratio"
        return f"exact {name}" if self.form == "exact" else name


BOOL = Type("bool")
DATE = Type("date")
TEXT = Type("text")
NUMBER = Type("num")
RATIO = Type("num", form="micro")
MONEY = Type("num", (1, 0, 0))
MONTH = Type("num", (0, 1, 0))
AREA = Type("num", (0, 0, 1))

UNITS: dict[str, Type] = {
    "money": MONEY,
    "money/month": Type("num", (1, -1, 0)),
    "month": MONTH,
    "area": AREA,
    "number": NUMBER,
    "ratio": RATIO,
    "bool": BOOL,
    "date": DATE,
    "text": TEXT,
}


def dimension_name(dimension: Dimension) -> str:
    """A dimension in words, such as ``money/month`` or ``money*month``."""
    names = ("money", "month", "area")
    above = [n if e == 1 else f"{n}^{e}" for n, e in zip(names, dimension, strict=True) if e > 0]
    below = [n if e == -1 else f"{n}^{-e}" for n, e in zip(names, dimension, strict=True) if e < 0]
    text = "*".join(above) or ("1" if below else "number")
    return "/".join([text, *below])
