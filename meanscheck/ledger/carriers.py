"""How do a request to a witness and its answer travel? Over HTTP, or as files on removable media: the same bytes.

HTTP: POST to `<prefix>/add-checkpoint` (C2SP tlog-witness). A `Server` binds loopback addresses only, unless told
otherwise by name: what a witness says is signed, but whoever can reach it can keep it busy. It answers one request at a
time, each within seconds and of bounded size; a connection carries one request.

Files, for a witness without a network: `FileWitness` leaves `<digest>.request` in a folder and gives up; the folder is
carried to the witness, who puts `<digest>.answer` beside it (`answer_file`); asked the same again, `FileWitness` finds
the answer. An answer file is the line `status <code>` and the body. The digest is the first 16 hex digits of SHA-256
over the request, so that an answer is not taken for that to another request.

>>> import tempfile
>>> folder = tempfile.TemporaryDirectory()
>>> by_file = FileWitness(folder.name)
>>> by_file(b"old 0\\n...")
Traceback (most recent call last):
meanscheck.errors.LedgerError: waits for an answer: take 4d140d3769d556c9.request to it, then do the same again
>>> request = Path(folder.name, "4d140d3769d556c9.request")
>>> answer_file(request, lambda request: Answer(404, b"no such log\\n")).name
'4d140d3769d556c9.answer'
>>> by_file(b"old 0\\n...")
Answer(status=404, body=b'no such log\\n')
>>> folder.cleanup()

This module is not imported with the rest of the ledger: only who asks or is a witness needs HTTP.
"""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import socket
from collections.abc import Callable
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Timer
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, ProxyHandler, build_opener
from urllib.request import Request as Post

from meanscheck.errors import LedgerError
from meanscheck.ledger import files
from meanscheck.ledger.witness import MAX_REQUEST, Answer, Witness

PATH = "/add-checkpoint"
MAX_ANSWER = 256 << 10
SECONDS = 10
STATUSES = (200, 400, 403, 404, 409, 422)


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


class HttpWitness:
    """A witness at a URL, its submission prefix: an `Ask`. Uses no proxy and follows no redirect."""

    def __init__(self, prefix: str, *, timeout: int = SECONDS) -> None:
        """`prefix`: such as ``http://127.0.0.1:7380``. `timeout`: seconds to wait for each read."""
        if not prefix.startswith(("http://", "https://")) or not all(" " < c < "\x7f" for c in prefix):
            raise LedgerError("a witness's address begins with http:// or https://")
        self.url, self.timeout = prefix.rstrip("/") + PATH, timeout

    def __call__(self, request: bytes, /) -> Answer:
        post = Post(self.url, request, {"Content-Type": "text/plain"}, method="POST")
        try:
            try:
                with build_opener(ProxyHandler({}), _NoRedirect).open(post, timeout=self.timeout) as reply:
                    status, body = reply.status, reply.read(MAX_ANSWER + 1)
            except HTTPError as reply:
                with reply:
                    status, body = reply.code, reply.read(MAX_ANSWER + 1)
        except (OSError, HTTPException, ValueError) as error:
            raise LedgerError(f"cannot be reached ({type(error).__name__})") from None
        if len(body) > MAX_ANSWER:
            raise LedgerError(f"answered with more than {MAX_ANSWER} bytes")
        return Answer(status, body)


