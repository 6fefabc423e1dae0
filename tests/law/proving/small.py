"""A small town's law, whose parts a test replaces: a standard of 900.00 a head and month, a window of 12 months."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from meanscheck.law import Law, RulePack
from meanscheck.law.proving.amendments import Amendment, amendments
from meanscheck.law.proving.asking import Solver
from meanscheck.law.proving.household import Extent
from meanscheck.law.proving.theorems import Theorem, laws_of, theorems

from ..laws import loaded

ON = date(2020, 6, 30)
PACK = """
code = "000000"
name = "Test"
first_day = 2020-01-01
[[instrument]]
id = "inst"
title = "An instrument"
issued_on = 2010-01-01
"""
CITE = 'cite = ["inst#1"]'
MONEY = "sum(t.amount for t in tax_income if within(t.month, p.window, before=household.applied_on))"
DIFFERENCE = 'round_to(size * p.standard - income / p.window, "fen", "half_up")'


def figure(name: str, unit: str, value: str, since: str = "2010-01-01", more: str = "") -> str:
    """A parameter with one revision."""
    return (
        f'[[parameter]]\nid = "{name}"\nunit = "{unit}"\n{more}\n'
        f"[[parameter.revision]]\nin_force_on = {since}\n{value}\n{CITE}\n"
    )


FIGURES = "".join(
    figure(f"p.{name}", unit, f"value = {value}")
    for name, unit, value in (
        ("standard", "money/month", '"900.00"'),
        ("window", "month", "12"),
        ("assets", "money", '"50000.00"'),
        ("wage", "money", '"2690.00"'),
        ("disregard", "money", '"870.00"'),
        ("ratio", "ratio", '"0.7"'),
        ("cap", "money", '"100000.00"'),
    )
)


def variable(name: str, formula: str, *, entity: str = "household", unit: str = "money") -> str:
    """A variable with one revision."""
    return (
        f'[[variable]]\nid = "{name}"\nentity = "{entity}"\nunit = "{unit}"\n'
        f"[[variable.revision]]\nin_force_on = 2010-01-01\nformula = '''{formula}'''\n{CITE}\n"
    )


MEMBERS = variable("is_member", "lives_together", entity="member", unit="bool")
INCOME = variable("income", f"greatest(0, {MONEY})")


def programme(
    test: str,
    *,
    name: str = "relief",
    entity: str = "household",
    award: str = "",
    unit: str = "money/month",
    claims: str = "",
    award_claims: str = "",
    more: str = "",
) -> str:
    """A programme with one test; claims as lines of the test or of the award."""
    text = (
        f'[[programme]]\nid = "{name}"\nentity = "{entity}"\nin_force_on = 2010-01-01\n{more}\n'
        f'[[programme.test]]\nid = "only"\n{claims}\n'
        f"[[programme.test.revision]]\nin_force_on = 2010-01-01\nformula = '''{test}'''\n{CITE}\n"
    )
    if award:
        text += (
            f'[programme.award]\nunit = "{unit}"\n{award_claims}\n'
            f"[[programme.award.revision]]\nin_force_on = 2010-01-01\nformula = '''{award}'''\n{CITE}\n"
        )
    return text


def pack(folder: Path, *rules: str, figures: str = FIGURES) -> RulePack:
    """The pack, loaded from a folder."""
    files: Mapping[str, str] = {
        "pack.toml": PACK,
        "parameters.toml": figures,
        "rules.toml": "\n".join((MEMBERS, INCOME, *rules)),
    }
    return loaded(dict(files), folder)


def solver() -> Solver:
    """A solver with time enough, and a clock that stands still."""
    return Solver(30, clock=lambda: 0)


def proved(law: RulePack, *, members: int = 2, supporters: int = 0) -> dict[str, Theorem]:
    """The theorems of a pack by "programme: claim"; each claim has one answer."""
    found = theorems(law, laws_of(law), Extent(members, supporters), solver(), lambda done, total: None)
    by_name = {f"{th.programme}: {th.claim}": th for th in found}
    assert len(by_name) == len(found)
    return by_name


def changed(law: RulePack, *, members: int = 2) -> list[Amendment]:
    """The amendments of a pack."""
    return list(amendments(laws_of(law), Extent(members, 0), solver(), lambda done, total: None))


def law_of(law: RulePack) -> Law:
    """Its law of 2020-06-30."""
    return law.on(ON)
