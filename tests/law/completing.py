"""Completions of a case: everything unknown replaced by some legal value, as answers to come might bring it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import product

from meanscheck.contracts import all_feeds
from meanscheck.contracts.units import RELATION, RESIDENCE, SEX, CaseUnit, FeedFacts, PersonFacts, Value
from meanscheck.law import Law
from meanscheck.law.figures import Scalar, figure_of
from meanscheck.law.law import Parameter
from meanscheck.law.names import OPEN_ENDED, feed_types
from meanscheck.law.plain import PlainRun
from meanscheck.values.evidence_state import EvidenceState

from .cases import BIRTHS, DAYS, RATIOS, WORDS, CaseWriter
from .choosing import Chooser, often
from .laws import FIGURES

LEGAL = (0, 1, 7, 57_000, 12_345, 10**13)
NEGATIVE = (-1, -305, -(10**13))
KEYS = {"residence": RESIDENCE, "item": ("wages", "labour", "home"), "class": ("A", "child", "car")}


def is_whole(law: Law) -> bool:
    """Whether every unknown of the law is a fact or a figure, and nothing is assumed in place of an unknown."""
    nodes = [n for tree in law.trees for n in tree.walk()]
    return not any(n.op in ("unknown", "first_known") for n in nodes)


class Completer:
    """Completes cases of one law; contradictions and figures that nobody could state stay as they are."""

    def __init__(self, choose: Chooser, law: Law) -> None:
        self.choose, self.law = choose, law
        self.columns = CaseWriter(choose, law).needs
        self.plainly = {str(n.args[1]) for tree in law.trees for n in tree.walk() if n.op == "agg" and not n.args[5]}
        """Feeds that some rule reads without waiting for findings: a finding may not drop what it counted."""

    # ---- figures

    def figures(self) -> Law:
        """The law with a figure for each that is unknown."""
        parameters = {
            name: self.figure(p) if p.unknown and name != "evidence.freshness" else p
            for name, p in self.law.parameters.items()
        }
        return replace(self.law, parameters=parameters)

    def figure(self, p: Parameter) -> Parameter:
        options = [KEYS.get(key, ("0", "1", "2", "3")) for key in p.by]
        table = {keys: self.amount(p, keys) for keys in product(*options)}
        return replace(p, unknown="", table=table)

    def amount(self, p: Parameter, keys: tuple[str, ...]) -> Scalar:
        low, high = (t.get(keys, t.get(("*",))) for t in (p.at_least, p.at_most))
        choices = [figure_of(_bare(text, p.unit), p.unit) for text in FIGURES[p.unit]]
        fits = [c for c in choices if (low is None or c >= low) and (high is None or c <= high)]  # type: ignore[operator]
        ends = [end for end in (low, high) if end is not None]
        return self.choose.pick([*fits, *ends])

    # ---- facts

    def unit(self, unit: CaseUnit) -> CaseUnit:
        attributes = dict(unit.attributes)
        options: Mapping[str, Sequence[Value]] = {
            "residence": RESIDENCE,
            "division": ("440703", "440784"),
            "applied_on": (date(2020, 6, 10), date(2020, 1, 31)),
        }
        for name, values in options.items():
            if attributes.get(name) is None:
                attributes[name] = self.choose.pick(values)
        run = PlainRun(self.law, unit)
        return replace(unit, attributes=attributes, persons=tuple(self.person(p, run) for p in unit.persons))

    def person(self, person: PersonFacts, run: PlainRun) -> PersonFacts:
        attributes = dict(person.attributes)
        options: Mapping[str, Sequence[Value]] = {
            "relation": RELATION,
            "sex": SEX,
            "born_on": BIRTHS,
            "lives_together": (True, False),
            "lives_together_since": DAYS,
            "can_live_independently": (True, False),
            "id": WORDS,
        }
        if person.role != "supporter":
            for name, values in options.items():
                if attributes.get(name) is None:
                    attributes[name] = self.choose.pick(values)
        feeds = {name: self.facts(name, person.feed(name), run) for name in {*self.columns, "supporters"}}
        support = {
            name: self.cell("supporters", name, {}) if value is None else value
            for name, value in person.support.items()
        }
        return replace(person, attributes=attributes, feeds=feeds, support=support)

    def facts(self, feed: str, facts: FeedFacts, run: PlainRun) -> FeedFacts:
        state = run.state(facts, feed)
        rows = list(facts.rows)
        if state is not EvidenceState.ANSWERED:
            rows = rows if state is EvidenceState.NO_ANSWER else []
            if all_feeds()[feed].latest_by:
                day = run.unit.attributes.get("reference_day") or run.law.on
                # Another row may take the place of one that is not of the reference day.
                rows = [r for r in rows if (r.get("as_of") or day) >= day or often(self.choose, 50)]  # type: ignore[operator]
            rows += [{"verdict": 0} for _ in range(self.choose.whole(0, 2)) if feed != "supporters"]
        done = tuple(self.row(feed, row) for row in rows)
        return FeedFacts(rows=done, covers_from=facts.covers_from, covers_to=facts.covers_to)

    def row(self, feed: str, row: Mapping[str, Value]) -> Mapping[str, Value]:
        done = dict(row)
        for column in self.columns.get(feed, ()):
            is_end = column in OPEN_ENDED.get(feed, ())
            if done.get(column) is None and column != "reverses" and not (is_end and column in row):
                done[column] = self.cell(feed, column, done)
        if not done.get("verdict"):
            done["verdict"] = 1 if feed in self.plainly else self.choose.pick((1, 2))
        return done

    def cell(self, feed: str, column: str, row: Mapping[str, Value]) -> Value:
        pick = self.choose.pick
        if column in ("settlement_no", "reverses"):
            return pick(("N1", "N2", "N3"))
        t = feed_types()[feed][column]
        if t.kind == "num":
            contract = all_feeds()[feed].column(column)
            if contract.maximum is not None:
                return pick((contract.minimum or 0, contract.maximum, 2))
            values = tuple(r for r in RATIOS if r >= 0) if t.form == "micro" else LEGAL
            return pick(values + NEGATIVE if contract.may_be_negative else values)
        if t.kind == "date":
            return pick(DAYS)
        if t.kind == "bool":
            return pick((True, False))
        return pick(sorted(t.choices)) if t.choices else pick(WORDS)


def _bare(text: str, unit: str) -> object:
    return text == "true" if unit == "bool" else text


def without_windows(unit: CaseUnit) -> CaseUnit:
    """The unit with answers that are not limited to a time: what lies outside of one is known to some rules only."""
    persons = (
        replace(p, feeds={f: replace(x, covers_from=None, covers_to=None) for f, x in p.feeds.items()})
        for p in unit.persons
    )
    return replace(unit, persons=tuple(persons))
