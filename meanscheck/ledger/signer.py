"""Who may sign for a log? Keys in a key file, under the log's name, with the state that keeps them from contradicting
themselves.

A `Signer` is a `state.Guarded` whose state lies beside the key file, never in the log's folder: before it signs a tree
head it demands a consistency proof from the last one it signed. (Key, state and log all restored together: one machine
cannot notice that, witnesses can.)

>>> from meanscheck.ledger import checkpoint, merkle
>>> signer = Signer.generate("example.com/county")            # in memory: for tests and demonstrations
>>> head = checkpoint.Checkpoint("example.com/county", 1, merkle.leaf_hash(b"first"))
>>> signed = signer.sign_checkpoint(head, prove=lambda old: [])
>>> note.open(signed, signer.keys).text == checkpoint.format(head)
True
>>> fork = checkpoint.Checkpoint("example.com/county", 1, merkle.leaf_hash(b"other"))
>>> signer.sign_checkpoint(fork, prove=lambda old: [])
Traceback (most recent call last):
meanscheck.errors.LedgerError: refused: the log does not continue the last tree head signed (1 leaves)

Each key gives the checkpoint a line. A new signer has two: Ed25519, which every client of signed notes knows, and
ML-DSA-44, which will hold when quantum computers have made the first worthless. `keyfile.py` keeps both in one file.

>>> [key.type for key in signer.keys]
[1, 6]

A key that something else holds (a command, a device) is guarded by `Guarded([...], state=...)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from meanscheck.errors import LedgerError
from meanscheck.ledger import keyfile, note
from meanscheck.ledger.keyfile import ENVIRONMENT, Passphrase, PrivateKey
from meanscheck.ledger.state import Guarded, Prove

__all__ = ["ENVIRONMENT", "Passphrase", "Prove", "Signer"]


class Signer(Guarded):
    """Keys under one name, and the last tree head they signed.

    Attributes:
        signers: who gives each line of a checkpoint, in order.
        path: the key file, beside which the state is kept; None keeps both in memory.
    """

    def __init__(self, signers: Sequence[note.NoteSigner], *, path: Path | None = None) -> None:
        super().__init__(signers, state=None if path is None else _state_of(path))
        self.path = path

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
        self._state.keep_at(_state_of(self.path))
        return self.path

    def sign_note(self, text: str) -> bytes:
        """The first key's signature over a text. Tree heads go through `sign_checkpoint`."""
        return self.signers[0].sign_note(text)

    @property
    def state_path(self) -> Path | None:
        """The file with the text of the last tree head signed, beside the key file; None for a key held in memory."""
        return self._state.path


def _state_of(path: Path) -> Path:
    return path.with_name(path.name + ".state")
