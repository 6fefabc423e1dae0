"""A receipt holds as it is, and no other text does."""

from __future__ import annotations

import base64
import hashlib
import itertools
from pathlib import Path

import pytest

from meanscheck.errors import InputError, LedgerError, NotProven
from meanscheck.ledger import GROUPS, Policy, Signer, canonical, commitment, merkle, note, receipts, verify
from meanscheck.ledger.policy import LogLine, WitnessLine
from meanscheck.ledger.verdict import verify_receipt

from .builders import Folder, MadeBatch, cosign, text, witness_key

DECISION = 300


def test_a_receipt_proves_what_it_shows(folder: Folder) -> None:
    proven = verify(folder.receipt(DECISION).encode(), policy=folder.policy)
    batch, sealed = folder.batches[1]
    assert (proven.origin, proven.index, proven.size) == (folder.ledger.origin, DECISION, folder.ledger.size)
    assert (proven.leaf.batch, proven.leaf.position) == (batch.batch_id, DECISION - sealed.first_index)
    assert proven.shown == {group: text(group, proven.leaf.position) for group in GROUPS}
    assert proven.opening == batch.opening
    assert proven.witnessed == ((witness_key().label, 1_780_000_000),)
    assert [step.name for step in proven.steps] == [
        "form", "signature", "witnesses", "inclusion", "leaf", "disclosure", "opening",
    ]  # fmt: skip


@pytest.mark.parametrize("disclose", [(), ("result",), ("subject", "evidence"), ("means", "result", "reasons")])
def test_groups_not_shown_are_nowhere_in_the_receipt(disclose: tuple[str, ...], folder: Folder) -> None:
    receipt = folder.receipt(DECISION, disclose)
    proven = verify(receipt.encode(), policy=folder.policy)
    assert tuple(proven.groups) == tuple(sorted(disclose))
    extra = base64.b64decode(receipt.split("\n")[1][6:]).decode()
    salts, _ = folder.batches[1][0].kept[DECISION]
    for number, group in enumerate(GROUPS):
        salt = salts[16 * number : 16 * number + 16].hex()
        assert (salt in extra) == (group in disclose)
        if group != "subject":
            assert (f'\\"group\\":\\"{group}\\"' in extra) == (group in disclose)


def test_every_choice_of_groups_fits_the_commitment() -> None:
    groups = {group: b'{"n":%d}' % n for n, group in enumerate(GROUPS)}
    salts = bytes(range(112))
    expected = commitment.commit(groups, salts)
    for width in range(8):
        for chosen in itertools.combinations(GROUPS, width):
            shown = {g: (groups[g], salts[16 * GROUPS.index(g) :][:16]) for g in chosen}
            siblings = commitment.hide(groups, salts, chosen)
            assert commitment.reveal(shown, siblings) == expected
            assert len(siblings) <= (3 if len(chosen) == 1 else 4)
            with pytest.raises(NotProven):
                commitment.reveal(shown, [*siblings, bytes(32)])
            if chosen:
                shown[chosen[0]] = (b'{"n":9}', shown[chosen[0]][1])
                assert commitment.reveal(shown, siblings) != expected


def test_changing_any_one_byte_is_refused(folder: Folder) -> None:
    sound = folder.receipt(DECISION).encode()
    verify(sound, policy=folder.policy)
    for place, byte in enumerate(sound):
        others = {byte ^ 1, byte ^ 0x20, byte ^ 0x80, (byte + 1) % 256, (byte - 1) % 256, 0x0A, 0x20, 0x3D, 0x41}
        for other in others - {byte}:
            with pytest.raises(NotProven):
                verify(sound[:place] + bytes([other]) + sound[place + 1 :], policy=folder.policy)
                pytest.fail(f"accepted {other:#x} for {byte:#x} at {place}")


def test_dropping_or_doubling_any_one_byte_is_refused(folder: Folder) -> None:
    sound = folder.receipt(DECISION, ["result"]).encode()
    for place in range(len(sound)):
        for changed in (sound[:place] + sound[place + 1 :], sound[: place + 1] + sound[place:]):
            with pytest.raises(NotProven):
                verify(changed, policy=folder.policy)
    for changed in (sound + b"\n", sound.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + sound, b"", sound.rstrip(b"\n")):
        with pytest.raises(NotProven):
            verify(changed, policy=folder.policy)


