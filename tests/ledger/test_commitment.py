"""Two ways to commit to a decision: by groups, some of which may be shown, or to the record as a whole."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import GROUPS, Ledger, Signer, bulk, canonical, commitment, merkle, receipts, verify
from meanscheck.ledger.verdict import verify_receipt

from .builders import ORIGIN, MadeBatch, all_groups, token

COUNT = 7
DECISION = 4


def _by_the_table(groups: dict[str, bytes], salt: bytes) -> str:
    """The table of the docstring, written out."""
    data = b"\0" + b"meanscheck/whole/v1" + b"\0" + b"\x10" + salt
    for name in ("subject", "household", "means", "result", "reasons", "provenance", "evidence"):
        data += bytes([len(name)]) + name.encode("ascii") + len(groups[name]).to_bytes(4, "big") + groups[name]
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ledger, MadeBatch]:
    root: Path = tmp_path_factory.mktemp("whole")
    ledger = Ledger.open(root / "log", signer=Signer.from_seed(ORIGIN, seed=bytes(32)))
    ledger.append(MadeBatch("grouped", 3))
    batch = MadeBatch("whole", COUNT)
    ledger.append(batch, commitment="whole")
    return ledger, batch


def _receipt(whole: tuple[Ledger, MadeBatch], disclose: tuple[str, ...] = GROUPS) -> str:
    ledger, batch = whole
    first = min(batch.kept)
    salts, leaf = batch.kept[first + DECISION]
    return ledger.receipt(first + DECISION, leaf, all_groups(DECISION), salts, disclose)


def test_a_whole_leaf_has_one_salt_its_own_version_and_the_hash_of_the_table(whole: tuple[Ledger, MadeBatch]) -> None:
    _, batch = whole
    assert len(batch.kept) == COUNT
    assert len({salts for salts, _ in batch.kept.values()}) == COUNT
    for n, (salts, leaf) in enumerate(batch.kept.values()):
        members = canonical.parse(leaf)
        assert (len(salts), members["n"], members["v"]) == (16, n, 2)
        assert members["c"] == _by_the_table(all_groups(n), salts)


def test_a_whole_receipt_shows_everything_or_nothing(whole: tuple[Ledger, MadeBatch]) -> None:
    policy = whole[0].policy()
    proven = verify(_receipt(whole).encode(), policy=policy)
    assert (proven.leaf.form, proven.shown) == ("whole", all_groups(DECISION))
    nothing = _receipt(whole, ())
    assert verify(nothing.encode(), policy=policy).shown == {}
    assert not receipts.parse(nothing).shown
    for some in (("result",), GROUPS[:6]):
        with pytest.raises(LedgerError, match="all seven groups or none"):
            _receipt(whole, some)


def test_a_whole_receipt_that_shows_a_part_is_refused_with_the_reason(whole: tuple[Ledger, MadeBatch]) -> None:
    policy = whole[0].policy()
    sound = receipts.parse(_receipt(whole))
    for leave_out in GROUPS:
        part = {group: shown for group, shown in sound.shown.items() if group != leave_out}
        for siblings in ((), (bytes(32),), (bytes.fromhex(commitment.Leaf.parse(sound.leaf).commitment),)):
            with pytest.raises(NotProven, match="all seven groups are shown or none") as caught:
                verify_receipt(replace(sound, shown=part, siblings=siblings), policy)
            assert caught.value.step == "disclosure"


def test_texts_salts_or_siblings_of_a_whole_receipt_that_do_not_fit_are_refused(
    whole: tuple[Ledger, MadeBatch],
) -> None:
    policy = whole[0].policy()
    sound = receipts.parse(_receipt(whole))
    text, salt = sound.shown["means"]
    for shown, siblings in (
        (dict(sound.shown) | {"means": (text.replace(b"4", b"5"), salt)}, ()),
        (dict(sound.shown) | {"means": (text, bytes(16))}, ()),
        ({group: (text, bytes(16)) for group, (text, _) in sound.shown.items()}, ()),
        (dict(sound.shown), (bytes(32),)),
        ({}, ()),
        ({}, (bytes(32), bytes(32))),
        ({}, (bytes(32),)),
    ):
        with pytest.raises(NotProven) as caught:
            verify_receipt(replace(sound, shown=shown, siblings=siblings), policy)
        assert caught.value.step == "disclosure"


def test_neither_form_opens_a_leaf_of_the_other() -> None:
    groups = all_groups(1)
    by_group, as_whole = commitment.commit(groups, bytes(112)), commitment.commit(groups, bytes(16), form="whole")
    shown = {group: (text, bytes(16)) for group, text in groups.items()}
    assert commitment.reveal(shown, []) == by_group
    assert commitment.reveal(shown, [], form="whole") == as_whole
    assert by_group != as_whole
    for form, wrong in (("whole", bytes(112)), ("grouped", bytes(16))):
        with pytest.raises(LedgerError, match="bytes of salts"):
            commitment.commit(groups, wrong, form=form)  # type: ignore[arg-type]


def test_no_two_records_have_one_whole_input() -> None:
    """Bytes moved from one group to the next, or two groups exchanged, are another record."""
    groups = {group: b"%d" % n * 3 for n, group in enumerate(GROUPS)}
    seen = {commitment.commit(groups, bytes(16), form="whole")}
    for left, right in itertools.pairwise(GROUPS):
        moved = groups | {left: groups[left] + groups[right][:1], right: groups[right][1:]}
        swapped = groups | {left: groups[right], right: groups[left]}
        seen |= {commitment.commit(changed, bytes(16), form="whole") for changed in (moved, swapped)}
    assert len(seen) == 13


@pytest.mark.parametrize("form", ["grouped", "whole"])
def test_columns_give_the_leaves_that_single_decisions_give(form: commitment.Form) -> None:
    count = bulk.CHUNK + 3
    rows = [all_groups(n) for n in range(count)]
    width = {"grouped": 112, "whole": 16}[form]
    salts = bytes(n % 251 for n in range(width * count))
    sealed = bulk.seal_block(
        "b", "55" * 32, 10, tokens=[token(n) for n in range(count)],
        groups=[[row[group] for row in rows] for group in GROUPS], salts=salts, form=form,
    )  # fmt: skip
    for n, row in enumerate(rows):
        made = commitment.commit(row, salts[width * n : width * n + width], form=form).hex()
        assert sealed.leaves[n] == commitment.Leaf("b", made, "55" * 32, 10 + n, token(n), form).format()
    assert sealed.hashes == merkle.leaf_hashes(sealed.leaves)
    assert sealed.salts_each == [salts[at : at + width] for at in range(0, len(salts), width)]
    assert bulk.seal_block("b", "55" * 32, 0, tokens=[], groups=[[]] * 7, form=form).salts_each == []
    with pytest.raises(LedgerError, match="bytes of salts"):
        bulk.seal_block("b", "55" * 32, 0, tokens=[token(0)], groups=[[b"1"]] * 7, salts=bytes(15), form=form)


def test_whole_records_are_committed_to_alike_by_two_processes() -> None:
    batch = MadeBatch("b", 9_000, block=8_500, processes=2)
    blocks = list(batch.sealed(bulk.Seal("b", "55" * 32, 5, "whole")))
    assert [len(block.leaves) for block in blocks] == [8_500, 500]
    assert list(batch.kept) == list(range(5, 9_005))
    salts, leaves = zip(*batch.kept.values(), strict=True)
    for n in (0, 8_191, 8_192, 8_499, 8_500, 8_999):
        members = commitment.Leaf.parse(leaves[n])
        assert (members.position, members.form) == (n, "whole")
        assert members.commitment == _by_the_table(all_groups(n), salts[n])
