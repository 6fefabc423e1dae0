"""Batches of made-up decisions, and a log folder with key, policy and one receipt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from meanscheck.ledger import GROUPS, Ledger, Policy, Seal, Sealed, SealedBlock, Signer, VerifierKey, note
from meanscheck.ledger.canonical import Json
from meanscheck.ledger.policy import LogLine, WitnessLine

ORIGIN = "county.example/relief-2026"
WITNESS_SEED = bytes(range(32))


@dataclass
class MadeBlock:
    tokens: Sequence[str]
    groups: Sequence[Sequence[bytes]]


@dataclass
class MadeBatch:
    """`count` decisions in blocks of `block`; what `keep` receives is kept by index in the log."""

    batch_id: str
    count: int
    block: int = 3
    fail_at: int | None = None
    opening: Mapping[str, Json] = field(default_factory=lambda: {"law": "sha256:" + "33" * 32, "snapshot": "11" * 32})
    closing: Mapping[str, Json] = field(default_factory=lambda: {"rejected": 0})
    kept: dict[int, tuple[bytes, bytes]] = field(default_factory=dict)
    processes: int = 1

    def sealed(self, seal: Seal) -> Iterator[SealedBlock]:
        return seal.blocks(self.blocks(), keep=self.keep, processes=self.processes)

    def blocks(self) -> Iterator[MadeBlock]:
        for number, at in enumerate(range(0, self.count, self.block)):
            if number == self.fail_at:
                raise RuntimeError("the run broke off")
            places = range(at, min(at + self.block, self.count))
            yield MadeBlock([token(n) for n in places], [[text(group, n) for n in places] for group in GROUPS])

    def keep(self, block_no: int, *, first_index: int, salts: Sequence[bytes], leaves: Sequence[bytes]) -> None:
        for index, pair in enumerate(zip(salts, leaves, strict=True), first_index):
            self.kept[index] = pair


@dataclass
class Folder:
    path: Path
    ledger: Ledger
    signer: Signer
    policy: Policy
    batches: list[tuple[MadeBatch, Sealed]]

    def receipt(self, index: int, disclose: Sequence[str] = GROUPS) -> str:
        for batch, sealed in self.batches:
            if index in batch.kept:
                salts, leaf = batch.kept[index]
                groups = all_groups(index - sealed.first_index)
                return self.ledger.receipt(index, leaf, groups, salts, disclose)
        raise AssertionError("no decision at this index")


def token(n: int) -> str:
    return f"{n:032x}"


def text(group: str, n: int) -> bytes:
    if group == "subject":
        return f'{{"case":"C-{n}","household":"{token(n)}"}}'.encode()
    return f'{{"group":"{group}","label":"低保 \\"{n}\\"","n":{n}}}'.encode()


def all_groups(n: int) -> dict[str, bytes]:
    return {group: text(group, n) for group in GROUPS}


def witness_key(seed: bytes = WITNESS_SEED, name: str = "audit.example/w1") -> VerifierKey:
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return VerifierKey(name, note.COSIGNATURE, public)


def cosign(text: str, time: int, seed: bytes = WITNESS_SEED, name: str = "audit.example/w1") -> str:
    """A cosignature line, made from the specification's words alone."""
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(f"cosignature/v1\ntime {time}\n{text}".encode())
    return str(note.SignatureLine(name, witness_key(seed, name).key_id, time.to_bytes(8, "big") + signature))


def build_folder(root: Path, *, batches: Sequence[int] = (5, 600, 7), witnessed: bool = True) -> Folder:
    signer = Signer.from_seed(ORIGIN, seed=b"county" + bytes(26))
    signer.save(root / "keys" / "county.key", unprotected=True)
    ledger = Ledger.open(root / "log", signer=signer)
    done = []
    for number, count in enumerate(batches):
        batch = MadeBatch(f"2026-{number:02d}", count, block=max(3, count // 2))
        done.append((batch, ledger.append(batch)))
    policy = Policy((LogLine(signer.key),), (WitnessLine("audit", witness_key()),), (), "audit")
    if witnessed:
        ledger.add_cosignatures(cosign(note.parse(ledger.checkpoint)[0], 1_780_000_000), policy=policy)
    return Folder(root / "log", ledger, signer, policy if witnessed else ledger.policy(), done)
