"""A timestamp holds for the one checkpoint that it stamps. OpenSSL plays the authority."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import note, verify
from meanscheck.ledger.timestamp import (
    Carrier,
    Stamped,
    check_timestamp,
    http_carrier,
    stamp,
    stamp_checkpoint,
    token_path,
    with_timestamp,
)

from .builders import Folder

DAY = timedelta(days=1)
CONFIG = """
[stamps]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


@dataclass(frozen=True)
class Authority:
    """An authority of time in a folder: `carrier` answers requests, `root` is what a verifier trusts."""

    folder: Path
    root: bytes

    def carrier(self, request: bytes) -> bytes:
        (self.folder / "request").write_bytes(request)
        openssl = shutil.which("openssl") or ""
        arguments = "ts -reply -config conf -section stamps -queryfile request -signer stamps.pem -inkey stamps.key"
        subprocess.run([openssl, *arguments.split(), "-out", "reply"], cwd=self.folder, check=True, capture_output=True)
        return (self.folder / "reply").read_bytes()


def certificate(
    subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey, *days: int
) -> bytes:
    """A certificate valid between two days from now; of an authority if it signs itself, else for timestamps."""
    now, own = datetime.now(UTC), subject == issuer
    builder = x509.CertificateBuilder(
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]),
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)]),
        key.public_key(),
        x509.random_serial_number(),
        now + days[0] * DAY,
        now + days[1] * DAY,
    ).add_extension(x509.BasicConstraints(ca=own, path_length=None), critical=True)
    if not own:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    return builder.sign(by, hashes.SHA256()).public_bytes(form.Encoding.PEM)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Authority]:
    """Founds authorities whose stamping certificate is valid between two days from now."""
    pytest.importorskip("rfc3161_client", reason="the extra timestamp (rfc3161-client) is not installed")
    if shutil.which("openssl") is None:
        pytest.skip("the openssl program, which plays the authority, is missing")

    def make(*days: int) -> Authority:
        folder = tmp_path_factory.mktemp("authority")
        root, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        name = f"Test Root of {folder.name}"
        pem = certificate(name, name, root, root, -10, 10)
        (folder / "stamps.pem").write_bytes(certificate("Test Stamps", name, key, root, *days))
        private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
        (folder / "stamps.key").write_bytes(private)
        (folder / "conf").write_text(CONFIG)
        (folder / "serial").write_text("2A\n")
        return Authority(folder, pem)

    return make


@pytest.fixture(scope="module")
def authority(found: Callable[..., Authority]) -> Authority:
    return found(-5, 5)


@pytest.fixture(scope="module")
def text(folder: Folder) -> str:
    return note.parse(folder.ledger.checkpoint)[0]


@pytest.fixture(scope="module")
def token(authority: Authority, text: str) -> bytes:
    return stamp(text, carrier=authority.carrier, roots=[authority.root])


def test_a_token_says_who_stamped_the_checkpoint_and_when(authority: Authority, token: bytes, text: str) -> None:
    stamped = check_timestamp(text, token, roots=[authority.root])
    assert abs(datetime.now(UTC).timestamp() - stamped.time) < 600
    assert replace(stamped, time=0, serial=0) == Stamped(0, "CN=Test Stamps", "1.2.3.4.1", 0)
    assert stamped.serial > 0x2A
    der = x509.load_pem_x509_certificate(authority.root).public_bytes(form.Encoding.DER)
    assert check_timestamp(text, token, roots=[der]) == stamped


def test_openssl_verifies_the_token_over_the_same_bytes(authority: Authority, token: bytes, text: str) -> None:
    work = authority.folder
    (work / "text").write_bytes(text.encode())
    (work / "token").write_bytes(token)
    (work / "root.pem").write_bytes(authority.root)
    arguments = ["ts", "-verify", "-data", "text", "-in", "token", "-CAfile", "root.pem"]
    done = subprocess.run([shutil.which("openssl") or "", *arguments], cwd=work, capture_output=True, check=False)
    assert done.returncode == 0


