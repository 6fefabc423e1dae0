"""What was put comes back, to whoever has the keys, and only in its own place."""

from __future__ import annotations

import json
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanscheck.errors import StoreError
from meanscheck.ledger import GROUPS
from meanscheck.ledger.commitment import Leaf, commit
from meanscheck.vault import DeploymentKey, Safe, Vault
from meanscheck.vault.columns import write_parquet

from .offices import BLOCK, CASE, CASES, FIRST, HOUSEHOLDS, SECOND, TOKEN, Office, groups_of, outcomes, records

REFUSED = "changed or moved"


def test_records_come_back_block_by_block(made: Office) -> None:
    found = list(made.batch().blocks())
    assert len(found) == 2
    for number, frame in enumerate(found):
        assert frame.equals(records(number, FIRST))


def test_outcomes_come_back(made: Office) -> None:
    lazy = made.batch().outcomes()
    assert lazy.collect(engine="in-memory").equals(pl.concat([outcomes(0), outcomes(1)]))
    eligible = lazy.filter(pl.col("outcome") == "eligible").select("case_id", "award_fen").head(3)
    assert eligible.collect(engine="in-memory").rows() == [(CASES[0], 90_000), (CASES[1], 80_000), (CASES[2], 70_000)]


def test_a_case_is_found_with_the_salts_of_its_leaf(made: Office) -> None:
    for n, case in enumerate(CASES):
        held = made.batch(SECOND).find(case)
        assert {name: text.decode() for name, text in held.groups.items()} == groups_of(n, SECOND)
        assert held.index is not None and held.leaf is not None and held.salts is not None
        assert made.ledger.entry(held.index) == held.leaf
        assert commit(held.groups, held.salts).hex() == Leaf.parse(held.leaf).commitment


def test_another_process_finds_it_by_the_folder_alone(
    office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MEANSCHECK_VAULT_KEY", office.key.text)
    assert Vault(office.folder / "county.vault" / FIRST, GROUPS).find(CASE).case_id == CASE


def test_a_case_that_was_never_decided_is_not_there(made: Office) -> None:
    with pytest.raises(StoreError, match="not in this batch") as caught:
        made.batch().find("U-9999")
    assert "9999" not in str(caught.value)


def test_the_root_is_given_back_and_not_in_the_clear(made: Office) -> None:
    facts = made.batch().closed()
    assert facts == {"on": "2020-06-30", "units": HOUSEHOLDS, "records_root": "ab" * 32}
    assert "ab" * 32 not in (made.batch().folder / "closed.json").read_text()


def test_nothing_about_anybody_can_be_read_in_the_vault(made: Office) -> None:
    files = {name: data for name, data in made.bytes_of_all_files().items() if not name.startswith("ledger")}
    assert len(files) >= 2 * (3 * 2 + 1) + 1
    salts = [made.batch().find(case).salts or b"?" for case in CASES]
    secrets = [*(case.encode() for case in CASES), *(salt[:16] for salt in salts), b"eligible", b"440703", b"award"]
    secrets += ["收入".encode(), b"dibao", b"unreviewed", b'"household_income"']
    for name, data in files.items():
        assert [s for s in secrets if s in data] == [], name
    assert all(case not in name for name in files for case in CASES)


def test_files_and_folders_are_their_owners(made: Office) -> None:
    batch = made.batch().folder
    assert {f.stat().st_mode & 0o777 for f in batch.glob("*.parquet")} == {0o600}
    assert (made.folder / "county.household-keys").stat().st_mode & 0o777 == 0o600
    assert {batch.stat().st_mode & 0o777, batch.parent.stat().st_mode & 0o777} == {0o700}


def test_no_nonce_is_used_twice_when_a_batch_runs_again(tmp_path: Path) -> None:
    safe = Safe.open(tmp_path / "v", key=DeploymentKey(bytes(32)), make=True)
    batch, sealed = safe.batch(FIRST, GROUPS), []
    for _ in range(2):
        batch.begin()
        for block in (0, 1):
            batch.put("records", block, records(block, FIRST))
            batch.put("outcomes", block, outcomes(block))
        sealed += [pl.read_parquet(f)["sealed"] for f in sorted(batch.folder.glob("*.parquet"))]
    nonces = [text[:12] for column in sealed for text in column]
    assert len(nonces) == 2 * 2 * HOUSEHOLDS == len(set(nonces))


def test_a_thread_beside_may_put(tmp_path: Path) -> None:
    safe = Safe.open(tmp_path / "v", key=DeploymentKey(bytes(32)), make=True)
    batch = safe.batch(FIRST, GROUPS)
    batch.begin()
    with ThreadPoolExecutor(1) as worker:
        waiting = [worker.submit(batch.put, "records", block, records(block, FIRST)) for block in (0, 1)]
        waiting += [worker.submit(batch.put, "outcomes", block, outcomes(block)) for block in (0, 1)]
        pl.concat([records(0, FIRST)] * 100).group_by("household").len()
    assert [w.result() for w in waiting] == [None] * 4
    assert [frame.height for frame in batch.blocks()] == [BLOCK, BLOCK]


LETTERS = st.characters(codec="utf-8")
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=40)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(st.tuples(TEXT, TEXT, st.text(LETTERS, max_size=20)), max_size=5))
def test_any_text_without_a_line_feed_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]]
) -> None:
    safe = Safe.open(tmp_path_factory.mktemp("any") / "v", key=DeploymentKey(bytes(32)), make=True)
    batch = safe.batch("b", ("one", "two"))
    batch.begin()
    frame = pl.DataFrame(rows, schema={"one": pl.String, "two": pl.String, "case_id": pl.String}, orient="row")
    frame = frame.with_columns(
        pl.Series("token", [f"{n:032x}" for n in range(len(rows))], dtype=pl.String),
        pl.int_range(pl.len(), dtype=pl.Int64).alias("position"),
    )
    batch.put("records", 0, frame)
    held = batch.rows(0, 0, len(rows))
    assert [(h.groups["one"].decode(), h.groups["two"].decode(), h.case_id) for h in held] == rows


