"""How is a file replaced so that a crash leaves the old one or the new one, and how do two writers take turns?

`replace` writes to a temporary name in the same folder, flushes to disk, renames, flushes the folder. `lock` holds an
advisory lock of the operating system, which ends with the process that held it, however that ends.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from meanscheck.errors import LedgerError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

MANY = 64
"""More files than that are flushed together."""


def replace(path: Path, data: bytes) -> None:
    """Put `data` at `path`, wholly or not at all."""
    temporary = path.with_name(path.name + ".new")
    write(temporary, data)
    temporary.replace(path)
    flush_folder(path.parent)


def write(path: Path, data: bytes) -> None:
    """Write a file and flush it to disk."""
    put(path, data)
    settle([path])


def put(path: Path, data: bytes) -> None:
    """Write a file, for `settle` to flush."""
    with path.open("wb") as file:
        file.write(data)


def settle(paths: Sequence[Path]) -> None:
    """Flush files to disk. Many at once by the system's own sync where that waits for the disk (Linux): flushing some
    thousand tiles one by one costs a tenth of what a batch does."""
    if len(paths) > MANY and sys.platform == "linux":
        os.sync()
        return
    for path in paths:
        descriptor = os.open(path, os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def flush_folder(folder: Path) -> None:
    """Make renames in a folder durable (nothing to do on Windows)."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def lock(path: Path | None) -> Iterator[None]:
    """Hold `<path>.lock`; LedgerError if another process holds it. None: nothing to lock."""
    if path is None:
        yield
        return
    with path.with_name(path.name + ".lock").open("ab") as file:
        try:
            if sys.platform == "win32":
                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise LedgerError(f"{path.name} is in use by another process") from None
        yield


def put_away(folder: Path, parts: Iterable[bytes | memoryview]) -> mmap.mmap | None:
    """Bytes in a file without a name in that folder, mapped to read; None if none can be written there.

    They are on the disk before they are mapped: what failed to come there later would be read as other bytes.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError:  # a full disk, or one that is only read
        return None