def test_any_changed_byte_of_the_note_is_refused(authority: Authority, token: bytes, text: str) -> None:
    for place in range(len(text)):
        changed = text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]
        with pytest.raises(NotProven, match="timestamp: the token does not hold"):
            check_timestamp(changed, token, roots=[authority.root])
    for changed in (text + "\n", text[:-1], ""):
        with pytest.raises(NotProven):
            check_timestamp(changed, token, roots=[authority.root])


def test_any_changed_byte_of_the_token_is_refused_or_changes_nothing_that_it_says(
    authority: Authority, token: bytes, text: str
) -> None:
    sound = check_timestamp(text, token, roots=[authority.root])
    accepted = 0
    for place, byte in enumerate(token):
        for other in (byte ^ 1, byte ^ 0x80):
            try:
                changed = token[:place] + bytes([other]) + token[place + 1 :]
                assert check_timestamp(text, changed, roots=[authority.root]) == sound
                accepted += 1
            except NotProven as error:
                assert error.step == "timestamp"
    # Two version numbers and a second naming of the algorithm (8 bytes) stand outside of every signature.
    assert accepted <= 2 * 10
    for cut in (b"", token[:-1], token + b"\0", b"\x30\x80" + token):
        with pytest.raises(NotProven, match="no RFC 3161 reply"):
            check_timestamp(text, cut, roots=[authority.root])


def test_another_root_and_no_root_are_refused(
    found: Callable[..., Authority], authority: Authority, token: bytes, text: str
) -> None:
    stranger = found(-5, 5)
    with pytest.raises(NotProven, match="unable to get local issuer certificate"):
        check_timestamp(text, token, roots=[stranger.root])
    assert check_timestamp(text, token, roots=[stranger.root + authority.root]).authority == "CN=Test Stamps"
    with pytest.raises(LedgerError, match="needs the root certificate"):
        check_timestamp(text, token, roots=[])
    with pytest.raises(LedgerError, match="no certificate"):
        check_timestamp(text, token, roots=[b"root"])


@pytest.mark.parametrize(
    ("days", "why"), [((-5, -1), "certificate has expired"), ((1, 5), "certificate is not yet valid")]
)
def test_a_certificate_not_valid_at_the_stamped_time_is_refused(
    days: tuple[int, int], why: str, found: Callable[..., Authority], text: str
) -> None:
    late = found(*days)
    with pytest.raises(NotProven, match=why):
        stamp(text, carrier=late.carrier, roots=[late.root])


def test_a_reply_to_another_request_is_refused_when_it_is_fetched(
    authority: Authority, token: bytes, text: str
) -> None:
    with pytest.raises(NotProven, match="Nonce"):
        stamp(text, carrier=lambda request: token, roots=[authority.root])


def test_a_refusal_of_the_authority_is_no_timestamp(authority: Authority, text: str) -> None:
    # PKIStatusInfo with status 2, rejection, and no token (RFC 3161 section 2.4.2).
    with pytest.raises(NotProven, match="refused"):
        stamp(text, carrier=lambda request: bytes.fromhex("30053003020102"), roots=[authority.root])


def test_the_report_tells_the_time_and_the_token_travels_beside_the_checkpoint(
    authority: Authority, folder: Folder, tmp_path: Path
) -> None:
    (tmp_path / "checkpoint").write_text(folder.ledger.checkpoint)
    written = stamp_checkpoint(tmp_path / "checkpoint", carrier=authority.carrier, roots=[authority.root])
    assert written == token_path(tmp_path / "checkpoint") == tmp_path / "checkpoint.tsr"
    proven = verify(folder.receipt(300, ["result"]).encode(), policy=folder.policy)
    stamped = with_timestamp(proven, written.read_bytes(), roots=[authority.root])
    assert [step.name for step in stamped.steps] == [*(step.name for step in proven.steps), "timestamp"]
    assert any("时间戳机构 CN=Test Stamps" in line for line in stamped.report("zh"))
    assert any("CN=Test Stamps attests that the checkpoint existed at 20" in line for line in stamped.report("en"))
    with pytest.raises(LedgerError, match=r"checkpoint\.sm3 cannot be read"):
        stamp_checkpoint(tmp_path / "checkpoint.sm3", carrier=authority.carrier, roots=[authority.root])
    with pytest.raises(NotProven, match="timestamp"):
        with_timestamp(replace(proven, size=proven.size - 1), written.read_bytes(), roots=[authority.root])


