"""A witness cosigns what continues what it saw, and nothing else."""

from __future__ import annotations

import contextlib
import hashlib
import shlex
import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import Policy, Signer, Witness, checkpoint, files, merkle, note
from meanscheck.ledger.checkpoint import Checkpoint
from meanscheck.ledger.keyfile import PrivateKey
from meanscheck.ledger.policy import LogLine
from meanscheck.ledger.witness import (
    Answer,
    Request,
    format_request,
    format_state,
    parse_request,
    parse_state,
)

from .builders import ORIGIN

LOG = Signer.from_seed(ORIGIN, seed=bytes(32))
OTHER = Signer.from_seed("other.example/log", seed=b"o" * 32)
POLICY = Policy((LogLine(LOG.key), LogLine(OTHER.key)))
NOW = 1_780_000_000
KEYS = tuple(
    PrivateKey.from_seed("audit.example/w1", kind, seed=bytes([kind]) * 32) for kind in (note.COSIGNATURE, note.ML_DSA)
)
LEAVES = [b"entry %d" % n for n in range(20)]


def head(size: int, *, leaves: list[bytes] = LEAVES, origin: str = ORIGIN) -> Checkpoint:
    return Checkpoint(origin, size, merkle.root(merkle.leaf_hashes(leaves[:size])))


def path(old: int, new: int, *, leaves: list[bytes] = LEAVES) -> tuple[bytes, ...]:
    return tuple(merkle.prove_consistency(merkle.FlatTree(merkle.leaf_hashes(leaves[:new])), old, new))


def request(
    old: int, new: Checkpoint, proof: tuple[bytes, ...] | None = None, *, signers: tuple[Signer, ...] = (LOG,)
) -> bytes:
    proof = path(old, new.size) if proof is None else proof
    return format_request(Request(old, proof, note.sign(checkpoint.format(new), signers)))


def begun(folder: Path, *, seen: int = 0) -> Witness:
    """A witness with a state file that has cosigned `seen` leaves."""
    state = folder / "witness.state"
    Witness.begin(state)
    witness = Witness(KEYS, policy=POLICY, state=state)
    if seen:
        assert witness.add_checkpoint(request(0, head(seen)), time=NOW).status == 200
    return witness


# The example of the specification.
EXAMPLE = """old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
""".encode()  # noqa: E501


def test_the_request_of_the_specification_is_read_and_written() -> None:
    asked = parse_request(EXAMPLE)
    assert (asked.old, len(asked.path), asked.path[0][:2].hex()) == (20852014, 4, "3e54")
    assert checkpoint.parse(note.parse(asked.checkpoint)[0]).size == 20852163
    assert format_request(asked) == EXAMPLE


def test_a_new_log_and_its_growth_are_cosigned_by_every_key(tmp_path: Path) -> None:
    witness = begun(tmp_path, seen=3)
    for old, new in ((3, 3), (3, 8), (8, 20)):
        answer = witness.add_checkpoint(request(old, head(new)), time=NOW + new)
        assert answer.status == 200
        text = checkpoint.format(head(new))
        opened = note.open(f"{text}\n{answer.body.decode()}", [key.key for key in KEYS])
        assert [(s.key.type, s.time) for s in opened.signatures] == [(4, NOW + new), (6, NOW + new)]
        assert opened.unknown == ()
        assert witness.seen() == {ORIGIN: head(new)}


def test_every_step_between_small_sizes_is_cosigned_and_no_other_history_is() -> None:
    forged = [b"forged", *LEAVES[1:]]
    for old in range(10):
        for new in range(old, 10):
            witness = Witness(KEYS[:1], policy=POLICY)
            if old:
                assert witness.add_checkpoint(request(0, head(old)), time=NOW).status == 200
            other = head(new, leaves=forged)
            status = witness.add_checkpoint(request(old, other, path(old, new, leaves=forged)), time=NOW).status
            # From nothing, or with nothing, there is no other history.
            assert status == (200 if old == 0 else 409 if old == new else 422)
            if old:
                assert witness.add_checkpoint(request(old, head(new)), time=NOW).status == 200


