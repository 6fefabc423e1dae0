"""What does one cell of text say? Plain functions of one text, applied once to each distinct text of a column.

`Fault` is a text that names a reason; every other result is the value. Blank cells and the marks that forms and
database exports use for "nothing here" (`NULL_MARKS`) are None: unknown, never zero.

>>> parse_day("2024年6月30日"), parse_month("202406"), parse_bool("是"), parse_day("2024-02-30")
(datetime.date(2024, 6, 30), datetime.date(2024, 6, 1), True, Fault(reason='not_date'))
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from meanscheck.contracts.model import Column
from meanscheck.contracts.spelling import choice_key
from meanscheck.values.documents import NONE, RESIDENT, Document, kind_of, normal
from meanscheck.values.identity import fault_of, lengthen

NULL_MARKS = frozenset({"", "-", "--", "—", "——", "/", "\\N", "NULL", "null", "N/A", "n/a"})
"""Cells that mean nothing is known."""
OPEN_END = date(9999, 12, 31)
"""A day without end (长期), as registers write it."""
UNSEEN = "\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffd\ue000-\uf8ff"
"""Characters no cell may hold: control, invisible, direction marks, the replacement character, private use."""

_SPACES = " \t\r\n\v\f\u00a0\u3000"
_UNSEEN = re.compile(f"[{UNSEEN}]")
_FORMULA = re.compile(r"[=@＝＠]|[+\-＋－].*[^0-9.,]", re.DOTALL)
_AMOUNT_FORMULA = re.compile(r"[=@＝＠]|[+\-＋－].*[A-Za-z!|(]", re.DOTALL)
_TIME = r"(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
_DAY = re.compile(
    rf"(\d{{4}})(?:(\d\d)(\d\d)|-(\d\d?)-(\d\d?)|/(\d\d?)/(\d\d?)|\.(\d\d?)\.(\d\d?)|年(\d\d?)月(\d\d?)日){_TIME}"
)
_MONTH = re.compile(r"(\d{4})(?:(\d\d)|-(\d\d?)|/(\d\d?)|\.(\d\d?)|年(\d\d?)月)")
_FOREVER = frozenset({"长期", "永久", "长期有效", "永久有效", "无固定期限"})
_YES = frozenset({"是", "true", "1", "y", "yes", "有"})
_NO = frozenset({"否", "false", "0", "n", "no", "无"})
_NAME_LENGTH = 401
"""A case number and a member's id, each of at most 200 characters, with a stroke between."""
_BRACKETS = str.maketrans("", "", "()")
_RESIDENT_SHAPE = re.compile(r"\d{17}[0-9X]|\d{15}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fault:
    """A cell that says nothing usable, by reason code."""

    reason: str


def trim(text: str, *, is_amount: bool = False) -> str | Fault | None:
    """The cell without spaces around it; None for a blank or a null mark; a fault for what no cell may hold.

    A spreadsheet takes a text that begins with ``= + - @`` for a formula; an amount may have a sign before its digits.
    """
    bare = text.strip(_SPACES)
    if bare in NULL_MARKS:
        return None
    if _UNSEEN.search(bare) is not None:
        return Fault("control_character")
    formula = _AMOUNT_FORMULA if is_amount else _FORMULA
    return Fault("formula") if formula.match(bare) is not None else bare


def parse_day(text: str) -> date | Fault | None:
    """A day in any style of DESIGN section 4; a time of day after it is dropped."""
    bare = trim(text)
    if not isinstance(bare, str):
        return bare
    plain = unicodedata.normalize("NFKC", bare)
    if plain in _FOREVER:
        return OPEN_END
    match = _DAY.fullmatch(plain)
    if match is None:
        return Fault("not_date")
    year, month, day = (int(part) for part in match.groups() if part is not None)
    try:
        found = date(year, month, day)
    except ValueError:
        return Fault("not_date")
    return found if year >= 1850 else Fault("not_date")


def parse_month(text: str) -> date | Fault | None:
    """A month as its first day; the first day of a month written out is that month, any other day is not."""
    bare = trim(text)
    if not isinstance(bare, str):
        return bare
    plain = unicodedata.normalize("NFKC", bare)
    match = _MONTH.fullmatch(plain)
    if match is None:
        day = parse_day(plain)
        return day if isinstance(day, date) and day.day == 1 else Fault("not_month")
    year, month = (int(part) for part in match.groups() if part is not None)
    return date(year, month, 1) if year >= 1850 and 1 <= month <= 12 else Fault("not_month")


def parse_bool(text: str) -> bool | Fault | None:
    """Yes or no."""
    bare = trim(text)
    if not isinstance(bare, str):
        return bare
    word = choice_key(bare)
    return True if word in _YES else False if word in _NO else Fault("not_bool")


def parse_choice(text: str, column: Column) -> str | Fault | None:
    """A choice by any of its spellings."""
    bare = trim(text)
    if not isinstance(bare, str):
        return bare
    return column.choice_aliases.get(choice_key(bare), Fault("not_choice"))


def parse_text(text: str, column: Column) -> str | Fault | None:
    """Free text, kept as it is but for spaces around it; half-width where the contract gives a form."""
    bare = trim(text)
    if not isinstance(bare, str):
        return bare
    if column.max_length is not None and len(bare) > column.max_length:
        return Fault("too_long")
    if column.pattern is None:
        return bare
    plain = unicodedata.normalize("NFKC", bare)
    return plain if re.fullmatch(column.pattern, plain) is not None else Fault("bad_form")


def parse_persons(text: str, column: Column) -> str | Fault | None:
    """One or more references to persons, with commas between: identity numbers normalised, other references kept."""
    bare = trim(text)
    if not isinstance(bare, str):
        return bare
    if column.max_length is not None and len(bare) > column.max_length:
        return Fault("too_long")
    found: list[str] = []
    for part in re.split(r"[,;、]", unicodedata.normalize("NFKC", bare)):
        word = part.strip()
        number = word.upper()
        if _RESIDENT_SHAPE.fullmatch(number) is not None:
            resident = parse_resident(number)
            if isinstance(resident, Fault):
                return resident
            word = resident or word
        elif not word or " " in word:
            return Fault("bad_identity")
        found.append(word)
    return ",".join(found)


def parse_resident(text: str) -> str | Fault | None:
    """A resident identity number as 18 characters: full-width, spaces, lower-case x and 15 digits are understood."""
    bare = trim(text.lstrip(_SPACES).removeprefix("'"))
    if not isinstance(bare, str):
        return bare
    number = re.sub(r"\s", "", unicodedata.normalize("NFKC", bare)).upper()
    if re.fullmatch(r"\d(\.\d+)?E\+?\d+", number, re.ASCII) is not None:
        return Fault("rounded_number")
    if len(number) == 15:
        return lengthen(number) or Fault("bad_identity")
    fault = fault_of(number)
    return number if fault is None else Fault(fault)


def parse_document(id_type: str, text: str) -> Document | Fault | None:
    """The number of a document of any kind: full-width, spaces and lower case are understood, and the brackets in
    which a Taiwan permit's last letter may stand. Without a document the text is the name the office gives instead."""
    bare = trim(text.lstrip(_SPACES).removeprefix("'"))
    if not isinstance(bare, str):
        return bare
    if id_type == NONE:
        return Document(NONE, bare) if len(bare) <= _NAME_LENGTH else Fault("too_long")
    number = re.sub(r"\s", "", unicodedata.normalize("NFKC", bare)).upper()
    if kind_of(id_type, number) == RESIDENT:
        resident = parse_resident(bare)
        return Document(id_type, resident) if isinstance(resident, str) else resident
    found = normal(id_type, number.translate(_BRACKETS))
    return found if isinstance(found, Document) else Fault(found)
