"""What Spark lacks on a machine is said before Spark is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from meanscheck.engines import session
from meanscheck.errors import InputError


def java(folder: Path, said: str) -> Path:
    """A JAVA_HOME whose Java says so and nothing else."""
    (folder / "bin").mkdir(parents=True)
    program = folder / "bin" / "java"
    program.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{said}\nEND\n")
    program.chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("said", "release"),
    [
        ('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment (build 17.0.15+6)', 17),
        ('java version "1.8.0_202"\nJava(TM) SE Runtime Environment', 8),
        ('Picked up _JAVA_OPTIONS: -Xmx1g\nopenjdk version "21" 2023-09-19', 21),
        ("no Java at all", None),
    ],
)
def test_the_release_of_java_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, release: int | None
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(java(tmp_path, said)))
    assert session.java_version() == release


def test_java_that_is_too_old_is_named_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "find_spec", lambda name: object())
    monkeypatch.setenv("JAVA_HOME", str(java(tmp_path, 'openjdk version "11.0.2" 2019-01-15')))
    with pytest.raises(InputError, match=r"Spark needs Java 17, and this is Java 11.*apt install default-jre-headless"):
        session.local_session()


def test_a_machine_without_java_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "find_spec", lambda name: object())
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"Spark needs Java, and there is none.*apt install default-jre-headless"):
        session.local_session()


def test_a_java_home_without_java_is_no_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert session.java_version() is None


def test_without_pyspark_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"meanscheck\[spark\]"):
        session.local_session()


def test_without_pyarrow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from meanscheck.engines import spark

    monkeypatch.setattr(spark, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"meanscheck\[spark\]"):
        spark.Spark(object())
