"""For the tests of what people see: the command line, and a demo made once. No deadlines: machines are shared."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import settings

settings.register_profile("unhurried", deadline=None, derandomize=True)
settings.load_profile("unhurried")


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said, and with which code it left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as one JSON value."""
        return json.loads(self.out)


Command: TypeAlias = Callable[..., Said]


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Command:
    """Run the command line in this process."""

    def run(*arguments: object) -> Said:
        from meanscheck.faces.cli import main

        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            main([str(a) for a in arguments])
        out, err = capfd.readouterr()
        code = left.value.code
        return Said(code if isinstance(code, int) else 0 if code is None else 1, out, err)

    return run


@dataclass(frozen=True, slots=True)
class Demo:
    """A finished demo: its folder and its summary."""

    folder: Path
    summary: dict[str, Any]

    @property
    def receipts(self) -> list[Path]:
        """Its receipts, in the order of cases."""
        return sorted((self.folder / "receipts").glob("*.tlog-proof"))

    @property
    def policy(self) -> Path:
        """Its policy."""
        return self.folder / "county.policy"

    @property
    def store(self) -> Path:
        """Its store."""
        return self.folder / "county.duckdb"


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo with 150 households, run as a person runs it."""
    folder = tmp_path_factory.mktemp("demo") / "out"
    line = [sys.executable, "-m", "meanscheck", "demo", "--households", "150", "--sample", "6", "--out", str(folder)]
    done = subprocess.run([*line, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return Demo(folder, json.loads(done.stdout))
