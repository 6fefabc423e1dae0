"""In which unit are the amounts of a sheet, if its title or a note says so once for all? 单位：元, 金额单位：万元.

Only for columns whose header names no unit. 单位 also means an office (单位：某某局), so a word that is no unit of
money or area is no unit; a unit of money that is not read (千元), and two units that differ, refuse the file: a guess
here would be wrong by a factor.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from meanscheck.contracts.model import FILE_UNITS
from meanscheck.contracts.spelling import UNIT_WORDS, header_unit
from meanscheck.errors import FeedError

_STATED = re.compile(r"单位(?:[:：]|均?为|是)([^\s，。；;)）】\]|\"]+)")
_MONEY = re.compile(r"[元角分]$")


def stated_units(above: Sequence[str], notes: Sequence[str], *, where: str) -> Mapping[str, str]:
    """Kind (money, area) → unit.

    Args:
        above: texts above the header; a unit in brackets counts too.
        notes: texts of the notes below the rows.

    Raises:
        FeedError: a unit of money that is not read, or two that differ.
    """
    found: dict[str, set[str]] = {}
    for text in (*above, *notes):
        plain = re.sub(r"[ \t\u3000]", "", unicodedata.normalize("NFKC", text))
        for match in _STATED.finditer(plain):
            for word in re.split(r"[、,/和及]", match.group(1)):
                unit = UNIT_WORDS.get(word.lower().removeprefix("人民币") or word)
                if unit is not None and (kind := _kind(unit)) is not None:
                    found.setdefault(kind, set()).add(unit)
                elif unit is None and _MONEY.search(word):
                    raise FeedError(
                        "the amounts are in a unit that is not read",
                        where=where,
                        remedy="Give them in 元, 分 or 万元",
                    )
    for text in above:
        # Anywhere in the line: over which columns a group of headers reaches is not known here.
        for bracket in re.findall(r"[(\[【（][^()\[\]【】（）]*[)\]】）]", text):
            unit = header_unit(bracket)
            if unit is not None and (kind := _kind(unit)) is not None:
                found.setdefault(kind, set()).add(unit)
    twice = [kind for kind, units in found.items() if len(units) > 1]
    if twice:
        raise FeedError(
            f"two units of {twice[0]} are stated for the whole file",
            where=where,
            remedy="Name the unit in each header, such as 金额(元)",
        )
    return {kind: units.pop() for kind, units in found.items()}


def _kind(unit: str) -> str | None:
    return next((kind for kind in ("money", "area") if unit in FILE_UNITS[kind]), None)
