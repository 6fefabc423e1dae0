"""The bytes of a record are the same from the vector writer and from the plain executor with the rfc8785 package."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from meanscheck.contracts.units import CaseBlock, CaseUnit, block_of, units_of
from meanscheck.decisions import assess, encode, kernel
from meanscheck.decisions.encode import BlockRecords, input_needs, self_test
from meanscheck.decisions.record import GROUPS, Provenance, canonical, plain_record
from meanscheck.errors import InternalError
from meanscheck.law import RulePack
from meanscheck.law.cases import Case, load_cases
from meanscheck.law.law import Law
from meanscheck.law.levels import files_of
from meanscheck.law.names import polars_types, support_types
from meanscheck.law.vectors import VectorRun

from .office import Office

HERE = Path(__file__).parent.parent
RULES = HERE.parent / "rules"
JIANGMEN = RULES / "cn" / "guangdong" / "jiangmen"
CASES = {file.parent: files_of(file.parent, "cases") for file in sorted(RULES.rglob("*cases.toml"))}
CASES[JIANGMEN] += (HERE / "vectors" / "thirty.toml",)
ORIGIN = Provenance("ab" * 32)


def written(law: Law, block: CaseBlock) -> pl.DataFrame:
    """The vector writer's groups of a block; person n of it has the token pn."""
    run = VectorRun(law, block, only_asked=True)
    if "input_digest" not in run.households.columns:
        run.put("household", [pl.Series("input_digest", ["cd" * 32] * run.households.height)])
    names = pl.Series([f"p{i}" for i in range(run.persons.height)])
    return BlockRecords(run, provenance=ORIGIN).frame(
        household_tokens=pl.Series([f"h{i}" for i in range(run.households.height)]), person_tokens=names
    )


def block_for(law: Law, units: list[CaseUnit]) -> CaseBlock:
    needs = input_needs(law)
    columns = {
        feed: {name: kind for name, kind in polars_types(feed).items() if name in needs[feed]}
        for feed in needs
        if feed != "supporters"
    }
    return block_of(units, columns, support_types())


def differing(law: Law, block: CaseBlock, units: list[CaseUnit]) -> list[str]:
    """``case group`` where the two writers differ."""
    frame = written(law, block)
    digests = block.households["input_digest"] if "input_digest" in block.households.columns else None
    wrong: list[str] = []
    first = 0
    for number, unit in enumerate(units):
        tokens = [f"p{first + i}" for i, person in enumerate(unit.persons) if person.role == "member"]
        plain = plain_record(
            law,
            unit,
            provenance=ORIGIN,
            input_digest="cd" * 32 if digests is None else digests[number],
            household_token=f"h{number}",
            person_tokens=tokens,
        )
        wrong += [f"{unit.case_id} {name}" for name in GROUPS if canonical(plain[name]).decode() != frame[name][number]]
        first += len(unit.persons)
    return wrong


def law_for(pack: RulePack, case: Case) -> Law:
    return pack.on(case.on, known_by=case.known_by, accept=case.accept, overlay=case.overlay)


def by_law(pack: RulePack, cases: Iterable[Case]) -> list[tuple[Law, list[CaseUnit]]]:
    """Cases that are decided by one law go into one block."""
    found: dict[object, list[Case]] = {}
    for case in cases:
        found.setdefault((case.on, case.known_by, case.accept, repr(case.overlay)), []).append(case)
    return [(law_for(pack, own[0]), [case.unit for case in own]) for own in found.values()]


@pytest.mark.parametrize(("folder", "files"), CASES.items(), ids=lambda x: x.name if isinstance(x, Path) else "")
def test_every_stated_case_is_written_in_the_same_bytes(folder: Path, files: Sequence[Path]) -> None:
    cases = [case for file in files for case in load_cases(file)]
    assert cases
    laws = by_law(RulePack.load(folder), cases)
    assert [line for law, units in laws for line in differing(law, block_for(law, units), units)] == []


@pytest.mark.parametrize("place", [JIANGMEN, JIANGMEN.parent, JIANGMEN.parent.parent], ids=lambda p: p.name)
def test_a_block_in_which_nobody_asks_for_the_other_programmes_is_written_in_the_same_bytes(place: Path) -> None:
    cases = [case for file in CASES[place] for case in load_cases(file)]
    laws = by_law(RulePack.load(place), cases)
    law, units = max(laws, key=lambda found: len(found[1]))
    assert len(law.programmes) > 2
    for programme in law.programmes:
        asking = [replace(unit, requested=(programme.id,)) for unit in units]
        assert differing(law, block_for(law, asking), asking) == []


def test_a_block_that_asks_for_nothing_the_law_knows_has_no_outcomes() -> None:
    (case, *_) = load_cases(CASES[JIANGMEN][0])
    law, unit = law_for(RulePack.load(JIANGMEN), case), replace(case.unit, requested=("unheard_of",))
    block = block_for(law, [unit])
    run = VectorRun(law, block, only_asked=True)
    run.put("household", [pl.Series("input_digest", ["cd" * 32])])
    assert differing(law, block, [unit]) == []
    assert kernel.outcomes_of(BlockRecords(run, provenance=ORIGIN)).is_empty()


def test_every_record_of_a_county_is_written_in_the_same_bytes(messy: Office) -> None:
    (block,) = messy.result.projection.blocks(input_needs(messy.law), block_units=1000)
    assert differing(messy.law, block, units_of(block)) == []


def test_records_are_canonical_json_and_hold_no_float(messy: Office) -> None:
    def refuse(text: str) -> None:
        raise AssertionError(f"a float: {text}")

    for frame in messy.result.vault.blocks():
        for name in GROUPS:
            for text in frame[name].head(60):
                value = json.loads(text, parse_float=refuse)
                assert canonical(value).decode() == text


@pytest.mark.parametrize("wrong", ["text_json", "object_json"])
def test_a_writer_that_differs_stops_the_run(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = getattr(encode, wrong)
    if wrong == "text_json":  # a release that escapes what RFC 8785 leaves as it is
        monkeypatch.setattr(encode, wrong, lambda name: before(name).str.replace("低", "\\u4f4e", literal=True))
    else:
        monkeypatch.setattr(encode, wrong, lambda frame, columns: before(frame, columns).str.replace(":", ": "))
    self_test.cache_clear()
    with pytest.raises(InternalError, match="records were not written"):
        self_test()
    monkeypatch.undo()
    self_test.cache_clear()
    self_test()


def test_a_run_begins_with_the_self_test(clean: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise InternalError("another way")

    monkeypatch.setattr(kernel, "self_test", fail)
    with pytest.raises(InternalError, match="another way"):
        assess(clean.store, clean.law, vault=tmp_path).run()
    assert not list(tmp_path.rglob("*.parquet"))
