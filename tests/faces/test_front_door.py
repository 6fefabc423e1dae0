"""The names of `meanscheck` are those of its rooms, and cost nothing until they are used."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import meanscheck


def type_checking_imports() -> dict[str, str]:
    """Name → module, as type checkers see it."""
    assert meanscheck.__file__ is not None
    tree = ast.parse(Path(meanscheck.__file__).read_text(encoding="utf-8"))
    block = next(n for n in tree.body if isinstance(n, ast.If))
    return {a.name: str(n.module) for n in block.body if isinstance(n, ast.ImportFrom) for a in n.names}


def test_types_and_names_agree() -> None:
    assert type_checking_imports() == meanscheck._HOUSE
    assert sorted(meanscheck.__all__) == sorted(meanscheck._HOUSE)
    assert set(meanscheck.__all__) <= set(dir(meanscheck))


def test_there_are_about_fifteen() -> None:
    assert 12 <= len(meanscheck.__all__) <= 18


@pytest.mark.parametrize("name", meanscheck.__all__)
def test_each_name_is_that_of_its_room(name: str) -> None:
    assert getattr(meanscheck, name) is getattr(import_module(meanscheck._HOUSE[name]), name)


def test_the_room_replay_does_not_hide_the_function() -> None:
    import_module("meanscheck.replay")
    assert callable(meanscheck.replay)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'approve'"):
        getattr(meanscheck, "approve")  # noqa: B009


@pytest.mark.parametrize(
    "code",
    [
        "import meanscheck",
        "import meanscheck; meanscheck.verify; meanscheck.Policy",
        "import meanscheck.faces.cli.app",
    ],
)
def test_neither_polars_nor_duckdb_is_loaded_for(code: str) -> None:
    asked = f"{code}; import sys; print({{'polars', 'duckdb', 'pydantic', 'numpy'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
