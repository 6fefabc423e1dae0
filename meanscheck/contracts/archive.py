"""What lies in a sent archive, and is it safe to unpack? ZIP only, in memory, within bounds, never onto the disk.

Every member that is data (CSV, fixed width, Excel, JSON lines, Parquet) is read; `readers` takes them as one file if
they have the same columns, and refuses the archive if not. Path names are ignored but for their ending. What is not
data (a letter, a list of checksums) is passed over and counted; an archive inside, an encrypted member or two members
of one name refuse the whole archive. Messages name a member by its place, as names of members may name persons.

The sizes that an archive declares are checked first, then what it really unpacks to is measured while unpacking: a
member is inflated piece by piece, must end exactly at its declared size and have its checksum. Nothing larger ever
lies in memory, whatever the directory of the archive says.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import BinaryIO

from meanscheck.contracts.bounds import MAX_FILE_BYTES, MAX_MEMBERS, MAX_RATIO, MAX_WHOLE, SMALL
from meanscheck.errors import FeedError

NESTED = frozenset(
    {".zip", ".rar", ".7z", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".zst", ".jar", ".arj", ".cab", ".iso"}
)
_LITTER = ("__macosx", ".ds_store", "thumbs.db", "desktop.ini")
_UTF8_NAME, _ENCRYPTED, _STRONG = 0x800, 0x1, 0x40
_LOCAL_HEADER = 30
_CHUNK = 2**20
_AGAIN = "Pack the file again as a plain ZIP"


@dataclass(frozen=True)
class Member:
    """A member that is data.

    Attributes:
        where: locator, such as ``"answer.zip: member 2"``.
        suffix: ending of its name, lower case.
        data: its bytes.
    """

    where: str
    suffix: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Unpacked:
    """Members that are data, in order of their names, and how many were passed over."""

    members: tuple[Member, ...]
    passed_over: int


def unpack(data: bytes, *, where: str, suffixes: frozenset[str]) -> Unpacked:
    """Unpack an archive.

    Args:
        where: the file's name for messages.
        suffixes: endings that are data.

    Raises:
        FeedError: not a ZIP archive, damaged, encrypted, with an archive inside, without data, or beyond a bound.
    """
    stream = io.BytesIO(data)
    with _opened(stream, where) as archive:
        entries = checked_entries(archive, len(data), where=where)
        if sum(info.file_size for info in entries) > MAX_WHOLE:
            raise FeedError(
                f"the archive unpacks to more than {MAX_WHOLE // 2**20} MiB, and would be held in memory whole",
                where=where,
                remedy="Send the file unpacked: CSV and Parquet are read in parts",
            )
        named = sorted(
            ((true_name(info), place, info) for place, info in enumerate(entries, 1) if not _is_litter(info)),
            key=lambda entry: entry[:2],
        )
        members = []
        for name, place, info in named:
            suffix = PurePosixPath(name.replace("\\", "/")).suffix.lower()
            at = f"{where}: member {place}"
            if suffix in NESTED:
                raise FeedError("an archive inside an archive", where=at, remedy="Pack the data files themselves")
            if suffix not in suffixes:
                continue
            content = b"".join(inflated(stream, info, where=at))
            if suffix != ".xlsx" and content.startswith((b"PK\x03\x04", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b")):
                raise FeedError("an archive inside an archive", where=at, remedy="Pack the data files themselves")
            members.append(Member(at, suffix, content))
    if not members:
        raise FeedError("no file of data in the archive", where=where, remedy=f"Put in one of {_listed(suffixes)}")
    return Unpacked(tuple(members), len(named) - len(members))


def checked_entries(archive: zipfile.ZipFile, size: int, *, where: str) -> list[zipfile.ZipInfo]:
    """Entries of an archive (no folders) after the checks that need no unpacking; also for workbooks.

    Args:
        size: bytes of the archive.

    Raises:
        FeedError: too many members, declared sizes beyond the bounds, encrypted, packed in an unknown way, overlapping
        or of one name.
    """
    # Not `is_dir`, which cannot bear a member without a name.
    entries = [info for info in archive.infolist() if not info.filename.endswith("/")]
    if len(entries) > MAX_MEMBERS:
        raise FeedError(f"more than {MAX_MEMBERS:,} files in the archive", where=where, remedy="Pack the data only")
    if len({info.filename for info in entries}) != len(entries):
        raise FeedError("two files of one name in the archive", where=where, remedy=_AGAIN)
    if any(info.flag_bits & (_ENCRYPTED | _STRONG) for info in entries):
        raise FeedError(
            "the archive is encrypted", where=where, remedy="Unpack it with its password and send what is inside"
        )
    if any(info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for info in entries):
        raise FeedError("the archive is packed in a way that is not read", where=where, remedy=_AGAIN)
    total = sum(info.file_size for info in entries)
    is_bomb = any(info.file_size > max(SMALL, info.compress_size * MAX_RATIO) for info in entries)
    if total > MAX_FILE_BYTES or is_bomb:
        raise FeedError("the archive unpacks to far more than it holds", where=where, remedy="Send the file unpacked")
    if sum(info.compress_size for info in entries) > size:
        raise FeedError("members of the archive overlap", where=where, remedy=_AGAIN)
    return entries


def inflated(stream: BinaryIO, info: zipfile.ZipInfo, *, where: str) -> Iterator[bytes]:
    """The member's bytes in pieces; FeedError unless they are as many as declared and have their checksum.

    The decompressor is driven here: what stands behind the declared end of a member would otherwise go unseen by
    Python and be unpacked by another reader.
    """
    stream.seek(max(info.header_offset, 0))
    header = stream.read(_LOCAL_HEADER)
    if len(header) < _LOCAL_HEADER or not header.startswith(b"PK\x03\x04"):
        raise FeedError("the archive is damaged", where=where, remedy=_AGAIN)
    stream.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), io.SEEK_CUR)
    packed, done, check, is_whole = info.compress_size, 0, 0, info.compress_type == zipfile.ZIP_STORED
    inflate = None if is_whole else zlib.decompressobj(-zlib.MAX_WBITS)
    while packed > 0:
        piece = stream.read(min(_CHUNK, packed))
        if not piece:
            break
        packed -= len(piece)
        while piece:
            try:
                out = piece if inflate is None else inflate.decompress(piece, _CHUNK)
            except zlib.error:
                raise FeedError("the archive is damaged", where=where, remedy=_AGAIN) from None
            piece = b"" if inflate is None else inflate.unconsumed_tail
            done, check = done + len(out), zlib.crc32(out, check)
            if done > info.file_size:
                raise FeedError("a member is larger than the archive says", where=where, remedy=_AGAIN)
            yield out
            if inflate is not None and inflate.eof:
                is_whole, piece = not inflate.unused_data, b""
                break
    if packed or done != info.file_size or check != info.CRC or not is_whole:
        raise FeedError("the archive is damaged", where=where, remedy=_AGAIN)


def true_name(info: zipfile.ZipInfo) -> str:
    """A member's name as its sender wrote it: without the UTF-8 mark Chinese programs write GB18030."""
    if info.flag_bits & _UTF8_NAME:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return info.filename


def _opened(stream: BinaryIO, where: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, struct.error):
        raise FeedError("not a ZIP archive, or cut short", where=where, remedy=_AGAIN) from None


def _is_litter(info: zipfile.ZipInfo) -> bool:
    parts = info.filename.lower().replace("\\", "/").split("/")
    return any(part in _LITTER for part in parts) or parts[-1].startswith((".", "~$"))


def _listed(suffixes: frozenset[str]) -> str:
    return ", ".join(sorted(suffixes - NESTED))
