"""Where the law (`rules/`) and the contracts (`schemas/`) lie: in the repository, or inside the installed wheel."""

from __future__ import annotations

from pathlib import Path

from meanscheck.errors import InternalError


def data_dir(name: str) -> Path:
    """Folder ``rules`` or ``schemas``; InternalError if this installation lacks it."""
    package = Path(__file__).resolve().parent.parent
    for candidate in (package / "_data" / name, package.parent / name):
        if candidate.is_dir():
            return candidate
    raise InternalError(f"this installation lacks its {name} folder; install meanscheck again")
