"""How does a command show its result? As tables for a person, or as one JSON value for a program."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value, alone, on standard output.")]


@cache
def console(*, errors: bool = False) -> Console:
    """The console for results, or for progress and errors."""
    from rich.console import Console

    # A pipe or file is read by people too: do not cut it at 80 columns.
    width = None if sys.stdout.isatty() else 140
    # Formulas and file contents hold square brackets: text is never markup, colours are `painted`.
    return Console(stderr=errors, width=width, highlight=False, markup=False, emoji=False)


def table(*columns: str, title: str = "", **options: Any) -> Table:
    """An empty table in the one style of all commands.

    A column name that ends in ``>`` is set to the right, one that ends in ``!`` is never folded.
    """
    from rich import box
    from rich.table import Table

    result = Table(
        title=title or None, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False, **options
    )
    for column in columns:
        side: Literal["left", "right"] = "right" if column.endswith(">") else "left"
        result.add_column(column.rstrip(">!"), justify=side, no_wrap=column.endswith("!"), overflow="fold")
    return result


def say(content: Any = "") -> None:
    """Print a line or a table for a person; a terminal folds long lines itself, a file keeps them whole."""
    console().print(content, soft_wrap=isinstance(content, str))


def painted(text: str, style: str) -> Text:
    """Text in a colour or weight, where the terminal has them."""
    from rich.text import Text

    return Text(text, style=style)


def complain(line: str) -> None:
    """Print a line on standard error."""
    sys.stdout.flush()
    sys.stderr.write(line + "\n")


def print_json(value: Any) -> None:
    """Print one JSON value; days as ISO text."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n")


CAUSES = {
    "no_consent": ("no consent", "无有效授权"),
    "not_requested": ("not asked for", "未请求查询"),
    "no_answer": ("no answer", "未答复或答复不完整"),
    "conflicting": ("answers conflict", "答复相互矛盾"),
    "conflict": ("feeds contradict each other", "信息矛盾尚未核实"),
    "stale": ("answer too old", "数据已过期"),
    "not_covered": ("answer does not cover the time", "答复未覆盖所需期间"),
    "unreviewed": ("doubtful point not reviewed", "疑点未核实"),
    "unknown": ("not stated", "未填报"),
    "parameter": ("figure missing", "政策参数缺失"),
    "formula": ("rule missing", "规则缺失"),
    "no_rows": ("nothing to take it from", "没有记录"),
    "ambiguous": ("two latest rows differ", "最新记录不一致"),
    "no_band": ("the table has no band for it", "没有适用的档次"),
    "no_month": ("no figure for that month", "没有该月份的数据"),
    "no_place": ("no figure found for that place", "未找到当地的标准"),
    "outcome": ("another programme undecided", "须先决定其他救助"),
    "yields": ("gives way to", "其他救助优先"),
}
"""Kinds of cause in English and Chinese; see `meanscheck.law.plain` for what each means."""


def in_words(causes: Sequence[str]) -> str:
    """Causes (``kind:subject``) grouped by kind, in words."""
    subjects: dict[str, list[str]] = {}
    for cause in causes:
        kind, _, subject = cause.partition(":")
        subjects.setdefault(kind, []).append(subject)
    words = {kind: CAUSES[kind][0] if kind in CAUSES else kind.replace("_", " ") for kind in subjects}
    return "; ".join(f"{words[k]}: {', '.join(names)}" if any(names) else words[k] for k, names in subjects.items())
