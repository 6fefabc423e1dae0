"""In which line of a pack's file does a thing, or one of its revisions, stand?

TOML is read without line numbers, so the file is looked through once more for its headings, ids and days. For messages
only: a line that is not found is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

_HEAD = re.compile(r"\s*\[\[?\s*([\w.]+)\s*\]\]?\s*(?:#.*)?$")
_ID = re.compile(r'\s*id\s*=\s*"([^"]+)"')
_DAY = re.compile(r"\s*in_force_on\s*=\s*(\d{4}-\d{2}-\d{2})")


def lines_of(path: Path) -> Mapping[tuple[str, date | None], int]:
    """(Thing, first day of a revision) → its line, and (thing, None) → that of its heading; things as in
    `chosen.Stated`."""
    found: dict[tuple[str, date | None], int] = {}
    outer = inner = ""
    head, head_line, wants_id = "", 0, False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if heading := _HEAD.match(line):
            head, head_line = heading.group(1), number
            wants_id = not head.endswith(("revision", "award"))
            if head == "programme.award":
                inner = ", award"
                found.setdefault((outer + inner, None), number)
        elif wants_id and (named := _ID.match(line)):
            wants_id = False
            if head == "programme.test":
                inner = f", test {named.group(1)}"
            else:
                outer, inner = f"{head} {named.group(1)}", ""
            found.setdefault((outer + inner, None), head_line)
        elif head.endswith("revision") and (day := _DAY.match(line)):
            found.setdefault((outer + inner, date.fromisoformat(day.group(1))), head_line)
    return found


class Lines:
    """Lines of the files of one folder, each looked through once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[str, Mapping[tuple[str, date | None], int]] = {}

    def place(self, file: str, thing: str, day: date | None = None) -> str:
        """``file:line`` of a thing's revision, or of the thing; the file alone where it is not found."""
        name = file.rsplit("/", 1)[-1]
        if name not in self._files:
            path = self.folder / name
            self._files[name] = lines_of(path) if path.is_file() else {}
        line = self._files[name].get((thing, day)) or self._files[name].get((thing, None))
        return f"{file}:{line}" if line else file
