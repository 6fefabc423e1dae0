"""Do the two executors say the same of every value, and the plain one over steps as the plain one?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from random import Random

import polars as pl

from meanscheck.contracts.units import CaseUnit
from meanscheck.law import Law
from meanscheck.law.framed import framed
from meanscheck.law.margins import margin_of
from meanscheck.law.plain import PlainRun, Result
from meanscheck.law.plain_rows import At
from meanscheck.law.plain_steps import SteppedRun
from meanscheck.law.vector_causes import causes_of
from meanscheck.law.vectors import VectorRun

OUTCOMES = {True: "eligible", False: "ineligible", None: "refer"}


def vector_run(law: Law, units: Sequence[CaseUnit]) -> VectorRun:
    """The law over one block of these units."""
    return VectorRun(law, framed(law, units))


def stored(value: Result, unit: str) -> Result:
    """A plain value as the frames hold it: a ratio in millionths."""
    if unit == "ratio" and value is not None and not isinstance(value, bool | str):
        scaled = Fraction(value) * 10**6  # type: ignore[arg-type]
        return int(scaled) if scaled.denominator == 1 else scaled
    return value


def differences(law: Law, units: Sequence[CaseUnit], run: VectorRun | None = None) -> list[str]:
    """One line for every value in which the executors differ."""
    run = run or vector_run(law, units)
    homes, people, edges = (f.to_dicts() for f in (run.households, run.persons, run.edges))
    causes = causes_of(run)
    found: list[str] = []
    first = 0
    for h, unit in enumerate(units):
        plain = PlainRun(law, unit)
        found.extend(stepping(law, unit, plain))
        rows = {i: people[first + i] for i in range(len(unit.persons))}
        of_edges = {i: [e for e in edges if e["supporter_row"] == first + i] for i in rows}

        def note(what: str, a: object, b: object, case: str = unit.case_id) -> None:
            if a != b or type(a) is not type(b):
                found.append(f"{case} {what}: plain {a!r}, vector {b!r}")

        for name, v in law.variables.items():
            if v.entity == "household":
                note(name, stored(plain.variable(name), v.unit), homes[h][f"v:{name}"])
            elif v.entity == "member":
                for i in plain.members:
                    note(f"{name} {i}", stored(plain.variable(name, i), v.unit), rows[i][f"v:{name}"])
            else:
                for i, own in of_edges.items():
                    for edge in own:
                        note(f"{name} {i}", stored(plain.variable(name, i), v.unit), edge[f"v:{name}"])
        for p in law.programmes:
            persons: tuple[int | None, ...] = plain.members if p.entity == "member" else (None,)
            for who in persons:
                row = homes[h] if who is None else rows[who]
                o = plain.outcome(p.id, who)
                note(f"{p.id} {who}", o.outcome, OUTCOMES[row[f"o:{p.id}"]])
                if p.award is not None:
                    note(f"award {p.id} {who}", o.award, row[f"w:{p.id}"])
                for t in o.tests:
                    note(f"{p.id} {t.id} {who}", t.holds, row[f"t:{p.id}:{t.id}"])
                    note(f"by bounds {p.id} {t.id} {who}", t.by_bounds, bool(row.get(f"b:{p.id}:{t.id}")))
                for test in p.tests:
                    margin = margin_of(test.tree)
                    for prefix, tree in zip(
                        "xlm", (margin.value, margin.limit, margin.margin) if margin else (), strict=False
                    ):
                        note(f"{prefix}:{p.id}:{test.id} {who}", plain.at(tree, who), row[f"{prefix}:{p.id}:{test.id}"])
                for test, t in zip(p.tests, o.tests[-len(p.tests) :], strict=True):
                    margin = margin_of(test.tree)
                    if margin is not None and t.by_bounds and plain.bounds is not None:
                        for which, tree in (("x", margin.value), ("l", margin.limit)):
                            ends = tuple(row.get(f"{which}{end}:{p.id}:{test.id}") for end in "-+")
                            note(f"bounds {which} {p.id} {test.id} {who}", plain.bounds.range(tree, At(who)), ends)
                if o.outcome == "refer":
                    where = causes[0 if who is None else 1].get(p.id)
                    got = None if where is None else where[h if who is None else first + who].to_list()
                    note(f"causes {p.id} {who}", sorted(o.causes), got)
        first += len(unit.persons)
    return found


def stepping(law: Law, unit: CaseUnit, plain: PlainRun) -> list[str]:
    """One line for every value, test, award, cause and bound that the plain executor has otherwise over steps."""
    stepped = SteppedRun(law, unit)
    stepped.reckon()
    found: list[str] = []

    def note(what: str, a: object, b: object) -> None:
        if a != b or type(a) is not type(b):
            found.append(f"{unit.case_id} {what}: plain {a!r}, over steps {b!r}")

    for name, v in law.variables.items():
        for who in {"household": (None,), "member": plain.members, "supporter": plain.supporters}[v.entity]:
            note(f"{name} {who}", plain.variable(name, who), stepped.variable(name, who))
            note(f"causes {name} {who}", plain.why(name, who), stepped.why(name, who))
    note("outcomes", plain.decide(), stepped.decide())
    for p in law.programmes:
        for who in plain.members if p.entity == "member" else (None,):
            for test in p.tests:
                note(f"{p.id} {test.id} {who}", plain.best(test.tree, At(who)), stepped.best(test.tree, At(who)))
                margin = margin_of(test.tree)
                for tree in () if margin is None else (margin.value, margin.limit, margin.margin):
                    note(f"margin {p.id} {test.id} {who}", plain.at(tree, who), stepped.at(tree, who))
    return found


def shuffled(units: Sequence[CaseUnit], seed: int) -> list[CaseUnit]:
    """The same units with every person's rows in another order."""
    random = Random(seed)
    return [
        replace(
            unit,
            persons=tuple(
                replace(
                    p, feeds={f: replace(x, rows=tuple(random.sample(x.rows, len(x.rows)))) for f, x in p.feeds.items()}
                )
                for p in unit.persons
            ),
        )
        for unit in units
    ]


def results(run: VectorRun) -> Iterator[pl.DataFrame]:
    """All that a run says, by frame; internal columns left out."""
    for frame in (run.households, run.persons, run.edges):
        yield frame.select(c for c in frame.columns if c[:2] in ("v:", "t:", "o:", "w:", "x:", "l:", "m:"))


def changed_by_blocks(law: Law, units: Sequence[CaseUnit], run: VectorRun) -> list[str]:
    """One line for every frame that differs when each unit is a block of its own, or rows are shuffled."""
    found = []
    alone = [list(results(vector_run(law, [u]))) for u in units]
    for i, whole in enumerate(results(run)):
        if not pl.concat([parts[i] for parts in alone]).equals(whole):
            found.append(f"frame {i} depends on the block")
    mixed = results(vector_run(law, shuffled(units, 1)))
    found.extend(
        f"frame {i} depends on the order"
        for i, (a, b) in enumerate(zip(results(run), mixed, strict=True))
        if not a.equals(b)
    )
    return found
