"""Entries other than decisions: one text each, nobody in them, and a log in which every entry keeps its promise."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import Ledger, Signer, canonical, entries, history, merkle, note
from meanscheck.ledger.closing import Closing
from meanscheck.ledger.entries import Closed, Correction, Entry, Erasure, Key, Opened, Policy, Step, Tally

from .builders import ORIGIN, Folder, MadeBatch, token

DAY = date(2026, 11, 3)
OLD, NEW = (Signer.from_seed(ORIGIN, seed=bytes([n]) * 32).key for n in (1, 2))
STEP = Step(ORIGIN, 2, "42" * 32, "confirmation", DAY, "440703/civil-affairs", "17" * 32, None)

WRITTEN: list[tuple[Entry, str]] = [
    (Correction("2026-12", ((1, 9), (0, 12)), "review"),
     '{"b":"2026-12","k":"correction","pairs":[[1,9],[0,12]],"v":1,"why":"review"}'),
    (Erasure("0f" * 16, "pipl-47", DAY),
     f'{{"basis":"pipl-47","k":"erasure","on":"2026-11-03","s":"{"0f" * 16}","v":1}}'),
    (Key(str(NEW), str(OLD), DAY), f'{{"k":"key","key":"{NEW}","old":"{OLD}","on":"2026-11-03","v":1}}'),
    (Policy("ab" * 32, DAY), f'{{"k":"policy","on":"2026-11-03","policy":"{"ab" * 32}","v":1}}'),
    (Closed(DAY), '{"k":"closed","on":"2026-11-03","v":1}'),
    (Opened("county.example/2025", 7, "cd" * 32, DAY),
     f'{{"checkpoint":"{"cd" * 32}","k":"opened","on":"2026-11-03","origin":"county.example/2025","size":7,"v":1}}'),
    (STEP,
     f'{{"body":"{"17" * 32}","by":"440703/civil-affairs","decision":2,"k":"step","leaf":"{"42" * 32}",'
     f'"log":"{ORIGIN}","on":"2026-11-03","previous":null,"step":"confirmation","v":1}}'),
    (Tally(None), '{"before":null,"k":"tally","v":1}'),
]  # fmt: skip
TEXTS = [text for _, text in WRITTEN]


@pytest.mark.parametrize(("entry", "text"), WRITTEN, ids=lambda value: type(value).__name__)
def test_each_kind_has_one_text(entry: Entry, text: str) -> None:
    assert entries.format(entry).decode() == text
    assert entries.parse(text.encode()) == entry


HEX32 = st.binary(min_size=32, max_size=32).map(bytes.hex)
INDEX = st.integers(0, 2**53 - 1)
CODE = st.from_regex(r"[a-z][a-z0-9]{0,8}([._-][a-z0-9]{1,8}){0,3}", fullmatch=True)
BY = st.from_regex(r"[0-9]{6}([0-9]{3}){0,2}(/[a-z][a-z0-9-]{0,31})?", fullmatch=True)
DAYS = st.dates()


def _pairs(laters: list[int]) -> tuple[tuple[int, int], ...]:
    laters = sorted(set(laters))
    return tuple(zip(range(len(laters)), laters, strict=True))


ANY: st.SearchStrategy[Entry] = st.one_of(
    st.builds(Correction, CODE, st.lists(st.integers(60, 2**53 - 1), min_size=1, max_size=50).map(_pairs), CODE),
    st.builds(Erasure, st.binary(min_size=16, max_size=16).map(bytes.hex), CODE, DAYS),
    st.builds(Policy, HEX32, DAYS),
    st.builds(Closed, DAYS),
    st.builds(Opened, CODE, INDEX, HEX32, DAYS),
    st.builds(Step, CODE, INDEX, HEX32, CODE, DAYS, BY, HEX32, st.none() | HEX32),
    st.builds(Tally, st.none() | INDEX),
)


@given(ANY)
def test_what_is_written_is_read_back(entry: Entry) -> None:
    assert entries.parse(entries.format(entry)) == entry


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(TEXTS), st.data())
def test_only_what_would_be_written_is_read(text: str, data: st.DataObject) -> None:
    a, b = (data.draw(st.integers(0, len(text))) for _ in range(2))
    changed = text[:a] + data.draw(st.sampled_from(["", "0", '"', "null", "true", "1.0", " ", "-1", "é"])) + text[b:]
    try:
        entry = entries.parse(changed.encode())
    except NotProven as error:
        assert error.step == "entry"
        return
    assert entries.format(entry).decode() == changed


REFUSED = [
    *(text.replace('"v":1', '"v":2') for text in TEXTS),
    *(text.replace('"v":1', '"v":true') for text in TEXTS),
    *(text.replace('"v":1', '"v":1,"x":1') for text in TEXTS),
    '{"k":"decision","v":1}', '{"k":["closed"],"v":1}', '{"v":1}', "[]", "null", "",
    '{"k":"closed","on":"20261103","v":1}', '{"k":"closed","on":"2026-02-30","v":1}', '{"k":"closed","on":3,"v":1}',
    '{"before":true,"k":"tally","v":1}', '{"before":-1,"k":"tally","v":1}', '{"before":"1","k":"tally","v":1}',
    *(f'{{"b":"2026-12","k":"correction","pairs":{pairs},"v":1,"why":"review"}}' for pairs in (
        "[]", "[[9,1]]", "[[1,1]]", "[[1,9],[1,10]]", "[[1,10],[2,9]]", "[[1,9],[9,10]]", "[[1,9,10]]", "[1,9]", "null",
        "[[1,true]]", "[[-1,1]]",
    )),
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(NotProven):
        entries.parse(text.encode())


@pytest.mark.parametrize(
    "entry",
    [
        Erasure("0F" * 16, "pipl-47", DAY),
        Erasure("0f" * 15, "pipl-47", DAY),
        Erasure("0f" * 16, "张三", DAY),
        Erasure("0f" * 16, "", DAY),
        Erasure("0f" * 16, "x" * 49, DAY),
        replace(STEP, by="11010519491231002X"),
        replace(STEP, by="13800138000"),
        replace(STEP, by="440703/张三"),
        replace(STEP, step="Zhang San"),
        replace(STEP, decision=True),
        replace(STEP, previous="42"),
        replace(STEP, log="a b"),
        Policy("AB" * 32, DAY),
        Key("no key", str(OLD), DAY),
        Correction("2026-12", ((9, 1),), "review"),
        Correction("2026-12", tuple((n, 2000 + n) for n in range(1501)), "review"),
    ],
    ids=repr,
)
def test_values_that_could_name_a_person_or_mean_nothing_are_not_written(entry: Entry) -> None:
    with pytest.raises(LedgerError) as caught:
        entries.format(entry)
    assert not any(secret in str(caught.value) for secret in ("张三", "Zhang", "110105", "13800138000"))


def test_the_largest_correction_fits_into_the_log() -> None:
    most = 2**53 - 1
    pairs = tuple((most - 4000 + n, most - 1600 + n) for n in range(entries.MAX_PAIRS))
    assert len(entries.format(Correction("b" * 255, pairs, "c" * 48))) <= 65_535


def test_the_commitment_to_a_body_is_framed_as_written_down() -> None:
    body, salt = '{"officer":"王"}'.encode(), bytes(range(16))
    framed = b"\0meanscheck/step/v1\0\x10" + salt + b"\0\0\0\x11" + body
    assert entries.commit_body(body, salt=salt) == hashlib.sha256(framed).hexdigest()
    for text, other in ((b"{ }", salt), (body, salt[:-1])):
        with pytest.raises(LedgerError):
            entries.commit_body(text, salt=other)


def _chain(length: int) -> list[Step]:
    steps: list[Step] = []
    for number in range(length):
        previous = entries.digest(entries.format(steps[-1])) if steps else None
        steps.append(replace(STEP, body=f"{number:064x}", previous=previous))
    return steps


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s[1:], lambda s: s[:1] + s[2:], lambda s: [s[1], s[0], *s[2:]], lambda s: [*s[:2], s[3], s[2]],
        lambda s: [*s[:2], replace(s[2], on=date(2026, 11, 4)), s[3]], lambda s: [s[0], *s],
        lambda s: [*s[:3], replace(s[3], decision=3)],
    ],
    ids=["first gone", "one gone", "first two swapped", "last two swapped", "one changed", "one twice", "of another"],
)  # fmt: skip
def test_a_chain_from_which_a_step_was_taken_or_moved_is_refused(change: Callable[[list[Step]], list[Step]]) -> None:
    steps = _chain(4)
    entries.check_steps(steps)
    with pytest.raises(NotProven) as caught:
        entries.check_steps(change(steps))
    assert caught.value.step == "steps"


# ---- in a log


def _leaf_hash(ledger: Ledger, index: int) -> str:
    return merkle.leaf_hash(ledger.entry(index)).hex()


def _step(ledger: Ledger, index: int, **changes: object) -> Step:
    chain = ledger.steps(index)
    previous = entries.digest(ledger.entry(chain[-1].index)) if chain else None
    step = replace(STEP, log=ledger.origin, decision=index, leaf=_leaf_hash(ledger, index), previous=previous)
    return replace(step, **changes)  # type: ignore[arg-type]


def test_entries_are_added_under_one_checkpoint(fresh: Folder) -> None:
    ledger = fresh.ledger
    added = ledger.add([Erasure(token(1), "pipl-47", DAY), Policy("ab" * 32, DAY)])
    assert added == [7, 8]
    assert ledger.size == 9
    assert ledger.entry(7) == entries.format(Erasure(token(1), "pipl-47", DAY))
    assert note.open(ledger.checkpoint, [fresh.signer.key]).text.split("\n")[1] == "9"
    before = ledger.checkpoint
    assert ledger.add([]) == []
    assert ledger.checkpoint == before
    assert ledger.check_entries().total() == 9
    with pytest.raises(LedgerError, match="only read"):
        Ledger.open(fresh.path, origin=ORIGIN).add([Closed(DAY)])


def test_a_tally_comes_after_many_entries_and_never_in_between(fresh: Folder) -> None:
    ledger = fresh.ledger
    ledger.add([Policy(f"{n:064x}", DAY) for n in range(32)])
    assert ledger.size == 7 + 32
    ledger.add([Policy("ff" * 32, DAY)])
    assert ledger.entry(40) == b'{"before":6,"k":"tally","v":1}'
    assert ledger.size == 41
    ledger.add([Policy(f"{n:064x}", DAY) for n in range(40)])
    assert ledger.entry(81) == b'{"before":6,"k":"tally","v":1}'
    assert ledger.check_entries().total() == 82
    with pytest.raises(LedgerError, match="written by the log itself"):
        ledger.add([Tally(6)])


def test_steps_are_linked_to_their_decision_and_to_each_other(fresh: Folder) -> None:
    ledger = fresh.ledger
    first = _step(ledger, 3)
    assert ledger.add([first, replace(_step(ledger, 4), step="visit")]) == [7, 8]
    second = _step(ledger, 3, step="notice")
    assert second.previous == hashlib.sha256(ledger.entry(7)).hexdigest()
    ledger.add([second])
    assert [(at.index, at.entry) for at in ledger.steps(3)] == [(7, first), (9, second)]
    assert len(ledger.steps(5)) == 0
    for wrong, why in (
        (_step(ledger, 3, previous=None), "read the steps again"),
        (second, "read the steps again"),
        (_step(ledger, 3, leaf=_leaf_hash(ledger, 4)), "does not have"),
        (_step(ledger, 3, decision=10**6), "does not have"),
    ):
        with pytest.raises(LedgerError, match=why):
            ledger.add([wrong])
    assert ledger.size == 10
    assert ledger.check_entries().total() == 10


def test_a_log_ends_with_closed_and_begins_with_opened(fresh: Folder, tmp_path: Path) -> None:
    ledger = fresh.ledger
    opened = Opened("county.example/2025", 7, "cd" * 32, DAY)
    too_late: list[list[Entry]] = [[opened], [Closed(DAY), Policy("ab" * 32, DAY)]]
    for wrong in too_late:
        with pytest.raises(LedgerError):
            ledger.add(wrong)
    ledger.add([Policy(f"{n:064x}", DAY) for n in range(31)])
    ledger.add([Policy("ab" * 32, DAY), Closed(DAY)])
    assert ledger.entry(ledger.size - 1) == b'{"k":"closed","on":"2026-11-03","v":1}'
    for attempt in (lambda: ledger.add([Policy("ab" * 32, DAY)]), lambda: ledger.append(MadeBatch("late", 1))):
        with pytest.raises(LedgerError, match="closed"):
            attempt()
    following = Ledger.open(tmp_path / "next", signer=Signer.generate("county.example/2027"))
    with pytest.raises(LedgerError):
        following.add([Policy("ab" * 32, DAY), opened])
    assert following.add([opened, Policy("ab" * 32, DAY)]) == [0, 1]
    step = _step(ledger, 3)
    assert following.add([step, replace(step, previous=entries.digest(entries.format(step)))]) == [2, 3]
    assert following.check_entries().total() == 4


class Review(MadeBatch):
    """The same households again, in the place of earlier decisions."""

    supersedes: dict[str, int]
    why = "review"


def _review(batch_id: str, count: int, earlier: dict[str, int]) -> Review:
    batch = Review(batch_id, count)
    batch.supersedes = earlier
    return batch


def test_a_batch_that_takes_the_place_of_another_says_so(fresh: Folder) -> None:
    ledger = fresh.ledger
    assert ledger.last_decisions() == {token(n): n + 1 for n in range(5)}
    sealed = ledger.append(_review("review", 7, ledger.last_decisions()))
    assert (sealed.first_index, sealed.close_index) == (8, 15)
    assert ledger.entry(16) == (
        b'{"b":"review","k":"correction","pairs":[[1,8],[2,9],[3,10],[4,11],[5,12]],"v":1,"why":"review"}'
    )
    assert ledger.entry(17) == b'{"before":15,"k":"tally","v":1}'
    assert sealed.size == ledger.check_entries().total() == 18
    assert Closing.parse(ledger.entry(15)).before == 6
    ledger.add([_step(ledger, 8), Erasure(token(0), "pipl-47", DAY)])
    assert [at.index for at in ledger.history(token(0))] == [1, 8, 16, 18, 19]
    assert [at.index for at in ledger.history(token(1))] == [2, 9, 16]
    assert [at.index for at in ledger.history(token(6))] == [14]
    assert (ledger.latest(token(0)), ledger.latest(token(6))) == (8, 14)
    assert ledger.last_decisions() == {token(n): n + 8 for n in range(7)}
    with pytest.raises(LedgerError, match="no decision"):
        ledger.latest(token(9))


def test_many_pairs_stand_in_several_entries(fresh: Folder) -> None:
    ledger = fresh.ledger
    ledger.append(MadeBatch("large", 3200, block=1000))
    sealed = ledger.append(_review("review", 3200, ledger.last_decisions()))
    found = [entries.parse(ledger.entry(sealed.close_index + n)) for n in (1, 2, 3)]
    assert [len(entry.pairs) for entry in found if isinstance(entry, Correction)] == [1500, 1500, 200]
    assert sealed.size == sealed.close_index + 5


@pytest.mark.parametrize("earlier", [{token(0): 2}, {token(0): 0}, {token(0): 6}, {token(0): 10**6}])
def test_a_batch_cannot_take_the_place_of_what_is_no_decision_on_the_household(
    earlier: dict[str, int], fresh: Folder
) -> None:
    size = fresh.ledger.size
    with pytest.raises(LedgerError):
        fresh.ledger.append(_review("review", 2, earlier))
    assert fresh.ledger.size == size + 1  # the opening alone


def test_a_correction_by_hand_is_held_to_the_same_rules(fresh: Folder) -> None:
    ledger = fresh.ledger
    ledger.append(MadeBatch("second", 5))
    for pairs, batch in (
        (((1, 9),), "second"),
        (((1, 8),), "2026-00"),
        (((1, 10**6),), "second"),
        (((0, 8),), "second"),
    ):
        with pytest.raises(LedgerError):
            ledger.add([Correction(batch, pairs, "correction")])
    assert ledger.add([Correction("second", ((1, 8),), "correction")]) == [14]
    assert ledger.check_entries().total() == 15


# ---- entries that do not keep their promise


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """0 opening, 1-3 decisions, 4 close, 5-6 steps, 7 opening broken off, 8 opening, 9-10 decisions, 11 close,
    12 correction, 13 tally, 14 closed."""
    ledger = Ledger.open(tmp_path_factory.mktemp("log"), signer=Signer.from_seed(ORIGIN, seed=bytes(32)))
    ledger.append(MadeBatch("a", 3))
    ledger.add([_step(ledger, 2)])
    ledger.add([_step(ledger, 2)])
    with pytest.raises(RuntimeError):
        ledger.append(MadeBatch("b", 2, fail_at=0))
    ledger.append(_review("c", 2, ledger.last_decisions()))
    ledger.add([Closed(DAY)])
    return [ledger.entry(index) for index in range(ledger.size)]


def test_a_sound_log_is_read_to_its_end(sound: list[bytes]) -> None:
    counts = history.check_entries(history.Made(sound), origin=ORIGIN)
    assert counts == {
        "batch-open": 3, "decision": 5, "batch-close": 2, "step": 2, "correction": 1, "tally": 1, "closed": 1,
    }  # fmt: skip


def _changed(entry: bytes, **members: object) -> bytes:
    return canonical.format(canonical.parse(entry) | members)


LIES: dict[str, tuple[int, Callable[[list[bytes]], list[bytes]]]] = {
    "decision left out": (2, lambda e: e[:2] + e[3:]),
    "decisions swapped": (1, lambda e: [e[0], e[2], e[1], *e[3:]]),
    "position of many digits": (2, lambda e: [*e[:2], e[2].replace(b'"n":1', b'"n":1' + b"0" * 5000), *e[3:]]),
    "decision of another version": (2, lambda e: [*e[:2], e[2].replace(b'"v":1', b'"v":3'), *e[3:]]),
    "decision of another batch": (2, lambda e: [*e[:2], _changed(e[2], b="b"), *e[3:]]),
    "decision that pins another opening": (2, lambda e: [*e[:2], _changed(e[2], m="00" * 32), *e[3:]]),
    "first decision that pins another opening": (1, lambda e: [e[0], _changed(e[1], m="00" * 32), *e[2:]]),
    "decision twice": (2, lambda e: [*e[:2], e[1], *e[2:]]),
    "decision outside of a batch": (5, lambda e: [*e[:5], e[1], *e[5:]]),
    "batch not opened": (0, lambda e: e[1:]),
    "batch not closed": (4, lambda e: e[:4] + e[5:]),
    "last batch not closed": (10, lambda e: e[:11]),
    "step inside a batch": (3, lambda e: [*e[:3], e[5], *e[3:]]),
    "count": (4, lambda e: [*e[:4], _changed(e[4], count=2, last=2), *e[5:]]),
    "root": (4, lambda e: [*e[:4], _changed(e[4], root="00" * 32), *e[5:]]),
    "household hidden": (11, lambda e: [*e[:11], _changed(e[11], tokens=canonical.parse(e[4])["tokens"]), *e[12:]]),
    "batch passed over": (11, lambda e: [*e[:11], _changed(e[11], before=None), *e[12:]]),
    "tally passes over a batch": (13, lambda e: [*e[:13], _changed(e[13], before=4), *e[14:]]),
    "correction of another household": (12, lambda e: [*e[:12], _changed(e[12], pairs=[[1, 10]]), *e[13:]]),
    "step taken out": (5, lambda e: e[:5] + e[6:]),
    "steps swapped": (5, lambda e: [*e[:5], e[6], e[5], *e[7:]]),
    "step on another decision": (5, lambda e: [*e[:5], _changed(e[5], decision=3), *e[6:]]),
    "entry after the end": (15, lambda e: [*e, e[13]]),
    "something else": (5, lambda e: [*e[:5], b"{}", *e[5:]]),
    "not canonical": (5, lambda e: [*e[:5], b'{"k": "closed"}', *e[5:]]),
}


@pytest.mark.parametrize("name", LIES)
def test_every_lie_in_the_entries_is_found_where_it_stands(name: str, sound: list[bytes]) -> None:
    place, change = LIES[name]
    with pytest.raises(NotProven, match=f"^entries: entry {place}: "):
        history.check_entries(history.Made(change(sound)), origin=ORIGIN)


def test_nobody_is_in_the_log_whatever_the_office_keeps_about_its_steps(fresh: Folder) -> None:
    secrets = ["张三", "李四", "11010519491231002X", "13800138000", "1234.56"]
    body = canonical.format(
        {"officer": secrets[0], "reason": f"{secrets[1]} {secrets[2]} {secrets[3]}", "amount": secrets[4]}
    )
    ledger = fresh.ledger
    ledger.add([_step(ledger, 3, body=entries.commit_body(body, salt=bytes(16)))])
    ledger.add([Erasure(token(1), "pipl-47", DAY), Key(str(NEW), str(OLD), DAY), Closed(DAY)])
    files = [file for file in fresh.path.rglob("*") if file.is_file()]
    assert len(files) > 3
    for file in files:
        assert not any(secret.encode() in file.read_bytes() for secret in secrets)
