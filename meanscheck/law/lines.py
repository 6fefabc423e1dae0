"""In which line of a pack's file does a thing, or one of its revisions, stand?

For lists of many things, where `locating` puts the line into one error; a line that is not found is left out.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from meanscheck.errors import PackError
from meanscheck.law.locating import located


class Lines:
    """Lines of the things in one folder, each looked for once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._found: dict[tuple[str, str, date | None], str] = {}

    def place(self, file: str, thing: str, day: date | None = None) -> str:
        """``file:line`` of a thing's revision (its first day), or of the thing; things as in `chosen.Stated`."""
        key = (file, thing, day)
        if key not in self._found:
            named = f"{thing} {day}" if day else thing
            for where in (f"{file}: {named}", f"{file}: {thing}"):
                self._found[key] = located(PackError("", where=where), self.folder).where.partition(": ")[0]
                if self._found[key] != file:
                    break
        return self._found[key]
