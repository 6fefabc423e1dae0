"""What if a block is worked on twice? Each attempt puts it in a place of its own, and whoever started them takes one.

    <batch>/attempts/<name>/<batch>/records-00003.parquet …

A cluster tries a task again when a machine is lost, and may try one in two places at a time. Both attempts decide the
same, but each draws salts of its own, and leaves of one beside salts of the other prove nothing. So an attempt never
writes where another reads: what it put counts once `accept` has renamed it into the batch, and only then. A run that
goes on with one that was broken off first takes one finished attempt of each block (`resume`).

The last folder is called like the batch because sealed bytes are bound to the batch's name (see `sealing`).

>>> import tempfile
>>> import polars as pl
>>> from pathlib import Path
>>> from meanscheck.vault import DeploymentKey, Safe
>>> folder = tempfile.TemporaryDirectory()
>>> safe = Safe.open(Path(folder.name, "county.vault"), key=DeploymentKey(bytes(32)), make=True)
>>> batch = safe.batch("2026-11", ("result",))
>>> batch.begin(); expect(batch)
>>> frame = pl.DataFrame({"case_id": ["U-1"], "token": ["00" * 16], "position": [0], "result": ["{}"]})
>>> begin(batch, "one").put("records", 0, frame)
>>> list(batch.blocks())
[]
>>> accept(batch, "one", 0); clear(batch)
>>> batch.find("U-1").groups
{'result': b'{}'}
>>> folder.cleanup()
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from meanscheck.errors import StoreError
from meanscheck.vault import files
from meanscheck.vault.batch import ATTEMPTS, KINDS, Vault
from meanscheck.vault.course import CLOSED, FINISHED

if TYPE_CHECKING:
    from pathlib import Path


def resume(vault: Vault) -> None:
    """Take what attempts of a run of the same plan had finished when it was broken off; one of each block."""
    for finished in sorted((vault.folder / ATTEMPTS).glob(f"*/{vault.folder.name}/{FINISHED}-*")):
        block = int(finished.name.rpartition("-")[2])
        if vault.course.finished(block) is None:
            accept(vault, finished.parent.parent.name, block)


def hold(attempt: Vault, block: int) -> None:
    """Keep `resume` from taking a finished block: whether it was decided from all of its rows is not known yet."""
    noted = attempt.course.file(block)
    if noted.is_file():
        noted.replace(_held(noted))


def expect(vault: Vault) -> None:
    """Make room for attempts; what earlier ones left is removed."""
    clear(vault)
    with files.writing(vault.folder):
        (vault.folder / ATTEMPTS).mkdir(mode=0o700)


def begin(vault: Vault, name: str) -> Vault:
    """The place of a new attempt, to `put` blocks into; no other may have its name.

    Raises:
        StoreError: nobody expects attempts (any more), or the vault's folder is not the one where they are expected.
    """
    made = _attempt(vault, name)
    if not (vault.folder / ATTEMPTS).is_dir():
        raise StoreError("nobody waits for this block: the run has ended, or the vault's folder is not shared")
    with files.writing(made.folder):
        made.folder.parent.mkdir(mode=0o700)
        made.folder.mkdir(mode=0o700)
    made.dictionaries = vault.dictionaries
    return made


def accept(vault: Vault, name: str, block: int) -> None:
    """Take a block as that attempt put it.

    Raises:
        StoreError: it put none there.
    """
    attempt = _attempt(vault, name)
    put = [file for kind in KINDS if (file := attempt.file(kind, block).path).is_file()]
    if attempt.file("records", block).path not in put:
        raise StoreError(f"block {block} was worked on, but its records are not in the vault: is its folder shared?")
    noted = attempt.course.file(block)
    with files.writing(vault.folder):
        # Nothing that is noted of an earlier one may stand beside other salts; what is noted of this one comes last.
        vault.course.file(block).unlink(missing_ok=True)
        (vault.folder / CLOSED).unlink(missing_ok=True)
        for file in put:
            file.replace(vault.folder / file.name)
        for found in (noted, _held(noted)):
            if found.is_file():
                found.replace(vault.course.file(block))
        files.flush_folder(vault.folder)


def clear(vault: Vault) -> None:
    """Remove what no attempt was asked for any more."""
    shutil.rmtree(vault.folder / ATTEMPTS, ignore_errors=True)


def _attempt(vault: Vault, name: str) -> Vault:
    return Vault(vault.folder / ATTEMPTS / name / vault.folder.name, vault.group_names, vault.keys)


def _held(noted: Path) -> Path:
    return noted.with_name(f"held-{noted.name}")
