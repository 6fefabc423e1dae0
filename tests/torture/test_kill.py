"""A day that is killed, or whose disk is full, leaves whole batches, and ends as a day that nobody broke off.

`python -m tests.torture.kill` does the same for as many times as one likes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from random import Random

import duckdb
import pytest

from meanscheck.errors import MeanscheckError, StoreError
from meanscheck.evidence import Store
from meanscheck.evidence.database import _refused
from meanscheck.ledger import Ledger, Signer
from meanscheck.ledger.bulk import Seal
from meanscheck.ledger.together import Together
from meanscheck.procedure.book import Body, Book

from .kill import HOWS, How, Killer, Tally
from .whole import look

TIMES = 5


@pytest.fixture(scope="module")
def killer(tmp_path_factory: pytest.TempPathFactory) -> Killer:
    return Killer(tmp_path_factory.mktemp("killed"), seed=1)


@pytest.mark.parametrize("number", range(TIMES))
def test_a_broken_day_is_whole_and_comes_to_the_same_end(killer: Killer, number: int) -> None:
    how: How = HOWS[number % len(HOWS)]
    tally = Tally()
    killer.trial(Random(f"test {number}"), how, tally)
    assert tally.findings == []
    assert tally.survived + sum(tally.ended.values()) == 1


def test_a_batch_that_is_not_whole_is_noticed(killer: Killer) -> None:
    place = killer.fresh()
    try:
        with Store.open(place / "county.duckdb") as store:
            store.requests(killer.inbox / "requests.jsonl")
            store.consents(killer.inbox / "consents.jsonl")
            report = store.ingest("bank_deposits", min(killer.inbox.glob("bank_deposits*.csv")))
            assert report.accepted
            first = "(select min(row_no) from feed_bank_deposits)"
            store.run(f"delete from feed_bank_deposits where row_no = {first}")
        assert look(place) == ["bank_deposits: a batch has not the rows it reports"]
    finally:
        shutil.rmtree(place)


# ---- a real disk that is full, or may only be read


def mounted(folder: Path, *options: str) -> None:
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=10)
    except OSError:
        pytest.skip("there is no command to mount a small disk with")
    if done.returncode != 0:
        pytest.skip("mounting a small disk is not permitted here")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    mounted(place, "size=4m")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True, capture_output=True)


def grown(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=400m,rw", str(disk)], check=True, capture_output=True)


def test_a_store_on_a_full_disk_says_so_and_works_once_there_is_space(killer: Killer, small_disk: Path) -> None:
    path = small_disk / "county.duckdb"
    shutil.copy(killer.folder / "office" / "county.duckdb", path)
    (small_disk / "ballast").write_bytes(bytes(max(0, shutil.disk_usage(small_disk).free - (8 << 10))))
    with pytest.raises(StoreError, match="disk space"), Store.open(path) as store:
        store.ingest_inbox(killer.inbox)
    grown(small_disk)
    with Store.open(path) as store:
        reports = store.ingest_inbox(killer.inbox)
        assert {report.file: report.batch_id for report in reports} == killer.expected["batches"]


def test_a_store_on_a_disk_that_may_only_be_read_says_so(killer: Killer, small_disk: Path) -> None:
    grown(small_disk)
    path = small_disk / "county.duckdb"
    shutil.copy(killer.folder / "office" / "county.duckdb", path)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True, capture_output=True)
    with pytest.raises(StoreError, match="rights"):
        Store.open(path)
    with Store.open(path, read_only=True) as store:
        assert store.value("select count(*) from batches") == 0


def test_a_log_on_a_disk_that_may_only_be_read_says_so(small_disk: Path) -> None:
    signer = Signer.generate("county.example/relief", ml_dsa=False)
    ledger = Ledger.open(small_disk / "ledger", signer=signer)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True, capture_output=True)
    with pytest.raises(MeanscheckError, match=r"cannot be written.*rights"):
        ledger.append(_NoBatch())
    grown(small_disk)
    assert ledger.append(_NoBatch()).count == 0


class _NoBatch:
    batch_id = "2026-11-A"
    opening = {"law": "sha256:33"}  # noqa: RUF012
    closing = {"unassessed": 0}  # noqa: RUF012

    def sealed(self, seal: Seal) -> Iterator[Together]:
        return iter(())


# ---- what the long attack found


def test_a_projection_that_cannot_be_removed_is_said_and_what_went_wrong_first_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(path: Path, missing_ok: bool = False) -> None:
        raise OSError(5, "Input/output error")

    with Store.open(tmp_path / "county.duckdb") as store:
        monkeypatch.setattr(Path, "unlink", failing)
        with pytest.raises(StoreError, match=r"county\.projection cannot be written \(Input/output error\)"):
            store.drop_projection()
        monkeypatch.undo()
        taken = store.snapshot()
        monkeypatch.setattr("meanscheck.evidence.projection._build", lambda *_, **__: 1 / 0)
        projections = iter([None, StoreError("cannot be removed either")])

        def removing(path: Path) -> None:
            if (error := next(projections)) is not None:
                raise error

        monkeypatch.setattr("meanscheck.evidence.projection._remove", removing)
        with pytest.raises(ZeroDivisionError):
            store.project(taken, on=date(2020, 6, 30))


def test_a_disk_that_does_not_flush_is_told_as_one_that_cannot_be_written() -> None:
    told = _refused(duckdb.FatalException("FATAL Error: fsync failed!"))
    assert isinstance(told, StoreError) and "disk space and rights" in str(told)


def test_a_step_that_was_broken_off_while_it_was_written_spoils_no_later_step(tmp_path: Path) -> None:
    book = Book(tmp_path / "steps")
    bodies = [Body(procedure="dibao-2022", note=str(n)).format() for n in range(3)]
    book.keep(7, bodies[0], bytes(16))
    (file,) = (tmp_path / "steps").iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:20])
    assert len(book.of(7)) == 1
    book.keep(7, bodies[1], bytes(16))
    book.keep(7, bodies[2], bytes(16))
    assert [body.note for body in book.of(7).values()] == ["0", "1", "2"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_step_that_cannot_be_written_is_not_taken(tmp_path: Path) -> None:
    book = Book(tmp_path / "steps")
    book.keep(7, Body(procedure="dibao-2022").format(), bytes(16))
    (file,) = (tmp_path / "steps").iterdir()
    file.unlink()
    file.mkdir()
    with pytest.raises(StoreError, match=r"7\.jsonl cannot be written"):
        book.keep(7, Body(procedure="dibao-2022").format(), bytes(16))
    assert os.listdir(tmp_path / "steps") == [file.name]  # noqa: PTH208
