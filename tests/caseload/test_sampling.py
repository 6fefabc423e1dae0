"""A sample of a sealed county: drawn, kept as a file, reckoned anew, examined and reported."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from meanscheck.caseload import held, kept, read_log
from meanscheck.caseload.examining import Examined, Visits, examine, frame_and_drawn
from meanscheck.caseload.reporting import report
from meanscheck.caseload.risk import Frame, Thresholds
from meanscheck.caseload.sample import Sample, Sizes, check_sample, draw_sample
from meanscheck.errors import InputError, LedgerError, NotProven
from meanscheck.evidence import Store
from meanscheck.ledger import Ledger

from .conftest import ORIGIN, Sealed

NONCE = ("双色球 2020078: 07 13 22 25 31 33 + 11", "auditor: 5f2c")
SIZES = Sizes(3, {"thin_margin": 4, "dibao/referred": 5})


@pytest.fixture(scope="module")
def frame(sealed: Sealed) -> Frame:
    return frame_and_drawn(sealed.vault, sealed.batch, sealed.law, Thresholds())[0]


@pytest.fixture(scope="module")
def drawn(sealed: Sealed, frame: Frame) -> Sample:
    return draw_sample(read_log(sealed.ledger), sealed.batch, frame, nonce=NONCE, sizes=SIZES)


@pytest.fixture(scope="module")
def examined(sealed: Sealed, drawn: Sample) -> Examined:
    return examine(drawn, store=sealed.store, ledger=sealed.ledger, vault=sealed.vault, policy=sealed.policy)


def test_every_decision_is_in_one_stratum_of_each_programme(sealed: Sealed, frame: Frame) -> None:
    pairs = [(u.index, u.programme) for u in frame.units]
    outcomes = sealed.result.outcomes.select("case_id", "programme").unique().collect(engine="in-memory")
    assert len(set(pairs)) == len(pairs) == outcomes.height
    assert len(frame.strata()) >= 8
    assert {"dibao/unreviewed", "dibao/referred", "dibao/ordinary", "tekun/ordinary"} <= set(frame.strata())


def test_strata_and_sizes_are_respected(frame: Frame, drawn: Sample) -> None:
    strata = frame.strata()
    assert [s.stratum for s in drawn.strata] == list(strata)
    for one in drawn.strata:
        inside = {u.index for u in strata[one.stratum]}
        assert one.population == len(inside)
        assert len(one.indexes) == len(set(one.indexes)) == min(SIZES.of(one.stratum), len(inside))
        assert set(one.indexes) <= inside


def test_the_same_nonce_draws_the_same_and_another_draws_others(sealed: Sealed, frame: Frame, drawn: Sample) -> None:
    log = read_log(sealed.ledger)
    assert draw_sample(log, sealed.batch, frame, nonce=NONCE, sizes=SIZES) == drawn
    other = draw_sample(log, sealed.batch, frame, nonce=("auditor: 5f2d",), sizes=SIZES)
    assert [s.population for s in other.strata] == [s.population for s in drawn.strata]
    assert [s.indexes for s in other.strata] != [s.indexes for s in drawn.strata]


def test_a_larger_sample_begins_with_the_smaller(sealed: Sealed, frame: Frame, drawn: Sample) -> None:
    larger = draw_sample(read_log(sealed.ledger), sealed.batch, frame, nonce=NONCE, sizes=Sizes(9))
    for small, large in zip(drawn.strata, larger.strata, strict=True):
        assert large.indexes[: len(small.indexes)] == small.indexes


def test_a_sample_has_one_text(drawn: Sample) -> None:
    text = drawn.format()
    assert Sample.parse(text) == drawn
    for other in (
        text + "\n",
        text.replace('"v":1', '"v":2'),
        text.replace('"outside":0', '"outside":0.0'),
        "{}",
        "[]",
    ):
        with pytest.raises(InputError, match="not a sample"):
            Sample.parse(other)


def test_a_sample_names_nobody(sealed: Sealed, drawn: Sample) -> None:
    for block in kept(sealed.vault, sealed.batch.batch_id):
        for one in block:
            assert one.token not in drawn.format() and str(one.case_id) not in drawn.format()


def test_a_sample_that_was_chosen_is_found(sealed: Sealed, frame: Frame, drawn: Sample) -> None:
    check_sample(drawn, sealed.batch, frame)
    first, *others = drawn.strata
    unwanted = next(i for i in (u.index for u in frame.strata()[first.stratum]) if i not in first.indexes)
    swapped = replace(first, indexes=(unwanted, *first.indexes[1:]))
    for other, says in (
        (replace(drawn, strata=(swapped, *others)), "other decisions"),
        (replace(drawn, strata=(replace(first, indexes=first.indexes[::-1]), *others)), "other decisions"),
        (replace(drawn, strata=(replace(first, indexes=()), *others)), "other decisions"),
        (replace(drawn, strata=tuple(others)), "leaves out"),
        (replace(drawn, nonce=("another",)), "other decisions"),
        (replace(drawn, frame="0" * 64), "stratify otherwise"),
        (replace(drawn, batch_root="0" * 64), "another batch"),
    ):
        with pytest.raises(NotProven, match=says):
            check_sample(other, sealed.batch, frame)


def test_what_is_right_is_right(examined: Examined, drawn: Sample) -> None:
    assert examined.holds and examined.faults == () and not examined.replays
    assert set(examined.states.values()) == {"right"}
    estimate = examined.estimate()
    assert estimate.rate == 0 and estimate.interval.low == 0 and 0 < estimate.interval.high < 1
    full = next(s for s in drawn.strata if len(s.indexes) == s.population)
    assert examined.estimate_of(full.stratum).interval.high == 0


@pytest.fixture
def spoiled(sealed: Sealed, tmp_path: Path) -> Iterator[Store]:
    sealed.store.run("checkpoint")
    shutil.copy(sealed.store.path, tmp_path / "county.duckdb")
    with Store.open(tmp_path / "county.duckdb", memory_limit="500MB") as store:
        yield store


def test_a_wrong_award_is_an_error_of_its_programme_only(sealed: Sealed, frame: Frame, spoiled: Store) -> None:
    """A pension changed in the store of somebody in receipt of dibao: its award differs, other programmes do not."""
    eligible = sealed.result.outcomes.filter(programme="dibao", outcome="eligible").collect(engine="in-memory")
    found = spoiled.fetch(
        "select u.case_id, r.person from units u join unit_persons p on p.request = u.request and p.role = 'member' "
        "join feed_pensions_paid r using (person) order by all"
    )
    case, person = next(row for row in found.iter_rows() if row[0] in set(eligible["case_id"]))
    spoiled.run("update feed_pensions_paid set amount_fen = amount_fen + 6000 where person = ?", [person])
    index = sealed.result.held(case).index
    everyone = draw_sample(read_log(sealed.ledger), sealed.batch, frame, nonce=NONCE, sizes=Sizes(100))
    seen = examine(everyone, store=spoiled, ledger=sealed.ledger, vault=sealed.vault)
    wrong = [unit for unit, state in seen.states.items() if state == "wrong"]
    assert [(u.index, u.programme) for u in wrong] == [(index, "dibao")]
    assert index is not None and seen.replays[index].classes == ("corrected_evidence",)
    assert seen.estimate("dibao").rate == Fraction(1, 60) and seen.estimate("tekun").rate == 0
    assert seen.estimate("dibao").interval.low == seen.estimate("dibao").interval.high == Fraction(1, 60)
    assert not seen.holds
    assert f"**{index}** (不符)" in report(seen, language="zh", on=date(2020, 9, 1))


def visits_file(path: Path, drawn: Sample, wrong: set[tuple[int, str]], *, leave_out: int = 0) -> Path:
    lines = [
        f"{u.index},{u.programme},{'wrong' if (u.index, u.programme) in wrong else 'right'},looked at"
        for u in drawn.units()
    ]
    path.write_text("\n".join(["index,programme,finding,note", *lines[leave_out:]]) + "\n", encoding="utf-8-sig")
    return path


def test_a_visit_finds_what_no_replay_can(sealed: Sealed, drawn: Sample, tmp_path: Path) -> None:
    unit = next(iter(drawn.units()))
    visits = Visits.read(visits_file(tmp_path / "visits.csv", drawn, {(unit.index, unit.programme)}))
    seen = examine(drawn, store=sealed.store, ledger=sealed.ledger, vault=sealed.vault, visits=visits)
    assert [u for u, state in seen.states.items() if state == "wrong"] == [unit]
    assert seen.is_visited and not seen.holds and not seen.replays


def test_visits_tell_of_every_drawn_decision(sealed: Sealed, drawn: Sample, tmp_path: Path) -> None:
    visits = Visits.read(visits_file(tmp_path / "visits.csv", drawn, set(), leave_out=2))
    with pytest.raises(InputError, match="2 drawn decisions are not told of"):
        examine(drawn, store=sealed.store, ledger=sealed.ledger, vault=sealed.vault, visits=visits)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("index,programme\n", ":1"),
        ("index,programme,finding,note\n3,dibao,maybe,\n", ":2"),
        ("index,programme,finding,note\n3,dibao,right,\n3,dibao,wrong,\n", ":3"),
        ("index,programme,finding,note\n-3,dibao,right,\n", ":2"),
        ("", ":1"),
    ],
)
def test_a_faulty_file_of_visits_is_refused_by_line(text: str, where: str, tmp_path: Path) -> None:
    (tmp_path / "visits.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=f"visits.csv{where}"):
        Visits.read(tmp_path / "visits.csv")


def test_an_erased_decision_is_open_and_counts_upward_only(
    sealed: Sealed, drawn: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = next(u for u in drawn.units() if u.stratum == "dibao/ordinary")
    monkeypatch.setattr(
        held,
        "kept",
        lambda folder, batch_id: (
            [replace(o, groups=None, salts=None) if o.index == unit.index else o for o in block]
            for block in kept(folder, batch_id)
        ),
    )
    seen = examine(drawn, store=sealed.store, ledger=sealed.ledger, vault=sealed.vault)
    assert {u.index for u, state in seen.states.items() if state == "open"} == {unit.index}
    s = seen.stratum("dibao/ordinary")
    assert (s.open, s.errors) == (1, 0)
    assert seen.estimate_of("dibao/ordinary").interval.low == 0
    assert "erased since" in seen.faults[0].en and seen.faults[0].where == "sample"


def test_the_sample_of_another_log_is_refused(sealed: Sealed, drawn: Sample, tmp_path: Path) -> None:
    other = Ledger.open(tmp_path / "ledger", origin="other.example/relief")
    with pytest.raises(LedgerError, match=ORIGIN):
        examine(drawn, store=sealed.store, ledger=other, vault=sealed.vault)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_report_says_what_was_audited_and_how_to_repeat_it(
    examined: Examined, drawn: Sample, language: str, sealed: Sealed
) -> None:
    text = report(examined, language=language, on=date(2020, 9, 1))  # type: ignore[arg-type]
    for piece in (ORIGIN, drawn.root, drawn.batch_id, drawn.batch_root, drawn.frame, *drawn.nonce, "2020-09-01"):
        assert piece in text
    for one in drawn.strata:
        assert f": {' '.join(map(str, one.indexes))}\n" in text
        assert f"--size {one.stratum}={len(one.indexes)}" in text
    assert str(examined.estimate().interval) in text and "meanscheck audit sample" in text
    assert sealed.law.digest in text and examined.signed_by[0] in text
    assert ("社会救助" in text) == (language == "zh")


def test_both_languages_say_the_same_numbers(examined: Examined) -> None:
    both = report(examined, on=date(2020, 9, 1))
    zh, en = both.split("\n---\n\n")
    numbers = [[line.split("|")[2:] for line in part.splitlines() if line.startswith("| dibao")] for part in (zh, en)]
    assert numbers[0] == numbers[1] and numbers[0]


def test_a_report_names_no_case(examined: Examined, sealed: Sealed) -> None:
    text = report(examined, on=date(2020, 9, 1)) + repr(examined)
    assert not [c for c in sealed.result.outcomes.collect(engine="in-memory")["case_id"] if c in text]
