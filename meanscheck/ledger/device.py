"""How does a key sign that never leaves its device? Through PKCS#11, which hardware modules, cards and tokens speak.

The key is an Ed25519 pair (CKK_EC_EDWARDS) in a token, found by its label; the device signs the note text with
CKM_EDDSA (PKCS#11 3.0 section 2.3.14: no parameters, so plain Ed25519 of RFC 8032). The PIN comes from the environment
variable MEANSCHECK_PKCS11_PIN or from a callable, never as an argument. A session lasts for one signature, so a device
that was taken out and put back goes on working.

    signer = DeviceSigner.open(
        "county.example/relief", module="/usr/lib/softhsm/libsofthsm2.so", token="county", label="relief-2026"
    )
    ledger = Ledger.open("ledger", signer=Guarded([signer], state="keys/county.state"))

Needs the extra `pkcs11` (python-pkcs11). The token gives the public key; the policy that auditors hold says whether it
is the right one. Two forms of it are met in the wild, the bare 32 bytes and the same as a DER OCTET STRING:

>>> point_of(bytes(32)) == point_of(bytes([4, 32]) + bytes(32)) == bytes(32)
True
>>> point_of(bytes(33))
Traceback (most recent call last):
meanscheck.errors.LedgerError: the token's public key is not one of Ed25519
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import note

if TYPE_CHECKING:
    from pkcs11 import Session

ENVIRONMENT = "MEANSCHECK_PKCS11_PIN"

Pin: TypeAlias = Callable[[], str] | None


class DeviceSigner:
    """Signs notes with an Ed25519 key in a PKCS#11 token."""

    def __init__(self, key: note.VerifierKey, *, module: Path | str, token: str, label: str, pin: Pin = None) -> None:
        """A signer whose public key is known already; `open` reads it from the token.

        Args:
            key: the public key; every signature is verified by it.
            module: the device's PKCS#11 library.
            token: the token's label.
            label: the key pair's label in the token.
            pin: gives the user's PIN each time one is needed; None for the environment variable.
        """
        if key.type != note.ED25519:
            raise LedgerError("a device signs with keys of type 1 (Ed25519) only")
        self.key = key
        self._module, self._token, self._label, self._pin = str(module), token, label, pin

    @classmethod
    def open(cls, name: str, *, module: Path | str, token: str, label: str, pin: Pin = None) -> DeviceSigner:
        """The signer of a key pair in a token, under a name (the log's origin).

        Raises:
            LedgerError: the extra is not installed, or module, token, key or PIN do not fit.
        """
        with _session(str(module), token, pin) as session:
            from pkcs11 import Attribute, KeyType, ObjectClass

            public = session.get_key(object_class=ObjectClass.PUBLIC_KEY, key_type=KeyType.EC_EDWARDS, label=label)
            point = point_of(bytes(public[Attribute.EC_POINT]))
        return cls(note.VerifierKey(name, note.ED25519, point), module=module, token=token, label=label, pin=pin)

    def __repr__(self) -> str:
        return f"DeviceSigner({self.key.label})"

    def sign_note(self, text: str) -> bytes:
        """The device's Ed25519 signature over a note text, verified; LedgerError if it gives none."""
        with _session(self._module, self._token, self._pin) as session:
            from pkcs11 import KeyType, Mechanism, ObjectClass

            private = session.get_key(
                object_class=ObjectClass.PRIVATE_KEY, key_type=KeyType.EC_EDWARDS, label=self._label
            )
            signature = bytes(private.sign(text.encode(), mechanism=Mechanism.EDDSA))
        try:
            self.key.verify(text, signature)
        except NotProven:
            raise LedgerError(f"the device signed with another key than {self.key.label}") from None
        return signature


def point_of(data: bytes) -> bytes:
    """The 32 bytes of an Ed25519 public key in CKA_EC_POINT, bare or as a DER OCTET STRING."""
    if len(data) == 34 and data[:2] == b"\x04\x20":
        return data[2:]
    if len(data) == 32:
        return data
    raise LedgerError("the token's public key is not one of Ed25519")


@contextlib.contextmanager
def _session(module: str, token: str, pin: Pin) -> Iterator[Session]:
    """A session of the logged-in user; what PKCS#11 says goes into the message by name only."""
    try:
        import pkcs11
    except ImportError:
        raise LedgerError("devices need the extra pkcs11: pip install 'meanscheck[pkcs11]'") from None
    secret = pin() if pin is not None else os.environ.get(ENVIRONMENT, "")
    if not secret:
        raise LedgerError(f"the token needs a PIN: give a callable for it, or set {ENVIRONMENT}")
    try:
        library = pkcs11.lib(module)
    except RuntimeError:
        raise LedgerError(f"the PKCS#11 module {Path(module).name} cannot be loaded") from None
    try:
        with library.get_token(token_label=token).open(user_pin=secret) as session:
            yield session
    except pkcs11.PKCS11Error as error:
        raise LedgerError(f"the device refused: {_WORDS.get(name := type(error).__name__, name)}") from None


_WORDS = {
    "PinIncorrect": "the PIN is wrong; a device locks after a few wrong ones",
    "PinLenRange": "the PIN has the wrong length",
    "PinLocked": "the PIN is locked after too many wrong ones",
    "NoSuchToken": "no token of that label",
    "MultipleTokensReturned": "several tokens have that label",
    "NoSuchKey": "no Ed25519 key of that label in the token",
    "MultipleObjectsReturned": "several keys of the token have that label",
}