def test_every_canonical_character_of_the_extra_data_counts(folder: Folder) -> None:
    lines = folder.receipt(DECISION).split("\n")
    extra = base64.b64decode(lines[1][6:])
    for place, byte in enumerate(extra):
        for other in {byte ^ 1, byte ^ 0x20, (byte + 1) % 128} - {byte}:
            changed = extra[:place] + bytes([other]) + extra[place + 1 :]
            lines[1] = "extra " + base64.b64encode(changed).decode()
            with pytest.raises(NotProven):
                verify("\n".join(lines).encode(), policy=folder.policy)


def test_signature_lines_have_one_order_and_only_known_keys(folder: Folder) -> None:
    receipt = folder.receipt(DECISION)
    head, _, lines = receipt.rpartition("\n\n")
    log, witness = lines.splitlines(keepends=True)
    with pytest.raises(NotProven, match="order"):
        verify(f"{head}\n\n{witness}{log}".encode(), policy=folder.policy)
    body = "\n".join(head.split("\n\n", 1)[1].split("\n")[:3]) + "\n"
    stranger = cosign(body, 5, seed=b"s" * 32, name="stranger.example")
    with pytest.raises(NotProven, match="does not list"):
        verify((receipt + stranger).encode(), policy=folder.policy)
    with pytest.raises(NotProven, match="signed twice"):
        verify(f"{head}\n\n{log}{log}{witness}".encode(), policy=folder.policy)


def test_a_missing_witness_is_named(folder: Folder) -> None:
    head, _, lines = folder.receipt(DECISION).rpartition("\n\n")
    alone = f"{head}\n\n{lines.splitlines(keepends=True)[0]}".encode()
    with pytest.raises(NotProven) as caught:
        verify(alone, policy=folder.policy)
    assert caught.value.step == "witnesses"
    proven = verify(alone, policy=folder.ledger.policy())
    assert proven.witnessed == ()


def test_another_log_or_a_witness_in_place_of_the_log_is_refused(folder: Folder) -> None:
    receipt = folder.receipt(DECISION).encode()
    stranger = Policy((LogLine(Signer.from_seed("other.example", seed=bytes(32)).key),))
    only_witness = Policy((), (WitnessLine("audit", witness_key()),), (), "audit")
    for policy in (stranger, only_witness):
        with pytest.raises(NotProven) as caught:
            verify(receipt, policy=policy)
        assert caught.value.step == "signature"


def _forged(folder: Folder, entries: list[bytes], receipt: receipts.Receipt, index: int) -> receipts.Receipt:
    """A receipt over a tree of these entries, truly signed: the office itself cheats."""
    flat = merkle.leaf_hashes(entries)
    size = len(entries)
    body = f"{folder.ledger.origin}\n{size}\n{note.encode64(merkle.root(flat))}\n"
    tree = merkle.FlatTree(flat)
    opening = receipt.opening
    if opening is not None and opening.index < size:
        opening = receipts.Opening(
            opening.index, entries[opening.index], tuple(merkle.prove_inclusion(tree, opening.index, size))
        )
    return receipts.Receipt(
        index, tuple(merkle.prove_inclusion(tree, index, size)), note.sign(body, [folder.signer]),
        entries[index], receipt.shown, receipt.siblings, opening,
    )  # fmt: skip


def _leaf(folder: Folder, **changes: object) -> bytes:
    return canonical.format(canonical.parse(folder.ledger.entry(DECISION)) | changes)


@pytest.mark.parametrize(
    ("changes", "step"),
    [
        ({"n": 1}, "opening"),
        ({"m": "00" * 32}, "opening"),
        ({"b": "other"}, "opening"),
        ({"c": "00" * 32}, "disclosure"),
        ({"s": "ff" * 16}, "disclosure"),
        ({"k": "correction"}, "leaf"),
        ({"v": 2}, "disclosure"),
        ({"v": 3}, "leaf"),
        ({"v": True}, "leaf"),
        ({"n": -1}, "leaf"),
        ({"n": True}, "leaf"),
        ({"c": "AB" * 32}, "leaf"),
        ({"x": 1}, "leaf"),
    ],
)
def test_a_well_signed_but_untrue_entry_is_refused(changes: dict[str, object], step: str, folder: Folder) -> None:
    policy = folder.ledger.policy()
    receipt = receipts.parse(folder.receipt(DECISION))
    entries = [folder.ledger.entry(index) for index in range(folder.ledger.size)]
    sound = _forged(folder, entries, receipt, DECISION)
    assert verify(receipts.format(sound).encode(), policy=policy)
    entries[DECISION] = _leaf(folder, **changes)
    with pytest.raises(NotProven) as caught:
        verify_receipt(_forged(folder, entries, receipt, DECISION), policy)
    assert caught.value.step == step


