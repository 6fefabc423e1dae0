"""No input breaks a reader, and none accepts what its writer would not write.

`python -m tests.ledger.fuzz` does the same for as long as one likes.
"""

from __future__ import annotations

import base64
import importlib
import pkgutil
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import meanscheck.ledger
from meanscheck.errors import LedgerError
from meanscheck.ledger import Ledger, Policy, Signer, VerifierKey, canonical, checkpoint, note, proof, receipts, tiles

from .builders import ORIGIN, Folder
from .fuzz import Tally, attack, main
from .readers import Reader, readers

NAMES = (
    "canonical", "group in a receipt", "group in a whole receipt", "leaf", "entry", "closing", "opening", "bundle",
    "note", "verifier key", "SM2 signature", "checkpoint", "proof", "policy", "policy as text", "receipt", "verify",
    "latest", "latest, verified", "checkpoint file", "signer's state", "key file", "cosignatures", "tile on disk",
    "bundle on disk", "request to a witness", "witness", "witness's state", "answer file",
)  # fmt: skip


@pytest.fixture(scope="module")
def all_readers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reader]:
    return {reader.name: reader for reader in readers(tmp_path_factory.mktemp("fuzz"))}


@pytest.mark.parametrize("name", NAMES)
def test_changed_samples_are_read_as_what_they_are_or_refused(name: str, all_readers: dict[str, Reader]) -> None:
    tally = attack(all_readers[name], seed=20, count=400)
    assert tally.failures == []
    assert (tally.given, tally.accepted + sum(tally.refused.values())) == (400, 400)
    assert tally.accepted >= len(all_readers[name].samples)
    assert sum(tally.refused.values()) > 100


def test_no_reader_is_left_out(all_readers: dict[str, Reader]) -> None:
    assert tuple(all_readers) == NAMES


def test_no_parser_of_the_room_is_left_out() -> None:
    """A new one belongs into `readers.py`, and then here."""
    found = set()
    for module in pkgutil.iter_modules(meanscheck.ledger.__path__):
        room = importlib.import_module(f"meanscheck.ledger.{module.name}")
        for name, thing in vars(room).items():
            if getattr(thing, "__module__", "") == room.__name__:
                if name.startswith("parse"):
                    found.add(f"{module.name}.{name}")
                elif isinstance(thing, type) and "parse" in vars(thing):
                    found.add(f"{module.name}.{name}.parse")
    assert found == {
        "canonical.parse", "carriers.parse_answer", "checkpoint.parse", "closing.Closing.parse",
        "commitment.Leaf.parse", "entries.parse", "history.parsed_batch", "latest.parse", "note.VerifierKey.parse",
        "note.parse", "policy.Policy.parse", "proof.parse", "receipts.parse", "tiles.parse_bundle",
        "verdict.parse_opening", "witness.parse_request", "witness.parse_state",
    }  # fmt: skip


def _tally(again: Callable[[bytes], tuple[object, object]], samples: Sequence[bytes] = (b"e30=",)) -> Tally:
    return attack(Reader("made", tuple(samples), again), seed=0, count=300)


def test_the_attack_notices_what_it_looks_for() -> None:
    def crash(data: bytes) -> tuple[object, object]:
        return data, bytes([data[3]])

    def lax(data: bytes) -> tuple[object, object]:
        return data, data.strip()

    def strict(data: bytes) -> tuple[object, object]:
        raise LedgerError("refuses its own sample")

    assert any(why.startswith("IndexError") for why, _ in _tally(crash).failures)
    assert any(why.startswith("accepted") and data.endswith(b"\n") for why, data in _tally(lax).failures)
    assert [why[:16] for why, _ in _tally(strict).failures] == ["refused a sample"]
    assert _tally(lambda data: (data, data)).failures == []


