"""When did this checkpoint exist at the latest? A timestamp (RFC 3161) says so in the name of an outside authority.

The authority signs, with its own clock, the SHA-256 of the checkpoint's note text: origin, size, root, without the
signature lines. So the token stays good whichever lines a receipt carries, and whoever steals the log's key later
cannot have made the stamped tree head. A token is the authority's whole reply in DER. It travels as a file beside what
it stamps, under the name with `.tsr` added:

>>> token_path(Path("ledger/checkpoint")).as_posix(), token_path(Path("0007.tlog-proof")).as_posix()
('ledger/checkpoint.tsr', '0007.tlog-proof.tsr')

An office has a token made through a *carrier*, anything that takes the bytes of a request and brings those of the
reply: `http_carrier`, or a person with a memory stick. Who verifies needs the token, the authority's root certificate
from somewhere he trusts, and no network:

    stamp_checkpoint(Path("ledger/checkpoint"), carrier=http_carrier("http://tsa.example/"), roots=[root])

    stamped = check_timestamp(text, token, roots=[root])
    proven = with_timestamp(verify(receipt, policy=policy), token, roots=[root])       # adds the step to the report

Checked are: the imprint over this very text, the signature, the chain to a given root with every certificate valid at
the stamped time, the purpose of the certificate, and, when the token is fetched, that it answers the very request. Not
checked is whether the certificate was revoked: that needs the authority's lists. A few bytes of the envelope (versions,
a name of an algorithm that is told twice) are covered by no signature in CMS; changing them changes nothing that
`Stamped` says.

Needs the extra `timestamp` (rfc3161-client). It reads DER strictly and refuses a token whose certificates stand in an
order that DER does not allow, as OpenSSL 3.0 writes them where it is told to add the chain: ask the authority for
tokens without intermediate certificates, and give these along with the root.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import checkpoint, files, note
from meanscheck.ledger.verdict import Proven, Step

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from rfc3161_client import TimeStampResponse

SUFFIX = ".tsr"
MAX_TOKEN = 1 << 20
SECONDS = 30

Carrier: TypeAlias = Callable[[bytes], bytes]
"""Takes the bytes of a request to the authority and brings those of its reply."""


@dataclass(frozen=True, slots=True)
class Stamped:
    """What a token says of a text.

    Attributes:
        time: POSIX seconds; the text existed then.
        authority: name of the certificate that signed (RFC 4514).
        policy: the authority's policy, an object identifier.
        serial: number of the token at the authority.
    """

    time: int
    authority: str
    policy: str
    serial: int


def token_path(path: Path) -> Path:
    """The file of the token for a checkpoint or a receipt: the name with `.tsr` added."""
    return path.with_name(path.name + SUFFIX)


def stamp(note_text: str, *, carrier: Carrier, roots: Sequence[bytes]) -> bytes:
    """Have an authority stamp a note text. Returns the token, already checked.

    Args:
        note_text: the text of a checkpoint's note, without signature lines.
        carrier: brings the request there and the reply back.
        roots: certificates, PEM or DER, to which the authority must lead.

    Raises:
        LedgerError: the carrier fails; NotProven: what came back is no good timestamp of this text.
    """
    _client()
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    builder = TimestampRequestBuilder().data(note_text.encode()).hash_algorithm(HashAlgorithm.SHA256)
    request = builder.nonce(nonce=True).cert_request(cert_request=True).build()
    try:
        token = carrier(request.as_bytes())
    except OSError as error:
        raise LedgerError(f"the timestamp could not be fetched: {error.strerror or type(error).__name__}") from None
    _check(note_text, token, roots, nonce=request.nonce)
    return token


def stamp_checkpoint(path: Path, *, carrier: Carrier, roots: Sequence[bytes]) -> Path:
    """Have the checkpoint in a file stamped as it is now; returns the token's file beside it."""
    try:
        text, _ = note.parse(path.read_bytes().decode())
    except OSError as error:
        raise LedgerError(f"{path.name} cannot be read: {error.strerror}") from None
    except ValueError:
        raise LedgerError(f"{path.name} is not text") from None
    token = stamp(text, carrier=carrier, roots=roots)
    files.replace(token_path(path), token)
    return token_path(path)


def check_timestamp(note_text: str, token: bytes, *, roots: Sequence[bytes]) -> Stamped:
    """Verify a token over a note text, offline.

    Args:
        note_text: the exact text of the checkpoint's note, without signature lines.
        token: the authority's reply, DER.
        roots: certificates, PEM or DER, that are trusted for time.

    Raises:
        NotProven: step ``timestamp``. LedgerError: the extra is missing, or a root is no certificate.
    """
    return _check(note_text, token, roots, nonce=None)


