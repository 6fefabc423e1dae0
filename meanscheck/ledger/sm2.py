"""Who signed this note with SM2 (商用密码椭圆曲线公钥密码算法, GB/T 32918-2016)? A key of type 255 answers.

C2SP signed-note keeps type 255 for signatures without a number of their own, and asks that a longer identifier follow
the byte. A verifier key of this kind is thus `<name>+<key id>+<base64 of>`

    ff | "meanscheck/sm2-sm3/v1" 00 | 04 x y                  the point uncompressed (SEC 1), 65 bytes

and the signature is r and s of SM2 over the note text with SM3, 32 bytes each (GB/T 32918.2), under the default user id
1234567812345678 (GB/T 35276). Others' clients pass over such lines, as the specification asks.

The example of GB/T 32918.5-2017 annex A.2 (message "message digest", the recommended curve):

>>> point = bytes.fromhex(
...     "04" "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
...     "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13")
>>> key = Sm2Key.of("county.example/relief/sm3", point)
>>> str(key)[:40], note.VerifierKey.parse(str(key)) == key
('county.example/relief/sm3+59927938+/21lY', True)
>>> rs = bytes.fromhex(
...     "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
...     "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA")
>>> from_der(to_der(rs)) == rs
True

Signing and verifying need the extra `gm` (gmssl-pyx). `Sm2Signer` holds a key in a file, for tests and small sites;
where a certified device or signing server is asked for, it signs through `command.CommandSigner`, with
`convert=sm2.from_der` if it writes DER.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import note
from meanscheck.ledger.keyfile import Passphrase, passphrase_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

IDENTIFIER = b"meanscheck/sm2-sm3/v1\0"
USER = b"1234567812345678"

# GB/T 32918.5-2017: the recommended curve y^2 = x^3 - 3x + b over the field of p, with n points.
_P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
_N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123


class Sm2Key(note.VerifierKey):
    """An SM2 public key with its name; `public` holds identifier and point."""

    def __post_init__(self) -> None:
        if not note.is_key_name(self.name):
            raise NotProven("key", "a key name must be non-empty and without spaces, plus signs or control characters")
        if self.type != note.LONG or not self.public.startswith(IDENTIFIER):
            raise NotProven("key", "the key is of no known type")
        if not _is_on_curve(self.point):
            raise NotProven("key", "an SM2 public key is an uncompressed point of the curve, 65 bytes")

    @classmethod
    def of(cls, name: str, point: bytes) -> Sm2Key:
        """The key of a point (65 bytes, uncompressed) under a name."""
        return cls(name, note.LONG, IDENTIFIER + point)

    @property
    def point(self) -> bytes:
        """The public key: 04, x, y."""
        return self.public[len(IDENTIFIER) :]

    def verify(self, text: str, signature: bytes) -> None:
        """Check a signature over a note text. LedgerError if the extra is missing."""
        _client()
        from gmssl_pyx import GmsslInnerError, sm2_verify

        try:
            good = sm2_verify(self.point[1:], text.encode(), to_der(signature), signer_id=USER)
        except (GmsslInnerError, ValueError):
            good = False
        if not good:
            raise NotProven("signature", f"the signature of key {self.label} does not fit the text")


class Sm2Signer:
    """An SM2 key pair under a name. `state.Guarded`, with the hashing SM3, makes it fit to sign tree heads."""

    def __init__(self, key: Sm2Key, private: bytes) -> None:
        """
        Args:
            key: the public key; every signature is verified by it.
            private: 32 bytes.
        """
        if len(private) != 32:
            raise LedgerError("an SM2 private key has 32 bytes")
        self.key = key
        self._private = private

    @classmethod
    def generate(cls, name: str) -> Sm2Signer:
        """A new key pair; `save` keeps it."""
        _client()
        from gmssl_pyx import sm2_key_generate

        public, private = sm2_key_generate()
        return cls(Sm2Key.of(name, b"\x04" + public), private)

    @classmethod
    def load(cls, path: Path | str, *, passphrase: Passphrase = None) -> Sm2Signer:
        """Read a key file; LedgerError if unreadable, damaged, or if the passphrase fails."""
        path = Path(path)
        try:
            first, second = path.read_bytes().decode().splitlines()
        except OSError as error:
            raise LedgerError(f"key file {path.name} cannot be read: {error.strerror}") from None
        except ValueError:
            raise LedgerError(f"key file {path.name} is not one of SM2") from None
        try:
            key = note.VerifierKey.parse(first)
            if not isinstance(key, Sm2Key):
                raise LedgerError(f"key file {path.name} is not one of SM2")
            signer = cls(key, _unsealed(second, first, passphrase_of(passphrase)))
            signer.sign_note("\n")
        except NotProven:
            raise LedgerError(f"key file {path.name} is damaged, or the passphrase is wrong") from None
        return signer

    def save(self, path: Path | str, *, passphrase: Passphrase = None) -> Path:
        """Write a new key file (mode 0600), sealed under a passphrase, and return its path. Never overwrites.

        Two lines: the verifier key; salt, nonce and sealed private key in base64. The seal is AES-256-GCM under a key
        by scrypt from the passphrase, bound to the first line.
        """
        path = Path(path)
        sealed = _sealed(self._private, str(self.key), passphrase_of(passphrase))
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise LedgerError(f"key file {path.name} exists already; keys are never overwritten") from None
        with os.fdopen(descriptor, "wb") as file:
            file.write(f"{self.key}\n{sealed}\n".encode())
            file.flush()
            os.fsync(file.fileno())
        return path

    def __repr__(self) -> str:
        return f"Sm2Signer({self.key.label})"

    def sign_note(self, text: str) -> bytes:
        """r and s over a note text, verified."""
        _client()
        from gmssl_pyx import GmsslInnerError, sm2_sign

        try:
            signature = from_der(sm2_sign(self._private, self.key.point[1:], text.encode(), signer_id=USER))
        except GmsslInnerError:
            raise NotProven("signature", "the private key is none of SM2") from None
        self.key.verify(text, signature)
        return signature


def from_der(signature: bytes) -> bytes:
    """r and s, 32 bytes each, of a signature in DER (GB/T 35276), as libraries and devices write it."""
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    r, s = decode_dss_signature(signature)
    if not (0 < r < _N and 0 < s < _N):
        raise ValueError("r or s is not below the order of the curve")
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def to_der(signature: bytes) -> bytes:
    """DER of r and s; ValueError unless 64 bytes with both in range."""
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if len(signature) != 64 or not (0 < r < _N and 0 < s < _N):
        raise ValueError("an SM2 signature is r and s, 32 bytes each, both below the order of the curve")
    return encode_dss_signature(r, s)


def _is_on_curve(point: bytes) -> bool:
    x, y = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    return len(point) == 65 and point[0] == 4 and x < _P and y < _P and (y * y - (x**3 - 3 * x + _B)) % _P == 0


def _sealed(private: bytes, bound: str, passphrase: bytes) -> str:
    salt, nonce = os.urandom(16), os.urandom(12)
    return note.encode64(salt + nonce + _cipher(passphrase, salt).encrypt(nonce, private, bound.encode()))


def _unsealed(line: str, bound: str, passphrase: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag

    data = note.decode64(line)
    if data is None or len(data) != 16 + 12 + 32 + 16:
        raise NotProven("key", "the sealed key has another length")
    try:
        return _cipher(passphrase, data[:16]).decrypt(data[16:28], data[28:], bound.encode())
    except InvalidTag:
        raise NotProven("key", "the passphrase does not fit") from None


def _cipher(passphrase: bytes, salt: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    # RFC 7914: 32 MiB and about 0.1 s for each try of a passphrase.
    return AESGCM(Scrypt(salt=salt, length=32, n=1 << 15, r=8, p=1).derive(passphrase))


def _client() -> None:
    try:
        import gmssl_pyx  # noqa: F401
    except ImportError:
        raise LedgerError("SM2 needs the extra gm: pip install 'meanscheck[gm]'") from None