def test_the_command_counts_and_prints(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.setrlimit", lambda *_: None)
    assert main(["--count", "30", "--only", "note", "proof"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[:2] for row in rows[1:3]] == [["note", "30"], ["proof", "30"]]
    assert rows[-1].startswith("seed 0, 60 inputs")


LONG = 8 << 20
FLOODS = {
    "nothing but newlines": b"\n" * LONG,
    "nothing but zeros": bytes(LONG),
    "nothing but digits": b"9" * LONG,
    "nothing but brackets": b"[" * LONG,
    "nothing but plus signs": b"+" * LONG,
    "a proof of lines": b"c2sp.org/tlog-proof@v1\nindex 0\n" + b"a\n" * (LONG // 2 - 20) + b"\n",
    "signature lines": b"o\n1\n\n" + "— k AAAAAAA=\n".encode() * 60_000,
    "words of a policy": b"group g all " + b"a " * (1 << 18) + b"\nquorum none\n",
}
PARSERS: dict[str, Callable[[bytes], object]] = {
    "canonical": canonical.parse,
    "note": lambda data: note.parse(data.decode()),
    "key": lambda data: VerifierKey.parse(data.decode()),
    "checkpoint": lambda data: checkpoint.parse(data.decode()),
    "proof": lambda data: proof.parse(data.decode()),
    "policy": Policy.parse,
    "receipt": lambda data: receipts.parse(data.decode()),
    "bundle": tiles.parse_bundle,
}


@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize("parser", PARSERS)
def test_floods_are_refused_in_bounded_time_and_memory(parser: str, flood: str) -> None:
    data = FLOODS[flood]
    began = time.process_time()
    with pytest.raises((LedgerError, canonical.NotCanonical)):
        PARSERS[parser](data)
    assert time.process_time() - began < 2


@pytest.mark.parametrize("parser", PARSERS)
def test_refusing_a_flood_takes_no_more_memory_than_a_few_copies_of_it(parser: str) -> None:
    data = b"\n" * LONG
    tracemalloc.start()
    try:
        with pytest.raises((LedgerError, canonical.NotCanonical)):
            PARSERS[parser](data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * LONG


# What the long attack found, each kept as a test.


def test_a_checkpoint_file_with_other_line_ends_is_refused(fresh: Folder) -> None:
    path = fresh.path / "checkpoint"
    sound = path.read_bytes()
    for changed in (sound.replace(b"\n", b"\r\n"), sound.replace(b"\n", b"\r")):
        path.write_bytes(changed)
        with pytest.raises(LedgerError):
            Ledger.open(fresh.path, origin=ORIGIN)


@pytest.mark.parametrize("name", ["tile/0/000.p/7", "tile/entries/000.p/7"])
def test_a_tile_or_bundle_that_holds_more_than_its_name_says_is_refused(name: str, fresh: Folder) -> None:
    path: Path = fresh.path / name
    sound = path.read_bytes()
    for more in (bytes(32), tiles.format_bundle([b"one more"]), bytes(2), b"\0"):
        path.write_bytes(sound + more)
        with pytest.raises(LedgerError, match=r"000\.p/7"):
            Ledger.open(fresh.path, origin=ORIGIN).check()
    path.write_bytes(sound)
    assert Ledger.open(fresh.path, origin=ORIGIN).check() == 7


@pytest.mark.parametrize("kind", [0x7F, 0x6F], ids=["unknown", "X448"])
def test_a_key_file_with_a_key_of_another_kind_is_refused(kind: int, tmp_path: Path) -> None:
    path = Signer.generate(ORIGIN, ml_dsa=False).save(tmp_path / "a.key", unprotected=True)
    # Ed25519 is 1.3.101.112 (RFC 8410), 06 03 2b 65 70 in DER; 1.3.101.127 is nobody's, 1.3.101.111 has longer keys.
    first, pem = path.read_bytes().split(b"\n", 1)
    der = base64.b64decode(b"".join(pem.split(b"\n")[1:-2])).replace(b"\x2b\x65\x70", bytes([0x2B, 0x65, kind]))
    body = b"-----BEGIN PRIVATE KEY-----\n" + base64.b64encode(der) + b"\n-----END PRIVATE KEY-----\n"
    path.write_bytes(first + b"\n" + body)
    with pytest.raises(LedgerError, match="damaged"):
        Signer.load(path)


def test_a_bundle_of_257_entries_is_refused() -> None:
    assert len(tiles.parse_bundle(tiles.format_bundle([b""] * 256))) == 256
    with pytest.raises(LedgerError, match="more than 256"):
        tiles.parse_bundle(tiles.format_bundle([b""] * 257))


def test_a_folder_in_place_of_a_tile_is_named(fresh: Folder) -> None:
    path = fresh.path / "tile" / "0" / "000.p" / "7"
    path.unlink()
    path.mkdir()
    with pytest.raises(LedgerError, match=r"tile/0/000\.p/7 cannot be read"):
        Ledger.open(fresh.path, origin=ORIGIN).check()
