"""For every kind of contradiction a case that has it, one just short of it, and what a finding on a row makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from meanscheck.contracts.units import CaseUnit, FeedFacts, PersonFacts, Value
from meanscheck.law import Law
from meanscheck.law.conflicts import KINDS

from .packs import PackText

Feeds = Mapping[str, Sequence[Mapping[str, Value]]]
DAY, MONTH = date(2020, 6, 30), date(2020, 3, 1)
WHOLE, HALF = 1_000_000, 500_000


@dataclass(frozen=True)
class Someone:
    """A person: id, role, relation and rows by feed."""

    id: str
    feeds: Feeds = field(default_factory=dict)
    role: str = "member"
    relation: str = "head"
    said: Mapping[str, Value] = field(default_factory=dict)

    def facts(self) -> PersonFacts:
        attributes = {"id": self.id, "relation": self.relation, "lives_together": True, **self.said}
        feeds = {name: FeedFacts(rows=tuple(rows)) for name, rows in self.feeds.items()}
        return PersonFacts(self.role, attributes, feeds)


@dataclass(frozen=True)
class Situation:
    """One kind: who has it, who is just short of it, whom it concerns, and a row (person, feed, place) whose dropping
    leaves nothing to settle. `figures` are what either side says, in fen."""

    kind: str
    has: tuple[Someone, ...]
    short: tuple[Someone, ...]
    persons: tuple[str, ...]
    doubts: str
    drop: tuple[int, str, int]
    figures: tuple[int, int] | None = None


def unit_of(people: Sequence[Someone], name: str = "case") -> CaseUnit:
    """A case unit of Jiangmen on 2020-06-30."""
    attributes: dict[str, Value] = {"residence": "urban", "division": "440703", "applied_on": date(2020, 6, 10)}
    return CaseUnit(name, {**attributes, "reference_day": DAY}, tuple(p.facts() for p in people))


def reviewed(unit: CaseUnit, place: tuple[int, str, int], verdict: int) -> CaseUnit:
    """The unit with a finding on one row."""
    person, feed, row = place
    persons = list(unit.persons)
    facts = persons[person].feed(feed)
    rows = list(facts.rows)
    rows[row] = {**rows[row], "verdict": verdict}
    persons[person] = replace(persons[person], feeds={**persons[person].feeds, feed: replace(facts, rows=tuple(rows))})
    return replace(unit, persons=tuple(persons))


def _paid(wages: int, base: int) -> Feeds:
    return {
        "tax_income": [{"month": MONTH, "item": "wages", "amount": wages}],
        "social_insurance": [{"month": MONTH, "payer": "employer", "base": base}],
    }


def _told(item: str, declared: int, feed: str, row: Mapping[str, Value]) -> Feeds:
    return {"declaration": [{"item": item, "amount": declared}], feed: [row]}


def _home(status: str, number: str = "H1", division: str = "440703") -> dict[str, Value]:
    return {"status": status, "household_no": number, "division_code": division}


def _right(token: str, share: int | None = WHOLE, **more: Value) -> dict[str, Value]:
    return {"right_token": token, "share": share, "status": "owned", "registered_on": date(2015, 1, 1), **more}


def _wed(status: str, other: str | None, day: date = date(2010, 1, 1)) -> dict[str, Value]:
    return {"status": status, "spouse_id": other, "registered_on": day}


DIED = date(2020, 2, 29)
A, B = "A", "B"

SITUATIONS = (
    # 5 000.00 against 2 500.00: the difference is half of the greater figure, the least that counts here.
    Situation(
        "wages_against_base",
        (Someone(A, _paid(250_000, 500_000)),),
        (Someone(A, _paid(250_001, 500_000)),),
        (A,),
        "tax_income",
        (0, "social_insurance", 0),
        (250_000, 500_000),
    ),
    Situation(
        "declared_wages",
        (Someone(A, _told("wages", 100, "tax_income", {"month": MONTH, "item": "wages", "amount": 101})),),
        (Someone(A, _told("wages", 100, "tax_income", {"month": MONTH, "item": "wages", "amount": 100})),),
        (A,),
        "tax_income",
        (0, "declaration", 0),
        (100, 101),
    ),
    *(
        Situation(
            kind,
            (Someone(A, _told(f"{feed}.{column}", 100, feed, {column: 101})),),
            (Someone(A, _told(f"{feed}.{column}", 100, feed, {column: 100})),),
            (A,),
            feed,
            (0, feed, 0),
            (100, 101),
        )
        for kind, feed, column in (
            ("declared_deposits", "bank_deposits", "balance"),
            ("declared_securities", "securities", "value"),
            ("declared_insurance", "insurance_policies", "cash_value"),
            ("declared_wallets", "wallets", "balance"),
        )
    ),
    Situation(
        "duplicate_vehicle",
        (Someone(A, {"vehicles": [{"vehicle_token": "V"}]}), Someone(B, {"vehicles": [{"vehicle_token": "V"}]})),
        (Someone(A, {"vehicles": [{"vehicle_token": "V"}]}), Someone(B, {"vehicles": [{"vehicle_token": "W"}]})),
        (A, B),
        "vehicles",
        (1, "vehicles", 0),
    ),
    Situation(
        "duplicate_account",
        tuple(Someone(who, {"bank_deposits": [{"bank_code": "X", "account_token": "1"}]}) for who in (A, B)),
        tuple(Someone(w, {"bank_deposits": [{"bank_code": c, "account_token": "1"}]}) for w, c in ((A, "X"), (B, "Y"))),
        (A, B),
        "bank_deposits",
        (0, "bank_deposits", 0),
    ),
    # Two halves are a whole.
    Situation(
        "duplicate_right",
        (
            Someone(A, {"real_estate": [_right("R", HALF + 1)]}),
            Someone(B, {"real_estate": [_right("R", HALF)]}, relation="spouse"),
        ),
        (
            Someone(A, {"real_estate": [_right("R", HALF)]}),
            Someone(B, {"real_estate": [_right("R", HALF)]}, relation="spouse"),
        ),
        (A, B),
        "real_estate",
        (0, "real_estate", 0),
    ),
    # Registered on the day itself, it is the member's on that day.
    Situation(
        "owner_outside",
        (Someone(A, {"real_estate": [_right("R", registered_on=date(2020, 7, 1))]}),),
        (Someone(A, {"real_estate": [_right("R", registered_on=DAY)]}),),
        (A,),
        "real_estate",
        (0, "real_estate", 0),
    ),
    # The month of the death is owed; the one after is not.
    *(
        Situation(
            kind,
            (Someone(A, {"deaths": [{"died_on": DIED}], feed: [{"month": date(2020, 3, 1)}]}),),
            (Someone(A, {"deaths": [{"died_on": DIED}], feed: [{"month": date(2020, 2, 1)}]}),),
            (A,),
            feed,
            (0, feed, 0),
        )
        for kind, feed in (("dead_pensioner", "pensions_paid"), ("dead_relief", "relief_paid"))
    ),
    Situation(
        "dead_applicant",
        (Someone(A, {"deaths": [{"died_on": date(2020, 6, 10)}]}),),
        (Someone(A, {"deaths": [{"died_on": date(2020, 6, 11)}]}),),
        (A,),
        "deaths",
        (0, "deaths", 0),
    ),
    Situation(
        "married_without_spouse",
        (Someone(A, {"marriages": [_wed("married", "somebody")]}), Someone(B)),
        (Someone(A, {"marriages": [_wed("married", B)]}), Someone(B)),
        (A,),
        "membership",
        (0, "marriages", 0),
    ),
    Situation(
        "unregistered_marriage",
        (Someone(A), Someone(B, {"marriages": [_wed("single", None)]}, relation="spouse")),
        (Someone(A), Someone(B, {"marriages": [_wed("married", A)]}, relation="spouse")),
        (B,),
        "membership",
        (1, "marriages", 0),
    ),
    # Married again since: the latest row is the later one.
    Situation(
        "divorced_together",
        (Someone(A, {"marriages": [_wed("divorced", B)]}), Someone(B, relation="other")),
        (
            Someone(A, {"marriages": [_wed("divorced", B), _wed("married", B, date(2011, 1, 1))]}),
            Someone(B, relation="other"),
        ),
        (A,),
        "membership",
        (0, "marriages", 0),
    ),
    Situation(
        "member_not_registered",
        (Someone(A, {"household_register": [_home("moved_out")]}),),
        (Someone(A, {"household_register": [_home("moved_out", "H0"), _home("active")]}),),
        (A,),
        "household_register",
        (0, "household_register", 0),
    ),
    # A village of the district is a part of it.
    Situation(
        "lives_elsewhere",
        (Someone(A, {"household_register": [_home("active", division="440784")]}),),
        (Someone(A, {"household_register": [_home("active", division="440703001001")]}),),
        (A,),
        "household_register",
        (0, "household_register", 0),
    ),
    Situation(
        "several_families",
        (
            Someone(A, {"household_register": [_home("active")]}),
            Someone(B, {"household_register": [_home("active")]}, role="register"),
        ),
        (
            Someone(A, {"household_register": [_home("active")]}),
            Someone(B, {"household_register": [_home("active")]}, role="member"),
        ),
        (A, B),
        "household_register",
        (1, "household_register", 0),
    ),
    Situation(
        "double_register",
        (Someone(A, {"household_register": [_home("active", "H1"), _home("active", "H2")]}),),
        (Someone(A, {"household_register": [_home("active", "H1"), _home("moved_out", "H2")]}),),
        (A,),
        "household_register",
        (0, "household_register", 1),
    ),
)


def stanza(kind: str, doubts: Sequence[str], rule: str = "person", more: str = "") -> str:
    """A stanza of conflicts.toml."""
    listed = ", ".join(f'"{d}"' for d in doubts)
    return (
        f'[[conflict]]\nid = "{kind}"\n[[conflict.revision]]\nin_force_on = 2010-01-01\ndoubts = [{listed}]\n'
        f'rule = "{rule}"\ncite = ["inst#7"]\n{more}\n'
    )


class Contradicted(PackText):
    """A pack whose one programme is met whenever all that it reads is known: ``relief`` reads feeds and the size."""

    def __init__(self, feeds: Sequence[str]) -> None:
        super().__init__(members=False)
        self.conflicts: list[str] = []
        self.parameters.append(self.figure("income.window_months", "month", "6"))
        self.variable("is_member", "member", "bool", "lives_together")
        counted = [f for f in feeds if f != "membership"]
        for feed in counted:
            self.variable(f"n_{feed}", "member", "number", f"count(r for r in {feed})")
            self.variable(f"all_{feed}", "household", "number", f"sum(m.n_{feed} for m in members)")
        test = " and ".join(["size >= 0", *(f"all_{f} >= 0" for f in counted)])
        self.programme("relief", "household", test)

    @property
    def files(self) -> Mapping[str, str]:
        return {**super().files, "conflicts.toml": "\n".join(self.conflicts)}

    def law(self, folder: Path, *, bounds: bool = False) -> Law:
        """Its law; bounds would decide that no count is negative, whatever contradicts whatever."""
        return replace(super().law(folder), bounds=bounds)


def share_of(kind: str) -> str:
    """Half of the greater figure for wages, as the national pack has it; otherwise every fen counts."""
    return 'counts_share = "0.5"' if kind == "wages_against_base" else ""


def law_of_one(folder: Path, situation: Situation, rule: str = "person", more: str = "") -> Law:
    """A law that knows one kind."""
    pack = Contradicted([situation.doubts])
    pack.conflicts.append(stanza(situation.kind, [situation.doubts], rule, share_of(situation.kind) + "\n" + more))
    return pack.law(folder)


def law_of_all(folder: Path, *, rules: Sequence[str] = ("person",), bounds: bool = False) -> Law:
    """A law that knows every kind, each putting all its feeds and membership in doubt; rules go round."""
    feeds = sorted({f for kind in KINDS.values() for f in kind.feeds})
    pack = Contradicted(feeds)
    for number, (name, kind) in enumerate(KINDS.items()):
        rule = rules[number % len(rules)]
        more = f'holds = "{kind.feeds[0]}"' if rule == "source" else ""
        pack.conflicts.append(stanza(name, [*kind.feeds, "membership"], rule, more))
    return pack.law(folder, bounds=bounds)
