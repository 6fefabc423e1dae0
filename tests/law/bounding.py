"""Random packs of the shapes that bounds can decide: sums held against limits of which little may be known."""

from __future__ import annotations

from .choosing import Chooser, often
from .packs import PackText

SUMS = (
    "sum(b.balance for b in bank_deposits)",
    'sum(b.balance for b in bank_deposits if b.account_kind == "current")',
    "sum(s.value for s in securities)",
    'sum(t.amount for t in tax_income if t.item == "wages")',
    "sum(t.tax for t in tax_income)",
    'sum(f.amount for f in field_survey if f.item in {"odd_jobs", "rent"})',
    "sum(f.amount for f in field_survey)",
    'sum(m.total for m in medical_settlements if not m.is_reversed and m.care == "inpatient")',
    "sum(p.amount for p in pensions_paid if within(p.month, p.window, before=household.applied_on))".replace(
        "p.amount for p in", "q.amount for q in"
    ).replace("within(p.month", "within(q.month"),
)
FACTS = (
    "age(born_on) >= p.age",
    "age(born_on) >= 0",
    "lives_together",
    'sex == "male"',
    'any(v.vehicle_class == "car" for v in vehicles)',
    "all(a.items_failed <= 2 for a in self_care_assessments)",
    "count(v for v in vehicles) > 1",
    "count(r for r in real_estate if r.share > p.ratio) >= 1",
    "sum(a.items_failed for a in self_care_assessments) >= 0",
)
AMOUNTS = ("0.00", "0.07", "570.00", "123.45", "99999999.99")


class BoundsWriter:
    """Writes one pack."""

    def __init__(self, choose: Chooser) -> None:
        self.choose = choose
        self.pack = PackText(members=False)
        self.names: list[str] = []

    def write(self) -> PackText:
        pack, pick = self.pack, self.choose.pick
        pack.parameters += [self.limit(f"q.{name}") for name in ("one", "two")]
        pack.parameters.append(self.table())
        pack.variable("is_member", "member", "bool", pick((*FACTS[:5], "lives_together or born_on <= on")))
        for i in range(self.choose.whole(1, 3)):
            pack.variable(f"m{i}", "member", "money", self.money(self.choose.whole(0, 2)))
            self.names.append(f"m{i}")
        for i in range(self.choose.whole(1, 2)):
            pack.variable(f"h{i}", "household", "money", self.of_household())
        review = pick(("", "", 'review = ["bank_deposits", "tax_income"]'))
        text = pick((self.household_test, self.household_test, self.both_tests))()
        pack.programme("first", "household", text)
        pack.rules[-1] = pack.rules[-1].replace('id = "only"', f'id = "only"\n{review}')
        pack.programme("last", "member", self.truth(2))
        return pack

    def limit(self, name: str) -> str:
        low, high = sorted((self.choose.pick(AMOUNTS), self.choose.pick(AMOUNTS)), key=float)
        kind = self.choose.whole(0, 3)
        if kind == 0:
            return PackText.figure(name, "money", f'"{low}"')
        said = [f'at_least = "{low}"'] if kind != 2 else []
        said += [f'at_most = "{high}"'] if kind != 3 else []
        return PackText.figure(name, "money", '"0.00"', revision="\n".join(said)).replace(
            'value = "0.00"', 'unknown = "not found"'
        )

    def table(self) -> str:
        kind = self.choose.whole(0, 2)
        figures = ('"570.00"', '"123.45"')
        if kind == 0:
            value = f"value = {{ urban = {figures[0]}, rural = {figures[1]} }}"
        elif kind == 1:
            value = f"value = {{ urban = {figures[0]} }}"
        else:
            value = f'unknown = "not found"\nat_least = {{ urban = {figures[1]}, rural = "0.07" }}'
        return (
            f'[[parameter]]\nid = "q.table"\nunit = "money"\nby = "residence"\n'
            f'[[parameter.revision]]\nin_force_on = 2010-01-01\n{value}\ncite = ["inst#1"]\n'
        )

    def figure(self) -> str:
        return self.choose.pick(("q.one", "q.two", "p.money", "q.table[household.residence]", "0"))

    def money(self, depth: int) -> str:
        pick = self.choose.pick
        if not depth:
            return pick((*SUMS, *self.names)) if often(self.choose, 80) else pick(("q.one", "p.money"))
        a, b = self.money(depth - 1), self.money(depth - 1)
        return pick(
            (
                f"({a} + {b})",
                f"({a} - {b})",
                f"greatest({a}, {b})",
                f"least({a}, {self.figure()})",
                f"greatest({a} - {b}, 0)",
                f"({a} if {self.truth(depth - 1)} else {b})",
                f'round_to({a} * p.ratio, "{pick(("fen", "yuan"))}", "{pick(("half_up", "up", "down"))}")',
                f'round_to({a} / {pick(("2", "p.ratio"))}, "fen", "half_even")',
            )
        )

    def truth(self, depth: int) -> str:
        pick = self.choose.pick
        if not depth:
            return pick(FACTS)
        op = pick(("<", "<=", ">", ">=", "==", "!="))
        return pick(
            (
                f"{self.money(depth - 1)} {op} {self.figure()}",
                f"{self.money(0)} * {pick(('2', 'p.ratio', 'p.age'))} {op} {self.money(0)}",
                f"({self.truth(depth - 1)} and {self.truth(depth - 1)})",
                f"({self.truth(depth - 1)} or not {self.truth(depth - 1)})",
            )
        )

    def of_household(self) -> str:
        name = self.choose.pick(self.names)
        condition = self.choose.pick(("", "", f" if {self.truth(0).replace('(', '(', 1)}"))
        one = f"sum(m.{name} for m in members)"
        if condition and "for" not in condition:
            one = f"sum(m.{name} for m in members if m.lives_together)"
        return self.choose.pick((one, f"{one} + {one}", f"greatest({one} - q.two, 0)"))

    def household_test(self) -> str:
        op = self.choose.pick(("<", "<=", ">", ">="))
        h = self.choose.pick(("h0", "(h0 - q.one)", "(h0 + p.money)"))
        return self.choose.pick(
            (
                f"{h} {op} {self.figure()}",
                f"{h} / size {op} {self.figure()}",
                f"{h} / (2 * size) {op} q.two / 2",
                f"{h} * p.ratio {op} q.one * size",
            )
        )

    def both_tests(self) -> str:
        return f"({self.household_test()}) {self.choose.pick(('and', 'or'))} ({self.household_test()})"
