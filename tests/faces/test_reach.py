"""What `rules check` says a law can reach is never less than what comes out of cases."""

from __future__ import annotations

from pathlib import Path

import pytest

from meanscheck.law import RulePack
from meanscheck.law.cases import load_cases
from meanscheck.law.plain import PlainRun
from meanscheck.law.reach import Reach

RULES = Path(__file__).parents[2] / "rules"
FILES = sorted(RULES.rglob("*cases.toml"))
LAW_ONLY = ("parameter:", "formula:")


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(RULES)))
def test_every_outcome_of_a_case_is_within_reach(file: Path) -> None:
    pack = RulePack.load(file.parent)
    laws: dict[object, Reach] = {}
    for case in load_cases(file):
        key = (case.on, case.known_by, case.accept, repr(case.overlay))
        if key not in laws:
            law = pack.on(case.on, known_by=case.known_by, accept=case.accept, overlay=case.overlay)
            laws[key] = Reach(law)
        reach = laws[key]
        law = reach.law
        for outcome in PlainRun(law, case.unit).decide():
            possible = reach.outcomes(law.programme(outcome.programme))
            if outcome.outcome != "refer":
                assert outcome.outcome in possible, f"{case.id}: {outcome.programme}"
            elif outcome.causes and all(cause.startswith(LAW_ONLY) for cause in outcome.causes):
                # What only the law leaves open must show without any case, and so must the figure's name.
                assert "refer" in possible, f"{case.id}: {outcome.programme}"
                named = {cause.partition(":")[2].split(", ")[-1] for cause in outcome.causes}
                assert named <= set(reach.missing(law.programme(outcome.programme))), f"{case.id}: {outcome.programme}"
