"""Nobody can be read from what a whole way writes and shows, but where an office keeps its people.

`python -m tests.torture.leaks` does the same with more hostile files, and with `--encrypted`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .leaks import Way, can_encrypt, main, run
from .planted import Planted, plant


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return plant(tmp_path_factory.mktemp("planted"), households=3, seed=1)


def test_nobody_is_in_what_is_written_or_shown(tmp_path: Path) -> None:
    found = run(tmp_path, households=6, seed=1, hostile=3, encrypted=False)
    assert found.findings == set()
    assert {line.split(" ")[0] for line in found.expected} == {
        "county.duckdb",
        "county.projection",
        "county.duckdb.tmp",
    }
    assert found.objects > 100


@pytest.mark.parametrize("spelling", ["utf-8", "gb18030", "utf-16-le"])
def test_a_planted_word_is_found_in_any_spelling(planted: Planted, spelling: str) -> None:
    needles = planted.needles()
    for kind, words in planted.words.items():
        for word in words:
            assert needles.search(b"\x01" + word.encode(spelling) + b"\x02") == {kind}
    assert needles.search(b"nobody 440703 ") == set()


def test_an_amount_is_found_in_any_form(planted: Planted) -> None:
    needles = planted.needles()
    for fen in planted.amounts:
        yuan = f"{fen // 100}.{fen % 100:02d}"
        for form in (str(fen).encode(), yuan.encode(), f"{fen:,}".encode(), fen.to_bytes(8, "little")):
            assert needles.search(b"x" + form + b"x") == {"amounts"}


def test_what_leaks_is_noticed(planted: Planted, tmp_path: Path) -> None:
    way = Way(tmp_path, planted, encrypted=False)
    for place in ("ledger", "county.vault"):
        (tmp_path / "office" / place).mkdir(parents=True)
    number, stranger = (sorted(planted.words[kind])[0] for kind in ("numbers", "strangers"))
    (tmp_path / "office" / "ledger" / "entry").write_text(f"about {number}", encoding="utf-8")
    (tmp_path / "office" / "county.duckdb").write_bytes(number.encode() + stranger.encode())
    (tmp_path / "office" / "county.vault" / number).touch()
    way.places("a test")
    way.text("an output", number.encode())
    assert way.result.findings == {
        "ledger/entry holds numbers (after a test)",
        "county.duckdb holds strangers (after a test)",
        "the name of a file tells a planted word",
        "an output shows numbers",
    }
    assert way.result.expected == {"county.duckdb holds numbers"}


@pytest.mark.skipif(can_encrypt(), reason="this version's store takes a key")
def test_encryption_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--encrypted"]) == 2
    assert "takes no key" in capsys.readouterr().out