def test_logs_are_kept_apart(tmp_path: Path) -> None:
    witness = begun(tmp_path, seen=5)
    other = head(2, origin="other.example/log")
    assert witness.add_checkpoint(request(0, other, signers=(OTHER,)), time=NOW).status == 200
    assert witness.seen() == {ORIGIN: head(5), other.origin: other}
    assert witness.add_checkpoint(request(5, head(6)), time=NOW).status == 200
    assert witness.seen()[other.origin] == other


STRANGER = Signer.from_seed(ORIGIN, seed=b"s" * 32)
THIRD = Signer.from_seed("third.example/log", seed=b"t" * 32)


@pytest.mark.parametrize(
    ("sent", "status", "body"),
    [
        (b"", 400, None),
        (request(5, head(6)).replace(b"old 5", b"old 05"), 400, None),
        (request(5, head(6)).replace(b"old 5", b"old -5"), 400, None),
        (request(5, head(6)).replace(b"\n\n", b"\n", 1), 400, None),
        (request(5, head(6)).replace(b"\n", b"\r\n"), 400, None),
        (request(5, head(6), (b"short",)), 400, None),
        (request(5, head(6), (bytes(32),) * 64), 400, None),
        (request(5, head(6))[:-1], 400, None),
        (request(5, head(6)) + b"\xff", 400, None),
        (b"old 5\n" * 100_000, 400, None),
        (request(7, head(6), ()), 400, None),
        (request(5, head(6), signers=(STRANGER,)), 403, None),
        (request(0, head(6, origin="third.example/log"), signers=(THIRD,)), 404, None),
        (request(0, head(6)), 409, b"5\n"),
        (request(4, head(6)), 409, b"5\n"),
        (request(6, head(6)), 409, b"5\n"),
        (request(4, head(4)), 409, b"5\n"),
        (request(5, Checkpoint(ORIGIN, 5, bytes(32)), ()), 409, b"5\n"),
        (request(5, Checkpoint(ORIGIN, 6, bytes(32))), 422, None),
        (request(5, head(6), ()), 422, None),
        (request(5, head(6), (*path(5, 6), bytes(32))), 422, None),
        (request(5, head(6), (bytes(32),) * 63), 422, None),
        (request(5, head(5), (bytes(32),)), 422, None),
    ],
)
def test_what_is_not_cosigned_leaves_the_state_as_it_was(
    sent: bytes, status: int, body: bytes | None, tmp_path: Path
) -> None:
    witness = begun(tmp_path, seen=5)
    before = (tmp_path / "witness.state").read_bytes()
    answer = witness.add_checkpoint(sent, time=NOW)
    assert answer.status == status
    assert body is None or answer.body == body
    assert answer.body.endswith(b"\n") and "—" not in answer.body.decode()
    assert (tmp_path / "witness.state").read_bytes() == before


def test_changing_any_one_byte_of_a_request_is_refused(tmp_path: Path) -> None:
    witness = begun(tmp_path, seen=5)
    sound, seen = request(5, head(7)), witness.seen()
    for place in range(len(sound)):
        for flip in (1, 0x20, 0x80):
            changed = bytearray(sound)
            changed[place] ^= flip
            answer = witness.add_checkpoint(bytes(changed), time=NOW)
            assert answer.status in (400, 403, 404, 409, 422), f"{place}, {flip:#x}"
    assert witness.seen() == seen
    assert witness.add_checkpoint(sound, time=NOW).status == 200


def test_a_line_by_an_unknown_key_is_ignored_and_a_false_one_by_a_known_key_is_not() -> None:
    witness = Witness(KEYS[:1], policy=POLICY)
    assert witness.add_checkpoint(request(0, head(2), signers=(STRANGER, LOG)), time=NOW).status == 200
    text, (own,) = note.parse(note.sign(checkpoint.format(head(2)), [LOG]))
    two_keys = Policy((LogLine(LOG.key), LogLine(STRANGER.key)))
    false = note.SignatureLine(ORIGIN, STRANGER.key.key_id, own.signature)
    sent = format_request(Request(0, (), note.format(text, [own, false])))
    assert Witness(KEYS[:1], policy=two_keys).add_checkpoint(sent, time=NOW).status == 403


