"""Archives: what is in them is read as if it were sent bare; what may harm is refused before it is unpacked."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from random import Random

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from contracts.formats.legal import resident
from meanscheck.contracts import feed
from meanscheck.contracts.archive import checked_entries, true_name
from meanscheck.contracts.bounds import MAX_RATIO
from meanscheck.contracts.cast import Cast
from meanscheck.contracts.readers import cast_file, read_rows
from meanscheck.errors import FeedError

A, B = resident(1), resident(2)
HEAD = "证件号码,余额"
DEFLATED = zipfile.ZIP_DEFLATED


def packed(path: Path, *members: tuple[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def cast(path: Path) -> Cast:
    return cast_file(feed("bank_deposits"), path, as_of=None, not_after=date(2020, 6, 30))


def one(number: str = A, head: str = HEAD) -> str:
    return f"{head}\n{number},1.00\n"


def test_members_with_the_same_header_are_read_as_one_in_the_order_of_their_names(tmp_path: Path) -> None:
    path = packed(tmp_path / "x.zip", ("b.csv", one(B)), ("a.csv", one(A).encode("gb18030")), ("信.pdf", b"%PDF"))
    assert cast(path).accepted.select("id_number", "row_no").rows() == [(A, 2), (B, 1_000_000_002)]
    file = read_rows(feed("bank_deposits"), path)
    assert (file.format, file.parts) == ("zip csv", 2)


def test_names_of_gb18030_without_the_mark_of_utf8_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    for name in ("数据/明细.csv", "社.csv", "台账副本.CSV"):
        path.write_bytes(unmarked(name.encode("gb18030")))
        assert cast(path).accepted.height == 1
        with zipfile.ZipFile(path) as archive:
            assert true_name(archive.infolist()[0]) == name


def unmarked(raw: bytes) -> bytes:
    """A stored archive of one member whose name is these bytes, without the mark of UTF-8."""
    content = one().encode()
    sizes = struct.pack("<III", zlib.crc32(content), len(content), len(content))
    local = b"PK\x03\x04" + struct.pack("<HHHHH", 20, 0, 0, 0, 33) + sizes + struct.pack("<HH", len(raw), 0) + raw
    central = b"PK\x01\x02" + struct.pack("<HHHHHH", 20, 20, 0, 0, 0, 33) + sizes
    central += struct.pack("<HHHHHII", len(raw), 0, 0, 0, 0, 0, 0) + raw
    start = len(local) + len(content)
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), start, 0)
    return local + content + central + end


def test_a_workbook_in_an_archive_is_read_as_a_workbook(tmp_path: Path) -> None:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, HEAD.split(","))
    sheet.write_row(1, 0, [A, 1.5])
    book.close()
    path = packed(tmp_path / "x.zip", ("a/b.xlsx", out.getvalue()), ("__MACOSX/._b.csv", b"x"), (".DS_Store", b"x"))
    assert cast(path).accepted["balance_fen"].to_list() == [150]


def test_paths_of_members_go_nowhere(tmp_path: Path) -> None:
    path = packed(tmp_path / "x.zip", ("../../../tmp/out.csv", one()), ("/etc/x.csv", one(B)))
    assert cast(path).accepted.height == 2
    assert [p.name for p in tmp_path.iterdir()] == ["x.zip"]


def bomb(path: Path) -> Path:
    return packed(path, ("x.csv", one() + "0" * (64 * 2**20)))


def encrypted(path: Path) -> Path:
    packed(path, ("x.csv", one()))
    data = bytearray(path.read_bytes())
    central = data.index(b"PK\x01\x02")
    data[central + 8] |= 1
    path.write_bytes(data)
    return path


def larger_than_it_says(path: Path) -> Path:
    """The directory declares fewer bytes than the member unpacks to, with the checksum of these."""
    packed(path, ("x.csv", one() + "9" * 5_000))
    data = bytearray(path.read_bytes())
    central = data.index(b"PK\x01\x02")
    short = one().encode()
    data[central + 16 : central + 20] = struct.pack("<I", zlib.crc32(short))
    data[central + 24 : central + 28] = struct.pack("<I", len(short))
    path.write_bytes(data)
    return path


def overlapping(path: Path) -> Path:
    """Two entries of the directory share one member's bytes."""
    packed(path, ("x.csv", one() + "".join(f"{A},{n}.00\n" for n in range(500))))
    data = path.read_bytes()
    central, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    entry = data[central:end]
    other = entry.replace(b"x.csv", b"y.csv")
    tail = bytearray(data[end:])
    tail[8:12] = struct.pack("<HH", 2, 2)
    tail[12:16] = struct.pack("<I", len(entry) * 2)
    path.write_bytes(data[:central] + entry + other + bytes(tail))
    return path


