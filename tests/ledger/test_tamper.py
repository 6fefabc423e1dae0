"""Who notices that a log was tampered with, and by what knowledge? Each test's name says it.

| Who | Holds | Notices |
|---|---|---|
| a reader of the folder | the folder | any file that does not fit the others |
| a reader with the policy | the log's public key too | a log rewritten as a whole by somebody without the key |
| a holder of an older checkpoint | size and root | any change below that size, and a shorter log, whoever signed |
| a holder of a receipt | entry, index, older checkpoint | the same, and that the own entry is gone, changed or moved |
| the signer | its state file | a folder put back or changed below what it signed last |
| nobody alone | | what lies above the own checkpoint; two histories, each shown to one person |

The last line is what witnesses are for. The cheat is the strongest there is: the office itself, with its key, giving
the proofs that its changed log yields.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import Ledger, Policy, Signer, checkpoint, merkle, note, receipts, verify
from meanscheck.ledger.checkpoint import Checkpoint
from meanscheck.ledger.log import Log
from meanscheck.ledger.policy import LogLine, WitnessLine

from .builders import ORIGIN, Folder, MadeBatch, build_folder, witness_key

SMALL = 40
SEED = b"county" + bytes(26)
CHANGES: dict[str, Callable[[list[bytes], int], list[bytes]]] = {
    "edited": lambda entries, at: [*entries[:at], entries[at] + b" ", *entries[at + 1 :]],
    "deleted": lambda entries, at: entries[:at] + entries[at + 1 :],
    "inserted": lambda entries, at: [*entries[:at], b"made up", *entries[at:]],
    "doubled": lambda entries, at: [*entries[: at + 1], *entries[at:]],
    "swapped with the next": lambda entries, at: [*entries[:at], *entries[at : at + 2][::-1], *entries[at + 2 :]],
    "cut off here": lambda entries, at: entries[:at],
}


class Tree:
    """A whole tree in memory that remembers its subtrees."""

    def __init__(self, entries: list[bytes]) -> None:
        self.flat = merkle.leaf_hashes(entries)
        self.size = len(entries)
        self.known: dict[tuple[int, int], bytes] = {}

    def subtree(self, start: int, end: int) -> bytes:
        root = self.known.get((start, end))
        if root is None:
            root = merkle.root(self.flat[32 * start : 32 * end])
            self.known[start, end] = root
        return root

    def head(self, size: int) -> bytes:
        return self.subtree(0, size)


def notices(old: int, old_root: bytes, now: Tree, *, offered: list[list[bytes]] | None = None) -> bool:
    """True if a holder of (old, old_root) accepts no proof that `now` continues it: the tree's own, or others."""
    paths = list(offered or [])
    if old <= now.size:
        paths.append(merkle.prove_consistency(now, old, now.size))
    for path in [*paths, []]:
        try:
            merkle.check_consistency(old, old_root, now.size, now.head(now.size), path)
        except NotProven:
            continue
        return False
    return True


@pytest.fixture(scope="module")
def entries(folder: Folder) -> list[bytes]:
    """Forty entries of three batches, with their openings and closings."""
    made = [folder.ledger.entry(index) for index in (*range(20), *range(folder.ledger.size - 20, folder.ledger.size))]
    assert len(set(made)) == SMALL
    return made


