"""How is a store's file made anew: to encrypt it, to change its key, to be rid of erased bytes?

All tables are copied into a new file beside it, which then takes the old one's place at once; a run that is killed
leaves the old file as it was. Neither a file system nor a disk is made to forget what the old file held: a store that
lay there in the clear is safe only when the disk is.
"""

from __future__ import annotations

import os
from pathlib import Path

from meanscheck.errors import StoreError
from meanscheck.evidence.key import StoreKey
from meanscheck.evidence.store import Store

_NEW = ".rewriting"


def rewrite(path: Path | str, *, key: StoreKey | None, new_key: StoreKey | None) -> None:
    """Make a closed store's file anew.

    Args:
        path: the store's file.
        key: what it is encrypted with; None if it is not.
        new_key: what it is to be encrypted with from now on; None for not.

    Raises:
        StoreError: it cannot be opened, another process has it open, or there is no room; the old file is as it was.
    """
    path = Path(path)
    beside = path.with_name(path.name + _NEW)
    _remove(beside)
    try:
        with Store.open(path, key=key, find_key=False) as store:
            store.copy_to(beside, new_key)
            store.drop_projection()
        if path.with_name(path.name + ".wal").exists():
            raise StoreError("the store could not be closed; look at disk space and rights. It is as it was")
        _to_disk(beside)
        beside.replace(path)
        _to_disk(path.parent)
    except OSError as fault:
        raise StoreError(f"the store was not made anew: {fault.strerror}. It is as it was") from None
    finally:
        _remove(beside)


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.with_name(path.name + ".wal").unlink(missing_ok=True)
