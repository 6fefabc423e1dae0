"""Which smallest change of one fact would turn an outcome, over a whole block of cases?

For a household or member that is not eligible because exactly one test fails: what would make it eligible. For one that
is eligible: what would end it, by its nearest test. Candidates come of the margins (`facts`); each is then decided
again, with the evidence changed (`changed`), by the vector executor: it counts only if the outcome turns, and does not
turn with one fen or one row less. So other tests, other programmes that take precedence, and contradictions between
feeds are all taken into account. Columns (one line for each outcome that some single fact turns):

    case_id, programme String · member String (null: the household) · turns_to String (eligible, ineligible) ·
    test String · person String (whose fact it is) · fact String (``bank_deposits.balance``; a feed alone: its rows) ·
    from, to, change Int64 (fen, or rows) · unit String (fen, rows) · months Int64 (over which an amount is told, where
    the test divides by them) · cite List[String]

Choices
    A fact is what a person's rows of one feed add up to in one column, as a rule sums it, where that is not nought.
    The smallest change wins; of equal ones an income before a deduction, and then the greatest amount. Of each outcome
    at most `TRIES` facts are tried, and none beyond what an amount may be. Facts of supporters, and facts of other
    members in a programme that decides members, are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from meanscheck.contracts.units import CaseBlock
from meanscheck.law.changed import Change, Whole, copies, with_changes
from meanscheck.law.columns import reckoned
from meanscheck.law.emit import Emitter
from meanscheck.law.facts import Fact, Lever, levers
from meanscheck.law.law import Law, Programme
from meanscheck.law.margins import months_of
from meanscheck.law.sides import RowEmitter, Rows, Side
from meanscheck.law.vector_facts import belongs_to
from meanscheck.law.vectors import VectorRun
from meanscheck.values.money import MAX_FEN

TRIES = 3
SCHEMA: dict[str, pl.DataType] = {
    "case_id": pl.String(),
    "programme": pl.String(),
    "member": pl.String(),
    "turns_to": pl.String(),
    "test": pl.String(),
    "person": pl.String(),
    "fact": pl.String(),
    "from": pl.Int64(),
    "to": pl.Int64(),
    "change": pl.Int64(),
    "unit": pl.String(),
    "months": pl.Int64(),
    "cite": pl.List(pl.String()),
}
_KEY = ["programme", "target"]
_CANDIDATE = {
    "programme": pl.Int64,
    "target": pl.Int64,
    "test": pl.Int64,
    "fact": pl.Int64,
    "person": pl.Int64,
    "total": pl.Int64,
    "by": pl.Int64,
    "ends": pl.Boolean,
}


def counterfactuals(run: VectorRun) -> pl.DataFrame:
    """The smallest changes that turn outcomes of a run, sorted by case, programme and member; see the module."""
    search = _Search(run)
    open_ones = search.candidates()
    kept: list[pl.DataFrame] = []
    for attempt in range(TRIES):
        tried = open_ones.filter(pl.col("rank") == attempt)
        if tried.is_empty():
            break
        turned = tried.filter(search.turns(tried))
        kept.append(turned)
        open_ones = open_ones.join(turned, on=_KEY, how="anti")
    found = pl.concat(kept) if kept else open_ones.clear()
    return search.told(found).sort("case_id", "programme", "member", nulls_last=False)


@dataclass(slots=True)
class _Search:
    run: VectorRun
    facts: list[Fact] = field(default_factory=list)
    block: CaseBlock = field(init=False)
    law: Law = field(init=False)
    unit_row: Whole = field(init=False)
    first_person: Whole = field(init=False)

    def __post_init__(self) -> None:
        self.law = self.run.law
        # The evidence as it came, before contradictions were applied: the changed household is looked at anew.
        self.block = self.run.disputes.block
        self.unit_row = self.run.persons["unit_row"].to_numpy()
        counts = self.block.households["n_persons"].to_numpy().astype(np.int64)
        self.first_person = np.cumsum(counts) - counts

    # ---- candidates

    def candidates(self) -> pl.DataFrame:
        """Facts that might turn an outcome, the likeliest first (`rank` 0, 1, …)."""
        parts = [pl.DataFrame(schema=_CANDIDATE)]
        for number, programme in enumerate(self.law.programmes):
            parts += [part.with_columns(programme=pl.lit(number, dtype=pl.Int64)) for part in self._of(programme)]
        every = pl.concat([p.select(list(_CANDIDATE)) for p in parts]).unique(maintain_order=True)
        falling = pl.Series([f.sign < 0 for f in self.facts], dtype=pl.Boolean)
        every = every.with_columns(deducted=falling.gather(every["fact"]))
        order = every.sort(*_KEY, pl.col("by").abs(), "deducted", -pl.col("total"), "test", "person", "fact")
        ranked = order.with_columns(rank=pl.int_range(pl.len()).over(_KEY))
        return ranked.filter(pl.col("rank") < TRIES)

    def _of(self, programme: Programme) -> Iterator[pl.DataFrame]:
        frame = self.run.frame(programme.entity)
        names = [c for c in frame.columns if c.startswith(f"t:{programme.id}:")]
        if not frame.height or not names:
            return
        verdicts = frame.select(names)
        failing = verdicts.select(pl.sum_horizontal(pl.all().eq_missing(False).cast(pl.Int64))).to_series()
        known = verdicts.select(pl.all_horizontal(pl.all().is_not_null())).to_series()
        listed = self._listed(programme)
        is_held = (frame[f"o:{programme.id}"].eq_missing(True) & listed).to_numpy()
        is_near = (known & (failing == 1) & frame[f"o:{programme.id}"].eq_missing(False) & listed).to_numpy()
        for place, test in enumerate(programme.tests):
            verdict = frame[f"t:{programme.id}:{test.id}"]
            here = levers(test.tree, self.law, programme.entity)
            for lever in here:
                stored = Emitter(Side(self.run, programme.entity)).stored(lever.margin.margin)
                (margin,) = reckoned([stored], self.run.sheet(programme.entity))
                known_margin = margin.is_not_null().to_numpy()
                room = margin.fill_null(0).to_numpy()
                fails = verdict.eq_missing(False).to_numpy()
                yield from self._moved(programme, place, lever, is_near & fails & known_margin, room, ends=False)
                if len(here) == 1:
                    past = room + (1 if lever.is_falling else -1)
                    yield from self._moved(programme, place, lever, is_held & known_margin, past, ends=True)

    def _listed(self, programme: Programme) -> pl.Series:
        """Rows of a programme's frame that were asked for; of persons the members of the application."""
        homes = self.run.households
        asked = (homes["requested"] == "") | homes["requested"].str.split(",").list.contains(programme.id)
        if programme.entity == "household":
            return asked
        return asked.gather(self.run.persons["unit_row"]) & (self.run.persons["role"].cast(pl.String) == "member")

    def _moved(
        self, programme: Programme, place: int, lever: Lever, wanted: np.ndarray, need: Whole, *, ends: bool
    ) -> Iterator[pl.DataFrame]:
        """Candidates by which the left side moves by `need` where it is `wanted`."""
        if not wanted.any():
            return
        persons = self.run.persons
        member = (persons["role"].cast(pl.String) == "member") & persons[f"v:{programme.members}"].eq_missing(True)
        is_home = programme.entity == "household"
        target = self.unit_row if is_home else np.arange(persons.height)
        usable = member.to_numpy() & wanted[target]
        for fact in lever.facts:
            if (fact.scope == "household") != is_home or (ends and not fact.column):
                continue
            column = persons[self.run.plan.names[fact.node]]
            total = column.fill_null(0).to_numpy()
            by = fact.sign * need[target]
            fits = usable & (total > 0) & (by != 0) & (total + by >= 0) & (total + by <= MAX_FEN)
            if not fact.column:
                fits &= by < 0
            rows = np.flatnonzero(fits)
            if len(rows):
                yield pl.DataFrame(
                    {"target": target[rows], "person": rows, "total": total[rows], "by": by[rows]}
                ).select(
                    pl.col("target").cast(pl.Int64),
                    test=pl.lit(place, dtype=pl.Int64),
                    fact=pl.lit(self._number(fact), dtype=pl.Int64),
                    person=pl.col("person").cast(pl.Int64),
                    total=pl.col("total").cast(pl.Int64),
                    by=pl.col("by").cast(pl.Int64),
                    ends=pl.lit(ends),
                )

    def _number(self, fact: Fact) -> int:
        if fact not in self.facts:
            self.facts.append(fact)
        return self.facts.index(fact)

    # ---- decided again

    def turns(self, tried: pl.DataFrame) -> pl.Series:
        """Whether each candidate turns its outcome, and one fen or row less does not."""
        n = tried.height
        person, by = tried["person"].to_numpy(), tried["by"].to_numpy()
        units = self.unit_row[person]
        made = copies(self.block, np.concatenate([units, units]))
        by = np.concatenate([by, by - np.sign(by)])
        there = np.concatenate([person, person]) - self.first_person[np.concatenate([units, units])] + made.first_person
        fact_of = np.concatenate([tried["fact"].to_numpy()] * 2)
        totals = np.concatenate([tried["total"].to_numpy()] * 2)
        changes = []
        for number in np.unique(fact_of):
            fact, own = self.facts[int(number)], fact_of == number
            counted = self._counted(fact)
            changes.append(Change(fact.feed, fact.column, counted, there[own], totals[own], by[own]))
        again = VectorRun(self.law, with_changes(made, changes))
        outcome = self._outcomes(again, tried, units, made.first_person)
        ends = tried["ends"]
        wanted, barely = outcome.head(n), outcome.tail(n)
        return (wanted.eq_missing(~ends)) & ~(barely.eq_missing(~ends))

    def _counted(self, fact: Fact) -> np.ndarray:
        """Rows of the feed that the fact adds up."""
        rows = Rows(self.run, fact.feed)
        belongs = belongs_to(fact.node, rows, RowEmitter(rows))
        if belongs is None:
            return np.ones(rows.frame.height, dtype=np.bool_)
        (marks,) = reckoned([belongs.fill_null(False)], rows.sheet)
        return marks.to_numpy()

    def _outcomes(self, again: VectorRun, tried: pl.DataFrame, units: Whole, first: Whole) -> pl.Series:
        """The outcome that each candidate is about, in the copies."""
        n = tried.height
        result = np.full(2 * n, None, dtype=object)
        target = tried["target"].to_numpy()
        number = tried["programme"].to_numpy()
        for at in np.unique(number):
            programme = self.law.programmes[int(at)]
            own = np.flatnonzero(number == at)
            own = np.concatenate([own, own + n])
            verdicts = again.frame(programme.entity)[f"o:{programme.id}"]
            rows = own
            if programme.entity == "member":
                which = own % n
                rows = first[own] + target[which] - self.first_person[units[which]]
            result[own] = verdicts.gather(rows).to_list()
        return pl.Series("o", result.tolist(), dtype=pl.Boolean)

    # ---- told

    def told(self, found: pl.DataFrame) -> pl.DataFrame:
        """The lines of the frame."""
        if found.is_empty():
            return pl.DataFrame(schema=SCHEMA)
        ids = self.run.persons["id"]
        tests = {(i, j): t for i, p in enumerate(self.law.programmes) for j, t in enumerate(p.tests)}
        of = [tests[key] for key in zip(found["programme"].to_list(), found["test"].to_list(), strict=True)]
        programmes = [self.law.programmes[i] for i in found["programme"].to_list()]
        facts = [self.facts[i] for i in found["fact"].to_list()]
        people = ids.gather(found["person"]).to_list()
        targets = found["target"].to_list()
        return pl.DataFrame(
            {
                "case_id": self.run.households["case_id"].gather(self.unit_row[found["person"].to_numpy()]),
                "programme": [p.id for p in programmes],
                "member": [
                    None if p.entity == "household" else ids[t] for p, t in zip(programmes, targets, strict=True)
                ],
                "turns_to": ["ineligible" if e else "eligible" for e in found["ends"].to_list()],
                "test": [t.id for t in of],
                "person": people,
                "fact": [f.name for f in facts],
                "from": found["total"],
                "to": found["total"] + found["by"],
                "change": found["by"],
                "unit": ["fen" if f.column else "rows" for f in facts],
                "months": [months_of(t.tree, self.law) for t in of],
                "cite": [list(t.cite) for t in of],
            },
            schema=SCHEMA,
        )
