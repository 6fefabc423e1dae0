"""The journal of who read which household: every line is bound to the one before."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meanscheck.errors import InputError, StoreError
from meanscheck.vault.access import START, note, read

AT = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)


def written(path: Path, count: int = 4) -> list[str]:
    path.unlink(missing_ok=True)
    return [
        note(path, at=AT, by=f"o-{n}", known="given", command="explain", purpose="review", cases=[f"U-{n}", "U-0"])
        for n in range(count)
    ]


def test_what_was_noted_is_read_again_in_order(tmp_path: Path) -> None:
    hashes = written(tmp_path / "a")
    journal = read(tmp_path / "a")
    assert [(entry.n, entry.by, entry.cases) for entry in journal.entries] == [
        (n + 1, f"o-{n}", tuple(sorted({f"U-{n}", "U-0"}))) for n in range(4)
    ]
    assert journal.breaks == ()
    assert journal.head == hashes[-1]
    assert {entry.at for entry in journal.entries} == {"2026-11-26T09:30:00Z"}


def test_no_journal_is_an_empty_one(tmp_path: Path) -> None:
    assert read(tmp_path / "none").entries == ()
    assert read(tmp_path / "none").head == START


def test_the_instant_is_kept_in_one_zone(tmp_path: Path) -> None:
    at = datetime(2026, 11, 26, 17, 30, tzinfo=timezone(timedelta(hours=8)))
    note(tmp_path / "a", at=at, by="o", known="given", command="check", purpose="p", cases=["*"])
    assert read(tmp_path / "a").entries[0].at == "2026-11-26T09:30:00Z"


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    written(tmp_path / "a")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(data=st.data())
def test_any_changed_character_before_the_end_shows(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "a"
    written(path)
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 2))
    other = data.draw(st.integers(32, 126).filter(lambda byte: byte != whole[at]))
    path.write_bytes(whole[:at] + bytes([other]) + whole[at + 1 :])
    assert read(path).breaks != ()


@pytest.mark.parametrize("change", ["taken out", "put in", "moved", "first gone"])
def test_a_line_that_is_not_where_it_was_shows(tmp_path: Path, change: str) -> None:
    path = tmp_path / "a"
    written(path)
    a, b, c, d = path.read_bytes().splitlines(keepends=True)
    lines = {"taken out": [a, c, d], "put in": [a, b, b, c, d], "moved": [a, c, b, d], "first gone": [b, c, d]}
    path.write_bytes(b"".join(lines[change]))
    assert read(path).breaks != ()


def test_lines_cut_off_at_the_end_show_to_whoever_kept_the_last_hash(tmp_path: Path) -> None:
    path = tmp_path / "a"
    hashes = written(path)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert read(path).breaks == ()
    assert read(path).head == hashes[-2] != hashes[-1]


def test_a_line_cut_off_by_a_crash_is_kept_and_shown_and_the_chain_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a"
    written(path)
    path.write_bytes(path.read_bytes()[:-30])
    note(path, at=AT, by="later", known="given", command="check", purpose="p", cases=["U-9"])
    note(path, at=AT, by="later", known="given", command="check", purpose="p", cases=["U-9"])
    journal = read(path)
    assert journal.breaks == (4,)
    assert [entry.by for entry in journal.entries] == ["o-0", "o-1", "o-2", "later", "later"]


@pytest.mark.parametrize(("field", "value"), [("by", ""), ("by", "a\nb"), ("purpose", ""), ("purpose", "x" * 201)])
def test_what_no_line_may_hold_is_refused(tmp_path: Path, field: str, value: str) -> None:
    given = {"by": "o", "purpose": "p", field: value}
    with pytest.raises(InputError):
        note(tmp_path / "a", at=AT, known="given", command="check", cases=["U-1"], **given)
    assert not (tmp_path / "a").exists()


def test_a_journal_that_cannot_be_written_stops_what_would_be_shown(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(StoreError, match="nothing is shown"):
        note(tmp_path / "a", at=AT, by="o", known="given", command="check", purpose="p", cases=["U-1"])
