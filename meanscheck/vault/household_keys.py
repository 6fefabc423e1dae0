"""Which key opens the records of a household, and what is left when that key is destroyed?

The *key file* holds one random data key a household, wrapped under the deployment's key. It is small (92 bytes a
household) and lies outside the vault's folder, so that it can have a backup cycle of its own: short, because a
household is erased for good only when the last backup of its row is gone.

    meanscheck/household-keys/v1
    {"erased":[…],"erased_cases":[…],"index":"…","restricted":[…]}        canonical JSON, one line
    16  token          the household's token in the log and in the records
    16  tag            first half of HMAC-SHA256 under the index key over `case`, a line feed and the case id
    60  data key       wrapped under the deployment's key (nonce, ciphertext, tag), bound to token and tag
    …                  one such row a household, in the order of arrival

The index key is random and wrapped like a data key, bound to the rest of the line: a changed line does not open. With
it a case is found although no case id stands in any file, and without the deployment's key nobody can try case ids.

Erasing a household writes the file anew without its row and with a note in the second line, in one rename: there is no
moment at which the key is gone and nobody knows why. Then the row is overwritten in the old file's blocks. What that
can promise and what not is told in `erasure`. The note has the token; beside it, and not with it, stands a second tag
made of the first, so that a later question for the case is answered by "erased" and the two cannot be joined again.

A batch has a key here too, under a token made of its id: it seals the batch's records root, which is unsalted and would
let somebody who has all other records of the batch try out the erased one. It goes with the first household erased.

>>> import tempfile
>>> folder = tempfile.TemporaryDirectory()
>>> keys = HouseholdKeys.open(Path(folder.name, "county.keys"), key=DeploymentKey(bytes(32)), make=True)
>>> (data_key,) = keys.take(["00" * 16], ["U-0007"])
>>> keys.give(["00" * 16, "11" * 16]) == [data_key, None]
True
>>> keys.tokens_of("U-0007") == ["00" * 16]
True
>>> keys.erase("00" * 16, basis="pipl-47-3", on=date(2026, 11, 3), batches=())
>>> keys.give(["00" * 16]), keys.tokens_of("U-0007"), keys.was_erased("U-0007")
([None], [], True)
>>> folder.cleanup()
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import mmap
import os
import sys
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np

from meanscheck.errors import Erased, StoreError
from meanscheck.values.keyfile import KEY
from meanscheck.vault import files
from meanscheck.vault.deployment import WRAPPED, DeploymentKey
from meanscheck.vault.key_index import TOKEN, Index, Numbers, give_back
from meanscheck.vault.notes import ErasedNote, Notes, RestrictedNote

BOUND: Final = 2 * TOKEN
ROW: Final = BOUND + WRAPPED

_PART = 65_536
"""Rows written, or looked at for the first time, at a time."""


class HouseholdKeys:
    """The key file. May be used by several threads and, writers taking turns, by several processes."""

    def __init__(self, path: Path, key: DeploymentKey) -> None:
        self.path, self._key = path, key
        self._one_at_a_time = threading.RLock()
        self._seen: tuple[int, int, int] | None = None
        self._index = Index(path.parent)
        self._start = 0
        self._rows = np.empty((0, ROW), np.uint8)
        self._last = b""
        self._load()

    def __reduce__(self) -> tuple[type[HouseholdKeys], tuple[Path, DeploymentKey]]:
        """Another process opens the file for itself."""
        return HouseholdKeys, (self.path, self._key)

    def __repr__(self) -> str:
        return f"HouseholdKeys({self.path.name}, {len(self._rows)} keys)"

    @classmethod
    def open(cls, path: Path, *, key: DeploymentKey, make: bool = False) -> HouseholdKeys:
        """Open a key file, or make an empty one; StoreError if it is damaged or locked by another key."""
        if make and not path.exists():
            with files.writing(path):
                path.parent.mkdir(parents=True, exist_ok=True)
            with files.turn(path), files.writing(path):
                if not path.exists():
                    new = files.write_new(path, [Notes().format(key, os.urandom(KEY))])
                    new.replace(path)
                    files.flush_folder(path.parent)
        if not path.is_file():
            raise StoreError(f"the key file {path.name} is missing: without it nothing in the vault opens")
        return cls(path, key)

    # ---- data keys

    def take(self, tokens: Sequence[str], cases: Sequence[str]) -> list[bytes]:
        """The data keys of households, made where there are none yet; Erased if one of them was erased before."""
        return self._take(_raw(tokens), [b"case\n" + case.encode() for case in cases])

    def give(self, tokens: Sequence[str]) -> list[bytes | None]:
        """The data keys of households; None where there is none."""
        with self._one_at_a_time:
            self._refresh()
            return self._opened(self._places(_raw(tokens)))

    def take_of_batch(self, batch_id: str) -> bytes:
        """The key of a batch's records root, made anew if it is gone."""
        return self._take(_of_batch(batch_id), [b"batch\n" + batch_id.encode()])[0]

    def give_of_batch(self, batch_id: str) -> bytes | None:
        """The key of a batch's records root; None if it went with an erased household."""
        with self._one_at_a_time:
            self._refresh()
            return self._opened(self._places(_of_batch(batch_id)))[0]

    def tokens_of(self, case_id: str) -> list[str]:
        """Tokens under which a case has a key: none, one, or several if it was given another token later."""
        tag = np.frombuffer(self._tag(b"case\n" + case_id.encode()), np.uint8)
        with self._one_at_a_time:
            self._refresh()
            some = np.flatnonzero(self._rows[:, TOKEN] == tag[0])
            found = some[(self._rows[some, TOKEN:BOUND] == tag).all(axis=1)]
            tokens = [self._rows[row, :TOKEN].tobytes().hex() for row in found]
            give_back(self._data)
            return tokens

    def was_erased(self, case_id: str) -> bool:
        """Whether a household of that case was erased."""
        self._refresh()
        return self._tag(b"erased\n" + self._tag(b"case\n" + case_id.encode())).hex() in self._notes.cases

    # ---- what is noted

    @property
    def erased(self) -> Mapping[str, ErasedNote]:
        """Token → note, of households whose key was destroyed."""
        self._refresh()
        return self._notes.erased

    @property
    def restricted(self) -> Mapping[str, RestrictedNote]:
        """Token → note, of households whose records are only kept."""
        self._refresh()
        return self._notes.restricted

    def erase(self, token: str, *, basis: str, on: date, batches: Collection[str]) -> None:
        """Destroy a household's key and, of the batches it is in, the keys of their records roots."""
        with self._changing():
            (place,) = self._places(_raw([token]))
            if place < 0:
                raise StoreError("there is no key under that token")
            tag = self._rows[place, TOKEN:BOUND].tobytes()
            gone = self._places(_raw([token]) + b"".join(map(_of_batch, batches)))
            note = ErasedNote(token, basis, on, stated=False)
            self._write(self._notes.with_erased(note, self._tag(b"erased\n" + tag).hex()), without=gone[gone >= 0])

    def state(self, token: str) -> None:
        """Note that the log says of an erasure and that the registry has forgotten the household."""
        with self._changing():
            erased = {**self._notes.erased, token: replace(self._notes.erased[token], stated=True)}
            self._write(replace(self._notes, erased=erased))

    def restrict(self, note: RestrictedNote) -> None:
        """Note that a household's records may only be kept; a later note takes the place of an earlier one."""
        with self._changing():
            if self._places(_raw([note.token]))[0] < 0:
                raise StoreError("there is no key under that token")
            self._write(replace(self._notes, restricted={**self._notes.restricted, note.token: note}))

    def lift(self, token: str) -> None:
        """End a restriction."""
        with self._changing():
            restricted = {t: note for t, note in self._notes.restricted.items() if t != token}
            self._write(replace(self._notes, restricted=restricted))

    # ---- the file

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._one_at_a_time, files.turn(self.path):
            self._refresh()
            yield

    def _refresh(self) -> None:
        found = self.path.stat()
        if (found.st_ino, found.st_size, found.st_mtime_ns) != self._seen:
            with self._one_at_a_time:
                # The same file only ever grows: whoever takes a row out writes another one.
                self._load(known=len(self._rows) if self._seen is not None and found.st_ino == self._seen[0] else 0)

    def _load(self, known: int = 0) -> None:
        """Look at the file; its first `known` rows were looked at before."""
        with self.path.open("rb") as file:
            found = os.fstat(file.fileno())
            head = file.readline() + file.readline()
            start, count = len(head), (found.st_size - len(head)) // ROW
            self._index_key, self._notes = Notes.parse(head, self._key, self.path.name)
            self._data = mmap.mmap(file.fileno(), start + count * ROW, access=mmap.ACCESS_READ)
        self._rows = np.frombuffer(self._data, np.uint8, count * ROW, start).reshape(count, ROW)
        # A file that somebody wrote over in place (a backup brought back) is another one: its rows may stand elsewhere.
        if start != self._start or known > count or (known and self._rows[known - 1].tobytes() != self._last):
            known = 0
        self._start, self._last = start, self._rows[-1].tobytes() if count else b""
        self._seen = (found.st_ino, found.st_size, found.st_mtime_ns)
        if not known:
            self._index = Index(self.path.parent)
        for first in range(known, count, _PART):
            self._index.add(self._rows[first : first + _PART], first)
            give_back(self._data)

    def _places(self, raw: bytes) -> Numbers:
        """Row of each token, -1 where there is none."""
        places = self._index.places(np.frombuffer(raw, np.uint8).reshape(-1, TOKEN), self._rows)
        give_back(self._data)
        return places

    def _opened(self, places: Numbers) -> list[bytes | None]:
        there = np.flatnonzero(places >= 0)
        flat = self._rows[places[there]].tobytes()
        give_back(self._data)
        rows = [flat[at : at + ROW] for at in range(0, len(flat), ROW)]
        opened = self._key.unwrap_all([row[BOUND:] for row in rows], [row[:BOUND] for row in rows])
        keys: list[bytes | None] = [None] * len(places)
        for place, key in zip(there.tolist(), opened, strict=True):
            keys[place] = key
        return keys

    def _take(self, raw: bytes, names: Sequence[bytes]) -> list[bytes]:
        with self._one_at_a_time:
            self._refresh()
            places = self._places(raw)
            if (places < 0).any():
                looked_at = self._seen
                with self._changing():
                    if self._seen != looked_at:
                        # Another process was faster, perhaps with the same households.
                        places = self._places(raw)
                    self._append(raw, names, places)
            return [key for key in self._opened(places) if key is not None]

    def _append(self, raw: bytes, names: Sequence[bytes], places: Numbers) -> None:
        """Add a row for each token that has none, and write down its place."""
        missing = np.flatnonzero(places < 0)
        tokens = [raw[TOKEN * i : TOKEN * (i + 1)] for i in missing.tolist()]
        if self._notes.erased and not self._notes.erased.keys().isdisjoint(token.hex() for token in tokens):
            raise Erased("an erasure is not finished: the registry still knows an erased household's token")
        new = dict(zip(tokens, missing.tolist(), strict=True))
        bound = [token + self._tag(names[i]) for token, i in new.items()]
        noise = os.urandom(KEY * len(bound))
        wrapped = self._key.wrap_all([noise[at : at + KEY] for at in range(0, len(noise), KEY)], bound)
        known = len(self._rows)
        with self.path.open("r+b") as file:
            # A row that a crash left unfinished is no key of anybody: data are sealed after this returns.
            file.truncate(self._start + ROW * known)
            file.seek(0, os.SEEK_END)
            file.write(b"".join(b + w for b, w in zip(bound, wrapped, strict=True)))
            file.flush()
            os.fsync(file.fileno())
        self._load(known=known)
        row_of = dict(zip(new, range(known, known + len(new)), strict=True))
        places[missing] = [row_of[token] for token in tokens]

    def _write(self, notes: Notes, without: Numbers | None = None) -> None:
        """Write the file anew with other notes, less some rows, and overwrite those rows in the old file."""
        keep = np.ones(len(self._rows), np.bool_)
        if without is not None:
            keep[without] = False
        kept = np.flatnonzero(keep)
        head = notes.format(self._key, self._index_key)
        rows = (self._rows[kept[at : at + _PART]].tobytes() for at in range(0, len(kept), _PART))
        new = files.write_new(self.path, itertools.chain((head,), rows))
        gone, start = [] if without is None else without.tolist(), self._start
        with files.writing(self.path):
            if sys.platform == "win32":
                new.replace(self.path)
            else:
                with self.path.open("r+b") as old:
                    new.replace(self.path)
                    files.flush_folder(self.path.parent)
                    for row in gone:
                        old.seek(start + ROW * row)
                        old.write(bytes(ROW))
                    old.flush()
                    os.fsync(old.fileno())
        self._load()

    def _tag(self, name: bytes) -> bytes:
        return hmac.digest(self._index_key, name, "sha256")[:TOKEN]


def _raw(tokens: Sequence[str]) -> bytes:
    try:
        raw = bytes.fromhex("".join(tokens))
    except (ValueError, TypeError):
        raise StoreError("a token is not 32 hex characters") from None
    if len(raw) != TOKEN * len(tokens):
        raise StoreError("a token is not 32 hex characters")
    return raw


def _of_batch(batch_id: str) -> bytes:
    """The token under which a batch has its key: no household's, since those are drawn at random."""
    return hashlib.sha256(b"meanscheck/vault/batch/v1\n" + batch_id.encode()).digest()[:TOKEN]
