"""A small office: twelve households in two blocks, twice decided, sealed in one log. Nothing of a county is needed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from meanscheck.ledger import GROUPS, Ledger, Seal, SealedBlock, Signer
from meanscheck.vault import DeploymentKey, Retention, Safe, Vault

HOUSEHOLDS, BLOCK = 12, 6
CASES = [f"U-{n:04d}" for n in range(HOUSEHOLDS)]
TOKENS = [f"{n:02x}" * 16 for n in range(1, HOUSEHOLDS + 1)]
CASE, TOKEN = CASES[4], TOKENS[4]
FIRST, SECOND = "000000-2020-06-30-a", "000000-2020-12-31-b"
DAYS = {FIRST: date(2020, 6, 30), SECOND: date(2020, 12, 31)}
OUTCOMES = ("eligible", "ineligible", "refer")
RETENTION = Retention(approval_months=36, management_months=60)
LATE = date(2026, 11, 3)
"""A day after every period of these records."""


def outcome_of(n: int) -> str:
    """Nine are eligible, one is not, two are referred to a person."""
    return OUTCOMES[0 if n < 9 else min(n - 8, 2)]


def groups_of(n: int, batch_id: str) -> dict[str, str]:
    """The seven texts of a household: what is in them is guessable, as real outcomes and incomes are."""
    values: dict[str, Any] = {
        "subject": {"case": CASES[n], "household": TOKENS[n]},
        "household": {"division": "440703", "size": 1 + n % 3},
        "means": {"household_income": 10_000 * n},
        "result": {"award": 90_000 - 10_000 * n if n < 9 else None, "outcome": outcome_of(n)},
        "reasons": {"tests": [{"holds": n < 9, "id": "收入"}]},
        "provenance": {"batch": batch_id},
        "evidence": {"input": f"sha256:{n:064x}"},
    }
    return {
        name: json.dumps(values[name], ensure_ascii=False, sort_keys=True, separators=(",", ":")) for name in GROUPS
    }


def records(block: int, batch_id: str) -> pl.DataFrame:
    """A block as an assessment puts it."""
    these = range(block * BLOCK, (block + 1) * BLOCK)
    rows = [{"case_id": CASES[n], **groups_of(n, batch_id), "token": TOKENS[n], "position": n} for n in these]
    return pl.DataFrame(rows, schema_overrides={"position": pl.Int64})


def outcomes(block: int) -> pl.DataFrame:
    """Its outcomes: one for the household, none for the last one, two for the first."""
    these = [n for n in range(block * BLOCK, (block + 1) * BLOCK) if n != HOUSEHOLDS - 1]
    rows = [
        {
            "case_id": CASES[n],
            "programme": "dibao",
            "member": member,
            "outcome": "ineligible" if member else outcome_of(n),
            "award_fen": 90_000 - 10_000 * n if n < 9 and not member else None,
            "causes": ["unreviewed:vehicles"] if n >= 9 else [],
        }
        for n in these
        for member in ((None, "A") if n == 0 else (None,))
    ]
    return pl.DataFrame(rows, schema_overrides={"member": pl.String, "causes": pl.List(pl.String)})


@dataclass
class Sealing:
    """A batch for the ledger, kept by a vault as an assessment keeps it."""

    batch_id: str
    vault: Vault

    @property
    def opening(self) -> Mapping[str, Any]:
        return {"law": "sha256:33"}

    @property
    def closing(self) -> Mapping[str, Any]:
        return {"unassessed": 0}

    def sealed(self, seal: Seal) -> Iterator[SealedBlock]:
        return seal.blocks(self.blocks(), keep=self.keep)

    def blocks(self) -> Iterator[Any]:
        self.vault.begin()
        for number in range(HOUSEHOLDS // BLOCK):
            frame = records(number, self.batch_id)
            self.vault.put("records", number, frame)
            self.vault.put("outcomes", number, outcomes(number))
            yield Block(frame["token"].to_list(), [frame[g].cast(pl.Binary).to_list() for g in GROUPS])
        on = DAYS[self.batch_id].isoformat()
        self.vault.close({"on": on, "units": HOUSEHOLDS, "records_root": "ab" * 32})

    def keep(self, block_no: int, *, first_index: int, salts: Sequence[bytes], leaves: Sequence[bytes]) -> None:
        index = pl.int_range(first_index, first_index + len(leaves), eager=True)
        self.vault.put("seals", block_no, pl.DataFrame({"index": index, "leaf": list(leaves), "salts": list(salts)}))


@dataclass
class Block:
    tokens: Sequence[str]
    groups: Sequence[Sequence[bytes]]


@dataclass
class Office:
    """The places of one office. `salts`: what the ledger drew for each household of each batch."""

    folder: Path
    key: DeploymentKey
    safe: Safe
    signer: Signer
    forgotten: list[str]

    @property
    def ledger(self) -> Ledger:
        return Ledger.open(self.folder / "ledger", signer=self.signer)

    def batch(self, batch_id: str = FIRST) -> Vault:
        return self.safe.batch(batch_id, GROUPS)

    def forget(self, token: str) -> None:
        self.forgotten.append(token)

    def receipt(self, case: str = CASE, batch_id: str = FIRST) -> str:
        held = self.batch(batch_id).find(case)
        assert held.index is not None and held.leaf is not None and held.salts is not None
        return self.ledger.receipt(held.index, held.leaf, held.groups, held.salts, GROUPS)

    def append(self, entry: Mapping[str, str]) -> None:
        """An entry of its own, as the command line adds it."""
        from meanscheck.ledger import entries

        self.ledger.add([entries.Erasure(entry["s"], entry["basis"], date.fromisoformat(entry["on"]))])

    def bytes_of_all_files(self) -> dict[str, bytes]:
        return {str(f.relative_to(self.folder)): f.read_bytes() for f in self.folder.rglob("*") if f.is_file()}


def make_office(folder: Path, *batches: str) -> Office:
    key, signer = DeploymentKey(bytes(range(32))), Signer.from_seed("county.example/relief", seed=bytes(32))
    safe = Safe.open(folder / "county.vault", key=key, make=True)
    office = Office(folder, key, safe, signer, [])
    for batch_id in batches:
        office.ledger.append(Sealing(batch_id, office.batch(batch_id)))
    return office
