"""A batch is opened under the eyes of a quorum, or nothing is decided; requests travel over HTTP and as files."""

from __future__ import annotations

import contextlib
import http.client
import shutil
import socket
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import Ledger, Policy, Signer, Witness, Witnesses, canonical, carriers, checkpoint, note, verify
from meanscheck.ledger.bulk import Block
from meanscheck.ledger.carriers import (
    MAX_ANSWER,
    FileWitness,
    HttpWitness,
    Server,
    answer_file,
    format_answer,
    parse_answer,
)
from meanscheck.ledger.keyfile import PrivateKey
from meanscheck.ledger.policy import Group, LogLine, WitnessLine
from meanscheck.ledger.tiles import TileReader
from meanscheck.ledger.witness import MAX_REQUEST, Answer
from meanscheck.ledger.witnessing import Ask, check_opening

from .builders import ORIGIN, MadeBatch, all_groups

NOW = 1_780_000_000


class Office:
    """A log with its signer, three witnesses, and a policy that asks for two of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.signer = Signer.generate(ORIGIN)
        self.keys = [PrivateKey.generate(f"w{n}.example", kind) for n, kind in enumerate((4, 6, 4))]
        lines = tuple(WitnessLine(f"w{n}", key.key) for n, key in enumerate(self.keys))
        logs = tuple(LogLine(key) for key in self.signer.keys)
        self.policy = Policy(logs, lines, (Group("two", 2, ("w0", "w1", "w2")),), "two")
        self.witnesses = [Witness([key], policy=Policy(logs)) for key in self.keys]
        self.ledger = Ledger.open(folder / "log", signer=self.signer)

    def ask(self, *numbers: int, time: int = NOW) -> Witnesses:
        return Witnesses(self.policy, [partial(self.witnesses[n].add_checkpoint, time=time) for n in numbers])


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


class Watched(MadeBatch):
    """A batch that notes what the log's checkpoint says when the first decision is asked for."""

    ledger: Ledger
    seen = ""

    def blocks(self) -> Iterator[Block]:  # type: ignore[override]
        self.seen = self.ledger.checkpoint
        yield from super().blocks()


def watched(office: Office, name: str, count: int) -> Watched:
    batch = Watched(name, count)
    batch.ledger = office.ledger
    return batch


def tiles(office: Office) -> TileReader:
    return TileReader(office.folder / "log", office.ledger.size)


def unreachable(request: bytes, /) -> Answer:
    raise LedgerError("cannot be reached (TimeoutError)")


def test_the_opening_has_its_quorum_before_the_first_decision_and_the_closing_after(office: Office) -> None:
    for name, time in (("one", NOW), ("two", NOW + 10)):
        batch = watched(office, name, 4)
        sealed = office.ledger.append(batch, witness=office.ask(0, 1, 2, time=time))
        opened = note.open(batch.seen, office.policy.witness_keys)
        assert checkpoint.parse(opened.text).size == sealed.open_index + 1
        assert [(s.key, s.time) for s in opened.signatures] == [(key.key, time) for key in office.keys]
        assert sealed.witnessed
        assert sealed.checkpoint == office.ledger.checkpoint
        closed = note.open(sealed.checkpoint, office.policy.witness_keys)
        assert (checkpoint.parse(closed.text).size, len(closed.signatures)) == (sealed.size, 3)
        assert all(w.seen()[ORIGIN].size == sealed.size for w in office.witnesses)
        salts, leaf = batch.kept[sealed.first_index]
        receipt = office.ledger.receipt(sealed.first_index, leaf, all_groups(0), salts, ["result"])
        proven = verify(receipt.encode(), policy=office.policy)
        assert sorted(proven.witnessed) == sorted((key.key.label, time) for key in office.keys)


def test_without_a_quorum_at_the_opening_nothing_is_decided(office: Office) -> None:
    batch = watched(office, "one", 4)
    first: Ask = partial(office.witnesses[0].add_checkpoint, time=NOW)
    tries: list[list[Ask]] = [[unreachable], [unreachable, first]]
    for asks in tries:
        with pytest.raises(NotProven, match="witness 1 cannot be reached") as caught:
            office.ledger.append(batch, witness=Witnesses(office.policy, asks))
        assert caught.value.step == "witnesses"
        assert (batch.seen, batch.kept, office.ledger.size) == ("", {}, 1)
    sealed = office.ledger.append(batch, witness=office.ask(0, 1))
    assert (sealed.open_index, sealed.count, sealed.witnessed) == (0, 4, True)
    assert office.ledger.check() == 6


