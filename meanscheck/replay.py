"""Does a sealed decision come out again? Replay from a receipt and a store.

    verify the receipt → the recorded law by its digest → the evidence rows as of its snapshot, digests computed anew →
    the record by the plain executor → equal, or a field-by-field difference

The decision was made by the vector executor and is recomputed by the plain one, so an equal result also says that two
independent executors agree. Rows are read from the evidence tables, never from a projection.

Choices
    Member tokens are taken from the store: they are drawn once and kept. A receipt that discloses some groups only is
    compared in those.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from meanscheck.contracts.units import units_of
from meanscheck.decisions.encode import input_needs
from meanscheck.decisions.record import Provenance, canonical, plain_record
from meanscheck.errors import NotProven, ReplayDifference, StoreError
from meanscheck.evidence import Store
from meanscheck.law.law import Law
from meanscheck.ledger import Policy, verify

BLOCK = 500
"""Cases fetched at a time when many are replayed."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay found. `differences` lists paths in the record; empty means equal in every field compared."""

    case_id: str
    groups: tuple[str, ...]
    differences: tuple[str, ...] = field(default=())

    @property
    def is_equal(self) -> bool:
        """Whether every field compared came out again."""
        return not self.differences

    def raise_for_difference(self) -> Replay:
        """Itself if equal; ReplayDifference otherwise."""
        if self.differences:
            raise ReplayDifference(self.differences)
        return self

    def text(self) -> str:
        """One line for a person, or one per difference (fields, no values)."""
        if self.is_equal:
            return f"equal: {len(self.groups)} groups recomputed from the evidence ({', '.join(self.groups)})"
        return "\n".join(["different:", *(f"  {d}" for d in self.differences)])


def replay(
    receipt: Path | str | bytes,
    *,
    store: Store,
    policy: Path | str | bytes | Policy | None = None,
) -> Replay:
    """Recompute the decision that a receipt proves.

    Args:
        receipt: a tlog-proof file, or its bytes.
        store: the evidence store, which holds the recorded law.
        policy: if given, the receipt is verified against it first; otherwise only its own commitments are.

    Raises:
        NotProven: the receipt is damaged or does not disclose what a replay needs (subject and provenance).
        StoreError: the store does not hold the law, the snapshot or the case.
    """
    groups = disclosed_groups(receipt, policy)
    for name in ("subject", "provenance"):
        if name not in groups:
            raise NotProven("disclosure", f"the receipt does not disclose {name}, which a replay needs")
    return next(iter(replay_records([groups], store=store)))


def disclosed_groups(receipt: Path | str | bytes, policy: Path | str | bytes | Policy | None) -> Mapping[str, Any]:
    """The disclosed groups of a receipt whose commitments hold."""
    from meanscheck.ledger import open_receipt

    if policy is not None:
        return verify(receipt, policy=policy).groups
    return open_receipt(receipt)


def replay_records(records: Iterable[Mapping[str, Any]], *, store: Store) -> Iterator[Replay]:
    """Replay many records (groups as JSON values), fetched in blocks of cases."""
    pending: list[Mapping[str, Any]] = []
    for groups in records:
        if pending and (len(pending) >= BLOCK or _origin(groups) != _origin(pending[0])):
            yield from _replay_block(pending, store)
            pending = []
        pending.append(groups)
    if pending:
        yield from _replay_block(pending, store)


def _replay_block(records: Sequence[Mapping[str, Any]], store: Store) -> Iterator[Replay]:
    provenance = records[0]["provenance"]
    law = Law.from_json(store.law_text(provenance["law"]))
    if law.digest != provenance["law"]:
        raise StoreError("the recorded law was changed: its digest is not the one it is kept under")
    names = [r["subject"]["case"] for r in records]
    on = date.fromisoformat(provenance["on"])
    block = store.case_block(names, input_needs(law), on=on, snapshot=provenance["snapshot"])
    homes, persons = store.subjects(names)
    tokens = dict(homes.iter_rows())
    person_tokens = dict(persons.iter_rows())
    digests = dict(block.households.select("case_id", "input_digest").iter_rows())
    units = {unit.case_id: unit for unit in units_of(block)}
    for recorded in records:
        unit = units[recorded["subject"]["case"]]
        again = plain_record(
            law,
            unit,
            provenance=Provenance(provenance["snapshot"], recorded["provenance"]["supersedes"]),
            input_digest=digests[unit.case_id],
            household_token=tokens.get(unit.case_id, ""),
            person_tokens=[person_tokens.get(p.person, "") for p in unit.members],
        )
        yield compare(recorded, again)


def _origin(groups: Mapping[str, Any]) -> dict[str, Any]:
    """Provenance without what the decision takes the place of: the same for all decisions of a batch."""
    return {**groups["provenance"], "supersedes": None}


def compare(recorded: Mapping[str, Any], again: Mapping[str, Mapping[str, Any]]) -> Replay:
    """Field by field, in the groups that the recorded side has."""
    names = tuple(name for name in again if name in recorded)
    differences: list[str] = []
    for name in names:
        fresh = json.loads(canonical(again[name]))
        differences.extend(_differences(name, recorded[name], fresh))
    return Replay(str(recorded["subject"]["case"]), names, tuple(differences))


def _differences(path: str, a: Any, b: Any) -> Iterator[str]:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in sorted({*a, *b}):
            if key not in a or key not in b:
                yield f"{path}.{key}: only in the {'record' if key in a else 'replay'}"
            else:
                yield from _differences(f"{path}.{key}", a[key], b[key])
    elif isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            yield f"{path}: {len(a)} entries in the record, {len(b)} in the replay"
        for i, (x, y) in enumerate(zip(a, b, strict=False)):
            label = x.get("id") or x.get("programme") if isinstance(x, Mapping) else None
            yield from _differences(f"{path}[{label or i}]", x, y)
    elif a != b or type(a) is not type(b):
        yield path
