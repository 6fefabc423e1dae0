"""How does SQL write a name?"""

from __future__ import annotations


def quoted(name: str) -> str:
    """A name as an SQL identifier (`from` and `use` are names of columns)."""
    return '"' + name.replace('"', '""') + '"'