def test_one_witness_of_three_may_fail(office: Office) -> None:
    first, third = (partial(office.witnesses[n].add_checkpoint, time=NOW) for n in (0, 2))
    asks: list[Ask] = [first, unreachable, third]
    sealed = office.ledger.append(MadeBatch("one", 2), witness=Witnesses(office.policy, asks))
    assert sealed.witnessed
    # A witness that was away is told what it missed when it is back.
    assert office.ledger.append(MadeBatch("two", 2), witness=office.ask(0, 1, 2)).witnessed
    assert office.witnesses[1].seen()[ORIGIN].size == office.ledger.size


def test_a_witness_lost_at_the_closing_leaves_a_batch_that_can_be_cosigned_later(office: Office) -> None:
    first = partial(office.witnesses[0].add_checkpoint, time=NOW)
    calls = []

    def once(request: bytes) -> Answer:
        calls.append(request)
        return office.witnesses[1].add_checkpoint(request, time=NOW) if len(calls) == 1 else unreachable(request)

    sealed = office.ledger.append(MadeBatch("one", 3), witness=Witnesses(office.policy, [first, once]))
    assert (sealed.count, sealed.witnessed) == (3, False)
    with pytest.raises(NotProven, match="witness 1 cannot be reached"):
        office.ledger.cosign(Witnesses(office.policy, [unreachable, first]))
    witnesses = office.ask(0, 1)
    text = office.ledger.cosign(witnesses)
    assert text == office.ledger.checkpoint
    assert witnesses.is_met(text)
    # It is met now: nobody is asked again.
    assert office.ledger.cosign(Witnesses(office.policy, [unreachable])) == text


def test_the_witnessed_opening_can_be_shown_from_the_log_alone(office: Office) -> None:
    office.ledger.append(MadeBatch("unseen", 2))
    for name, count in (("empty", 0), ("full", 3)):
        sealed = office.ledger.append(MadeBatch(name, count), witness=office.ask(0, 1, time=NOW + count))
        tree, entry = tiles(office), office.ledger.entry(sealed.close_index)
        check = partial(check_opening, tree=tree, policy=office.policy)
        expected = tuple((office.keys[n].key.label, NOW + count) for n in (0, 1))
        assert check(entry, index=sealed.close_index) == expected
        with pytest.raises(NotProven, match="not that of the batch's opening"):
            check(entry, index=sealed.close_index - 1)
        members = canonical.parse(entry)
        body, rest = members["witnessed"].split("\n\n")
        log, other, w0, w1 = rest.splitlines(keepends=True)
        for changed, step in (
            ({"witnessed": f"{body}\n\n{log}{other}{w0}"}, "witnesses"),
            ({"witnessed": f"{body}\n\n{w0}{w1}"}, "signature"),
            ({"witnessed": members["witnessed"].replace("\n" + body.split("\n")[1] + "\n", "\n1\n")}, "signature"),
            ({"witnessed": 1}, "closing"),
            ({"count": members["count"] + 1}, "closing"),
            ({"k": "batch-open"}, "closing"),
            *(({"count": 2, "first": members["first"] + 1}, "opening") for _ in range(count > 0)),
        ):
            with pytest.raises(NotProven) as caught:
                check(canonical.format(members | changed), index=sealed.close_index)
            assert caught.value.step == step
    assert "witnessed" not in canonical.parse(office.ledger.entry(3))
    with pytest.raises(NotProven, match="without a witness"):
        check_opening(office.ledger.entry(3), index=3, tree=tiles(office), policy=office.policy)


def test_an_opening_of_another_history_is_not_taken_for_this_one(office: Office, tmp_path: Path) -> None:
    sealed = office.ledger.append(MadeBatch("one", 2), witness=office.ask(0, 1))
    # The same keys, from the beginning, with witnesses that have not seen the first history.
    fork = Ledger.open(tmp_path / "fork", signer=Signer(office.signer.signers))
    others = [Witness([key], policy=Policy(office.policy.logs)) for key in office.keys[:2]]
    asks: list[Ask] = [partial(other.add_checkpoint, time=NOW) for other in others]
    fork.append(MadeBatch("other", 2), witness=Witnesses(office.policy, asks))
    there = canonical.parse(fork.entry(sealed.close_index))
    mixed = canonical.parse(office.ledger.entry(sealed.close_index)) | {"witnessed": there["witnessed"]}
    with pytest.raises(NotProven, match="not that of the batch's opening in this log"):
        check_opening(canonical.format(mixed), index=sealed.close_index, tree=tiles(office), policy=office.policy)


