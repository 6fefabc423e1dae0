"""The rooms of the house and who may know whom, read from the source: imports go downward only."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent / "meanscheck"

BELOW = {
    "errors": set[str](),
    "values": {"errors"},
    "contracts": {"values", "errors"},
    "evidence": {"contracts", "values", "errors"},
    "law": {"contracts", "values", "errors"},
    "vault": {"values", "errors"},
    "ledger": {"errors"},
    "procedure": {"ledger", "values", "errors"},
    "lineage": {"errors"},
}
BELOW["decisions"] = {"law", "evidence", "vault", "contracts", "values", "errors"}
BELOW["replay"] = BELOW["decisions"] | {"decisions", "ledger"}
BELOW["caseload"] = BELOW["engines"] = BELOW["replay"] | {"replay"}
BELOW["commissions"] = BELOW["decisions"] | {"decisions", "procedure"}
BELOW["synth"] = BELOW["testing"] = BELOW["caseload"] | {"caseload", "engines", "synth", "testing"}
BELOW["faces"] = BELOW["synth"] | {"procedure", "commissions", "lineage"}
"""Room → rooms it may import."""

ROOMS = sorted(p.stem for p in HOUSE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists())
MODULES = sorted(HOUSE.rglob("*.py"))


def room_of(path: Path) -> str:
    first = path.relative_to(HOUSE).parts[0]
    return first.removesuffix(".py")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(path: Path) -> Iterator[str]:
    """Full names of imported modules; of ``from meanscheck import x`` also ``meanscheck.x``."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            yield module
            if module == "meanscheck":
                yield from (f"meanscheck.{alias.name}" for alias in node.names)


def in_rooms(*rooms: str) -> list[Path]:
    return [path for path in MODULES if room_of(path) in rooms]


def named(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(HOUSE)) for path in paths]


def test_every_room_is_known() -> None:
    assert set(ROOMS) - {"__init__", "__main__"} <= set(BELOW)


@pytest.mark.parametrize("path", MODULES, ids=named(MODULES))
def test_imports_go_downward_only(path: Path) -> None:
    room = room_of(path)
    if room in ("__init__", "__main__"):
        return
    known = {name.split(".")[1] for name in imports_of(path) if name.startswith("meanscheck.")}
    known -= {room, "__version__"}
    assert known <= BELOW[room], f"{room} may not import {sorted(known - BELOW[room])}"


def test_law_and_evidence_do_not_know_each_other() -> None:
    assert "law" not in BELOW["evidence"] and "evidence" not in BELOW["law"]


def test_only_faces_know_the_made_up_county() -> None:
    knowing = {room for room, below in BELOW.items() if below & {"synth", "testing"}}
    assert knowing == {"faces", "synth", "testing"}


@pytest.mark.parametrize(
    ("package", "owners"),
    [
        ("duckdb", ("evidence/database.py", "evidence/connecting.py", "values/parquet.py", "values/scratch.py")),
        ("cryptography", ("ledger/", "vault/")),
        ("typer", ("faces/cli/",)),
        ("rich", ("faces/cli/",)),
        ("yaml", ("contracts/",)),
        ("fastexcel", ("contracts/",)),
        ("pkcs11", ("ledger/device.py",)),
        ("rfc3161_client", ("ledger/timestamp.py",)),
        ("gmssl_pyx", ("ledger/sm2.py",)),
        ("z3", ("law/proving/",)),
        ("polars_hash", ("values/hashing.py",)),
        ("pyspark", ("engines/session.py",)),
        ("pyarrow", ("engines/executing.py",)),
    ],
)
def test_one_owner_for_each_heavy_import(package: str, owners: tuple[str, ...]) -> None:
    users = [p for p in MODULES if any(name.split(".")[0] == package for name in imports_of(p))]
    assert [n for n in named(users) if not n.startswith(owners)] == []


def test_the_ledger_stands_alone() -> None:
    # Extras: tests/ledger/test_docs.py shows that they are imported inside functions only.
    allowed = set(sys.stdlib_module_names) | {"cryptography", "pkcs11", "rfc3161_client", "gmssl_pyx"}
    for path in in_rooms("ledger"):
        for name in imports_of(path):
            own = name.startswith(("meanscheck.ledger", "meanscheck.errors"))
            assert own or name.split(".")[0] in allowed, f"{path.name} imports {name}"


def test_the_front_door_imports_no_room_when_it_is_opened() -> None:
    top = [n for n in tree_of(HOUSE / "__init__.py").body if isinstance(n, ast.Import | ast.ImportFrom)]
    names = [n.module if isinstance(n, ast.ImportFrom) else n.names[0].name for n in top]
    assert [n for n in names if n and n.startswith("meanscheck")] == []


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Calls by dotted name (``date.today``); the last part alone where what it is called on is not a name."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                owner = node.func.value
                prefix = getattr(owner, "id", "") or getattr(owner, "attr", "")
                yield f"{prefix}.{node.func.attr}", node
            elif isinstance(node.func, ast.Name):
                yield node.func.id, node


@pytest.mark.parametrize("path", MODULES, ids=named(MODULES))
def test_every_collect_names_its_engine(path: Path) -> None:
    if path.name == "spark.py" and path.parent.name == "engines":
        # Spark's `collect` has no engine; the file does not know Polars.
        assert "polars" not in path.read_text(encoding="utf-8").lower()
        return
    for name, call in calls(path):
        if name.rsplit(".", 1)[-1] in ("collect", "collect_all"):
            assert any(k.arg == "engine" for k in call.keywords), f"line {call.lineno}: collect without engine="


CLOCKS = {
    "date.today",
    "datetime.today",
    "datetime.now",
    "datetime.utcnow",
    "time.time",
    "time.time_ns",
    "time.monotonic",
    "time.perf_counter",
    "time.localtime",
    "time.gmtime",
}


@pytest.mark.parametrize("path", MODULES, ids=named(MODULES))
def test_only_faces_read_the_clock(path: Path) -> None:
    if room_of(path) != "faces":
        assert [f"{name}, line {call.lineno}" for name, call in calls(path) if name in CLOCKS] == []
        assert not any(
            isinstance(n, ast.ImportFrom) and n.module == "time" and {a.name for a in n.names} & {"time", "monotonic"}
            for n in ast.walk(tree_of(path))
        )


EXACT = in_rooms("values", "law", "decisions", "evidence", "contracts")


@pytest.mark.parametrize("path", EXACT, ids=named(EXACT))
def test_no_float_where_money_is_reckoned(path: Path) -> None:
    literals = [
        f"line {n.lineno}" for n in ast.walk(tree_of(path)) if isinstance(n, ast.Constant) and type(n.value) is float
    ]
    casts = [f"line {call.lineno}" for name, call in calls(path) if name == "float"]
    types = [
        f"line {n.lineno}"
        for n in ast.walk(tree_of(path))
        if isinstance(n, ast.Attribute) and n.attr in ("Float32", "Float64", "FLOAT", "DOUBLE")
    ]
    assert literals + casts + types == []


@pytest.mark.parametrize("path", MODULES, ids=named(MODULES))
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(tree_of(path)), "no module docstring"
