"""The module docstrings are specification and test vector: they are executed. The room keeps to its imports."""

from __future__ import annotations

import ast
import doctest
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import meanscheck.ledger

from .builders import Folder

FOLDER = Path(meanscheck.ledger.__file__).parent
MODULES = [f"meanscheck.ledger.{module.name}" for module in pkgutil.iter_modules([str(FOLDER)])]
TOLD_WITHOUT_EXAMPLES = {"meanscheck.ledger.files", "meanscheck.ledger.verdict"}


@pytest.mark.parametrize("name", MODULES)
def test_docstrings_are_true(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0
    assert result.attempted > 0 or name in TOLD_WITHOUT_EXAMPLES


EXTRAS = {"device.py": "pkcs11", "timestamp.py": "rfc3161_client", "sm2.py": "gmssl_pyx"}
"""Module → the optional package that it may import, inside functions only."""


def inside_functions(tree: ast.Module) -> set[ast.AST]:
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {node for function in functions for node in ast.walk(function)}


def for_types_only(tree: ast.Module) -> set[ast.AST]:
    tests = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    return {node for test in tests for node in ast.walk(test)}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_imports_only_the_standard_library_cryptography_and_errors(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    late = inside_functions(tree) | for_types_only(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = [node.module or ""]
        else:
            continue
        for name in names:
            top = name.split(".")[0]
            if top == "meanscheck":
                assert name == "meanscheck.errors" or name.startswith("meanscheck.ledger")
            elif top == EXTRAS.get(path.name):
                assert node in late, f"line {node.lineno}: {top} is an extra; import it inside a function"
            else:
                assert top == "cryptography" or top in sys.stdlib_module_names


LOADED = """
import sys, meanscheck.ledger
before = set(sys.modules)
meanscheck.ledger.verify(open(sys.argv[1], "rb").read(), policy=open(sys.argv[2], "rb").read())
print(sorted(set(sys.modules) - before), sorted(m for m in before if m.split(".")[0] in ("polars", "duckdb", "numpy")))
"""


def test_the_first_receipt_finds_everything_loaded_and_nothing_large_is(fresh: Folder, tmp_path: Path) -> None:
    (tmp_path / "receipt").write_text(fresh.receipt(3), encoding="utf-8", newline="")
    (tmp_path / "policy").write_text(fresh.policy.format(), encoding="utf-8")
    call = [sys.executable, "-c", LOADED, str(tmp_path / "receipt"), str(tmp_path / "policy")]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    assert done.stdout == "[] []\n"


def test_public_names_exist() -> None:
    assert all(hasattr(meanscheck.ledger, name) for name in meanscheck.ledger.__all__)
    assert callable(meanscheck.ledger.verify)