def test_the_command_line_verifies_a_timestamp_with_the_receipt(
    authority: Authority, token: bytes, folder: Folder, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from meanscheck.faces.cli import main

    (tmp_path / "r.tlog-proof").write_text(folder.receipt(300, ["result"]))
    (tmp_path / "county.policy").write_text(folder.policy.format())
    (tmp_path / "r.tlog-proof.tsr").write_bytes(token)
    (tmp_path / "other.tsr").write_bytes(stamp("other\n", carrier=authority.carrier, roots=[authority.root]))
    (tmp_path / "root.pem").write_bytes(authority.root)

    def said(*options: str) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as left:
            main(["verify", str(tmp_path / "r.tlog-proof"), "--policy", str(tmp_path / "county.policy"), *options])
        return left.value.code, *capfd.readouterr()

    root = ("--timestamp-root", str(tmp_path / "root.pem"))
    code, out, _ = said("--timestamp", str(tmp_path / "r.tlog-proof.tsr"), *root, "--json")
    assert code == 0
    assert [step["held"] for step in json.loads(out)["steps"] if step["step"] == "timestamp"] == [True]
    code, out, err = said("--timestamp", str(tmp_path / "other.tsr"), *root, "--json")
    assert (code, json.loads(out)["step"]) == (1, "timestamp")
    assert err.startswith("meanscheck: timestamp: the token does not hold")
    assert said("--timestamp", str(tmp_path / "other.tsr"))[0] == said(*root)[0] == 2
    code, _, err = said("--timestamp", str(tmp_path / "none.tsr"), *root)
    assert (code, err) == (2, "meanscheck: none.tsr: No such file or directory\n")


class Answer(BaseHTTPRequestHandler):
    carrier: Carrier
    kind = "application/timestamp-reply"
    status = 200

    def do_POST(self) -> None:
        assert self.headers["Content-Type"] == "application/timestamp-query"
        reply = type(self).carrier(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.status)
        self.send_header("Content-Type", self.kind)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def served(authority: Authority) -> Iterator[tuple[str, type[Answer]]]:
    handler = type("Handler", (Answer,), {"carrier": staticmethod(authority.carrier)})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_tokens_are_fetched_over_http(served: tuple[str, type[Answer]], authority: Authority, text: str) -> None:
    url, handler = served
    token = stamp(text, carrier=http_carrier(url, seconds=20), roots=[authority.root])
    assert check_timestamp(text, token, roots=[authority.root]).policy == "1.2.3.4.1"
    handler.kind = "text/html"
    with pytest.raises(LedgerError, match="did not answer with a timestamp"):
        stamp(text, carrier=http_carrier(url), roots=[authority.root])
    handler.status = 503
    with pytest.raises(LedgerError, match="HTTP status 503"):
        stamp(text, carrier=http_carrier(url), roots=[authority.root])


def test_an_authority_that_is_not_there_is_an_error_of_ours(authority: Authority, text: str) -> None:
    server = HTTPServer(("127.0.0.1", 0), Answer)
    port = server.server_port
    server.server_close()
    with pytest.raises(LedgerError, match="cannot be reached"):
        stamp(text, carrier=http_carrier(f"http://127.0.0.1:{port}/", seconds=5), roots=[authority.root])
    with pytest.raises(LedgerError, match="begins with http"):
        http_carrier("file:///etc/passwd")


def test_without_the_extra_the_message_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    with pytest.raises(LedgerError, match=r"meanscheck\[timestamp\]"):
        check_timestamp("text\n", b"", roots=[b""])
