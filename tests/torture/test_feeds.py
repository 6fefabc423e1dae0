"""No feed file breaks the ingest, and what a long attack found stays mended.

`python -m tests.torture.feeds` does the same for as long as one likes; a process that dies there is a finding, so what
once ended a process is tried in a process of its own.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from meanscheck.contracts import feed
from meanscheck.contracts.readers import FORMATS, read_rows
from meanscheck.errors import FeedError
from meanscheck.evidence import IngestReport, Store
from meanscheck.evidence.manifest import load_manifest

from .feeds import Attack, Tally, hostile_file, one
from .hostile import made_hostile
from .office import Office
from .samples import Sample, samples

COUNT = 60


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sample, ...]:
    return samples(tmp_path_factory.mktemp("samples"), seed=1)


@pytest.fixture(scope="module")
def office(pool: tuple[Sample, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office")
    made = samples(folder / "county", seed=1)
    assert {one.feed for one in made} == {one.feed for one in pool}
    office = Office(folder / "office", folder / "county" / "files" / "inbox")
    office.learn(pool)
    yield office
    office.close()


def test_every_format_that_is_read_is_attacked(pool: tuple[Sample, ...]) -> None:
    assert {sample.ending for sample in pool} == set(FORMATS)


def test_valid_files_are_accepted_whole(office: Office, pool: tuple[Sample, ...]) -> None:
    chosen = [sample for sample in pool if sample.feed == "bank_deposits" and sample.secrets]
    outcomes = [office.give(sample) for sample in {sample.ending: sample for sample in chosen}.values()]
    assert [outcome.findings for outcome in outcomes] == [()] * len(outcomes)
    assert {outcome.kind for outcome in outcomes} == {"accepted"}
    assert all(outcome.report is not None and outcome.report.accepted for outcome in outcomes)


def test_hostile_files_are_in_wholly_or_refused_with_a_reason(tmp_path: Path) -> None:
    tally = Attack(tmp_path, seed=1, reopen=20).run(COUNT, jobs=1)
    assert tally.findings == []
    assert tally.given == COUNT == sum(tally.kinds.values())
    assert 0 < tally.kinds["accepted"] < COUNT


def test_the_same_number_is_the_same_file(pool: tuple[Sample, ...]) -> None:
    assert hostile_file(pool, seed=4, number=7) == hostile_file(pool, seed=4, number=7)
    assert hostile_file(pool, seed=4, number=7) != hostile_file(pool, seed=4, number=8)


# ---- the attack notices what it looks for


def found_in(office: Office, sample: Sample, monkeypatch: pytest.MonkeyPatch) -> Tally:
    tally = Tally()
    monkeypatch.setattr("torture.feeds.made_hostile", lambda chance, pool: sample)
    one(office, [sample], 0, tally, seed=0, good=None)
    return tally


@pytest.fixture
def good(office: Office) -> Sample:
    return office.good[min(office.good)][0]


def test_a_foreign_exception_is_noticed(office: Office, good: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object, **__: object) -> IngestReport:
        raise IndexError("17")

    monkeypatch.setattr(Store, "ingest", crash)
    (finding,) = found_in(office, good, monkeypatch).findings
    assert "IndexError" in finding[2]


def test_a_value_in_a_message_is_noticed(office: Office, good: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    def tell(*_: object, **__: object) -> IngestReport:
        raise FeedError(f"no such number: {sorted(office.people)[0]}")

    monkeypatch.setattr(Store, "ingest", tell)
    (finding,) = found_in(office, good, monkeypatch).findings
    assert finding[2] == "a message holds a person's value"


def test_rows_that_are_lost_are_noticed(office: Office, good: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    from meanscheck.evidence import ingest

    real = ingest.IngestReport

    def less(**facts: int) -> IngestReport:
        return real(**{**facts, "accepted": facts["accepted"] - 1})  # type: ignore[arg-type]

    monkeypatch.setattr("torture.office.IngestReport", less)
    words = {finding[2] for finding in found_in(office, good, monkeypatch).findings}
    assert "rows stored are not those accepted" in words
    assert any("are accounted for" in word for word in words)


def test_a_process_that_dies_is_a_finding_and_the_rest_goes_on(
    pool: tuple[Sample, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child imports this module's neighbour anew, so the file itself must bring it down: a bound of no memory."""
    monkeypatch.setattr("torture.feeds._child", _dies_at_the_second)
    tally = Attack(tmp_path, seed=1, reopen=100).run(3, jobs=1)
    assert [(number, what) for number, _, what in tally.findings] == [(1, "the process died, exit code -9")]
    assert tally.given == 3


def test_a_process_that_works_without_end_is_a_finding_and_one_that_waits_for_its_turn_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torture.feeds._child", _works_without_end_at_the_second)
    monkeypatch.setattr("torture.feeds.HANG", 1.0)
    tally = Attack(tmp_path, seed=1, reopen=100).run(3, jobs=1)
    assert [(number, what) for number, _, what in tally.findings] == [(1, "no end within 1 s of work")]
    assert tally.given == 3


def _works_without_end_at_the_second(pipe, folder, seed, reopen, numbers) -> None:  # type: ignore[no-untyped-def]
    import time

    for number in numbers:
        pipe.send(number)
        if number == 0:
            time.sleep(2.5)
        while number == 1:
            pass
        pipe.send(Tally(given=1))
    pipe.send(None)


