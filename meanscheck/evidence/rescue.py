"""How does a store outlive whatever stops a process while the database writes its table of contents?

DuckDB writes nothing over what its header points at, with one exception: its table of contents lies in small parts of
blocks of 256 KiB, and a checkpoint fills the free parts of a block by writing the whole block in its old place. If that
write ends half-way (a kill, a power cut), the checksum is wrong and the file opens no more, although no part that is
in use was changed. So nothing is folded into the file but by `Rescue.checkpoint`, which first lays a copy of those
blocks beside it, and `mend` puts them back where a checkpoint was broken off.

    county.duckdb.rescue    {"block": 262144, "head": "…", "places": [12288, …]} in one line; the blocks; their SHA-256

`head` is the digest of the file's three headers: they change when a checkpoint is whole, and then the copy is of no
use and is dropped.

Choices
    * Found by the attack `tests.torture.kill` (torn writes), with DuckDB 2.0.1. A store of 200 MB has four such blocks.
    * The log of changes grows until a checkpoint: `connecting` switches off those that the database makes by itself, at
      the end of a large transaction, above a size of the log, and when a file is closed.
    * POSIX locks end when a process closes any descriptor of the file. So the file is opened here once, and closed
      after the database has closed it.
    * The copy is of what the file says itself: names of tables, least and greatest values of columns. It is there for
      the moment of a checkpoint; of an encrypted store the blocks are encrypted.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from meanscheck.errors import StoreError

if TYPE_CHECKING:
    from meanscheck.evidence.database import Database

HEADERS: Final = 3 * 4096
"""Bytes of the headers; blocks follow."""
_DIGEST: Final = 32
BUSY: Final = "another process has the store open for writing; try again when it is done"
OPEN_HERE: Final = "this process has the store open already; close it first, or read beside it (`Store.beside()`)"
_AT_WORK: set[Path] = set()
"""Files that this process has open beside a copy: their locks do not keep this process out."""


class Rescue:
    """Copies of the blocks of one open file; `close` it after the database has closed the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None

    @property
    def log_bytes(self) -> int:
        """Size of the log of changes beside the file."""
        log = self.path.with_name(self.path.name + ".wal")
        return log.stat().st_size if log.exists() else 0

    def checkpoint(self, store: Database) -> None:
        """Fold the log of changes into the file, if there is one.

        Raises:
            StoreError: it cannot be written; what is in the log stays there.
        """
        if not self.log_bytes:
            return
        size = int(
            store.value("select block_size from pragma_database_size() where database_name = current_database()")
        )
        # Free parts beside those in use.
        free = "free_blocks between 1 and total_blocks - 1"
        found = store.fetch(f"select block_id from pragma_metadata_info(current_database()) where {free}")
        blocks = [int(block) for block in found.to_series()]
        if sys.platform == "win32":
            # There nobody can read a file that the database has open, so no copy can be laid.
            store.run("checkpoint")
            return
        try:
            with self._laid(size, blocks):
                store.run("checkpoint")
        except OSError:
            raise StoreError("the store could not be written; look at disk space and rights") from None

    @contextmanager
    def _laid(self, size: int, blocks: Sequence[int]) -> Iterator[None]:
        """Have a copy of some blocks beside the file while something is done to it.

        Raises:
            OSError: it could not be written, or a copy lies there since a checkpoint failed; nothing was done.
        """
        if is_left(self.path):
            # What is in the file may be torn; that copy is the good one.
            raise FileExistsError
        where = self.path.resolve()
        if self._file is None:
            self._file = os.open(self.path, os.O_RDONLY)
        places = [HEADERS + size * block for block in blocks]
        head = {"block": size, "head": _head(self._file), "places": places}
        before = [_read(self._file, size, place) for place in places]
        text = json.dumps(head, sort_keys=True).encode() + b"\n" + b"".join(before)
        part = _copy_of(self.path).with_name(_copy_of(self.path).name + ".part")
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(text + hashlib.sha256(text).digest())
            out.flush()
            os.fsync(out.fileno())
        _AT_WORK.add(where)
        try:
            part.replace(_copy_of(self.path))
            _flush_folder(self.path)
            try:
                yield
            except BaseException:
                # Refused before anything was written: the copy is of no use. Else it is left for `mend`.
                if before != [_read(self._file, size, place) for place in places]:
                    raise
                _copy_of(self.path).unlink()
                raise
            _copy_of(self.path).unlink()
        finally:
            if not is_left(self.path):
                _AT_WORK.discard(where)

    def close(self) -> None:
        """Let the file go."""
        _AT_WORK.discard(self.path.resolve())
        if self._file is not None:
            os.close(self._file)
            self._file = None


def is_left(path: Path) -> bool:
    """Whether a checkpoint of the file was broken off, or is being made."""
    return _copy_of(path).exists()


def mend(path: Path) -> None:
    """Put back the blocks of a file that nobody has open, if a checkpoint of it was broken off.

    Raises:
        StoreError: somebody has it open to write, be it this process, or it cannot be written.
    """
    copy = _copy_of(path)
    with suppress(OSError):  # a disk that is only read says so even of what is not there
        copy.with_name(copy.name + ".part").unlink(missing_ok=True)
        if not path.exists():
            copy.unlink(missing_ok=True)  # of a store that is no more
    if not copy.exists() or not path.exists():
        return
    if path.resolve() in _AT_WORK:
        raise StoreError(OPEN_HERE)
    try:
        with path.open("r+b") as file:
            _lock(file)
            _put_back(file, copy.read_bytes())
        copy.unlink()
        _flush_folder(path)
    except BlockingIOError:
        raise StoreError(BUSY) from None
    except OSError:
        raise StoreError(
            "the store was not closed by whoever wrote it last, and its file cannot be mended; look at space and rights"
        ) from None


def _put_back(file: Any, text: bytes) -> None:
    told, digest = text[:-_DIGEST], text[-_DIGEST:]
    if hashlib.sha256(told).digest() != digest:
        return  # it was being laid, so nothing had been done yet
    line, _, blocks = told.partition(b"\n")
    head = json.loads(line)
    if _head(file.fileno()) != head["head"]:
        return  # the checkpoint was whole
    size = head["block"]
    for number, place in enumerate(head["places"]):
        file.seek(place)
        file.write(blocks[number * size : (number + 1) * size])
    file.flush()
    os.fsync(file.fileno())


def _head(file: int) -> str:
    return hashlib.sha256(_read(file, HEADERS, 0)).hexdigest()


def _read(file: int, size: int, place: int) -> bytes:
    """Bytes of a file at a place, by its descriptor."""
    found, rest = [], size
    os.lseek(file, place, os.SEEK_SET)
    while rest and (part := os.read(file, rest)):
        found.append(part)
        rest -= len(part)
    return b"".join(found)


def _copy_of(path: Path) -> Path:
    return path.with_name(path.name + ".rescue")


def _lock(file: Any) -> None:
    """As the database locks it; BlockingIOError if somebody has done so. Elsewhere an open file cannot be opened."""
    if sys.platform != "win32":
        import fcntl

        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except PermissionError:
            raise BlockingIOError from None


def _flush_folder(path: Path) -> None:
    if sys.platform != "win32":
        with suppress(OSError):
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