def test_the_same_checkpoint_makes_the_same_request_whoever_cosigned_it_before(office: Office) -> None:
    office.ledger.append(MadeBatch("one", 2))
    requests: list[bytes] = []

    def note_down(request: bytes) -> Answer:
        requests.append(request)
        return unreachable(request)

    ask = Witnesses(office.policy, [note_down])
    with pytest.raises(NotProven):
        office.ledger.cosign(ask)
    own = office.keys[1]
    signature = own.cosign(note.parse(office.ledger.checkpoint)[0], time=NOW)
    office.ledger.add_cosignatures(
        str(note.SignatureLine(own.key.name, own.key.key_id, signature)), policy=office.policy
    )
    with pytest.raises(NotProven):
        office.ledger.cosign(ask)
    assert requests[0] == requests[1]


def test_a_log_put_back_is_noticed_by_the_witness(office: Office, tmp_path: Path) -> None:
    office.ledger.append(MadeBatch("one", 2), witness=office.ask(0, 1))
    shutil.copytree(tmp_path / "log", tmp_path / "backup")
    head = checkpoint.parse(note.parse(office.ledger.checkpoint)[0])
    office.ledger.append(MadeBatch("two", 2), witness=office.ask(0, 1))
    # Log and signer's state go back together, which no machine alone can notice.
    again = Signer(office.signer.signers)
    again.adopt(head)
    forked = Ledger.open(tmp_path / "backup", signer=again)
    with pytest.raises(NotProven, match=r"cosigned 8 leaves, the log has 5: its folder was put back"):
        forked.append(MadeBatch("fork", 2), witness=office.ask(0, 1))
    # The fork grows past what the witness saw: by another way, to another history.
    forked.append(MadeBatch("fork", 4))
    with pytest.raises(NotProven, match="does not continue what it cosigned"):
        forked.append(MadeBatch("fork two", 2), witness=office.ask(0, 1))


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ([Answer(400, b"")], "malformed"),
        ([Answer(403, b"")], "lists other keys"),
        ([Answer(404, b"")], "does not serve"),
        ([Answer(422, b"")], "does not continue"),
        ([Answer(503, b"<html>")], "status 503"),
        ([Answer(200, b"")], "signature line"),
        ([Answer(200, b"\xff")], "not text"),
        ([Answer(200, "— w0.example AAAAAAA=\n".encode())], "does not list"),
        ([Answer(409, b"x\n")], "without the size"),
        ([Answer(409, b"01\n")], "without the size"),
        ([Answer(409, b"0")], "without the size"),
        ([Answer(409, b"0\n")], "two histories"),
        ([Answer(409, b"2\n")], "put back"),
        ([Answer(409, b"1\n"), Answer(409, b"0\n")], "new size each time"),
    ],
)
def test_an_answer_that_is_no_cosignature_is_told_in_our_words(answers: list[Answer], why: str, office: Office) -> None:
    queue = iter(answers)
    with pytest.raises(NotProven, match=why) as caught:
        office.ledger.append(MadeBatch("one", 2), witness=Witnesses(office.policy, [lambda request: next(queue)]))
    assert "html" not in str(caught.value)


def test_cosignatures_over_another_checkpoint_are_refused(office: Office) -> None:
    text = checkpoint.format(checkpoint.Checkpoint(ORIGIN, 1, bytes(32)))
    for number in (0, 1):
        own = office.keys[number]
        line = note.SignatureLine(own.key.name, own.key.key_id, own.cosign(text, time=NOW))
        lie: Ask = lambda request, line=line: Answer(200, str(line).encode())  # noqa: E731
        with pytest.raises(NotProven, match="does not fit"):
            office.ledger.append(MadeBatch("one", 2), witness=Witnesses(office.policy, [lie]))


def test_a_policy_without_a_quorum_is_no_policy_for_witnessing(office: Office) -> None:
    with pytest.raises(LedgerError, match="asks for no witness"):
        Witnesses(office.ledger.policy(), [unreachable])
    with pytest.raises(LedgerError, match="no way"):
        Witnesses(office.policy, [])
    with pytest.raises(LedgerError, match="empty"):
        office.ledger.cosign(office.ask(0))


# HTTP.