# ---- what does not open


def swap_two(file: Path) -> None:
    """The sealed bytes of two households exchanged."""
    frame = pl.read_parquet(file)
    sealed = frame["sealed"].to_list()
    sealed[3], sealed[4] = sealed[4], sealed[3]
    frame.with_columns(pl.Series("sealed", sealed, dtype=pl.Binary)).write_parquet(file)


def swap_rows(file: Path) -> None:
    """The same with their tokens, so that each has its own key, in the other's position."""
    frame = pl.read_parquet(file)
    order = [0, 1, 2, 4, 3, 5]
    frame.with_columns(frame["token"].gather(order), frame["sealed"].gather(order)).write_parquet(file)


def flip_a_bit(file: Path) -> None:
    frame = pl.read_parquet(file)
    sealed = frame["sealed"].to_list()
    sealed[4] = sealed[4][:-1] + bytes([sealed[4][-1] ^ 1])
    frame.with_columns(pl.Series("sealed", sealed, dtype=pl.Binary)).write_parquet(file)


def another_block(file: Path) -> None:
    shutil.copy(file.with_name(file.name.replace("00000", "00001")), file)


def another_batch(file: Path) -> None:
    """A block of the same households, decided half a year later."""
    shutil.copy(file.parent.parent / SECOND / file.name, file)


def outcomes_as_records(file: Path) -> None:
    shutil.copy(file.with_name(file.name.replace("records", "outcomes")), file)


@pytest.mark.parametrize(
    "harm",
    [swap_two, swap_rows, flip_a_bit, another_block, another_batch, outcomes_as_records],
    ids=lambda f: f.__name__,
)
def test_records_moved_or_changed_do_not_open(office: Office, harm: object) -> None:
    assert callable(harm)
    harm(office.batch().folder / "records-00000.parquet")
    with pytest.raises(StoreError, match=REFUSED):
        list(office.batch().blocks())


def test_salts_of_another_batch_do_not_open(office: Office) -> None:
    another_batch(office.batch().folder / "seals-00000.parquet")
    with pytest.raises(StoreError, match=REFUSED):
        office.batch().find(CASE)


