"""After an erasure nothing rebuilds the record, and everything that was proven still is."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from meanscheck.errors import Erased, InputError, Restricted, Retained, StoreError
from meanscheck.ledger import GROUPS, Policy, checkpoint, merkle, note, verify
from meanscheck.ledger.commitment import Leaf, commit
from meanscheck.ledger.tiles import TileReader
from meanscheck.vault import BASES, Erasure, Safe
from meanscheck.vault.erasure import after_restore, compact, erase, finish
from meanscheck.vault.household_keys import ROW
from meanscheck.vault.sealing import bound_to

from .offices import CASE, CASES, FIRST, LATE, OUTCOMES, RETENTION, SECOND, TOKEN, TOKENS, Office, groups_of

N = CASES.index(CASE)
BASIS = "pipl-47-3"


def erased(office: Office, token: str = TOKEN, on: date = LATE) -> Erasure:
    return erase(
        office.safe,
        token,
        basis=BASIS,
        on=on,
        append=office.append,
        forget=office.forget,
        retention=RETENTION,
        never_paid=True,
    )


def sealed_of(office: Office, kind: str, batch_id: str = FIRST) -> tuple[bytes, bytes]:
    """Sealed bytes of the household and what they are bound to."""
    frame = pl.read_parquet(office.batch(batch_id).folder / f"{kind}-00000.parquet")
    return frame["sealed"][N], bound_to(kind, 0, [N], [TOKEN], batch_id)[0]


def opens(key: bytes, sealed: bytes, bound: bytes) -> bool:
    try:
        AESGCM(key).decrypt(sealed[:12], sealed[12:], bound)
    except InvalidTag:
        return False
    return True


# ---- nothing rebuilds the record


def test_no_key_that_is_left_opens_what_was_sealed(office: Office) -> None:
    (own,) = office.safe.keys.give([TOKEN])
    assert own is not None
    things = [sealed_of(office, kind, b) for kind in ("records", "outcomes", "seals") for b in (FIRST, SECOND)]
    assert all(opens(own, *thing) for thing in things)
    erased(office)
    left = [key for key in office.safe.keys.give(TOKENS) if key is not None]
    left += [key for b in (FIRST, SECOND) if (key := office.safe.keys.give_of_batch(b)) is not None]
    left += [bytes(range(32)), bytes(32)]
    assert len(left) == len(TOKENS) - 1 + 2  # no batch that had the household has a key of its root any more
    assert not any(opens(key, *thing) for key in left for thing in things)


def test_no_file_holds_the_key_the_record_or_the_salts(office: Office) -> None:
    before = office.bytes_of_all_files()
    (key,) = office.safe.keys.give([TOKEN])
    held = [office.batch(b).find(CASE) for b in (FIRST, SECOND)]
    row = next(data for name, data in before.items() if name.endswith("household-keys"))
    wrapped = row[row.index(bytes.fromhex(TOKEN)) :][32:ROW]
    assert key is not None and any(wrapped in data for data in before.values())
    erased(office)
    after = office.bytes_of_all_files()
    secrets = [key, key.hex().encode(), wrapped, wrapped[:12], CASE.encode()]
    for h in held:
        assert h.salts is not None
        secrets += [h.salts[at : at + 16] for at in range(0, 112, 16)]
        secrets += [text for name, text in h.groups.items() if name not in ("household", "provenance")]
    assert len(after) >= 2 * 7 + 1
    for name, data in after.items():
        assert not any(secret in data for secret in secrets), name


def guesses() -> Iterator[dict[str, bytes]]:
    """All outcomes, awards and incomes of a grid around the true ones; everything else as it truly is."""
    true = groups_of(N, FIRST)
    for outcome, award, income in itertools.product(OUTCOMES, range(0, 100_001, 10_000), range(0, 100_001, 10_000)):
        result = json.dumps({"award": award, "outcome": outcome}, separators=(",", ":"))
        means = json.dumps({"household_income": income}, separators=(",", ":"))
        yield {n: t.encode() for n, t in {**true, "result": result, "means": means}.items()}


def test_trying_all_outcomes_and_amounts_against_the_commitment_finds_nothing(office: Office) -> None:
    held = office.batch().find(CASE)
    assert held.salts is not None and held.leaf is not None
    wanted = Leaf.parse(held.leaf).commitment
    right = [guess for guess in guesses() if commit(guess, held.salts).hex() == wanted]
    assert right == [dict(held.groups)]  # with the salts one of the guesses is found: the grid has the truth
    erased(office)
    others = [office.batch().find(case).salts for case in CASES if case != CASE]
    salts = [bytes(112), bytes.fromhex(TOKEN) * 7, *others]
    found = [1 for guess in guesses() for salt in salts if salt is not None and commit(guess, salt).hex() == wanted]
    assert found == []


def test_a_root_that_could_be_tried_goes_with_the_first_household(office: Office) -> None:
    erased(office)
    for batch_id in (FIRST, SECOND):
        facts = office.batch(batch_id).closed()
        assert facts is not None and facts["records_root"] is None and facts["units"] == len(CASES)


def test_the_old_file_s_row_is_overwritten(office: Office) -> None:
    file = office.folder / "county.household-keys"
    os.link(file, office.folder / "old")
    old = (office.folder / "old").read_bytes()
    # Where rows begin: the byte before one may be like the token's.
    rows = range(old.index(b"\n", old.index(b"\n") + 1) + 1, len(old), ROW)
    at = next(at for at in rows if old[at : at + len(TOKEN) // 2] == bytes.fromhex(TOKEN))
    erased(office)
    now = (office.folder / "old").read_bytes()
    assert now[at : at + ROW] == bytes(ROW)
    assert now[:at] == old[:at] and now[at + ROW : at + 2 * ROW] == old[at + ROW : at + 2 * ROW]


def test_compacting_drops_the_sealed_bytes_and_nothing_else(office: Office) -> None:
    gone = sealed_of(office, "records")[0]
    others = {case: office.batch().find(case) for case in CASES if case != CASE}
    erased(office)
    assert any(gone in data for data in office.bytes_of_all_files().values())
    assert compact(office.safe) == 2 * 3
    assert not any(gone in data for data in office.bytes_of_all_files().values())
    assert {case: office.batch().find(case) for case in others} == others
    with pytest.raises(Erased):
        office.batch().find(CASE)
    assert compact(office.safe) == 0


# ---- what was proven still is


def test_an_older_receipt_still_verifies_and_shows_all(office: Office) -> None:
    receipt = office.receipt()
    policy = office.ledger.policy()
    erased(office)
    proven = verify(receipt.encode(), policy=Policy.parse(policy.format().encode()))
    assert set(proven.groups) == set(GROUPS) and proven.groups["subject"]["case"] == CASE


def test_every_proof_of_the_log_still_holds(office: Office) -> None:
    old = office.ledger
    entries = [old.entry(i) for i in range(old.size)]
    erased(office)
    new = office.ledger
    head = checkpoint.parse(note.parse(new.checkpoint)[0])
    assert (head.size, new.check()) == (len(entries) + 1, len(entries) + 1)
    tiles = TileReader(office.folder / "ledger", head.size)
    for index, entry in enumerate([*entries, new.entry(head.size - 1)]):
        path = merkle.prove_inclusion(tiles, index, head.size)
        merkle.check_inclusion(merkle.leaf_hash(entry), index, head.size, path, head.root)
    for size in range(1, len(entries) + 1):
        root = merkle.root(merkle.leaf_hashes(entries[:size]))
        merkle.check_consistency(size, root, head.size, head.root, new.consistency(size))


def test_the_log_says_what_was_done_and_nobody_s_name(office: Office) -> None:
    done = erased(office)
    assert done == Erasure(TOKEN, "erased", None, (FIRST, SECOND))
    entry = json.loads(office.ledger.entry(office.ledger.size - 1))
    assert entry == {"basis": BASIS, "k": "erasure", "on": "2026-11-03", "s": TOKEN, "v": 1}
    assert office.forgotten == [TOKEN]


# ---- how it is told


def test_what_was_erased_is_reported_as_erased(office: Office) -> None:
    erased(office)
    for batch_id in (FIRST, SECOND):
        with pytest.raises(Erased, match="erased"):
            office.batch(batch_id).find(CASE)
        with pytest.raises(Erased):
            office.batch(batch_id).find_token(TOKEN)
        with pytest.raises(Erased, match="a household"):
            list(office.batch(batch_id).blocks())
    assert office.batch().find(CASES[0]).case_id == CASES[0]


def test_gaps_are_counted_where_they_are_asked_for(office: Office) -> None:
    erased(office)
    frame = pl.concat(office.batch().blocks(gaps=True))
    assert frame["state"].to_list() == [None] * N + ["erased"] + [None] * (len(CASES) - N - 1)
    row = frame.row(N, named=True)
    assert (row["token"], row["position"], row["case_id"], row["result"]) == (TOKEN, N, None, None)
    assert CASE not in office.batch().outcomes().collect(engine="in-memory")["case_id"].to_list()


def test_erasing_twice_is_refused_and_states_nothing_twice(office: Office) -> None:
    erased(office)
    size = office.ledger.size
    with pytest.raises(Erased, match="before"):
        erased(office)
    assert office.ledger.size == size


def test_whoever_is_not_there_cannot_be_erased(office: Office) -> None:
    with pytest.raises(StoreError, match="no key under that token"):
        erased(office, "ff" * 16)
    with pytest.raises(StoreError, match="32 hex"):
        erased(office, "U-0004")


def test_a_basis_is_one_of_a_closed_list(office: Office) -> None:
    assert list(BASES) == [f"pipl-47-{n}" for n in range(1, 6)]
    with pytest.raises(InputError, match="no such basis"):
        erase(
            office.safe,
            TOKEN,
            basis="because",
            on=LATE,
            append=office.append,
            forget=office.forget,
            retention=RETENTION,
        )


def test_an_erased_household_decided_again_has_a_new_token(office: Office) -> None:
    """What the store does while evidence is left: the case comes again, under another token."""
    erased(office)
    keys = office.safe.keys
    with pytest.raises(Erased, match="registry"):
        keys.take([TOKEN], [CASE])
    keys.take(["ee" * 16], [CASE])
    assert keys.tokens_of(CASE) == ["ee" * 16]
    with pytest.raises(Erased):
        office.batch().find(CASE)


# ---- retention and restriction


@pytest.mark.parametrize(
    ("case", "on", "stopped", "never_paid", "until"),
    [
        # Found eligible on 2020-06-30 and 2020-12-31: five years from the later, three from the end of relief.
        (0, "2025-12-30", "2021-03-31", False, "2025-12-31"),
        (0, "2025-12-31", "2021-03-31", False, None),
        (0, "2027-06-29", "2024-06-30", False, "2027-06-30"),
        (0, "2027-06-30", "2024-06-30", False, None),
        (0, "2026-11-03", None, False, "unknown"),
        (0, "2026-11-03", "2020-12-30", False, "unknown"),  # granted again after that day
        (0, "2025-12-30", None, True, "2025-12-31"),
        # Ineligible both times: five years only.
        (9, "2025-12-30", None, False, "2025-12-31"),
        (9, "2025-12-31", None, False, None),
        # Referred to a person, who may have granted it. Nothing was asked for the last: five years only.
        (10, "2026-11-03", None, False, "unknown"),
        (10, "2026-11-03", None, True, None),
        (11, "2025-12-31", None, False, None),
    ],
)
def test_retention_refuses_with_the_day_on_which_it_ends(
    office: Office, case: int, on: str, stopped: str | None, never_paid: bool, until: str | None
) -> None:
    def attempt() -> Erasure:
        return erase(
            office.safe,
            TOKENS[case],
            basis=BASIS,
            on=date.fromisoformat(on),
            append=office.append,
            forget=office.forget,
            retention=RETENTION,
            relief_stopped_on=None if stopped is None else date.fromisoformat(stopped),
            never_paid=never_paid,
        )

    if until is None:
        assert attempt().state == "erased"
        return
    with pytest.raises(Retained) as refused:
        attempt()
    assert refused.value.until == (None if until == "unknown" else date.fromisoformat(until))
    assert until in str(refused.value) or "not known" in str(refused.value)
    assert office.batch().find(CASES[case]) and office.forgotten == []


def restricted(office: Office, token: str = TOKEN) -> Erasure:
    return erase(
        office.safe,
        token,
        basis=BASIS,
        on=date(2021, 1, 1),
        append=office.append,
        forget=office.forget,
        retention=RETENTION,
        never_paid=True,
        or_restrict=True,
    )


def test_restricted_records_are_for_audits_only(office: Office) -> None:
    size = office.ledger.size
    done = restricted(office)
    assert done == Erasure(TOKEN, "restricted", date(2025, 12, 31), (FIRST, SECOND))
    assert office.ledger.size == size and office.forgotten == []
    batch = Safe.open(office.folder / "county.vault", key=office.key).batch(FIRST, GROUPS)  # it is written down
    with pytest.raises(Restricted, match="audit"):
        batch.find(CASE)
    with pytest.raises(Restricted):
        list(batch.blocks())
    assert batch.find(CASE, purpose="audit").case_id == CASE
    assert batch.find(CASES[0]).case_id == CASES[0]
    assert [f.height for f in batch.blocks(purpose="audit")] == [6, 6]
    assert CASE not in batch.outcomes().collect(engine="in-memory")["case_id"].to_list()
    assert CASE in batch.outcomes(purpose="audit").collect(engine="in-memory")["case_id"].to_list()
    noted = office.safe.keys.restricted[TOKEN]
    assert (noted.basis, noted.on, noted.until) == (BASIS, date(2021, 1, 1), date(2025, 12, 31))


def test_what_was_restricted_can_be_erased_later_or_lifted(office: Office) -> None:
    restricted(office)
    restricted(office, TOKENS[0])
    erased(office)
    assert set(office.safe.keys.restricted) == {TOKENS[0]} and set(office.safe.keys.erased) == {TOKEN}
    office.safe.keys.lift(TOKENS[0])
    assert office.batch().find(CASES[0]).case_id == CASES[0]


# ---- crashes


def test_a_crash_before_the_statement_is_finished_later(office: Office) -> None:
    """The key is gone first: an entry in the log must be true when it is made."""
    size = office.ledger.size

    def crash(entry: Mapping[str, str]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        erase(
            office.safe,
            TOKEN,
            basis=BASIS,
            on=LATE,
            append=crash,
            forget=office.forget,
            retention=RETENTION,
            never_paid=True,
        )
    again = Safe.open(office.folder / "county.vault", key=office.key)
    assert again.keys.give([TOKEN]) == [None]
    assert office.ledger.size == size and office.forgotten == []
    assert [note.stated for note in again.keys.erased.values()] == [False]
    assert finish(again, append=office.append, forget=office.forget) == 1
    assert json.loads(office.ledger.entry(size))["s"] == TOKEN and office.forgotten == [TOKEN]
    assert finish(again, append=office.append, forget=office.forget) == 0
    assert office.ledger.size == size + 1


def test_a_crash_before_the_rename_erases_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", crash)
        with pytest.raises(StoreError, match="No space"):
            erased(office)
    assert office.batch().find(CASE).case_id == CASE
    assert office.safe.keys.erased == {} and office.forgotten == []
    assert erased(office).state == "erased"


# ---- backups


def test_a_copy_of_the_vault_alone_opens_nothing(office: Office, tmp_path: Path) -> None:
    shutil.copytree(office.folder / "county.vault", tmp_path / "county.vault")
    for make in (False, True):
        with pytest.raises(StoreError, match="missing"):
            Safe.open(tmp_path / "county.vault", key=office.key, make=make)
    keys = [key for key in office.safe.keys.give(TOKENS) if key is not None]
    copied = [file.read_bytes() for file in tmp_path.glob("county.vault/*/*")]
    assert len(keys) == len(TOKENS) and len(copied) == 2 * 7
    assert not any(key in data for key in keys for data in copied)


def test_a_key_file_restored_from_before_is_brought_up_to_the_log(office: Office) -> None:
    file = office.folder / "county.household-keys"
    backup = file.read_bytes()
    erased(office)
    entry = json.loads(office.ledger.entry(office.ledger.size - 1))
    file.write_bytes(backup)
    restored = Safe.open(office.folder / "county.vault", key=office.key)
    assert restored.batch(FIRST, GROUPS).find(CASE).case_id == CASE  # why backups of this file are to be few and short
    assert after_restore(restored, [entry], forget=office.forget) == 1
    with pytest.raises(Erased):
        restored.batch(FIRST, GROUPS).find(CASE)
    assert after_restore(restored, [entry], forget=office.forget) == 0
    assert [note.stated for note in restored.keys.erased.values()] == [True]