def with_timestamp(proven: Proven, token: bytes, *, roots: Sequence[bytes]) -> Proven:
    """What was proven, and that its checkpoint existed at the stamped time; NotProven if the token does not hold."""
    head = checkpoint.Checkpoint(proven.origin, proven.size, bytes.fromhex(proven.root))
    stamped = check_timestamp(checkpoint.format(head), token, roots=roots)
    return replace(proven, steps=(*proven.steps, step_of(stamped)))


def step_of(stamped: Stamped) -> Step:
    """The line of the report."""
    when = datetime.fromtimestamp(stamped.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Step(
        "timestamp",
        f"时间：时间戳机构 {stamped.authority} 证明检查点在 {when} 已经存在（策略 {stamped.policy}；未查证书吊销）。",
        f"Time: {stamped.authority} attests that the checkpoint existed at {when} "
        f"(policy {stamped.policy}; revocation not checked).",
    )


def http_carrier(url: str, *, seconds: int = SECONDS) -> Carrier:
    """A carrier over HTTP (RFC 3161 section 3.4). Plain http is enough: the token is signed and answers a nonce."""
    if not url.startswith(("http://", "https://")):
        raise LedgerError("the address of a timestamp authority begins with http:// or https://")

    def carry(request: bytes) -> bytes:
        import urllib.error
        import urllib.request

        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        question = urllib.request.Request(url, data=request, headers=headers, method="POST")
        try:
            with urllib.request.urlopen(question, timeout=seconds) as reply:
                kind = reply.headers.get_content_type()
                data: bytes = reply.read(MAX_TOKEN + 1)
        except urllib.error.HTTPError as error:
            error.close()
            raise LedgerError(f"the timestamp authority answered with HTTP status {error.code}") from None
        except urllib.error.URLError as error:
            why = getattr(error.reason, "strerror", None) or "no connection"
            raise LedgerError(f"the timestamp authority cannot be reached: {why}") from None
        except TimeoutError:
            raise LedgerError(f"the timestamp authority did not answer within {seconds} s") from None
        if kind != "application/timestamp-reply":
            raise LedgerError("the address did not answer with a timestamp; is it an authority's (RFC 3161)?")
        return data

    return carry


def _check(note_text: str, token: bytes, roots: Sequence[bytes], *, nonce: int | None) -> Stamped:
    _client()
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

    trusted = [certificate for root in roots for certificate in _certificates(root)]
    if not trusted:
        raise LedgerError("a timestamp needs the root certificate of an authority that you trust")
    if len(token) > MAX_TOKEN:
        raise NotProven("timestamp", f"the token is longer than {MAX_TOKEN} bytes")
    try:
        reply = decode_timestamp_response(token)
        if reply.as_bytes() != token:
            raise NotProven("timestamp", "the token is not written in DER")
        VerifierBuilder(roots=trusted, nonce=nonce).build().verify_message(reply, note_text.encode())
    except VerificationError as error:
        raise NotProven("timestamp", f"the token does not hold for this checkpoint: {_reason(str(error))}") from None
    except ValueError:
        raise NotProven("timestamp", "the token is no RFC 3161 reply in DER, or the authority refused") from None
    info = reply.tst_info
    return Stamped(
        time=int(info.gen_time.timestamp()),
        authority=_authority(reply),
        policy=info.policy.dotted_string,
        serial=info.serial_number,
    )


def _authority(reply: TimeStampResponse) -> str:
    """Subject of the certificate that the signature names; the verification has found it."""
    from cryptography.x509 import load_der_x509_certificate

    signer = next(iter(reply.signed_data.signer_infos))
    for data in reply.signed_data.certificates:
        certificate = load_der_x509_certificate(data)
        if certificate.issuer == signer.issuer and certificate.serial_number == signer.serial_number:
            return certificate.subject.rfc4514_string()
    raise NotProven("timestamp", "the token does not carry the certificate that signed it")


def _reason(text: str) -> str:
    """What OpenSSL says in words; the rest of its stack of errors names files and lines of its own source."""
    _, found, words = text.partition("Verify error: ")
    return words.partition('"')[0] if found else text.partition(": ErrorStack")[0]


def _certificates(root: bytes) -> list[Certificate]:
    from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificates

    try:
        return load_pem_x509_certificates(root) if b"-----BEGIN" in root else [load_der_x509_certificate(root)]
    except ValueError:
        raise LedgerError("a root for timestamps is no certificate in PEM or DER") from None


def _client() -> None:
    try:
        import rfc3161_client  # noqa: F401
    except ImportError:
        raise LedgerError("timestamps need the extra timestamp: pip install 'meanscheck[timestamp]'") from None
