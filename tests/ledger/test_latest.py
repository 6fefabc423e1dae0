"""The latest decision of a household is proven against a checkpoint; an office that hides a later one is found out."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import (
    GROUPS,
    Ledger,
    Policy,
    Signer,
    canonical,
    checkpoint,
    entries,
    history,
    latest,
    merkle,
    note,
    receipts,
    shown,
    verify,
)
from meanscheck.ledger import tokens as token_pages
from meanscheck.ledger.closing import Closing
from meanscheck.ledger.log import Log
from meanscheck.ledger.policy import LogLine, WitnessLine

from .builders import ORIGIN, Folder, MadeBatch, MadeBlock, all_groups, cosign, text, token, witness_key

DAY = date(2026, 11, 3)


class Only(MadeBatch):
    """A batch of these households and no others."""

    households: list[int]

    def blocks(self) -> Iterator[MadeBlock]:
        yield MadeBlock([token(n) for n in self.households], [[text(g, n) for n in self.households] for g in GROUPS])


def only(batch_id: str, households: list[int]) -> Only:
    batch = Only(batch_id, len(households))
    batch.households = households
    return batch


def prove(ledger: Ledger, index: int) -> str:
    return ledger.prove_latest(index, ledger.entry(index))


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """Four batches: all of 0-4, then 5-9, then 1 alone, then none; entries of other kinds between and after them."""
    ledger = Ledger.open(tmp_path_factory.mktemp("log"), signer=Signer.from_seed(ORIGIN, seed=bytes(32)))
    ledger.append(only("all", [0, 1, 2, 3, 4]))  # 0-6
    ledger.add([entries.Erasure(token(4), "pipl-47", DAY)])  # 7
    ledger.append(only("others", [5, 6, 7, 8, 9]))  # 8-14
    with pytest.raises(RuntimeError):
        ledger.append(MadeBatch("broken", 2, fail_at=0))  # 15
    ledger.append(only("again", [1]))  # 16-18
    ledger.append(only("nobody", []))  # 19-20
    ledger.add([entries.Policy(f"{n:064x}", DAY) for n in range(3)])  # 21-23
    return ledger


def test_a_decision_that_is_the_latest_is_proven_so(county: Ledger) -> None:
    proven = latest.verify(prove(county, 3), policy=county.policy())
    assert (proven.head.origin, proven.head.size, proven.index) == (ORIGIN, 24, 3)
    assert (proven.leaf.batch, proven.leaf.token) == ("all", token(2))
    assert proven.batches == ("nobody", "again", "others", "all")
    assert [step.name for step in proven.steps] == ["signature", "witnesses", "inclusion", "tail", "latest"]
    assert latest.verify(prove(county, 17), policy=county.policy()).batches == ("nobody", "again")
    for word in ("最新决定", "检查点之后"):
        assert word in "\n".join(proven.report("zh"))
    assert "ask for a fresh proof" in "\n".join(proven.report("en"))


def test_a_decision_that_was_made_again_is_not_the_latest(county: Ledger) -> None:
    with pytest.raises(LedgerError, match="batch again, closed by entry 18"):
        prove(county, 2)
    for index in (0, 6, 7):
        with pytest.raises(LedgerError):
            prove(county, index)
    with pytest.raises(LedgerError, match="another entry"):
        county.prove_latest(3, county.entry(4))


def test_a_household_decided_twice_in_one_batch_has_no_latest_decision(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "log", signer=Signer.from_seed(ORIGIN, seed=bytes(32)))
    ledger.append(only("twice", [1, 2, 1]))
    assert latest.verify(prove(ledger, 2), policy=ledger.policy()).batches == ("twice",)
    for index in (1, 3):
        with pytest.raises(LedgerError, match="again"):
            prove(ledger, index)


def test_a_tally_stands_for_many_later_entries(fresh: Folder) -> None:
    ledger = fresh.ledger
    ledger.add([entries.Policy(f"{n:064x}", DAY) for n in range(500)])
    proof = prove(ledger, 3)
    assert len(latest.parse(proof).tail) == 1
    assert latest.verify(proof, policy=fresh.policy).batches == ("2026-00",)
    ledger.add([entries.Policy("ff" * 32, DAY)])
    assert len(latest.parse(prove(ledger, 3)).tail) == 2


def test_every_decision_of_a_large_batch_and_of_the_one_before_it(fresh: Folder) -> None:
    ledger = fresh.ledger
    drawn = random.Random(7)
    households = [drawn.getrandbits(128) for _ in range(700)]
    ledger.append(only("large", households))
    for index in (1, 5, 8, 333, 707):
        proven = latest.verify(prove(ledger, index), policy=fresh.policy)
        assert proven.batches == (("large", "2026-00") if index < 6 else ("large",))
    assert len(latest.parse(prove(ledger, 333)).hops[0].page) // 16 < 150


def test_witnesses_are_asked_for_as_in_receipts(fresh: Folder) -> None:
    policy = Policy((LogLine(fresh.signer.key),), (WitnessLine("audit", witness_key()),), (), "audit")
    with pytest.raises(NotProven) as caught:
        latest.verify(prove(fresh.ledger, 3), policy=policy)
    assert caught.value.step == "witnesses"
    fresh.ledger.add_cosignatures(cosign(note.parse(fresh.ledger.checkpoint)[0], 1_780_000_000), policy=policy)
    assert latest.verify(prove(fresh.ledger, 3), policy=policy).witnessed == ((witness_key().label, 1_780_000_000),)
    with pytest.raises(NotProven, match="does not list"):
        latest.verify(prove(fresh.ledger, 3), policy=fresh.policy)


def test_a_proof_with_any_byte_changed_is_refused(county: Ledger) -> None:
    proof, policy = prove(county, 17), county.policy()
    assert latest.verify(proof, policy=policy)
    for at in range(0, len(proof), 5):
        changed = proof[:at] + ("0" if proof[at] != "0" else "1") + proof[at + 1 :]
        with pytest.raises(NotProven):
            latest.verify(changed, policy=policy)


@given(st.data())
def test_only_what_would_be_written_is_parsed(county: Ledger, data: st.DataObject) -> None:
    proof = prove(county, 17)
    a, b = (data.draw(st.integers(0, len(proof))) for _ in range(2))
    changed = (
        proof[:a] + data.draw(st.sampled_from(["", "0", "\n", "\n\n", '"', "null", "{}", "[]", "\ud800"])) + proof[b:]
    )
    try:
        parts = latest.parse(changed)
    except NotProven:
        return
    assert latest.format(parts) == changed


# ---- an office that hides a later decision (of household 1, in batch `again`)


def _hiding(county: Ledger) -> latest.Proof:
    """What an honest office would have proven of entry 2, had batch `again` not been."""
    proof = latest.parse(prove(county, 3))
    path = tuple(merkle.prove_inclusion(county._tiles(), 2, county.size))
    return replace(proof, index=2, leaf=county.entry(2), path=path)


HIDING: dict[str, tuple[str, Callable[[Ledger, latest.Proof], latest.Proof]]] = {
    "as it is": ("latest", lambda county, p: p),
    "batch left out": ("closing", lambda county, p: replace(p, hops=(p.hops[0], *p.hops[2:]))),
    "only the own batch": ("closing", lambda county, p: replace(p, hops=p.hops[3:])),
    "no batch": ("closing", lambda county, p: replace(p, hops=())),
    "own batch missing": ("closing", lambda county, p: replace(p, hops=(p.hops[0],))),
    "another page": ("tokens", lambda county, p: replace(p, hops=tuple(replace(h, page=b"") for h in p.hops))),
    "page cut": ("tokens", lambda county, p: replace(p, hops=(p.hops[0], replace(p.hops[1], page=b"\0" * 16)))),
    "tail shorter": ("tail", lambda county, p: replace(p, tail=p.tail[1:])),
    "tail empty": ("tail", lambda county, p: replace(p, tail=(), left=())),
    "tail from elsewhere": ("tail", lambda county, p: replace(p, tail=(county.entry(6), *p.tail[1:]))),
    "edge of another size": ("tail", lambda county, p: replace(p, left=p.left[1:])),
    "more batches": ("closing", lambda county, p: replace(p, index=3, leaf=county.entry(3), path=tuple(
        merkle.prove_inclusion(county._tiles(), 3, county.size)), hops=(*p.hops, p.hops[3]))),
}  # fmt: skip


@pytest.mark.parametrize("name", HIDING)
def test_a_hidden_later_decision_is_detected(name: str, county: Ledger) -> None:
    step, change = HIDING[name]
    with pytest.raises(NotProven) as caught:
        latest.verify(latest.format(change(county, _hiding(county))), policy=county.policy())
    assert caught.value.step == step


def _own_log(tmp_path: Path, texts: list[bytes]) -> Ledger:
    """A log of these entries, truly signed, whatever they are: the office itself cheats."""
    signer = Signer.from_seed(ORIGIN, seed=bytes(32))
    with Log.open(tmp_path / "forged", origin=ORIGIN).grow(signer) as growth:
        growth.add(texts)
        growth.publish()
    return Ledger.open(tmp_path / "forged", signer=signer)


@pytest.mark.parametrize("where", ["after the last batch", "behind a tally"])
def test_a_decision_outside_of_any_batch_is_seen_at_the_end_and_a_false_tally_stays_in_the_log(
    where: str, county: Ledger, tmp_path: Path
) -> None:
    texts = [county.entry(index) for index in range(7)]
    texts += [texts[2]]
    if where == "behind a tally":
        texts += [entries.format(entries.Tally(6))]
    ledger = _own_log(tmp_path, texts)
    if where == "behind a tally":
        # The log's signature answers for the tally: it convinces, and convicts.
        assert latest.verify(prove(ledger, 2), policy=ledger.policy())
    else:
        with pytest.raises(NotProven) as caught:
            latest.verify(prove(ledger, 2), policy=ledger.policy())
        assert caught.value.step == "tail"
    with pytest.raises(NotProven, match="entry 7: the decision stands outside of any batch"):
        ledger.check_entries()


def test_a_token_root_that_leaves_a_household_out_is_found_in_the_entries_and_by_the_later_receipt(
    county: Ledger, tmp_path: Path
) -> None:
    texts = [county.entry(index) for index in range(19)]
    lie = canonical.parse(texts[18]) | {"tokens": token_pages.root([bytes.fromhex(token(77))]).hex()}
    ledger = _own_log(tmp_path, [*texts[:18], canonical.format(lie)])
    honest = latest.parse(prove(county, 3))
    tiles = ledger._tiles()
    hops = [
        replace(
            hop,
            entry=ledger.entry(at),
            path=tuple(merkle.prove_inclusion(tiles, at, 19)),
            page=bytes.fromhex(token(77)) if at == 18 else hop.page,
        )
        for at, hop in zip((18, 14, 6), honest.hops[1:], strict=True)
    ]
    left = tuple(tiles.node(level, (18 >> level) - 1) for level in (1, 4))
    path = tuple(merkle.prove_inclusion(tiles, 2, 19))
    head = ledger._ordered_checkpoint()
    forged = latest.format(latest.Proof(2, ledger.entry(2), path, (ledger.entry(18),), left, tuple(hops), head))
    assert latest.verify(forged, policy=ledger.policy()).index == 2
    with pytest.raises(NotProven, match="entry 18: the batch-close entry leaves out or adds households"):
        history.check_entries(tiles, origin=ORIGIN)
    # The household's own proof of its later decision, in the same log under the same signature, says the contrary.
    later = shown.verify(ledger.prove_entry(17), policy=ledger.policy())
    assert (later.index, later.head.size) == (17, 19)
    assert token(1).encode() in later.entry


def test_an_older_proof_goes_on_holding_for_its_checkpoint(fresh: Folder) -> None:
    proof = prove(fresh.ledger, 3)
    fresh.ledger.append(MadeBatch("later", 5))
    assert latest.verify(proof, policy=fresh.policy).head.size == 7
    with pytest.raises(LedgerError, match="batch later"):
        prove(fresh.ledger, 3)


def test_any_entry_is_shown_with_its_place(county: Ledger) -> None:
    for index in (0, 7, 18, 23):
        found = shown.verify(county.prove_entry(index), policy=county.policy())
        assert (found.index, found.entry, found.head.size) == (index, county.entry(index), 24)
    proof = county.prove_entry(7)
    for at in range(0, len(proof), 3):
        changed = proof[:at] + ("A" if proof[at] != "A" else "B") + proof[at + 1 :]
        with pytest.raises(NotProven):
            shown.verify(changed, policy=county.policy())
    without = proof.replace(proof.split("\n")[1] + "\n", "")
    with pytest.raises(NotProven, match="no extra line"):
        shown.verify(without, policy=county.policy())


def test_receipts_are_as_before(county: Ledger, fresh: Folder) -> None:
    batch, sealed = fresh.batches[0]
    salts, leaf = batch.kept[3]
    text = fresh.ledger.receipt(3, leaf, all_groups(2), salts, ["result"])
    assert verify(text.encode(), policy=fresh.policy).index == 3
    assert checkpoint.parse(note.parse(receipts.parse(text).checkpoint)[0]).size == sealed.size


def full(**_: object) -> None:
    """A disk without room."""
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("held", ["all", "some", "some, and then the disk is full"])
@pytest.mark.parametrize("count", [0, 1, 64, 65, 128, 129, 5000, 40_000])
def test_tokens_lie_on_as_many_pages_as_the_specification_says(
    count: int, held: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = random.Random(count)
    households = [drawn.getrandbits(128).to_bytes(16, "big") for _ in range(count)]
    decided = token_pages.Tokens(None if held == "all" else tmp_path)
    monkeypatch.setattr(token_pages, "_HELD", 3000)
    for at in range(0, count, 999):
        decided.extend([b'"s":"' + h.hex().encode() + b'","v":1}' for h in households[at : at + 999]])
        if held == "some, and then the disk is full" and at > 9000:
            monkeypatch.setattr(tempfile, "TemporaryFile", full)
    assert bool(decided._away) == (held != "all" and count >= 3000)
    assert decided.count == count
    assert not [*tmp_path.iterdir()]
    pages = list(decided.pages())
    bits = next(b for b in range(20) if count <= 64 * 2**b)
    expected: list[list[bytes]] = [[] for _ in range(2**bits)]
    for household in sorted(households):
        expected[int(bin(1 << 128 | int.from_bytes(household, "big"))[3 : 3 + bits] or "0", 2)].append(household)
    assert pages == [b"".join(page) for page in expected]
    root = token_pages.root(pages)
    for household in [*households[:5], bytes(16), b"\xff" * 16]:
        number = token_pages.page_of(household.hex(), count)
        path = token_pages.prove_page(pages, number)
        times = token_pages.check_page(household.hex(), count=count, page=pages[number], path=path, root=root)
        assert times == households.count(household)


def test_records_committed_to_as_a_whole_are_proven_alike(fresh: Folder) -> None:
    ledger = fresh.ledger
    sealed = ledger.append(only("whole", [2, 9]), commitment="whole")
    assert latest.verify(prove(ledger, sealed.first_index), policy=fresh.policy).batches == ("whole",)
    assert latest.verify(prove(ledger, 1), policy=fresh.policy).batches == ("whole", "2026-00")
    with pytest.raises(NotProven, match="again"):
        prove(ledger, 3)
    assert ledger.check_entries() == {"batch-open": 2, "decision": 7, "batch-close": 2}
    both = _own_log(fresh.path.parent, [ledger.entry(n) for n in range(11)])
    assert both.check_entries().total() == 11


CLOSE = Closing("2026-11", "55" * 32, 2, 8, "00" * 32, "11" * 32, 6, {"rejected": 0}, "checkpoint\n")


def test_the_end_of_a_batch_is_read_back() -> None:
    for closing in (CLOSE, replace(CLOSE, witnessed=None), replace(CLOSE, count=0, first=None, before=None)):
        assert Closing.parse(closing.format()) == closing
    assert canonical.parse(CLOSE.format())["last"] == 9


@pytest.mark.parametrize(
    "changes",
    [
        {"k": "batch-open"}, {"v": 2}, {"v": True}, {"b": ""}, {"b": 1}, {"closing": []}, {"m": "5" * 63},
        {"root": "AA" * 32}, {"tokens": None}, {"count": -1}, {"count": True}, {"count": 3}, {"first": None},
        {"first": 7}, {"first": "8"}, {"last": 10}, {"last": None}, {"before": 7}, {"before": True},
        {"before": -1}, {"witnessed": ""}, {"witnessed": 1}, {"x": 1},
    ],
    ids=str,
)  # fmt: skip
def test_an_end_of_a_batch_whose_numbers_do_not_fit_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(NotProven) as caught:
        Closing.parse(canonical.format(canonical.parse(CLOSE.format()) | changes))
    assert caught.value.step == "closing"
    with pytest.raises(NotProven):
        Closing.parse(CLOSE.format().replace(b":", b": ", 1))
