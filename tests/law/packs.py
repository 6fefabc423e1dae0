"""A small sound pack whose parts a test replaces, to see what is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from meanscheck.contracts.units import FeedFacts, Value
from meanscheck.law import Law, RulePack

from .laws import ON, PACK, loaded

CITE = 'cite = ["inst#1"]'
FIGURES = {
    "p.money": ("money", '"570.00"'),
    "p.standard": ("money/month", '"900.00"'),
    "p.window": ("month", "12"),
    "p.ratio": ("ratio", '"1.6"'),
    "p.age": ("number", "60"),
    "p.area": ("area", '"13.5"'),
}


class PackText:
    """The text of a pack, stanza by stanza."""

    def __init__(self, *, members: bool = True) -> None:
        self.pack = PACK
        self.parameters = [self.figure(name, unit, value) for name, (unit, value) in FIGURES.items()]
        self.rules: list[str] = []
        if members:
            self.variable("is_member", "member", "bool", "lives_together or born_on <= on")

    @staticmethod
    def figure(name: str, unit: str, value: str, *, more: str = "", revision: str = "") -> str:
        return (
            f'[[parameter]]\nid = "{name}"\nunit = "{unit}"\n{more}\n'
            f"[[parameter.revision]]\nin_force_on = 2010-01-01\nvalue = {value}\n{CITE}\n{revision}\n"
        )

    @staticmethod
    def revision(kind: str, formula: str, more: str = "") -> str:
        return f"[[{kind}.revision]]\nin_force_on = 2010-01-01\nformula = '{formula}'\n{CITE}\n{more}\n"

    def variable(self, name: str, entity: str, unit: str, formula: str, more: str = "") -> PackText:
        """Add a variable."""
        head = f'[[variable]]\nid = "{name}"\nentity = "{entity}"\nunit = "{unit}"\n{more}\n'
        self.rules.append(head + self.revision("variable", formula))
        return self

    def programme(self, name: str, entity: str, test: str, more: str = "", award: str = "") -> PackText:
        """Add a programme with one test."""
        head = f'[[programme]]\nid = "{name}"\nentity = "{entity}"\nin_force_on = 2010-01-01\n{more}\n'
        text = head + '[[programme.test]]\nid = "only"\n' + self.revision("programme.test", test)
        if award:
            text += '[programme.award]\nunit = "money/month"\n' + self.revision("programme.award", award)
        self.rules.append(text)
        return self

    @property
    def files(self) -> Mapping[str, str]:
        """File → text."""
        return {
            "pack.toml": self.pack,
            "parameters.toml": "\n".join(self.parameters),
            "rules.toml": "\n".join(self.rules),
        }

    def load(self, folder: Path) -> RulePack:
        """The pack, loaded from a folder."""
        return loaded(dict(self.files), folder)

    def law(self, folder: Path) -> Law:
        """Its law of 2020-06-30."""
        return self.load(folder).on(ON)

    @staticmethod
    def answered(rows: tuple[Mapping[str, Value], ...]) -> FeedFacts:
        """A feed that was answered with these rows."""
        return FeedFacts(rows=rows)


STANDARD = """
[[parameter]]
id = "standard"
unit = "money/month"
by = "residence"
"""


def revision(day: str, value: str, more: str = "", cite: str = 'cite = ["inst#1"]') -> str:
    return f"[[parameter.revision]]\nin_force_on = {day}\n{value}\n{cite}\n{more}\n"


def figure(*revisions: str, head: str = '[[parameter]]\nid = "p.x"\nunit = "money"\n') -> Callable[[PackText], object]:
    return lambda pack: pack.parameters.append(head + "".join(revisions))


def sound() -> PackText:
    pack = PackText()
    pack.variable("income", "household", "money", "sum(t.amount for t in tax_income)")
    return pack.programme("dibao", "household", "income < p.money", award="p.standard")