def damaged(path: Path) -> Path:
    packed(path, ("x.csv", one() + "".join(f"{A},{n}.00\n" for n in range(500))))
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (bomb, "far more than it holds"),
        (encrypted, "encrypted"),
        (larger_than_it_says, "larger than the archive says"),
        (overlapping, "overlap"),
        (damaged, "damaged"),
        (lambda path: packed(path, ("in.zip", b"x"), ("a.csv", one())), "archive inside"),
        (lambda path: packed(path, ("in.csv", b"PK\x03\x04rest")), "archive inside"),
        (lambda path: packed(path, ("readme.pdf", b"x")), "no file of data"),
        (lambda path: packed(path, *((f"{n}.csv", one()) for n in range(1_001))), "more than 1,000"),
        (lambda path: packed(path, ("a.csv", one()), ("b.csv", "证件号码,余额(万元)\n")), "other columns or units"),
        (lambda path: packed(path, ("a.csv", one()), ("b.csv", one(f"{B},x", "证件号码,姓名,余额"))), "other columns"),
        (lambda path: packed(path, ("a.csv", one()), ("b.jsonl", '{"id_number": "1", "balance": 1}')), "formats"),
        (lambda path: packed(path, ("a.csv", one()), ("b.csv", b"")), "empty"),
    ],
)
def test_what_may_harm_or_mislead_is_refused(tmp_path: Path, make: Callable[[Path], Path], message: str) -> None:
    path = make(tmp_path / "x.zip")
    with pytest.raises(FeedError, match=message) as caught:
        cast(path)
    assert caught.value.where.startswith("x.zip")
    assert caught.value.remedy


def test_a_member_without_a_name_is_no_crash(tmp_path: Path) -> None:
    path = packed(tmp_path / "x.zip", ("Za.csv", one()), ("b.csv", one(B)))
    path.write_bytes(path.read_bytes().replace(b"Za.csv", b"\0a.csv"))  # a name ends where a zero byte stands
    with zipfile.ZipFile(path) as archive:
        assert "" in archive.namelist()
    try:
        assert cast(path).accepted.height >= 1
    except FeedError as fault:
        assert fault.remedy


def test_an_archive_that_memory_would_have_to_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(tmp_path / "x.zip", ("a.csv", one()), ("b.csv", one(B)))
    size = len(one().encode()) + len(one(B).encode())
    monkeypatch.setattr("meanscheck.contracts.archive.MAX_WHOLE", size)
    assert cast(path).accepted.height == 2
    monkeypatch.setattr("meanscheck.contracts.archive.MAX_WHOLE", size - 1)
    with pytest.raises(FeedError, match="held in memory") as caught:
        cast(path)
    assert "unpacked" in caught.value.remedy


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", one())
        archive.writestr("a.csv", one(B))
    with pytest.raises(FeedError, match="two files of one name"):
        cast(path)


def test_a_message_names_a_member_by_its_place_alone(tmp_path: Path) -> None:
    path = packed(tmp_path / "x.zip", ("甲_440703.csv", b"\xff\xff\n"))
    with pytest.raises(FeedError) as caught:
        cast(path)
    assert caught.value.where.startswith("x.zip: member 1")
    assert "440703" not in str(caught.value)


@given(st.binary(max_size=200), st.integers(0, 400))
def test_an_archive_with_any_bytes_changed_is_rows_or_an_error_of_ours(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int
) -> None:
    path = packed(tmp_path_factory.mktemp("fuzz") / "x.zip", ("a.csv", one()), ("b.csv", one(B)))
    data = path.read_bytes()
    at = min(at, len(data))
    path.write_bytes(data[:at] + noise + data[at + len(noise) :])
    try:
        cast(path)
    except FeedError as error:
        assert "x.zip" in error.where


@pytest.mark.parametrize(("noise", "is_refused"), [(210_000, True), (600_000, False)])
def test_a_member_that_unpacks_a_hundredfold_is_refused(noise: int, is_refused: bool, tmp_path: Path) -> None:
    """17 MiB that pack to some 140 kB (a ratio above 120), and to some 350 kB (about 50, as office files reach)."""
    path = packed(tmp_path / "x.zip", ("x.csv", Random(1).randbytes(noise // 2).hex() + "0" * (17 * 2**20 - noise)))
    with zipfile.ZipFile(path) as archive:
        (member,) = archive.infolist()
        ratio = member.file_size / member.compress_size
        assert 120 < ratio < 160 if is_refused else 40 < ratio < 60
        if is_refused:
            with pytest.raises(FeedError, match="far more than it holds"):
                checked_entries(archive, path.stat().st_size, where="x.zip")
        else:
            assert len(checked_entries(archive, path.stat().st_size, where="x.zip")) == 1
    assert MAX_RATIO == 100
