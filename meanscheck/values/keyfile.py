"""How is a secret of 32 bytes kept as text, in a file or in the environment?

As a head that says what it opens, a blank, and 64 hex characters; a file has a line feed behind, and mode 0600. A file
that others may read is refused, and none is ever overwritten. A command line is no place for a key: other users of the
machine read it in the list of processes.

>>> KeyForm("meanscheck/example-key/v1", "example key").parse("meanscheck/example-key/v1 " + "00" * 32, "here")[:2]
b'\\x00\\x00'
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from meanscheck.errors import StoreError

KEY = 32
"""Bytes of a secret."""


@dataclass(frozen=True, slots=True)
class KeyForm:
    """One kind of key: the head of its text, and what it is called in messages."""

    head: str
    what: str

    def format(self, secret: bytes) -> str:
        """The text of a secret. Show it to nobody."""
        return f"{self.head} {secret.hex()}"

    def parse(self, text: str, where: str) -> bytes:
        """The secret of a text; StoreError, which does not repeat it, if it is not one of this kind."""
        head, _, digits = text.partition(" ")
        if head != self.head or len(digits) != 2 * KEY or set(digits) - set("0123456789abcdef"):
            raise StoreError(f"{where} is not a {self.what}, or is damaged")
        return bytes.fromhex(digits)

    def load(self, path: Path | str) -> bytes:
        """The secret in a file; StoreError if it cannot be read, is no such key, or may be read by others."""
        path = Path(path)
        try:
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                data = file.read(len(self.head) + 2 * KEY + 3)
        except OSError as error:
            raise StoreError(f"{self.what} {path.name} cannot be read: {error.strerror}") from None
        if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
            raise StoreError(f"others may read the {self.what} {path.name}: chmod 600 it")
        if not data.endswith(b"\n"):
            raise StoreError(f"{path.name} is not a {self.what}, or is damaged")
        return self.parse(data[:-1].decode("ascii", "replace"), path.name)

    def save(self, secret: bytes, path: Path | str) -> Path:
        """Write a key file and return its path."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise StoreError(f"{self.what} {path.name} exists already; keys are never overwritten") from None
        with os.fdopen(descriptor, "wb") as file:
            file.write(f"{self.format(secret)}\n".encode())
            file.flush()
            os.fsync(file.fileno())
        return path


class Secret:
    """A secret of one kind. Its bytes are in no repr and in no error."""

    __slots__ = ("_secret",)
    form: ClassVar[KeyForm]

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY:
            raise StoreError(f"a {self.form.what} has {KEY} bytes")
        self._secret = secret

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    @classmethod
    def generate(cls) -> Self:
        """A new random key; `save` keeps it."""
        return cls(os.urandom(KEY))

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a key file; StoreError if it cannot be read, is no key file, or may be read by others."""
        return cls(cls.form.load(path))

    @classmethod
    def ask(cls, callback: Callable[[], bytes]) -> Self:
        """The key that a callable gives, such as one that asks a key service: 32 bytes."""
        return cls(callback())

    @classmethod
    def in_environment(cls, variable: str) -> Self | None:
        """The key in a variable; None if it is not set."""
        text = os.environ.get(variable, "")
        return cls(cls.form.parse(text, variable)) if text else None

    @property
    def text(self) -> str:
        """The key as text, to be put into an environment or a key service. Show it to nobody."""
        return self.form.format(self._secret)

    def save(self, path: Path | str) -> Path:
        """Write a key file (mode 0600) and return its path. Never overwrites."""
        return self.form.save(self._secret, path)