class Server(HTTPServer):
    """A witness's HTTP server, bound when it is made: `handle_request` or `serve_forever`, then `server_close`."""

    request_queue_size = 16

    def __init__(
        self,
        witness: Witness,
        *,
        clock: Callable[[], int],
        host: str = "127.0.0.1",
        port: int = 0,
        beyond_loopback: bool = False,
        tell: Callable[[str], None] = lambda fault: None,
    ) -> None:
        """
        Args:
            witness: who answers.
            clock: gives the time now, in POSIX seconds.
            host: the IP address to bind.
            port: 0 takes a free one; `server_port` then says which.
            beyond_loopback: allow an address that other machines can reach.
            tell: called with a line for the witness's own people when its state cannot be used.
        """
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            raise LedgerError("the address to bind is an IP address, such as 127.0.0.1") from None
        if not address.is_loopback and not beyond_loopback:
            raise LedgerError("a witness is bound to a loopback address, unless other machines are allowed by name")
        if address.version == 6:
            self.address_family = socket.AF_INET6
        self.witness, self.clock, self.tell = witness, clock, tell
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """As in `HTTPServer`, without asking a name server for this machine's name."""
        super(HTTPServer, self).server_bind()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that breaks is the client's affair."""

    def answer(self, request: bytes) -> Answer:
        """The witness's answer now."""
        try:
            return self.witness.add_checkpoint(request, time=self.clock())
        except LedgerError as fault:
            self.tell(str(fault))
            return Answer(503, b"the witness cannot answer now\n")


class _Handler(BaseHTTPRequestHandler):
    server: Server
    server_version, sys_version = "meanscheck", ""
    timeout = SECONDS

    def handle(self) -> None:
        # The time-out is for each read. A client that sends a byte now and then is cut off by the alarm.
        alarm = Timer(2 * SECONDS, _hang_up, [self.connection])
        alarm.daemon = True
        alarm.start()
        try:
            super().handle()
        finally:
            alarm.cancel()

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self.path != PATH:
            self._reply(Answer(404, f"only POST {PATH} is known\n".encode()))
        elif not (length.isascii() and length.isdigit() and len(length) < 10):
            self._reply(Answer(411, b"the length of the request must be stated\n"))
        elif int(length) > MAX_REQUEST:
            self._reply(Answer(413, b"the request is too long\n"))
        elif len(request := self.rfile.read(int(length))) != int(length):
            self._reply(Answer(400, b"the request ends before its stated length\n"))
        else:
            self._reply(self.server.answer(request))

    def _reply(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", "text/x.tlog.size" if answer.status == 409 else "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: requests are whatever anybody sends, and what was cosigned is in the state."""


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class FileWitness:
    """A witness to whom a folder is carried: an `Ask`."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    def __call__(self, request: bytes, /) -> Answer:
        target = self.folder / f"{_digest(request)}.request"
        try:
            with target.with_suffix(".answer").open("rb") as file:
                return parse_answer(file.read(MAX_ANSWER + 1))
        except FileNotFoundError:
            self.folder.mkdir(parents=True, exist_ok=True)
            files.replace(target, request)
            raise LedgerError(f"waits for an answer: take {target.name} to it, then do the same again") from None
        except OSError as error:
            raise LedgerError(f"cannot be read ({error.strerror or type(error).__name__})") from None


def answer_file(request: Path, ask: Callable[[bytes], Answer]) -> Path:
    """Answer a request file; returns the answer's file, beside it. Never overwrites one of another request."""
    try:
        with request.open("rb") as file:
            data = file.read(MAX_REQUEST + 1)
    except OSError as error:
        raise LedgerError(f"request {request.name} cannot be read ({error.strerror or type(error).__name__})") from None
    target = request.with_name(f"{_digest(data)}.answer")
    files.replace(target, format_answer(ask(data)))
    return target


def format_answer(answer: Answer) -> bytes:
    """The bytes of an answer file."""
    return b"status %d\n" % answer.status + answer.body


def parse_answer(data: bytes) -> Answer:
    """Read an answer file; LedgerError if it is none."""
    first, newline, body = data.partition(b"\n")
    statuses = {b"status %d" % status: status for status in STATUSES}
    if not newline or first not in statuses or len(data) > MAX_ANSWER:
        raise LedgerError("left a damaged answer file: ask it again")
    return Answer(statuses[first], body)


def _digest(request: bytes) -> str:
    return hashlib.sha256(request).hexdigest()[:16]
