"""How does a sender write a day, if not in one of the ways that are always understood? A form such as ``DD/MM/YYYY``.

``YYYY``, ``MM`` and ``DD`` stand once each; of a month ``DD`` is left out. ``hh``, ``mm`` and ``ss`` may follow and are
dropped. Any other character but a letter or digit stands for itself. Years of two digits are not read: their century
would be a guess.

>>> day_form("DD/MM/YYYY").fullmatch("30/06/2020").groupdict()
{'D': '30', 'M': '06', 'Y': '2020'}
>>> day_form("DD/MM/YY") is None, day_form("YYYYMM", is_month=True) is None
(True, False)
"""

from __future__ import annotations

import re
from functools import cache

_PARTS = {
    "YYYY": r"(?P<Y>\d{4})",
    "MM": r"(?P<M>\d{2})",
    "DD": r"(?P<D>\d{2})",
    "hh": r"\d{2}",
    "mm": r"\d{2}",
    "ss": r"\d{2}",
}
_TOKEN = re.compile(r"YYYY|MM|DD|hh|mm|ss|[^0-9A-Za-z]")


@cache
def day_form(form: str, *, is_month: bool = False) -> re.Pattern[str] | None:
    """The pattern of a form, with groups Y, M and, unless of a month, D; None if it is not a form."""
    tokens = _TOKEN.findall(form)
    named = sorted(token for token in tokens if token in _PARTS)
    needed = ["MM", "YYYY"] if is_month else ["DD", "MM", "YYYY"]
    if "".join(tokens) != form or len(set(named)) != len(named) or not set(needed) <= set(named):
        return None
    if is_month and "DD" in named:
        return None
    return re.compile("".join(_PARTS.get(token, re.escape(token)) for token in tokens), re.ASCII)


def iso_day(pattern: re.Pattern[str], text: str) -> str | None:
    """A text of the form as ``2020-06-30`` or ``2020-06``; None if it is not of the form. Whether there is such a day
    is for the cast to say."""
    found = pattern.fullmatch(text.strip())
    if found is None:
        return None
    parts = found.groupdict()
    return "-".join(part for part in (parts["Y"], parts["M"], parts.get("D")) if part is not None)
