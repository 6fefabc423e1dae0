"""On which line of a pack's files does the thing stand that an error names?

Errors of the checker name file, thing and day (``rules/cn/rules.toml: programme dibao, test income 2014-05-01``).
`located` reads the file again and puts the line behind its name: of the formula for an error in a formula (whose own
line and column follow), else of the revision, else of the stanza. Only errors pay for it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from meanscheck.errors import PackError
from meanscheck.law.toml_lines import Steps, line_of

OVERLAY = "(overlay)"
"""Where the stanzas of what-if law stand, as no folder is called; see `overlay.py`. There a single figure stands for
every key of a table."""
_WHERE = re.compile(r"(?P<file>[^:]+\.toml): (?P<thing>.+)")
_DAY = re.compile(r" (?P<day>\d{4}-\d\d-\d\d)(?P<rest>,.*)?$")
_STANZAS = ("parameter", "variable", "programme", "conflict", "instrument")


def place_of(folder: Path) -> str:
    """How messages name a pack's folder: from ``rules`` on, where it lies below one."""
    return "/".join(folder.parts[folder.parts.index("rules") :]) if "rules" in folder.parts else folder.name


def located(fault: PackError, folder: Path, overlay: Path | None = None) -> PackError:
    """The error with the line, if its place is a thing in a file of this folder, one above it or one below the top, or
    in the overlay on top of it."""
    found = _WHERE.fullmatch(fault.where)
    path = None if found is None else _path(found["file"], folder, overlay)
    if found is None or path is None:
        return fault
    try:
        text = path.read_text(encoding="utf-8")
        steps = _steps(tomllib.loads(text), found["thing"], last=fault.what.startswith("defined twice"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return fault
    if not steps:
        return fault
    where = f"{found['file']}:{line_of(text, steps)}: {found['thing']}"
    return PackError(fault.what, where=where, remedy=fault.remedy)


def _path(file: str, folder: Path, overlay: Path | None) -> Path | None:
    place, _, name = file.rpartition("/")
    if place == OVERLAY:
        return overlay
    top = folder
    while (top.parent / "pack.toml").is_file():
        top = top.parent
    folders = (f.parent for f in top.rglob("pack.toml"))
    return next((f / name for f in folders if place_of(f) == place and (f / name).is_file()), None)


def _steps(data: Mapping[str, Any], thing: str, *, last: bool) -> Steps:
    """The steps to a thing such as ``programme dibao, test income 2014-05-01, column 3``."""
    # A day on which the whole law is looked at, which is no revision's own.
    thing = thing.partition(", on ")[0]
    dated = _DAY.search(thing)
    names = thing[: dated.start()] if dated else thing.partition(", column")[0].partition(", line")[0]
    kind, _, rest = names.partition(" ")
    if kind not in _STANZAS:
        return ()
    parts = rest.split(", ")
    steps: Steps = ()
    holders: list[tuple[Steps, Any]] = [((kind, i), s) for i, s in _named(data.get(kind), parts[0])]
    for part in parts[1:]:
        word, _, name = part.partition(" ")
        inner = [(s, i, held) for s, item in holders for i, held in _inside(item.get(word), name)]
        holders = [((*s, word, *i), held) for s, i, held in inner]
    if not holders:
        return ()
    if dated:
        for above, item in holders:
            revisions = item.get("revision", ())
            days = [i for i, r in enumerate(revisions) if str(r.get("in_force_on")) == dated["day"]]
            if days:
                steps = (*above, "revision", days[-1 if last else 0])
                if dated["rest"] == ", value":
                    return (*steps, "value")
                is_formula = ", column" in (dated["rest"] or "") or "formula" in revisions[days[0]]
                return (*steps, "formula") if is_formula else steps
    return holders[-1 if last else 0][0]


def _named(stanzas: Any, name: str) -> Iterator[tuple[int, Any]]:
    for i, stanza in enumerate(stanzas if isinstance(stanzas, list) else ()):
        if stanza.get("id") == name:
            yield i, stanza


def _inside(held: Any, name: str) -> Iterator[tuple[Steps, Any]]:
    """The test of an id, or the one award."""
    if isinstance(held, dict):
        yield (), held
    for i, stanza in _named(held, name):
        yield (i,), stanza
