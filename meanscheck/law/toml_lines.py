"""On which line of a TOML file does a key or a table stand? `tomllib` gives none.

`lines_of` walks the text of a file that `tomllib` has read and gives for every key, table and element of an array the
line on which it begins, by the steps that lead to it in the parsed data:

>>> lines_of('[[a]]\\nid = 1\\n\\n[[a]]\\nb = [ 2,\\n 3 ]')[("a", 1, "b", 1)]
6

Only what is needed to find places is understood; whether the file is sound was asked before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

Steps = tuple[str | int, ...]
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SPACE = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SCALAR = re.compile(r"[^,\]}\n#]*")
_QUOTED = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'",
    re.DOTALL,
)


def lines_of(text: str) -> Mapping[Steps, int]:
    """Steps → line, counted from 1; the steps of the file itself are ``()``."""
    return _Scanner(text).lines


def line_of(text: str, steps: Steps) -> int:
    """The line of the steps, or of what stands around them where they are not written."""
    lines = lines_of(text)
    while steps not in lines:
        steps = steps[:-1]
    return lines[steps]


class _Scanner:
    """One pass over a text."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.lines: dict[Steps, int] = {(): 1}
        self.last: dict[Steps, int] = {}
        table: Steps = ()
        self._skip()
        while self.at < len(text):
            if text.startswith("[", self.at):
                table = self._header()
            else:
                self._pair(table)
            self._skip()

    def _skip(self) -> None:
        """Past blanks, line ends and comments."""
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _note(self, steps: Steps, at: int) -> None:
        self.lines.setdefault(steps, self.text.count("\n", 0, at) + 1)

    def _header(self) -> Steps:
        """``[a.b]`` or ``[[a.b]]``."""
        start, is_list = self.at, self.text.startswith("[[", self.at)
        self.at += 2 if is_list else 1
        names = self._key()
        self.at = (self.text.find("]", self.at) + (2 if is_list else 1)) or len(self.text)
        steps: Steps = ()
        for place, name in enumerate(names, 1):
            steps = (*steps, name)
            self._note(steps, start)
            if is_list and place == len(names):
                self.last[steps] = self.last.get(steps, -1) + 1
            if steps in self.last:
                steps = (*steps, self.last[steps])
        self._note(steps, start)
        return steps

    def _key(self) -> tuple[str, ...]:
        """A key with dots."""
        names: list[str] = []
        while True:
            self._skip()
            found = _QUOTED.match(self.text, self.at) or _BARE.match(self.text, self.at)
            if found is None:
                return tuple(names)
            names.append(found[0].strip("\"'"))
            self.at = found.end()
            self._skip()
            if not self.text.startswith(".", self.at):
                return tuple(names)
            self.at += 1

    def _pair(self, table: Steps) -> None:
        """``key = value``."""
        start = self.at
        steps = (*table, *self._key())
        for length in range(len(table) + 1, len(steps) + 1):
            self._note(steps[:length], start)
        equals = self.text.find("=", self.at)
        # What is no pair is passed over to the end of its line, so that the walk always goes on.
        self.at = equals + 1 if equals >= 0 else len(self.text)
        self._value(steps)
        self.at = max(self.at, start + 1)

    def _value(self, steps: Steps) -> None:
        self._skip()
        if self.text.startswith("[", self.at):
            self._many(steps, "]")
        elif self.text.startswith("{", self.at):
            self._many(steps, "}")
        else:
            found = _QUOTED.match(self.text, self.at) or _SCALAR.match(self.text, self.at)
            self.at = found.end() if found else self.at + 1

    def _many(self, steps: Steps, end: str) -> None:
        """The elements of an array or the pairs of an inline table."""
        self.at += 1
        place = 0
        self._skip()
        while self.at < len(self.text) and not self.text.startswith(end, self.at):
            if end == "]":
                self._note((*steps, place), self.at)
                self._value((*steps, place))
            else:
                self._pair(steps)
            place += 1
            self._skip()
            if self.text.startswith(",", self.at) or not self.text.startswith(end, self.at):
                self.at += 1
            self._skip()
        self.at += 1