def test_an_opening_of_another_kind_or_place_is_refused(folder: Folder) -> None:
    policy = folder.ledger.policy()
    receipt = receipts.parse(folder.receipt(DECISION))
    assert receipt.opening is not None
    place = receipt.opening.index
    for opening in (
        b"{}",
        b'{"b":"2026-01","k":"batch-close","opening":{},"v":1}',
        b'{"b":"2026-01","k":"batch-open","opening":{},"v":true}',
        b'{"b":"2026-01","k":"batch-open","opening":[],"v":1}',
        b'{"b":"2026-01", "k":"batch-open","opening":{},"v":1}',
    ):
        entries = [folder.ledger.entry(index) for index in range(folder.ledger.size)]
        entries[place] = opening
        entries[DECISION] = _leaf(folder, m=hashlib.sha256(opening).hexdigest())
        with pytest.raises(NotProven) as caught:
            verify_receipt(_forged(folder, entries, receipt, DECISION), policy)
        assert caught.value.step == "opening"


def test_a_receipt_is_only_written_for_what_the_log_holds(folder: Folder) -> None:
    batch, sealed = folder.batches[1]
    salts, leaf = batch.kept[DECISION]
    groups = {group: text(group, DECISION - sealed.first_index) for group in GROUPS}
    wrong = groups | {"means": b'{"income":0}'}
    for case in (
        (DECISION + 1, leaf, groups, salts, ["result"]),
        (DECISION, leaf, wrong, salts, ["result"]),
        (DECISION, leaf, groups, salts[::-1], ["result"]),
        (DECISION, leaf, groups, salts[:-1], ["result"]),
        (DECISION, leaf, groups, salts, ["income"]),
        (10**6, leaf, groups, salts, ["result"]),
        (-1, leaf, groups, salts, ["result"]),
    ):
        with pytest.raises(LedgerError):
            folder.ledger.receipt(*case)


def test_files_are_read_and_missing_ones_named_without_a_verdict(folder: Folder, tmp_path: Path) -> None:
    receipt, policy = tmp_path / "a.tlog-proof", tmp_path / "county.policy"
    receipt.write_text(folder.receipt(DECISION), encoding="utf-8")
    policy.write_text(folder.policy.format(), encoding="utf-8")
    assert verify(receipt, policy=str(policy)).index == DECISION
    with pytest.raises(InputError, match=r"none\.policy"):
        verify(receipt, policy=tmp_path / "none.policy")
    with pytest.raises(InputError):
        verify(tmp_path, policy=policy)


def test_the_report_speaks_both_languages_and_says_what_it_cannot_show(folder: Folder) -> None:
    receipt = folder.receipt(DECISION).encode()
    proven = verify(receipt, policy=folder.policy)
    zh, en = "\n".join(proven.report("zh")), "\n".join(proven.report("en"))
    assert "\n".join(proven.report()) == f"{zh}\n{en}"
    assert "是否仍为最新" in zh
    assert "still the latest" in en
    assert "replay" in en
    assert "2026-05-28T20:26:40Z" in en
    assert "无法排除分叉" not in zh
    assert "sha256:" + "33" * 32 in en
    for value in ("低保", "C-294"):
        assert value not in zh + en + repr(proven) + repr(receipts.parse(receipt.decode()))
    head, _, lines = receipt.decode().rpartition("\n\n")
    alone = f"{head}\n\n{lines.splitlines(keepends=True)[0]}".encode()
    assert "a fork cannot be excluded" in "\n".join(verify(alone, policy=folder.ledger.policy()).report("en"))


def test_a_receipt_without_an_opening_says_so(folder: Folder) -> None:
    receipt = receipts.parse(folder.receipt(DECISION))
    bare = receipts.Receipt(
        receipt.index, receipt.path, receipt.checkpoint, receipt.leaf, receipt.shown, receipt.siblings, None
    )
    proven = verify(receipts.format(bare).encode(), policy=folder.policy)
    assert proven.opening is None
    assert [step.held for step in proven.steps if step.name == "opening"] == [False]


def test_an_older_receipt_stays_true_as_the_log_grows(fresh: Folder) -> None:
    receipt = fresh.receipt(3).encode()
    size = fresh.ledger.size
    fresh.ledger.append(MadeBatch("later", 400))
    old = verify(receipt, policy=fresh.policy)
    new = verify(fresh.receipt(3).encode(), policy=fresh.policy)
    assert (old.size, old.leaf_hash) == (size, new.leaf_hash)
    path = fresh.ledger.consistency(old.size)
    merkle.check_consistency(old.size, bytes.fromhex(old.root), new.size, bytes.fromhex(new.root), path)
