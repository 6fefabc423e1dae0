"""What does a person see of a feed: a list, a page, a file to fill in?"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Sequence

from meanscheck.contracts.catalogue import all_feeds, all_senders, feed
from meanscheck.contracts.model import Column

_BASIS = {
    "month": "months (按月)",
    "event": "events (按发生日)",
    "as_of": "balances of a day (按时点)",
    "register": "a register that stands until changed (登记状态)",
}
_AUTHORISATION = {
    "required": "the person's authorisation is needed (需授权)",
    "office": "kept by the office itself (救助部门自有)",
}
_UNITS = {"yuan": "元", "fen": "分", "wan_yuan": "万元", "m2": "平方米", "1": "小数", "percent": "%"}


def feeds_list() -> str:
    """All feeds, one a line: name, Chinese title, number of columns, what a row is."""
    rows = [
        (contract.name, contract.title_zh, str(len(contract.columns)), contract.row_is)
        for contract in all_feeds().values()
    ]
    return _table(("feed", "中文", "columns", "one row is"), rows)


def feed_text(name: str) -> str:
    """One feed in full: what it is for, who sends it, and every column, in English and Chinese.

    Raises:
        FeedError: there is no such feed.
    """
    contract = feed(name)
    senders = all_senders()
    names = ", ".join("/".join(n.name for n in senders[sender].names) for sender in contract.senders)
    about = [
        f"{contract.name}  {contract.title_zh}",
        contract.purpose,
        f"One row is {contract.row_is}.",
        *(text for text in (contract.usage, contract.limitations) if text),
        "",
        f"senders (来源): {names}",
        f"counted by (口径): {_BASIS[contract.basis]}",
        f"authorisation (授权): {_AUTHORISATION[contract.authorisation]}",
        f"key (主键): {', '.join(('person', *contract.key)) if contract.key else 'the whole row'}",
        f"latest by (取最新): {', '.join(contract.latest_by) or 'every row counts'}",
        f"digest (摘要): {contract.digest[:16]}",
        "",
    ]
    columns = _table(
        ("column", "中文", "kind", "needed", "sensitivity", "also called", "meaning"),
        [_line(column) for column in contract.columns],
    )
    choices = [
        f"{column.name} ({column.title_zh}): " + ", ".join(f"{c} {column.choice_labels[c]}" for c in column.choices)
        for column in contract.columns
        if column.choices
    ]
    return "\n".join(about) + columns + ("\n" + "\n".join(choices) + "\n" if choices else "")


def feed_template(name: str) -> bytes:
    """A CSV file (UTF-8 with BOM, as spreadsheets expect) with every Chinese header and one made-up row that ingests.

    Raises:
        FeedError: there is no such feed.
    """
    contract = feed(name)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_header(column) for column in contract.columns)
    writer.writerow(column.example for column in contract.columns)
    return out.getvalue().encode("utf-8-sig")


def feed_form(name: str) -> bytes:
    """The same file without a row: to be filled in by a department.

    Raises:
        FeedError: there is no such feed.
    """
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(_header(column) for column in feed(name).columns)
    return out.getvalue().encode("utf-8-sig")


def _header(column: Column) -> str:
    return f"{column.title_zh}({_UNITS[column.unit]})" if column.unit in ("yuan", "m2") else column.title_zh


def _line(column: Column) -> tuple[str, ...]:
    kind = column.kind + (f" ({_UNITS[column.unit]})" if column.unit in _UNITS else "")
    meaning = column.description + (f" [{column.standard}]" if column.standard else "")
    needed = "yes" if column.required else ""
    return (column.name, column.title_zh, kind, needed, column.sensitivity, "、".join(column.aliases[:3]), meaning)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns padded by the width that a terminal gives them (Chinese characters take two places)."""
    widths = [max(_width(cell) for cell in cells) for cells in zip(head, *rows, strict=True)]
    lines = []
    for row in (head, ["-" * width for width in widths], *rows):
        cells = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