def _dies_at_the_second(pipe, folder, seed, reopen, numbers) -> None:  # type: ignore[no-untyped-def]
    import os
    import signal

    for number in numbers:
        pipe.send(number)
        if number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        pipe.send(Tally(given=1))
    pipe.send(None)


# ---- what the long attack found


BANK = "bank_deposits"
HEADER = "身份证号,银行代码,账号,余额,截止日期"
NUMBER = "440703195001010013"


def a_manifest(folder: Path, **more: object) -> Path:
    path = folder / f"{BANK}.manifest.json"
    facts = {"feed": BANK, "sender": "S", "answered_on": "2020-06-25", "as_of": "2020-06-20", **more}
    path.write_text(json.dumps(facts), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "more", [{NUMBER: 1}, {"feed": NUMBER}, {"not_answered": [{"id_number": NUMBER, "4007.89": 1}]}, {"as_of": NUMBER}]
)
def test_a_manifest_is_refused_without_what_it_says(tmp_path: Path, more: dict[str, object]) -> None:
    a_manifest(tmp_path, **more)
    with pytest.raises(FeedError) as caught:
        load_manifest(feed(BANK), tmp_path / f"{BANK}.csv", None)
    assert NUMBER not in str(caught.value) and "4007.89" not in str(caught.value)


@pytest.mark.parametrize("cell", ['"A1" ', ' "A,1"', '\r"A,1"', '"A" "1"', '"A1"x'])
def test_a_quote_that_is_none_to_the_reader_breaks_its_own_row_only(tmp_path: Path, cell: str) -> None:
    path = tmp_path / f"{BANK}.csv"
    text = f"{HEADER}\n{NUMBER},ICBC,{cell},1.00,2020-06-20\n{NUMBER},ICBC,A2,2.00,2020-06-20\n"
    path.write_bytes(text.encode())
    file = read_rows(feed(BANK), path)
    assert file.rows["account_token"].to_list()[-1] == "A2"
    assert file.rows.height + file.broken.height == 2


def test_lines_that_only_some_call_blank_are_set_aside_and_no_finding(office: Office, pool: tuple[Sample, ...]) -> None:
    """Python strips U+001E as a blank, Unicode has it as text."""
    sample = next(one for one in pool if one.form == "csv" and b"\x01" not in one.data)
    outcome = office.give(replace(sample, data=sample.data + b"\x1e\n" * 3))
    assert not outcome.findings
    assert outcome.report is not None and outcome.report.quarantined >= 3


def test_half_a_character_breaks_its_own_row_only(tmp_path: Path) -> None:
    path = tmp_path / f"{BANK}.jsonl"
    row = {"id_number": NUMBER, "bank_code": "ICBC", "account_token": "A", "balance": "1", "as_of": "2020-06-20"}
    path.write_text(json.dumps({**row, "account_token": "\ud800"}) + "\n" + json.dumps(row) + "\n", encoding="utf-8")
    file = read_rows(feed(BANK), path)
    assert file.rows.height == 1
    assert file.broken.select("row_no", "reason").rows() == [(1, "control_character")]


FAR = {
    "a far cell": (b'r="A2"', b'r="XFD1048576"'),
    "a far column": (b'r="A2"', b'r="XFD2"'),
    "a number that wraps": (b'r="A2"', b'r="A99999999999"'),
    "a row that wraps": (b'<row r="2"', b'<row r="4294967297"'),
    "letters that wrap": (b'r="A2"', b'r="ZZZZ2"'),
    "a row before the first": (b'<row r="2"', b'<row r="-1"'),
}


@pytest.mark.parametrize("kind", FAR)
def test_a_sheet_that_pretends_to_be_huge_ends_no_process(kind: str, pool: tuple[Sample, ...], tmp_path: Path) -> None:
    sample = next(one for one in pool if one.ending == ".xlsx" and one.secrets)
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(sample.data)) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(*FAR[kind], 1) if "sheet1" in name else old.read(name))
    path = tmp_path / f"{sample.feed}.xlsx"
    path.write_bytes(stream.getvalue())
    script = (
        "import sys; from pathlib import Path; from meanscheck.contracts import feed\n"
        "from meanscheck.contracts.readers import read_rows; from meanscheck.errors import FeedError\n"
        "try: read_rows(feed(sys.argv[1]), Path(sys.argv[2]))\n"
        "except FeedError: print('refused')\n"
        "else: print('read')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, sample.feed, str(path)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-300:]
    assert done.stdout.strip() in ("refused", "read")


def test_damaged_footers_are_refused_and_never_panic(pool: tuple[Sample, ...], tmp_path: Path) -> None:
    """Every byte of a footer, set to the values that count most: the panics of the reader are among them."""
    sample = min((one for one in pool if one.ending == ".parquet"), key=lambda one: len(one.data))
    length = int.from_bytes(sample.data[-8:-4], "little")
    path = tmp_path / f"{sample.feed}.parquet"
    refused = 0
    for at in range(len(sample.data) - 8 - length, len(sample.data) - 8, 3):
        data = bytearray(sample.data)
        data[at] = (0, 0xFF, 0x80)[at % 3]
        path.write_bytes(data)
        try:
            read_rows(feed(sample.feed), path)
        except FeedError:
            refused += 1
    assert refused


def test_unharmed_files_are_the_pool_again(pool: tuple[Sample, ...]) -> None:
    """The changes change: few hostile files are one of the pool."""
    same = sum(made_hostile(Random(n), pool) in pool for n in range(100))
    assert same < 15
