"""Which live decisions rest on what a person allowed, and what would they turn to without it?

A decision is live if it is the household's last sealed one. It rests on a person's consents if his evidence was read
for it in feeds that need consent. What a reassessment would turn to is reckoned, not guessed: the case is decided anew
by the plain executor under the decision's own law, on the evidence as it is now, without the consents; nothing of that
is kept.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from meanscheck.contracts import all_feeds
from meanscheck.decisions.record import GROUPS, Provenance
from meanscheck.errors import Erased, Restricted, StoreError
from meanscheck.evidence import Store
from meanscheck.evidence.merging import make_same
from meanscheck.evidence.trace import trace
from meanscheck.law.law import Law
from meanscheck.replay.again import evidence_of, recorded_law, recorded_snapshot
from meanscheck.replay.verdict import Finding
from meanscheck.values.evidence_state import EvidenceState
from meanscheck.vault import Held, Safe


@dataclass(frozen=True, slots=True)
class Change:
    """One outcome: as decided, and as it would be; `member` is None for a household's. Awards in fen."""

    programme: str
    member: str | None
    outcome: str | None
    award_fen: int | None
    turns_to: str | None
    award_would_be_fen: int | None
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Impact:
    """A live decision that rests on a person's consents.

    `feeds` were read of him then; `consents` (numbers) were live then, `withdrawn` of them are by now. `note` says why
    `changes` is empty where it could not be reckoned.
    """

    case_id: str
    token: str
    index: int | None
    decided_on: date
    feeds: tuple[str, ...]
    consents: tuple[str, ...]
    withdrawn: tuple[str, ...]
    changes: tuple[Change, ...]
    note: str = ""


def person_named(store: Store, name: str) -> int:
    """The ordinal of a person by his token, or by ``CASE/MEMBER``; StoreError if there is none."""
    found = store.value("select person from subjects where token = ? and person is not null", [name])
    if found is None and "/" in name:
        case_id, _, member = name.rpartition("/")
        found = store.value(
            "select up.person from units u join unit_persons up using (request) where u.case_id = ? and up.id = ? "
            "order by up.position limit 1",
            [case_id, member],
        )
    if found is None:
        raise StoreError("the store knows no person by that token or CASE/MEMBER")
    return int(found)


def consents_impact(store: Store, safe: Safe, person: int, *, on: date) -> list[Impact]:
    """Live decisions on the cases of a person that rest on his consents, by case.

    Args:
        store: the evidence store, open to write: the consents are taken away for the reckoning and put back.
        safe: the vault with the decisions' records.
        person: his ordinal; see `person_named`.
        on: the day of the withdrawal that is asked about, and of the reassessment.
    """
    make_same(store)
    store.run(
        f"create or replace temp table m_own as select {person}::bigint as person "
        f"union select other from p_same where person = {person}"
    )
    try:
        cases = store.fetch(
            "select distinct u.case_id from units u join unit_persons up using (request) "
            "semi join m_own using (person) order by u.case_id"
        )["case_id"].to_list()
        own = frozenset(store.fetch("select person from m_own")["person"].to_list())
        found = (_impact(store, safe, case, own, on) for case in cases)
        return [one for one in found if one is not None]
    finally:
        store.run("drop table m_own")


def _impact(store: Store, safe: Safe, case: str, own: frozenset[int], on: date) -> Impact | None:
    latest = _latest(safe, case)
    if latest is None:
        return None
    token, held = latest
    groups = {name: json.loads(text) for name, text in held.groups.items()}
    provenance = groups["provenance"]
    decided_on = date.fromisoformat(provenance["on"])
    snapshot = recorded_snapshot(store, provenance)
    if isinstance(snapshot, Finding):
        return Impact(case, token, held.index, decided_on, (), (), (), (), note=snapshot.en)
    then = trace(store, [case], on=decided_on, snapshot=snapshot)
    read = then.states.filter(pl.col("person").is_in(list(own)) & (pl.col("state") == int(EvidenceState.ANSWERED)))
    feeds = tuple(sorted({f for f in read["feed"].to_list() if all_feeds()[f].authorisation != "office"}))
    if not feeds:
        return None
    given = then.consents.filter(pl.col("person").is_in(list(own)))
    numbers = tuple(sorted(set(given["consent_no"].to_list())))
    gone = store.fetch(
        "select consent_no from consents semi join m_own using (person) where superseded_by is null "
        f"and withdrawn_on <= date '{on}'"
    )["consent_no"].to_list()
    withdrawn = tuple(number for number in numbers if number in gone)
    law = recorded_law(store, provenance)
    if isinstance(law, Finding):
        return Impact(case, token, held.index, decided_on, feeds, numbers, withdrawn, (), note=law.en)
    changes = _changes(groups["result"], _without(store, case, law, on))
    return Impact(case, token, held.index, decided_on, feeds, numbers, withdrawn, changes)


def _latest(safe: Safe, case: str) -> tuple[str, Held] | None:
    """The household's last record that is sealed, else the last there is; those erased or restricted rest on nothing
    that may still be used."""
    found: list[tuple[str, Held]] = []
    for batch in safe.batches(GROUPS):
        for token in safe.keys.tokens_of(case):
            with contextlib.suppress(Erased, Restricted):
                held = batch.find_token(token)
                if held is not None:
                    found.append((token, held))
    return max(found, key=lambda one: -1 if one[1].index is None else one[1].index, default=None)


def _without(store: Store, case: str, law: Law, on: date) -> Mapping[str, Any]:
    """The result group of the case, decided anew without the consents of ``m_own``."""
    with _undone(store):
        store.run(
            f"update consents set withdrawn_on = date '{on}' where superseded_by is null "
            f"and person in (select person from m_own) and (withdrawn_on is null or withdrawn_on > date '{on}')"
        )
        snapshot = store.snapshot()
        evidence = evidence_of(store, [case], [law], on=on, snapshot=snapshot)
        found: Mapping[str, Any] = evidence.record(case, law, Provenance(snapshot.id))["result"]
        return found


class _Undo(Exception):
    pass


@contextlib.contextmanager
def _undone(store: Store) -> Iterator[None]:
    """What is done to the store inside is taken back at the end."""
    with contextlib.suppress(_Undo), store.transaction():
        yield
        raise _Undo


def _changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Change, ...]:
    before, after = _outcomes(then), _outcomes(now)
    changes = []
    for key in sorted({*before, *after}, key=lambda k: (k[0], k[1] or "")):
        one, other = before.get(key, {}), after.get(key, {})
        changes.append(
            Change(
                *key,
                one.get("outcome"),
                one.get("award"),
                other.get("outcome"),
                other.get("award"),
                tuple(other.get("causes", ())),
            )
        )
    return tuple(changes)


def _outcomes(result: Mapping[str, Any]) -> dict[tuple[str, str | None], Mapping[str, Any]]:
    found: dict[tuple[str, str | None], Mapping[str, Any]] = {
        (one["programme"], None): one for one in result["household"]
    }
    for member in result["members"]:
        found |= {(one["programme"], member["id"]): one for one in member["outcomes"]}
    return found