def test_a_renamed_batch_does_not_open(office: Office) -> None:
    folder = office.batch().folder
    shutil.rmtree(office.batch(SECOND).folder)
    folder.rename(folder.with_name(SECOND))
    with pytest.raises(StoreError, match=REFUSED):
        office.batch(SECOND).find(CASE)
    with pytest.raises(StoreError, match=REFUSED):
        office.batch(SECOND).closed()


@pytest.mark.parametrize("name", ["records-00000.parquet", "seals-00001.parquet", "outcomes-00000.parquet"])
def test_a_damaged_file_is_an_error_of_ours(office: Office, name: str) -> None:
    file = office.batch().folder / name
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(StoreError, match="damaged"):
        list(office.batch().blocks())
        office.batch().outcomes().collect(engine="in-memory")
        office.batch().find(CASES[-1])


@pytest.mark.parametrize("name", ["records-00000.parquet", "seals-00000.parquet"])
def test_a_changed_byte_is_an_error_of_ours_or_changes_nothing(office: Office, name: str) -> None:
    # Some of these end the whole process, or a thread with a panic, where Polars reads the file.
    file = office.batch().folder / name
    sound, before = file.read_bytes(), office.batch().find(CASE)
    ends = [*range(4, 40), *range(len(sound) - 700, len(sound))]
    refused = 0
    for place in ends[:: 1 + len(ends) // 120]:
        file.write_bytes(sound[:place] + bytes([sound[place] ^ 0xFF]) + sound[place + 1 :])
        try:
            found = office.batch().find(CASE)
        except StoreError:
            refused += 1
        else:
            assert (found.groups, found.salts, found.leaf) == (before.groups, before.salts, before.leaf)
    assert refused > 20


def test_a_missing_block_is_noticed(office: Office) -> None:
    (office.batch().folder / "records-00001.parquet").unlink()
    with pytest.raises(StoreError, match="12 records and 6 of them"):
        list(office.batch().blocks())


def test_a_file_of_the_time_before_sealing_is_refused(office: Office) -> None:
    file = office.batch().folder / "records-00000.parquet"
    records(0, FIRST).write_parquet(file)
    with pytest.raises(StoreError, match="not sealed by this version"):
        list(office.batch().blocks())


def test_records_without_token_or_group_are_not_put(tmp_path: Path) -> None:
    batch = Safe.open(tmp_path / "v", key=DeploymentKey(bytes(32)), make=True).batch(FIRST, GROUPS)
    batch.begin()
    for column in ("token", "means"):
        frame = records(0, FIRST).with_columns(pl.lit(None, dtype=pl.String).alias(column))
        with pytest.raises(StoreError, match="lacks"):
            batch.put("records", 0, frame)
    assert list(batch.folder.glob("*.parquet")) == []


def test_reprs_say_nothing(made: Office) -> None:
    held = made.batch().find(CASE)
    said = repr([held, made.batch(), made.safe, made.safe.keys, made.key])
    assert json.loads(held.groups["result"])["outcome"] not in said and TOKEN not in said
    assert "salts" not in said and bytes(range(32)).hex() not in said


@pytest.mark.skipif(sys.platform == "win32", reason="a limit to the size of files is Unix's")
def test_a_disk_that_takes_not_all_of_a_file_is_told_as_one(tmp_path: Path) -> None:
    """Wherever it stops: of the file's last bytes, the footer, Polars does not say what the system said."""
    import resource

    frames = [pl.DataFrame({"n": [n]}) for n in range(500)]
    file = tmp_path / "some.parquet"

    def write() -> None:
        write_parquet(file, lambda: iter(frames), {"n": pl.Int64}, rows=1)

    write()
    size, before = file.stat().st_size, resource.getrlimit(resource.RLIMIT_FSIZE)
    for most in (*range(0, size, size // 30), size - 1):
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
        try:
            with pytest.raises(StoreError, match=r"some\.parquet cannot be written"):
                write()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert pl.read_parquet(file)["n"].to_list() == [*range(500)], "what was whole before is whole now"
