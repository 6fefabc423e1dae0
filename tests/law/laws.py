"""Whole small packs with random formulas, as the text of their files."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from meanscheck.law import Law, RulePack
from meanscheck.law.types import UNITS, Type

from .choosing import Chooser, often
from .formulas import FEEDS, FREE_WORDS, Environment, Formulas, Place, Table

ON = date(2020, 6, 30)
CITE = 'cite = ["inst#1"]\nin_force_on = 2010-01-01'
PACK = """
code = "000000"
name = "Test"
[[instrument]]
id = "inst"
title = "An instrument"
issued_on = 2010-01-01
"""
RESIDENCES, ITEMS, CLASSES = ("urban", "rural"), ("wages", "labour", "home"), ("A", "child", "car")
MONEY_BOUNDS = ("-3.05", "0", "12.34", "570.00", "99999999999.99")
MONTHS = ("2019-12", "2020-01", "2020-02", "2020-03", "2020-04", "2020-05", "2020-06")
NEIGHBOURS = {"city": "440700", "city/county": "440703"}
"""Folder below the pack → division code."""
FIGURES = {
    "money": ("0.00", "0.01", "0.07", "12.34", "570.00", "-3.05", "99999999999.99"),
    "money/month": ("0.00", "0.03", "570.00", "899.99", "1550.50"),
    "month": ("0", "1", "6", "12", "36"),
    "number": ("0", "1", "2", "3", "18", "60"),
    "ratio": ("0", "0.5", "1", "1.6", "0.333333", "-0.25", "12.000001"),
    "area": ("0", "13.5", "80.25"),
    "bool": ("true", "false"),
    "date": ("2020-06-01", "2019-12-31", "2020-02-29", "1955-07-01"),
    "text": FREE_WORDS,
}
STORED = ("money", "money", "money/month", "month", "number", "ratio", "area", "bool", "bool", "date", "text")


def quoted(unit: str, figure: str) -> str:
    """A figure as TOML: numbers and days bare, exact amounts and texts in quotes."""
    return figure if unit in ("bool", "date", "month", "number") else f'"{figure}"'


class PackWriter:
    """Writes one pack."""

    def __init__(self, choose: Chooser, *, items: int = 6) -> None:
        self.choose, self.items = choose, items
        self.known = Environment()
        self.formulas = Formulas(choose, self.known)
        self.rules: list[str] = []

    # ---- figures

    def figure(self, unit: str) -> str:
        return quoted(unit, self.choose.pick(FIGURES[unit]))

    def parameter(self, name: str, unit: str, keys: tuple[tuple[str, ...], ...] = (), by: str = "") -> str:
        """The stanza of a figure; `by` says what each key is, with commas between."""
        kinds = tuple(by.split(", ")) if by else ()
        by = str(list(kinds)).replace("'", '"') if kinds else ""
        lines = ["[[parameter]]", f'id = "{name}"', f'unit = "{unit}"', *([f"by = {by}"] if by else [])]
        lines += ["[[parameter.revision]]", CITE]
        if often(self.choose, 12):
            lines.append('unknown = "not found"')
        elif often(self.choose, 6):
            lines += ['status = "unsure"', f"value = {self.value(unit, keys)}"]
        else:
            lines.append(f"value = {self.value(unit, keys)}")
        if keys:
            self.known.tables.append(Table(name, UNITS[unit], keys, kinds))
        else:
            self.known.parameters[name] = UNITS[unit]
        return "\n".join(lines)

    def value(self, unit: str, keys: tuple[tuple[str, ...], ...]) -> str:
        if not keys:
            return self.figure(unit)
        here, *rest = keys
        # A table may lack an entry: then its use is unknown.
        entries = [k for k in here if not often(self.choose, 15)] or list(here)
        return "{ " + ", ".join(f'"{k}" = {self.value(unit, tuple(rest))}' for k in entries) + " }"

    def count_of_months(self, name: str) -> str:
        """A small number of months: of a streak, each asks its condition anew."""
        known = f"value = {self.choose.whole(0, 3)}" if often(self.choose, 90) else 'unknown = "not found"'
        self.known.parameters[name] = UNITS["number"]
        self.known.counts.append(name)
        return f'[[parameter]]\nid = "{name}"\nunit = "number"\n[[parameter.revision]]\n{CITE}\n{known}'

    def neighbours(self) -> dict[str, str]:
        """Packs below this one, for a city and a county of it, that say some figures otherwise."""
        files: dict[str, str] = {}
        for folder, code in NEIGHBOURS.items():
            inner = PackWriter(self.choose)
            texts = []
            for name, unit in (("p.money", "money"), ("p.number", "number"), ("p.ratio", "ratio"), ("p.date", "date")):
                texts += [inner.parameter(name, unit)] if often(self.choose, 70) else []
            if often(self.choose, 70):
                texts.append(inner.parameter("t.standard", "money/month", (RESIDENCES,), "residence"))
            if often(self.choose, 70):
                texts.append(inner.parameter("b.money", "money", (MONEY_BOUNDS,), "band:money"))
            files[f"{folder}/pack.toml"] = PACK.replace('"000000"', f'"{code}"')
            files[f"{folder}/parameters.toml"] = "\n".join(texts)
        return files

    def parameters(self) -> str:
        texts = [self.parameter(f"p.{unit.replace('/', '_')}", unit) for unit in FIGURES]
        texts += [self.parameter(f"p.{name}", "month") for name in ("window", "longer")]
        self.known.windows += ["p.window", "p.longer", "p.month"]
        texts += [
            self.parameter("t.standard", "money/month", (RESIDENCES,), "residence"),
            self.parameter("t.share", "ratio", (ITEMS,), "item"),
            self.parameter("t.limit", "money", (CLASSES, ("0", "1", "2")), "class, count"),
            self.parameter("t.count", "number", (("0", "1", "2", "3"),), "number"),
            self.parameter("t.flag", "bool", (RESIDENCES,), "residence"),
            self.parameter("t.day", "date", (ITEMS,), "item"),
            self.parameter("t.word", "text", (RESIDENCES,), "residence"),
        ]
        texts += [
            self.parameter("b.money", "money", (MONEY_BOUNDS,), "band:money"),
            self.parameter("b.number", "number", (CLASSES, ("-1", "1", "2", "3")), "class, band:number"),
            self.parameter("b.area", "ratio", (("0", "13.5", "80.25"),), "band:area"),
            self.parameter("b.ratio", "text", (("-0.25", "0", "1", "1.6"),), "band:ratio"),
            self.parameter("b.both", "bool", (("0.00", "570.00"), ("0", "6")), "band:money/month, band:month"),
            self.parameter("m.index", "ratio", (MONTHS,), "month"),
            self.parameter("m.amount", "money/month", (RESIDENCES, MONTHS), "residence, month"),
            self.parameter("m.flag", "bool", (MONTHS,), "month"),
            self.parameter("m.day", "date", (MONTHS,), "month"),
            self.parameter("s.share", "ratio", (MONEY_BOUNDS,), "band:money"),
            self.parameter("s.by_class", "ratio", (CLASSES, MONEY_BOUNDS), "class, band:money"),
            self.count_of_months("c.months"),
        ]
        if often(self.choose, 60):
            table = self.known.tables[:]
            feeds = [f for f in (*FEEDS, "supporters") if often(self.choose, 60)] or ["tax_income"]
            texts.append(self.parameter("evidence.freshness", "month", (tuple(feeds),), "feed"))
            self.known.tables[:] = table
        return "\n".join(texts)

    # ---- rules

    def revision(self, kind: str, formula: str) -> str:
        lines = [f"[[{kind}.revision]]", CITE]
        if often(self.choose, 3):
            return "\n".join([*lines, 'unknown = "not found"'])
        return "\n".join([*lines, f"formula = '{formula}'"])

    def depth(self) -> int:
        return self.choose.whole(1, 3)

    def formula(self, entity: str, unit: str, *, depth: int | None = None) -> tuple[str, Type]:
        place, t = Place(entity), UNITS[unit]
        deep = self.depth() if depth is None else depth
        if unit == "bool":
            return self.formulas.truth(place, deep), t
        if unit == "date":
            return self.formulas.day(place, deep), t
        if unit == "text":
            text, choices = self.formulas.text(place, deep)
            return text, Type("text", choices=choices)
        form = "micro" if unit == "ratio" and not often(self.choose, 15) else "int"
        return self.formulas.number(place, t.dimension, form, deep), t

    def variable(self, name: str, entity: str, unit: str, *, depth: int | None = None) -> None:
        formula, t = self.formula(entity, unit, depth=depth)
        lines = ["[[variable]]", f'id = "{name}"', f'entity = "{entity}"', f'unit = "{unit}"']
        if t.choices is not None:
            lines.append(f"choices = {sorted(t.choices)}".replace("'", '"'))
        self.rules += [*lines, self.revision("variable", formula)]
        self.known.variables[name] = (entity, t)

    def programme(self, name: str) -> None:
        entity = self.choose.pick(("household", "member"))
        yields = []
        for other, its_entity in self.known.programmes.items():
            if often(self.choose, 35):
                whens = ["any member", "all members"]
                whens += ["this member"] if entity == "member" or its_entity == "household" else []
                yields.append(f'{{ programme = "{other}", when = "{self.choose.pick(whens)}" }}')
        lines = ["[[programme]]", f'id = "{name}"', f'entity = "{entity}"', "in_force_on = 2010-01-01"]
        lines += [f"yields_to = [{', '.join(yields)}]"] if yields else []
        lines += ['members = "belongs"'] if often(self.choose, 30) else []
        for i in range(self.choose.whole(1, 3)):
            formula, _ = self.formula(entity, "bool")
            lines += ["[[programme.test]]", f'id = "t{i}"']
            reviewed = [f for f in FEEDS if often(self.choose, 25)] if often(self.choose, 40) else []
            lines += [f"review = {reviewed}".replace("'", '"')] if reviewed else []
            lines.append(self.revision("programme.test", formula))
        if often(self.choose, 60):
            unit = self.choose.pick(("money", "money/month"))
            lines += ["[programme.award]", f'unit = "{unit}"']
            lines.append(self.revision("programme.award", self.formula(entity, unit)[0]))
        self.rules += lines
        self.known.programmes[name] = entity

    def write(self) -> dict[str, str]:
        """File → text."""
        parameters = self.parameters()
        for i in range(self.choose.whole(0, 1)):
            self.variable(f"early{i}", "member", self.choose.pick(STORED), depth=1)
        self.variable("is_member", "member", "bool", depth=self.choose.whole(0, 2))
        self.known.knows_members = True
        self.variable("belongs", "member", "bool", depth=self.choose.whole(0, 2))
        for i in range(self.choose.whole(1, self.items)):
            if often(self.choose, 25):
                self.programme(f"prog{i}")
            else:
                entity = self.choose.pick(("household", "member", "supporter", "household", "member"))
                self.variable(f"v{i}", entity, self.choose.pick(STORED))
        self.programme("last")
        own = {"pack.toml": PACK, "parameters.toml": parameters, "rules.toml": "\n".join(self.rules)}
        return own | self.neighbours()


def loaded(files: dict[str, str], folder: Path) -> RulePack:
    """The pack of some files, written to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return RulePack.load(folder)


def law_of(files: dict[str, str], folder: Path, *, accept: Iterable[str] = ()) -> Law:
    """The law of 2020-06-30."""
    return loaded(files, folder).on(ON, accept=frozenset(accept))
