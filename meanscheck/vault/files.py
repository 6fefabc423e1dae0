"""How does a file change so that a crash leaves the old one or the new one, and how do writers take turns?

The ledger has the same in a room of its own, since it stands alone; here a lock is waited for, because whoever holds
it does so for the time of one small write.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from meanscheck.errors import StoreError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say as `StoreError` that a file or folder cannot be written, by its last name only."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{path.name} cannot be written ({error.strerror or type(error).__name__}): look at space and rights of "
            "its disk, then do it again; what was whole before is whole now"
        ) from None


@contextlib.contextmanager
def turn(path: Path) -> Iterator[None]:
    """Wait for `<path>.lock` and hold it. The system ends the lock with the process, however that ends."""
    with writing(path):
        lock = path.with_name(path.name + ".lock").open("ab")
    with lock as file:
        if sys.platform == "win32":
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def alone(path: Path, *, refusal: str) -> Iterator[None]:
    """Hold `path` as a lock; StoreError with the words `refusal` if somebody else holds it."""
    with writing(path):
        lock = path.open("ab")
    with lock as file:
        try:
            if sys.platform == "win32":
                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if not isinstance(error, BlockingIOError | PermissionError):  # Windows says the second
                raise StoreError(f"{path.name} cannot be locked: is its disk one that knows locks?") from None
            raise StoreError(refusal) from None
        yield


def flush(path: Path) -> None:
    """Bring what was written to a file to the disk."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def write_new(path: Path, parts: Iterable[bytes]) -> Path:
    """Write a file beside `path`, readable by its owner only, flushed to disk; returns it, to be renamed to `path`."""
    new = path.with_name(path.name + ".new")
    with writing(path):
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
    return new


def flush_folder(folder: Path) -> None:
    """Make renames in a folder durable (nothing to do on Windows)."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


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
