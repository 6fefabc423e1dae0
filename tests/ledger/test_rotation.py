"""A key is changed and a year ends, and every proof made before goes on holding."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import Ledger, Overlap, Policy, Signer, checkpoint, entries, note, rotation, verify
from meanscheck.ledger.policy import LogLine

from .builders import ORIGIN, Folder, MadeBatch, all_groups

DAY = date(2026, 12, 1)
NEXT = "county.example/relief-2027"


def new_key(fresh: Folder) -> Signer:
    signer = Signer.from_seed(ORIGIN, seed=b"newer " + bytes(26))
    signer.save(fresh.path.parent / "keys" / "newer.key", unprotected=True)
    return signer


def receipt(ledger: Ledger, batch: MadeBatch, index: int, first: int) -> bytes:
    salts, leaf = batch.kept[index]
    return ledger.receipt(index, leaf, all_groups(index - first), salts, ["result"]).encode()


def holds(text: bytes, policy: Policy) -> bool:
    try:
        return verify(text, policy=policy).index > 0
    except NotProven as error:
        assert error.step == "signature"
        return False


def test_a_key_is_changed_with_an_overlap_and_every_receipt_goes_on_holding(fresh: Folder) -> None:
    old, new = fresh.signer, new_key(fresh)
    batch, sealed = fresh.batches[0]
    first = receipt(fresh.ledger, batch, 3, sealed.first_index)

    announced = fresh.ledger.prove_entry(*fresh.ledger.add([entries.Key(str(new.key), str(old.key), DAY)]))
    only_old, only_new = fresh.policy, Policy((LogLine(new.key),))
    both = rotation.extended(only_old, announced)
    assert both == Policy((LogLine(old.key), LogLine(new.key)))
    assert Policy.parse(both.format()) == both
    assert rotation.extended(both, announced) == both

    overlapping = Ledger.open(fresh.path, signer=Overlap(old, new))
    for number in range(3):
        overlapping.append(MadeBatch(f"overlap-{number}", 2))
        opened = note.open(overlapping.checkpoint, both.log_keys)
        assert ([s.key for s in opened.signatures], opened.unknown) == ([old.key, new.key], ())
        assert old.last_signed() == new.last_signed() == checkpoint.parse(opened.text)
    second = receipt(overlapping, batch, 3, sealed.first_index)

    alone = Ledger.open(fresh.path, signer=new)
    alone.append(MadeBatch("alone", 2))
    third = receipt(alone, batch, 3, sealed.first_index)
    assert alone.check_entries().total() == alone.size

    assert [[holds(text, policy) for policy in (only_old, both, only_new)] for text in (first, second, third)] == [
        [True, True, False],
        [False, True, False],
        [False, True, True],
    ]


class Crash(Exception):
    """Stands for the power going off."""


def test_a_crash_between_two_signatures_is_finished_on_the_next_opening(
    fresh: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = fresh.signer, new_key(fresh)

    def crash(*_: object, **__: object) -> str:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(new, "sign_checkpoint", crash)
        with pytest.raises(Crash):
            Ledger.open(fresh.path, signer=Overlap(old, new)).add([entries.Policy("ab" * 32, DAY)])
    assert (fresh.ledger.size, new.last_signed()) == (7, None)
    ledger = Ledger.open(fresh.path, signer=Overlap(old, new))
    assert ledger.add([entries.Policy("cd" * 32, DAY)]) == [8]
    assert len(note.open(ledger.checkpoint, [old.key, new.key]).signatures) == 2
    assert ledger.check_entries().total() == 9


def test_a_key_that_was_not_introduced_does_not_sign(fresh: Folder) -> None:
    new = new_key(fresh)
    with pytest.raises(LedgerError, match="no record"):
        Ledger.open(fresh.path, signer=new).append(MadeBatch("b", 1))
    for pair in ((fresh.signer, fresh.signer), (fresh.signer, Signer.generate("other.example"))):
        with pytest.raises(LedgerError, match="two different keys"):
            Overlap(*pair)
    for key, old in ((new.key, new.key), (Signer.generate("other.example").key, fresh.signer.key)):
        with pytest.raises(LedgerError, match="two different keys"):
            fresh.ledger.add([entries.Key(str(key), str(old), DAY)])


def test_an_overlap_signs_no_second_history(fresh: Folder) -> None:
    new = new_key(fresh)
    overlap = Overlap(fresh.signer, new)
    Ledger.open(fresh.path, signer=overlap).append(MadeBatch("b", 1))
    fork = checkpoint.Checkpoint(ORIGIN, 100, bytes(32))
    for signer in (overlap, new):
        with pytest.raises(LedgerError, match="refused"):
            signer.sign_checkpoint(fork, prove=lambda _: [])


def test_a_new_key_inside_the_logs_folder_is_refused(fresh: Folder) -> None:
    new = Signer.from_seed(ORIGIN, seed=bytes(32))
    new.save(fresh.path / "newer.key", unprotected=True)
    with pytest.raises(LedgerError, match="inside the log"):
        Ledger.open(fresh.path, signer=Overlap(fresh.signer, new)).append(MadeBatch("b", 1))


def test_only_a_trusted_key_introduces_another(fresh: Folder, tmp_path: Path) -> None:
    new = new_key(fresh)
    stranger = Signer.from_seed(ORIGIN, seed=bytes(32))
    ledger = fresh.ledger
    other, by_stranger = ledger.add([entries.Policy("ab" * 32, DAY), entries.Key(str(new.key), str(stranger.key), DAY)])
    for index in (other, by_stranger):
        with pytest.raises(NotProven) as caught:
            rotation.extended(fresh.policy, ledger.prove_entry(index))
        assert caught.value.step == "key"
    elsewhere = Ledger.open(tmp_path / "elsewhere", signer=stranger)
    index = elsewhere.add([entries.Key(str(new.key), str(fresh.signer.key), DAY)])[0]
    with pytest.raises(NotProven) as caught:
        rotation.extended(fresh.policy, elsewhere.prove_entry(index))
    assert caught.value.step == "signature"


# ---- years


def test_a_years_log_goes_on_from_the_closed_one(fresh: Folder, tmp_path: Path) -> None:
    ledger = fresh.ledger
    before_end = ledger.checkpoint
    batch, sealed = fresh.batches[0]
    text = receipt(ledger, batch, 3, sealed.first_index)
    end = ledger.prove_entry(*ledger.add([entries.Closed(date(2026, 12, 31))]))
    following = Ledger.open(tmp_path / "2027", signer=Signer.from_seed(NEXT, seed=bytes(32)))
    first = rotation.opened(ledger.checkpoint, on=date(2027, 1, 1))
    begin = following.prove_entry(*following.add([first]))
    following.append(MadeBatch("2027-01", 3))
    policy = Policy(fresh.policy.logs + following.policy().logs)

    chained = rotation.check_year(end, begin, policy=policy)
    assert (chained.old.origin, chained.old.size, chained.new.origin) == (ORIGIN, 8, NEXT)
    assert rotation.check_year(end, following.prove_entry(0), policy=policy).new.size == 6
    assert verify(text, policy=policy).index == 3
    assert rotation.check_chain(ledger.checkpoint, following.entry(0)) == first

    with pytest.raises(NotProven, match="another checkpoint"):
        rotation.check_chain(before_end, following.entry(0))
    for entry in (following.entry(1), following.entry(2), ledger.entry(7), b"{}"):
        with pytest.raises(NotProven):
            rotation.check_chain(ledger.checkpoint, entry)
    for old, new, why in (
        (ledger.prove_entry(6), begin, "kind known here|not closed"),
        (end, following.prove_entry(1), "first entry"),
        (end, end, "first entry"),
        (begin, begin, "not closed"),
    ):
        with pytest.raises(NotProven, match=why):
            rotation.check_year(old, new, policy=policy)
    with pytest.raises(NotProven, match="signature"):
        rotation.check_year(end, begin, policy=fresh.policy)


@pytest.mark.parametrize("swapped", ["size", "checkpoint", "origin"])
def test_a_swapped_last_checkpoint_is_refused(swapped: str, fresh: Folder, tmp_path: Path) -> None:
    ledger = fresh.ledger
    end = ledger.prove_entry(*ledger.add([entries.Closed(DAY)]))
    first = rotation.opened(ledger.checkpoint, on=DAY)
    changes = {"size": 7, "checkpoint": "00" * 32, "origin": "other.example"}
    following = Ledger.open(tmp_path / "2027", signer=Signer.from_seed(NEXT, seed=bytes(32)))
    begin = following.prove_entry(*following.add([replace(first, **{swapped: changes[swapped]})]))  # type: ignore[arg-type]
    with pytest.raises(NotProven) as caught:
        rotation.check_year(end, begin, policy=Policy(fresh.policy.logs + following.policy().logs))
    assert (caught.value.step, caught.value.why) == (
        "chain",
        "the newer log goes on from another checkpoint than this one",
    )


def test_a_log_rewritten_by_its_own_key_does_not_fit_the_next_year(fresh: Folder, tmp_path: Path) -> None:
    fresh.ledger.add([entries.Closed(DAY)])
    following = Ledger.open(tmp_path / "2027", signer=Signer.from_seed(NEXT, seed=bytes(32)))
    begin = following.prove_entry(*following.add([rotation.opened(fresh.ledger.checkpoint, on=DAY)]))
    thief = Signer.from_seed(ORIGIN, seed=b"county" + bytes(26))
    assert thief.key == fresh.signer.key
    rewritten = Ledger.open(tmp_path / "rewritten", signer=thief)
    rewritten.append(MadeBatch("2026-00", 5))
    end = rewritten.prove_entry(*rewritten.add([entries.Closed(DAY)]))
    with pytest.raises(NotProven, match="another checkpoint"):
        rotation.check_year(end, begin, policy=Policy(fresh.policy.logs + following.policy().logs))


def test_lines_added_to_the_last_checkpoint_later_change_nothing(fresh: Folder) -> None:
    fresh.ledger.add([entries.Closed(DAY)])
    bare = fresh.ledger.checkpoint
    text, lines = note.parse(bare)
    more = note.format(text, [*lines, note.SignatureLine("audit.example/w1", b"\0\1\2\3", bytes(72))])
    assert rotation.opened(more, on=DAY) == rotation.opened(bare, on=DAY)
