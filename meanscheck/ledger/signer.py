"""Who may sign for a log, and how is a signer kept from contradicting itself?

A `Signer` holds keys under the log's name and a *state*: the last tree head it signed. Before it signs a new one it
demands a consistency proof from that head, and it writes the state before it hands out the signature. A log folder
restored from a backup, or edited, cannot make it sign a second history. The state has its own file beside the key,
never in the log's folder. (Key, state and log all restored together: one machine cannot notice that, witnesses can.)

>>> signer = Signer.generate("example.com/county")            # in memory: for tests and demonstrations
>>> head = Checkpoint("example.com/county", 1, merkle.leaf_hash(b"first"))
>>> signed = signer.sign_checkpoint(head, prove=lambda old: [])
>>> note.open(signed, signer.keys).text == checkpoint.format(head)
True
>>> fork = Checkpoint("example.com/county", 1, merkle.leaf_hash(b"other"))
>>> signer.sign_checkpoint(fork, prove=lambda old: [])
Traceback (most recent call last):
meanscheck.errors.LedgerError: refused: the log does not continue the last tree head signed (1 leaves)

Each key gives the checkpoint a line. A new signer has two: Ed25519, which every client of signed notes knows, and
ML-DSA-44, which will hold when quantum computers have made the first worthless. `keyfile.py` keeps both in one file.

>>> [key.type for key in signer.keys]
[1, 6]

Any `note.NoteSigner` can give a line, such as a device that holds the key: `Signer([device, ...], path=...)`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import checkpoint, files, keyfile, merkle, note
from meanscheck.ledger.checkpoint import Checkpoint
from meanscheck.ledger.keyfile import ENVIRONMENT, Passphrase, PrivateKey

__all__ = ["ENVIRONMENT", "Passphrase", "Prove", "Signer"]

Prove: TypeAlias = Callable[[int], list[bytes]]


class Signer:
    """Keys under one name, and the last tree head they signed.

    Attributes:
        signers: who gives each line of a checkpoint, in order.
        path: the key file, beside which the state is kept; None keeps the state in memory.
    """

    def __init__(self, signers: Sequence[note.NoteSigner], *, path: Path | None = None) -> None:
        self.signers = tuple(signers)
        self.path = path
        self._memory: Checkpoint | None = None
        if len({key.name for key in self.keys}) != 1:
            raise LedgerError("a log's keys have one name, the log's origin")
        if len({(key.key_id, key.public) for key in self.keys}) != len(self.signers):
            raise LedgerError("the same key is given twice")
        if any(key.type == note.COSIGNATURE for key in self.keys):
            raise LedgerError("a witness's key cannot sign for a log")

    @classmethod
    def generate(cls, name: str, *, ml_dsa: bool = True) -> Signer:
        """New keys; `name` is the log's origin, such as ``county.example/relief-2026``. `save` keeps them.

        Args:
            ml_dsa: with a second key, ML-DSA-44.
        """
        types = (note.ED25519, note.ML_DSA) if ml_dsa else (note.ED25519,)
        return cls([PrivateKey.generate(name, type) for type in types])

    @classmethod
    def from_seed(cls, name: str, *, seed: bytes, ml_dsa_seed: bytes | None = None) -> Signer:
        """The keys of 32-byte seeds: the same seed gives the same key. For test vectors."""
        keys = [PrivateKey.from_seed(name, note.ED25519, seed=seed)]
        if ml_dsa_seed is not None:
            keys.append(PrivateKey.from_seed(name, note.ML_DSA, seed=ml_dsa_seed))
        return cls(keys)

    @classmethod
    def load(cls, path: Path | str, *, passphrase: Passphrase = None) -> Signer:
        """Read a key file. LedgerError if unreadable, unencrypted and open to others, or if the passphrase fails."""
        path = Path(path)
        return cls(keyfile.read(path, passphrase=passphrase), path=path)

    def save(self, path: Path | str, *, passphrase: Passphrase = None, unprotected: bool = False) -> Path:
        """Write a new key file (mode 0600) and return its path. Never overwrites.

        Args:
            path: outside the log's folder.
            passphrase: bytes, a callable, or None for the environment variable.
            unprotected: write the keys in the clear. For tests and demonstrations.
        """
        keys = [signer for signer in self.signers if isinstance(signer, PrivateKey)]
        if len(keys) != len(self.signers):
            raise LedgerError("a key that something else holds cannot be saved")
        self.path = keyfile.write(Path(path), keys, passphrase=passphrase, unprotected=unprotected)
        if self._memory is not None:
            self._write_state(self._memory)
        return self.path

    @property
    def keys(self) -> tuple[note.VerifierKey, ...]:
        """The public keys, in the order of lines."""
        return tuple(signer.key for signer in self.signers)

    @property
    def key(self) -> note.VerifierKey:
        """The first key; its name is the log's origin."""
        return self.signers[0].key

    def sign_note(self, text: str) -> bytes:
        """The first key's signature over a text. Tree heads go through `sign_checkpoint`."""
        return self.signers[0].sign_note(text)

    def sign_checkpoint(self, head: Checkpoint, *, prove: Prove) -> str:
        """The signed note of a tree head, after checking that it continues the last one signed.

        Args:
            head: the new tree head; its origin is the keys' name.
            prove: gives the consistency proof from an older size to `head`.
        """
        if head.origin != self.key.name:
            raise LedgerError("this key signs for another log: key name and origin differ")
        with files.lock(self.state_path):
            last = self.last_signed()
            if last is not None:
                self._continues(last, head, prove)
            self._write_state(head)
        return note.sign(checkpoint.format(head), self.signers)

    def last_signed(self) -> Checkpoint | None:
        """The last tree head signed, or None before the first."""
        if self.state_path is None:
            return self._memory
        try:
            return checkpoint.parse(self.state_path.read_bytes().decode())
        except FileNotFoundError:
            return None
        except (ValueError, NotProven):
            raise LedgerError(f"signer state {self.state_path.name} is damaged; see `adopt`") from None

    def adopt(self, head: Checkpoint) -> None:
        """Take a tree head as the last one signed, where the state was lost. Dangerous: ask a witness first."""
        self._write_state(head)

    @property
    def state_path(self) -> Path | None:
        """The file with the text of the last tree head signed, beside the key file; None for a key held in memory."""
        return None if self.path is None else self.path.with_name(self.path.name + ".state")

    def _continues(self, last: Checkpoint, head: Checkpoint, prove: Prove) -> None:
        if last.origin != head.origin:
            raise LedgerError("the signer's state is that of another log")
        try:
            if head.size < last.size:
                raise NotProven("consistency", "the log became shorter")
            merkle.check_consistency(last.size, last.root, head.size, head.root, prove(last.size))
        except NotProven:
            raise LedgerError(
                f"refused: the log does not continue the last tree head signed ({last.size} leaves)"
            ) from None

    def _write_state(self, head: Checkpoint) -> None:
        if self.state_path is None:
            self._memory = head
        else:
            files.replace(self.state_path, checkpoint.format(head).encode())