@contextlib.contextmanager
def serving(server: HTTPServer, requests: int) -> Iterator[str]:
    """A server that handles so many connections, in a thread; its address."""
    server.timeout = 10

    def work() -> None:
        for _ in range(requests):
            server.handle_request()

    thread = Thread(target=work)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        thread.join(20)
        server.server_close()
    assert not thread.is_alive()


def test_a_batch_is_witnessed_over_http(office: Office) -> None:
    policy = Policy(office.policy.logs, office.policy.witnesses[:1], (), "w0")
    with serving(Server(office.witnesses[0], clock=lambda: NOW), 2) as url:
        asks = Witnesses(policy, [HttpWitness(url)])
        assert office.ledger.append(MadeBatch("one", 3), witness=asks).witnessed
    office.ledger.append(MadeBatch("unseen", 3))
    # The opening is cosigned after a 409 that tells the size.
    with serving(Server(office.witnesses[0], clock=lambda: NOW), 3) as url:
        assert office.ledger.append(MadeBatch("two", 3), witness=Witnesses(policy, [HttpWitness(url + "/")])).witnessed


def _raw(url: str, data: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of what a server answers to these bytes."""
    with socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])), timeout=10) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        reply = http.client.HTTPResponse(connection)
        reply.begin()
        with reply:
            return reply.status, dict(reply.getheaders()), reply.read(10_000)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"POST /add-checkpoint HTTP/1.0\r\nContent-Length: 0\r\n\r\n", 400),
        (b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nold 0\n", 400),
        (b"POST /add-checkpoint HTTP/1.0\r\n\r\n", 411),
        (b"POST /add-checkpoint HTTP/1.0\r\nContent-Length: -1\r\n\r\n", 411),
        (b"POST /add-checkpoint HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % (MAX_REQUEST + 1), 413),
        (b"POST /add-entry HTTP/1.0\r\nContent-Length: 0\r\n\r\n", 404),
        (b"GET /add-checkpoint HTTP/1.0\r\n\r\n", 501),
        (b"POST /add-checkpoint HTTP/1.0\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 431),
        (b"nonsense\r\n\r\n", 400),
    ],
    ids=["empty", "cut off", "no length", "negative", "too long", "path", "method", "header", "no http"],
)
def test_http_requests_of_another_form_are_refused(
    data: bytes, status: int, office: Office, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(Server(office.witnesses[0], clock=lambda: NOW), 1) as url:
        try:
            found = _raw(url, data)[0]
        except http.client.BadStatusLine:
            found = 400 if status == 400 else 0
    assert found == status
    assert capfd.readouterr() == ("", "")


def test_the_size_is_told_with_its_content_type(office: Office) -> None:
    office.ledger.append(MadeBatch("one", 3), witness=office.ask(0, 1))
    sent = f"old 0\n\n{office.ledger.checkpoint}".encode()
    head = b"POST /add-checkpoint HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(sent)
    with serving(Server(office.witnesses[0], clock=lambda: NOW), 1) as url:
        status, headers, body = _raw(url, head + sent)
    assert (status, headers["Content-Type"], body) == (409, "text/x.tlog.size", b"5\n")


def test_a_witness_whose_state_is_damaged_says_so_at_home_only(office: Office, tmp_path: Path) -> None:
    state, told = tmp_path / "w" / "witness.state", list[str]()
    Witness.begin(state)
    witness = Witness(office.keys[:1], policy=office.policy, state=state)
    state.write_bytes(b"damaged")
    policy = Policy(office.policy.logs, office.policy.witnesses[:1], (), "w0")
    server = Server(witness, clock=lambda: NOW, tell=told.append)
    with serving(server, 1) as url, pytest.raises(NotProven, match="witness 1 answered with status 503"):
        office.ledger.append(MadeBatch("one", 1), witness=Witnesses(policy, [HttpWitness(url)]))
    assert len(told) == 1 and "damaged" in told[0]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "localhost", "example.com", ""])
def test_only_loopback_addresses_are_bound(host: str, office: Office) -> None:
    with pytest.raises(LedgerError, match=r"loopback|IP address"):
        Server(office.witnesses[0], clock=lambda: NOW, host=host)


def test_other_addresses_are_bound_when_asked_for(office: Office) -> None:
    Server(office.witnesses[0], clock=lambda: NOW, host="0.0.0.0", beyond_loopback=True).server_close()


@pytest.mark.parametrize("url", ["", "ftp://x", "file:///etc/passwd", "http://a b", "127.0.0.1:80", "http://x\n"])
def test_addresses_that_are_not_http_are_refused(url: str) -> None:
    with pytest.raises(LedgerError, match="begins with http"):
        HttpWitness(url)


def test_a_server_that_is_not_there_or_sends_elsewhere_gives_no_answer(office: Office) -> None:
    class Elsewhere(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/long/add-checkpoint":
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"x" * (MAX_ANSWER + 1))
            elif self.path == "/add-checkpoint":
                self.send_response(302)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with serving(HTTPServer(("127.0.0.1", 0), Elsewhere), 3) as url:
        assert HttpWitness(url)(b"x").status == 302
        with pytest.raises(LedgerError, match="more than"):
            HttpWitness(url + "/long")(b"x")
        with pytest.raises(LedgerError, match="cannot be reached"):
            HttpWitness(url + "/silent")(b"x")
    with pytest.raises(LedgerError, match="cannot be reached"):
        HttpWitness(url)(b"x")
    with socket.create_server(("127.0.0.1", 0)) as deaf, pytest.raises(LedgerError, match="cannot be reached"):
        HttpWitness(f"http://127.0.0.1:{deaf.getsockname()[1]}", timeout=1)(b"x")


@pytest.mark.parametrize("drips", [False, True])
def test_a_client_that_keeps_a_witness_waiting_is_cut_off(
    drips: bool, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carriers, "SECONDS", 0.2)
    monkeypatch.setattr(carriers._Handler, "timeout", 10 if drips else 0.2)
    server = Server(office.witnesses[0], clock=lambda: NOW)
    with serving(server, 1), socket.create_connection(("127.0.0.1", server.server_port), timeout=0.05) as connection:
        connection.sendall(b"POST /add-checkpoint HTTP/1.0\r\nContent-Length: 99999\r\n\r\n")
        for _ in range(200):
            # An answer of 400, the end of the stream or a broken pipe: the server has let go.
            try:
                connection.recv(4096)
                break
            except TimeoutError:
                pass
            except OSError:
                break
            if drips:
                with contextlib.suppress(OSError):
                    connection.sendall(b"x")
        else:
            pytest.fail("still connected")


# Files.


def test_a_batch_is_witnessed_by_a_folder_that_is_carried(office: Office, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    policy = Policy(office.policy.logs, office.policy.witnesses[:1], (), "w0")
    witness, by_file = office.witnesses[0], Witnesses(policy, [FileWitness(stick)])
    answer = partial(witness.add_checkpoint, time=NOW)
    for batches in (1, 2):
        batch = watched(office, f"batch {batches}", 3)
        with pytest.raises(NotProven, match=r"waits for an answer: take \w{16}\.request"):
            office.ledger.append(batch, witness=by_file)
        assert batch.seen == ""
        (asked,) = [file for file in stick.glob("*.request") if not file.with_suffix(".answer").exists()]
        assert answer_file(asked, answer) == asked.with_suffix(".answer")
        sealed = office.ledger.append(batch, witness=by_file)
        assert (sealed.count, sealed.witnessed) == (3, False)
        with pytest.raises(NotProven, match="waits for an answer"):
            office.ledger.cosign(by_file)
        (asked,) = [file for file in stick.glob("*.request") if not file.with_suffix(".answer").exists()]
        answer_file(asked, answer)
        assert by_file.is_met(office.ledger.cosign(by_file))
        assert witness.seen()[ORIGIN].size == office.ledger.size == 5 * batches
        assert len(list(stick.iterdir())) == 4 * batches


@pytest.mark.parametrize(
    "data", [b"", b"status 200", b"status 500\n", b"status 0200\n", b"200\n", b"x" * 10, b"\xff\n"]
)
def test_damaged_answer_files_are_refused(data: bytes, tmp_path: Path) -> None:
    by_file = FileWitness(tmp_path)
    with pytest.raises(LedgerError, match="waits"):
        by_file(b"request")
    (request,) = tmp_path.iterdir()
    request.with_suffix(".answer").write_bytes(data)
    with pytest.raises(LedgerError, match="damaged answer"):
        by_file(b"request")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=40) | st.builds(lambda body: b"status 409\n" + body, st.binary(max_size=20)))
def test_only_answers_that_we_would_write_are_read(data: bytes) -> None:
    with contextlib.suppress(LedgerError):
        assert format_answer(parse_answer(data)) == data


def test_a_request_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"none\.request cannot be read"):
        answer_file(tmp_path / "none.request", unreachable)