def test_a_log_with_two_keys_is_known_by_either() -> None:
    log = Signer.generate(ORIGIN)
    for policy in (Policy((LogLine(log.keys[0]),)), Policy((LogLine(log.keys[1]),))):
        witness = Witness(KEYS[:1], policy=policy)
        signed = note.sign(checkpoint.format(head(1)), log.signers)
        assert witness.add_checkpoint(format_request(Request(0, (), signed)), time=NOW).status == 200


def test_a_size_of_zero_is_the_empty_tree() -> None:
    witness = Witness(KEYS, policy=POLICY)
    assert witness.add_checkpoint(request(0, Checkpoint(ORIGIN, 0, bytes(32)), ()), time=NOW).status == 409
    empty = Checkpoint(ORIGIN, 0, hashlib.sha256(b"").digest())
    assert witness.add_checkpoint(request(0, empty, ()), time=NOW).status == 200
    assert witness.add_checkpoint(request(0, head(4)), time=NOW).status == 200


def test_the_state_outlives_the_witness(tmp_path: Path) -> None:
    begun(tmp_path, seen=5)
    again = Witness(KEYS, policy=POLICY, state=tmp_path / "witness.state")
    forged = [b"forged", *LEAVES[1:]]
    assert again.add_checkpoint(request(0, head(6, leaves=forged)), time=NOW) == Answer(409, b"5\n")
    sent = request(5, head(6, leaves=forged), path(5, 6, leaves=forged))
    assert again.add_checkpoint(sent, time=NOW).status == 422
    assert again.add_checkpoint(request(5, head(6)), time=NOW).status == 200
    with pytest.raises(LedgerError, match="exists already"):
        Witness.begin(tmp_path / "witness.state")


def test_a_second_history_is_kept_as_evidence_once(tmp_path: Path) -> None:
    witness = begun(tmp_path, seen=5)
    forged = [b"forged", *LEAVES[1:]]
    for size in (5, 6, 6):
        sent = request(5, head(size, leaves=forged), path(5, size, leaves=forged))
        assert witness.add_checkpoint(sent, time=NOW).status in (409, 422)
    kept = sorted((tmp_path / "witness.state.refused").iterdir())
    heads = [checkpoint.parse(note.open(file.read_text(), [LOG.key]).text) for file in kept]
    assert sorted(heads, key=lambda kept: kept.size) == [head(size, leaves=forged) for size in (5, 6)]
    witness.add_checkpoint(request(5, head(6), signers=(STRANGER,)), time=NOW)
    assert sorted((tmp_path / "witness.state.refused").iterdir()) == kept


def test_a_damaged_state_is_refused(tmp_path: Path) -> None:
    witness = begun(tmp_path, seen=5)
    other = head(2, origin="other.example/log")
    witness.add_checkpoint(request(0, other, signers=(OTHER,)), time=NOW)
    state = tmp_path / "witness.state"
    sound = state.read_bytes()
    lines = sound.splitlines(keepends=True)
    changes = [sound[:n] + bytes([sound[n] ^ flip]) + sound[n + 1 :] for n in range(len(sound)) for flip in (1, 0x20)]
    changes += [b"".join(lines[:n] + lines[n + 1 :]) for n in range(len(lines))]
    changes += [b"", sound[:-1], sound + b"\n", sound + sound, sound.replace(b"\n", b"\r\n"), b"\xff" + sound]
    for changed in changes:
        state.write_bytes(changed)
        with pytest.raises(LedgerError, match="damaged"):
            witness.add_checkpoint(request(5, head(6)), time=NOW)
        with pytest.raises(LedgerError, match="damaged"):
            Witness(KEYS, policy=POLICY, state=state)
    state.unlink()
    with pytest.raises(LedgerError, match="missing"):
        witness.add_checkpoint(request(5, head(6)), time=NOW)
    assert not state.exists()