@pytest.mark.parametrize("change", CHANGES)
def test_a_holder_of_an_older_checkpoint_notices_every_change_below_it_whoever_signs(
    change: str, entries: list[bytes]
) -> None:
    """Every log of 1 to 40 entries, every place, every older checkpoint above that place."""
    cases = 0
    for size in range(1, SMALL + 1):
        sound = Tree(entries[:size])
        for at in range(size - (change == "swapped with the next")):
            changed = Tree(CHANGES[change](entries[:size], at))
            for old in range(at + 1, size + 1):
                if change == "swapped with the next" and old == at + 1:
                    # The entry at `at` is another one already; the entry that it was comes later.
                    assert changed.head(old) != sound.head(old)
                if change == "doubled" and old == at + 1:
                    # What was appended begins only behind the checkpoint: no change below it.
                    assert not notices(old, sound.head(old), changed)
                    continue
                honest = merkle.prove_consistency(sound, old, size)
                assert notices(old, sound.head(old), changed, offered=[honest])
                cases += 1
    pairs = sum(size * (size + 1) // 2 for size in range(1, SMALL + 1))
    places = sum(range(1, SMALL + 1))
    assert cases == pairs - {"doubled": places, "swapped with the next": SMALL}.get(change, 0)


def test_a_holder_of_an_older_checkpoint_notices_any_two_entries_exchanged_whoever_signs(entries: list[bytes]) -> None:
    cases = 0
    for size in range(2, 19):
        sound = Tree(entries[:size])
        for first in range(size):
            for second in range(first + 1, size):
                swapped = list(entries[:size])
                swapped[first], swapped[second] = swapped[second], swapped[first]
                changed = Tree(swapped)
                for old in range(first + 1, size + 1):
                    assert notices(old, sound.head(old), changed)
                    cases += 1
    assert cases == sum((size - 1) * size * (size + 1) // 3 for size in range(2, 19))


def test_a_holder_of_an_older_checkpoint_accepts_every_log_that_only_grew(entries: list[bytes]) -> None:
    for size in range(1, SMALL + 1):
        now = Tree(entries[:size])
        for old in range(size + 1):
            path = merkle.prove_consistency(now, old, size)
            merkle.check_consistency(old, now.head(old), size, now.head(size), path)


def test_a_holder_of_a_receipt_notices_that_the_own_entry_is_gone_changed_or_moved(entries: list[bytes]) -> None:
    """No path, true in the old log or in the changed one, leads from the entry at its old place to the new root."""
    for size in range(1, SMALL + 1):
        sound = Tree(entries[:size])
        for change in CHANGES:
            for at in range(size - (change == "swapped with the next")):
                changed = CHANGES[change](entries[:size], at)
                if changed[at : at + 1] == entries[at : at + 1]:
                    # Doubled, the first copy stands where it stood.
                    assert change == "doubled"
                    continue
                now, own = Tree(changed), merkle.leaf_hash(entries[at])
                paths = [merkle.prove_inclusion(sound, at, size)]
                paths += [
                    merkle.prove_inclusion(now, place, now.size)
                    for place in (at - 1, at, at + 1)
                    if 0 <= place < now.size
                ]
                for path in paths:
                    with pytest.raises(NotProven):
                        merkle.check_inclusion(own, at, now.size, path, now.head(now.size))


# Whole logs on disk, made by the ledger and remade by the office with its own key.


@dataclass
class Office:
    """A log of three batches; every checkpoint that it published, and a receipt of every decision at its time."""

    folder: Folder
    entries: list[bytes]
    checkpoints: list[str]
    receipts: dict[int, str]

    @property
    def policy(self) -> Policy:
        return self.folder.ledger.policy()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    root = tmp_path_factory.mktemp("office")
    folder = build_folder(root, batches=(3,), witnessed=False)
    seen, kept = [folder.ledger.checkpoint], {index: folder.receipt(index) for index in (1, 2, 3)}
    for number, count in ((1, 2), (2, 4)):
        batch = MadeBatch(f"2026-{number:02d}", count)
        sealed = folder.ledger.append(batch)
        folder.batches.append((batch, sealed))
        seen.append(folder.ledger.checkpoint)
        kept |= {index: folder.receipt(index) for index in batch.kept}
    return Office(folder, [folder.ledger.entry(index) for index in range(folder.ledger.size)], seen, kept)


def remade(root: Path, entries: list[bytes], *, seed: bytes = SEED, origin: str = ORIGIN) -> Ledger:
    """A log of these entries, signed: its signer remembers nothing of any other."""
    signer = Signer.from_seed(origin, seed=seed)
    with Log.open(root, origin=origin).grow(signer) as growth:
        growth.add(entries)
        growth.publish()
    return Ledger.open(root, signer=signer)


def head_of(text: str, policy: Policy) -> Checkpoint:
    """What a holder keeps: the tree head of a checkpoint whose signature holds."""
    return checkpoint.parse(note.open(text, policy.log_keys).text)


def continues(known: Checkpoint, ledger: Ledger, policy: Policy) -> bool:
    """What a holder does with a newer folder: open its checkpoint, ask its tiles for the proof, check the proof."""
    try:
        now = head_of(ledger.checkpoint, policy)
        merkle.check_consistency(known.size, known.root, now.size, now.root, ledger.consistency(known.size))
    except NotProven:
        return False
    return True


@pytest.mark.parametrize("change", CHANGES)
def test_a_log_remade_by_the_office_is_sound_alone_but_not_to_holders_of_checkpoints_and_receipts(
    change: str, office: Office, tmp_path: Path
) -> None:
    for at in range(len(office.entries) - 1):
        changed = CHANGES[change](office.entries, at)
        if not changed:
            continue
        ledger = remade(tmp_path / str(at), changed)
        assert ledger.check() == len(changed)
        for text in office.checkpoints:
            known = head_of(text, office.policy)
            below = changed[: known.size] != office.entries[: known.size]
            assert continues(known, ledger, office.policy) is not below
        for receipt in office.receipts.values():
            proven = verify(receipt.encode(), policy=office.policy)
            known = Checkpoint(proven.origin, proven.size, bytes.fromhex(proven.root))
            below = changed[: known.size] != office.entries[: known.size]
            assert continues(known, ledger, office.policy) is not below


def test_a_receipt_stays_evidence_against_an_office_that_remade_its_log(office: Office, tmp_path: Path) -> None:
    """Both checkpoints are signed by the office's key and exclude each other: a proof of the cheat for anyone."""
    ledger = remade(tmp_path, CHANGES["edited"](office.entries, 2))
    proven = verify(office.receipts[2].encode(), policy=office.policy)
    newer = head_of(ledger.checkpoint, office.policy)
    assert newer.size > proven.size
    assert not continues(Checkpoint(proven.origin, proven.size, bytes.fromhex(proven.root)), ledger, office.policy)


def test_a_reader_with_the_policy_notices_a_log_remade_without_the_key(office: Office, tmp_path: Path) -> None:
    changed = CHANGES["edited"](office.entries, 2)
    ledger = remade(tmp_path / "other", changed, seed=bytes(32))
    assert ledger.check() == len(changed)
    with pytest.raises(NotProven, match="no known key"):
        note.open(ledger.checkpoint, office.policy.log_keys)
    # The old signature under the new text does not help, nor a key of the same name in the receipt's place.
    text, _ = note.parse(ledger.checkpoint)
    _, lines = note.parse(office.folder.ledger.checkpoint)
    with pytest.raises(NotProven, match="does not fit"):
        note.open(note.format(text, lines), office.policy.log_keys)


def test_a_holder_of_a_newer_checkpoint_or_receipt_notices_an_older_one_in_its_place(
    office: Office, tmp_path: Path
) -> None:
    """The older state is a true state: the folder alone and the policy alone show nothing."""
    shutil.copytree(office.folder.path, tmp_path / "log")
    (tmp_path / "log" / "checkpoint").write_text(office.checkpoints[0], encoding="utf-8")
    ledger = Ledger.open(tmp_path / "log", origin=ORIGIN)
    assert ledger.check() == head_of(office.checkpoints[0], office.policy).size
    assert continues(head_of(office.checkpoints[0], office.policy), ledger, office.policy)
    for text in office.checkpoints[1:]:
        assert not continues(head_of(text, office.policy), ledger, office.policy)
    last = verify(office.receipts[max(office.receipts)].encode(), policy=office.policy)
    assert not continues(Checkpoint(last.origin, last.size, bytes.fromhex(last.root)), ledger, office.policy)


def test_the_signer_notices_by_its_state_that_the_folder_was_put_back(office: Office, tmp_path: Path) -> None:
    for number, text in enumerate(office.checkpoints[:-1]):
        root = tmp_path / str(number)
        shutil.copytree(office.folder.path.parent, root)
        size = head_of(text, office.policy).size
        shutil.rmtree(root / "log")
        remade(root / "log", office.entries[:size])
        signer = Signer.load(root / "keys" / "county.key")
        with pytest.raises(LedgerError, match="put back or changed"):
            Ledger.open(root / "log", signer=signer).append(MadeBatch("more", 1))


# Files of the folder, changed by hand.


def _reached(ledger: Ledger, path: Path) -> Iterator[Path]:
    """Files that the checkpoint reaches: full ones, and the partial ones of its size."""
    widths = {str((ledger.size >> 8 * level) % 256) for level in range(3)}
    for file in sorted((path / "tile").rglob("*")):
        if file.is_file() and (not file.parent.name.endswith(".p") or file.name in widths):
            yield file


def _check(path: Path) -> None:
    Ledger.open(path, origin=ORIGIN).check()


def test_a_reader_of_the_folder_notices_every_byte_changed_in_every_file(office: Office, tmp_path: Path) -> None:
    path = tmp_path / "log"
    shutil.copytree(office.folder.path, path)
    files = list(_reached(office.folder.ledger, path))
    assert len(files) == 2
    for file in files:
        sound = file.read_bytes()
        for at, byte in enumerate(sound):
            file.write_bytes(sound[:at] + bytes([byte ^ 1]) + sound[at + 1 :])
            with pytest.raises(LedgerError):
                _check(path)
        file.write_bytes(sound)
    _check(path)


def test_a_reader_of_the_folder_notices_files_cut_lengthened_missing_exchanged_or_older(
    folder: Folder, tmp_path: Path
) -> None:
    """618 entries: full tiles, partial ones, and a level above."""
    path = tmp_path / "log"
    shutil.copytree(folder.path, path)
    files = list(_reached(folder.ledger, path))
    names = [str(file.relative_to(path)) for file in files]
    assert names == ["tile/0/000", "tile/0/001", "tile/0/002.p/106", "tile/1/000.p/2", "tile/entries/000",
                     "tile/entries/001", "tile/entries/002.p/106"]  # fmt: skip
    contents = [file.read_bytes() for file in files]
    for file, sound in zip(files, contents, strict=True):
        others = [other for other in contents if other != sound]
        for changed in (sound[:-1], sound[:-32], sound[32:], sound + bytes(32), sound + sound[-32:], b"", *others):
            file.write_bytes(changed)
            with pytest.raises(LedgerError):
                _check(path)
        file.unlink()
        with pytest.raises(LedgerError, match="missing"):
            _check(path)
        file.write_bytes(sound)
    _check(path)


def test_a_reader_of_the_folder_notices_every_byte_changed_above_the_leaves(folder: Folder, tmp_path: Path) -> None:
    """Level 1 is read for proofs although the entries alone would give the root."""
    path = tmp_path / "log"
    shutil.copytree(folder.path, path)
    file = path / "tile" / "1" / "000.p" / "2"
    sound = file.read_bytes()
    for at, byte in enumerate(sound):
        file.write_bytes(sound[:at] + bytes([byte ^ 0x80]) + sound[at + 1 :])
        with pytest.raises(LedgerError):
            _check(path)


# A log of 20 000 entries, sampled.

LARGE = 20_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ledger, Path, list[bytes]]:
    root = tmp_path_factory.mktemp("large")
    made = [b'{"entry":%d}' % n for n in range(LARGE)]
    return remade(root, made), root, made


def test_in_a_large_log_a_holder_of_an_older_checkpoint_notices_sampled_changes_whoever_signs(
    large: tuple[Ledger, Path, list[bytes]],
) -> None:
    _, _, made = large
    chance = Random(20_000)
    sound = Tree(made)
    for change in CHANGES:
        for _ in range(4):
            old = chance.choice([1, 255, 256, 257, 4_095, 16_384, chance.randrange(1, LARGE), LARGE - 1])
            at = chance.randrange(old - 1) if old > 1 else 0
            changed = Tree(CHANGES[change](made, at))
            if changed.head(min(old, changed.size)) == sound.head(old):
                assert (change, old, at) == ("doubled", 1, 0)
                continue
            assert notices(old, sound.head(old), changed)


def test_in_a_large_log_a_reader_of_the_folder_notices_sampled_bytes(
    large: tuple[Ledger, Path, list[bytes]], tmp_path: Path
) -> None:
    ledger, root, _ = large
    path = tmp_path / "log"
    shutil.copytree(root, path)
    chance, files = Random(3), list(_reached(ledger, path))
    assert {file.relative_to(path).parts[1] for file in files} == {"0", "1", "entries"}
    for file in [*chance.sample(files, 20), path / "tile" / "1" / "000.p" / "78"]:
        sound = file.read_bytes()
        at = chance.randrange(len(sound))
        file.write_bytes(sound[:at] + bytes([sound[at] ^ 1 << chance.randrange(8)]) + sound[at + 1 :])
        with pytest.raises(LedgerError):
            _check(path)
        file.write_bytes(sound)
    _check(path)


def test_a_reader_of_the_folder_notices_a_changed_tile_that_a_higher_tile_stands_in_for(tmp_path: Path) -> None:
    """From 65 536 entries on the root follows from level 2; level 1 is still read for proofs."""
    remade(tmp_path, [b"%d" % n for n in range(65_536 + 2)])
    file = tmp_path / "tile" / "1" / "000"
    sound = file.read_bytes()
    file.write_bytes(sound[:100] + bytes([sound[100] ^ 1]) + sound[101:])
    with pytest.raises(LedgerError, match="tile/0/003 does not hash to tile/1/000"):
        _check(tmp_path)


# What nobody notices alone.


def test_nobody_notices_alone_what_was_changed_above_the_own_checkpoint(office: Office, tmp_path: Path) -> None:
    """A holder of the first checkpoint sees nothing of a change in the second batch; one of the second does."""
    first, second = (head_of(text, office.policy) for text in office.checkpoints[:2])
    ledger = remade(tmp_path, CHANGES["edited"](office.entries, first.size + 1))
    assert continues(first, ledger, office.policy)
    assert not continues(second, ledger, office.policy)


def test_nobody_notices_alone_two_histories_shown_to_two_people_without_a_witness(
    office: Office, tmp_path: Path
) -> None:
    """Each history is sound, signed and grows; only who sees both, or demands a witness, notices."""
    one = remade(tmp_path / "one", office.entries)
    two = remade(tmp_path / "two", CHANGES["edited"](office.entries, 2))
    heads = [head_of(ledger.checkpoint, office.policy) for ledger in (one, two)]
    for ledger, head, name in zip((one, two), heads, ("one", "two"), strict=True):
        assert ledger.check() == head.size
        ledger.append(MadeBatch(f"later-{name}", 3))
        assert continues(head, ledger, office.policy)
    # Together: neither continues the other's.
    assert not continues(heads[0], two, office.policy)
    assert not continues(heads[1], one, office.policy)
    # A policy that demands a witness refuses both as long as none has cosigned; a witness cosigns one history only.
    witnessed = Policy((LogLine(office.policy.log_keys[0]),), (WitnessLine("audit", witness_key()),), (), "audit")
    with pytest.raises(NotProven) as caught:
        verify(office.receipts[2].encode(), policy=witnessed)
    assert caught.value.step == "witnesses"


def test_a_receipt_of_one_history_holds_beside_the_other_and_says_that_a_fork_cannot_be_excluded(
    office: Office,
) -> None:
    proven = verify(office.receipts[2].encode(), policy=office.policy)
    assert receipts.parse(office.receipts[2]).index == proven.index == 2
    assert "without witnesses a fork cannot be excluded" in "\n".join(proven.report("en"))
