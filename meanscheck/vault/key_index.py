"""In which row of a key file does a token stand, without memory that grows with the households?

The first 34 bits of a token and its row, 30 bits, are one number of eight bytes. These stand in *runs*, each in rising
order and at least twice as long as the next. A run of a million rows is not merged any more: it goes into a file
without a name beside the key file and is mapped, and after each question the system is given its memory back: the pages
of a mapped file that was looked at here and there would soon be all of it. What a run holds stands in the key file in
the clear.

>>> import tempfile
>>> folder = tempfile.TemporaryDirectory()
>>> index = Index(Path(folder.name))
>>> rows = np.arange(48, dtype=np.uint8).reshape(3, TOKEN)
>>> index.add(rows, first=0)
>>> index.places(rows[[2, 0]], rows).tolist(), index.places(rows + 1, rows).tolist()
([2, 0], [-1, -1, -1])
>>> folder.cleanup()
"""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from meanscheck.errors import StoreError
from meanscheck.vault import files

TOKEN: Final = 16
ROWS: Final = 2**30

_LONG = 2**20
"""Rows of a run that is not merged any more."""

Bytes: TypeAlias = NDArray[np.uint8]
Numbers: TypeAlias = NDArray[np.int64]
_Run: TypeAlias = NDArray[np.uint64]
_ROW_OF: Final = np.uint64(ROWS - 1)
_HEAD_OF: Final = ~_ROW_OF


class Index:
    """Rows of tokens."""

    def __init__(self, folder: Path) -> None:
        """An empty one; long runs are put into that folder, or held in memory if nothing can be written there."""
        self._folder = folder
        self._short: list[_Run] = []
        self._long: list[tuple[_Run, mmap.mmap | None]] = []

    def add(self, tokens: Bytes, first: int) -> None:
        """Take up rows `first` … of a key file, whose tokens are the first sixteen bytes of each.

        Raises:
            StoreError: they are more than 2^30, as in a key file of 98 gigabytes.
        """
        if first + len(tokens) > ROWS:
            raise StoreError(f"a key file has at most {ROWS} households: begin another vault folder")
        for at in range(0, len(tokens), _LONG):
            part = tokens[at : at + _LONG]
            numbers = np.arange(first + at, first + at + len(part), dtype=np.uint64)
            numbers |= _heads(part)
            numbers.sort()
            self._merge(numbers)

    def places(self, wanted: Bytes, rows: Bytes) -> Numbers:
        """The row of each token, -1 where there is none; `rows` are those that were taken up."""
        heads, found = _heads(wanted), np.full(len(wanted), -1, np.int64)
        # From one end of a run to the other, and not to and fro.
        asked = np.argsort(heads, kind="stable")
        for run, data in [*((run, None) for run in self._short), *self._long]:
            still = asked
            at = np.searchsorted(run, heads[still])
            while len(still):
                there = at < len(run)
                still, at = still[there], at[there]
                same = run[at] & _HEAD_OF == heads[still]
                still, at = still[same], at[same]
                here = (run[at] & _ROW_OF).astype(np.int64)
                same = (rows[here, :TOKEN] == wanted[still]).all(axis=1)
                found[still[same]] = here[same]
                still, at = still[~same], at[~same] + 1
            if data is not None:
                give_back(data)
            asked = asked[found[asked] < 0]
        return found

    def _merge(self, run: _Run) -> None:
        while self._short and len(self._short[-1]) < 2 * len(run):
            run = np.concatenate([self._short.pop(), run])
            run.sort(kind="stable")  # which merges what is sorted
        if len(run) < _LONG:
            self._short.append(run)
        else:
            self._long.append(self._put_away(run))

    def _put_away(self, run: _Run) -> tuple[_Run, mmap.mmap | None]:
        data = files.put_away(self._folder, [run.data])
        return run if data is None else np.frombuffer(data, np.uint64), data


def give_back(data: mmap.mmap) -> None:
    """Let the system have the memory of what was looked at in a file."""
    if hasattr(data, "madvise"):
        data.madvise(mmap.MADV_DONTNEED)


def _heads(tokens: Bytes) -> NDArray[np.uint64]:
    return np.ascontiguousarray(tokens[:, :8]).view(">u8").ravel().astype(np.uint64) & _HEAD_OF