def test_a_crash_while_the_state_is_written_gives_no_signature(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    witness = begun(tmp_path, seen=5)

    class Crash(Exception):
        pass

    def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(files, "replace", crash)
        with pytest.raises(Crash):
            witness.add_checkpoint(request(5, head(6)), time=NOW)
    assert witness.seen() == {ORIGIN: head(5)}
    assert witness.add_checkpoint(request(5, head(7)), time=NOW).status == 200


def test_two_witnesses_on_one_state_take_turns(tmp_path: Path) -> None:
    witness = begun(tmp_path, seen=5)
    with files.lock(tmp_path / "witness.state"), pytest.raises(LedgerError, match="in use"):
        witness.add_checkpoint(request(5, head(6)), time=NOW)
    assert witness.seen() == {ORIGIN: head(5)}


def test_a_witness_needs_its_own_keys_a_log_and_a_time() -> None:
    for keys in ((), LOG.signers, (KEYS[0], PrivateKey.generate("audit.example/w2", note.ML_DSA))):
        with pytest.raises(LedgerError):
            Witness(keys, policy=POLICY)  # type: ignore[arg-type]  # a log's signer does not cosign
    with pytest.raises(LedgerError, match="no log"):
        Witness(KEYS, policy=Policy(()))
    with pytest.raises(LedgerError, match="states a time"):
        Witness(KEYS, policy=POLICY).add_checkpoint(request(0, head(1)), time=0)


def test_clients_that_are_not_ours_accept_the_cosignatures(tmp_path: Path) -> None:
    signing = pytest.importorskip("tlog_scales.signing", reason="tlog-scales is not installed")
    tlog = pytest.importorskip("tlog_scales.tlog")
    answer = begun(tmp_path).add_checkpoint(request(0, head(5)), time=NOW)
    signed = note.sign(checkpoint.format(head(5)), [LOG]) + answer.body.decode()
    keys = signing.VkeySet(*(signing.Vkey.from_string(str(key)) for key in (LOG.key, *(key.key for key in KEYS))))
    parsed = tlog.Checkpoint.from_text(signed)
    assert len(keys.verify(parsed.signatures, parsed)) == 3
    parsed = tlog.Checkpoint.from_text(signed.replace("\n5\n", "\n6\n"))
    assert keys.verify(parsed.signatures, parsed) == set()


def test_openssl_accepts_the_ed25519_cosignature(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the openssl program is missing")
    answer = begun(tmp_path).add_checkpoint(request(0, head(5)), time=NOW)
    line = note.parse(f"x\n\n{answer.body.decode()}")[1][0]
    (tmp_path / "key.der").write_bytes(bytes.fromhex("302a300506032b6570032100") + KEYS[0].key.public)
    (tmp_path / "signature").write_bytes(line.signature[8:])

    def verdict(time: int) -> int:
        message = f"cosignature/v1\ntime {time}\n{checkpoint.format(head(5))}"
        (tmp_path / "message").write_text(message, encoding="utf-8")
        words = shlex.split("pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -in message -sigfile signature")
        return subprocess.run([openssl, *words], cwd=tmp_path, capture_output=True, check=False).returncode

    assert (verdict(NOW), verdict(NOW + 1) != 0) == (0, True)


def _near(data: bytes) -> st.SearchStrategy[bytes]:
    places = st.integers(0, len(data))
    pieces = st.binary(max_size=6) | st.sampled_from([b"\n", b"\n\n", b" ", b"=", b"0", b"old ", b"sha256 "])
    return st.builds(lambda a, b, piece: data[:a] + piece + data[b:], places, places, pieces) | st.binary(max_size=60)


@settings(max_examples=300, deadline=None)
@given(_near(EXAMPLE))
@example(b"")
def test_only_requests_that_we_would_write_are_read(data: bytes) -> None:
    with contextlib.suppress(NotProven):
        assert format_request(parse_request(data)) == data


@settings(max_examples=300, deadline=None)
@given(_near(format_state({ORIGIN: head(5), "other.example/log": head(2, origin="other.example/log")}).encode()))
@example(b"")
def test_only_states_that_we_would_write_are_read(data: bytes) -> None:
    with contextlib.suppress(NotProven):
        assert format_state(parse_state(data)).encode() == data


@settings(max_examples=200, deadline=None)
@given(_near(request(5, head(7))))
def test_whatever_is_sent_is_answered(data: bytes) -> None:
    witness = Witness(KEYS[:1], policy=POLICY)
    assert witness.add_checkpoint(data, time=NOW).status in (200, 400, 403, 404, 409, 422)


def test_a_witness_in_this_process_is_a_way_to_ask() -> None:
    ask = partial(Witness(KEYS, policy=POLICY).add_checkpoint, time=NOW)
    assert ask(request(0, head(1))).status == 200
