"""What is added up of each feed, and which of its rows count? One GROUP BY a feed, written in SQL.

Rows in hand are all that a person's answers hold. Of an answer that is still to be completed, a row dated before the
reference day may yet be replaced, so it is left out (`Summed.is_replaced`): the rest is a lower bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from meanscheck.contracts import feed

ON = "date '2020-06-30'"
COUNTED_PENSIONS = (
    *("employee_pension", "office_pension", "resident_basic_pension", "survivor_allowance", "unemployment_benefit"),
    *("retired_military_pension", "injury_benefit"),
)
DEPENDENT = ("preschool", "primary", "junior", "senior", "vocational", "undergraduate")


def codes(name: str, column: str, *words: str) -> str:
    """The stored codes of some words, as an SQL list."""
    choices = feed(name).column(column).choices
    return "(" + ", ".join(str(choices.index(word)) for word in words) + ")"


@dataclass(frozen=True, slots=True)
class Summed:
    """One feed added up: its measures, the cells they read, which rows count, the column a window applies to."""

    feed: str
    measures: dict[str, str]
    reads: tuple[str, ...]
    where: str = ""
    windowed: str = ""

    @property
    def is_replaced(self) -> bool:
        """Whether a later row takes the place of an earlier one, as of an account."""
        return bool(feed(self.feed).latest_by)

    def is_truth(self, measure: str) -> bool:
        """Whether a measure is yes or no; the others are whole numbers."""
        return self.measures[measure].startswith(("bool_or", "true"))

    def sql(self, within: str, *, partial: bool) -> str:
        """The GROUP BY of a range of units; `partial`: somebody's answer is to be completed and rows replaced."""
        chosen = ["r.verdict <> 2", within.replace("unit", "r.unit")]
        join = ""
        if self.windowed:
            join = " join hh on hh.unit = r.unit"
            chosen.append(f"r.{self.windowed} >= hh.first and r.{self.windowed} < hh.after")
        elif partial:
            join = f" left join (select * from partial where feed = '{self.feed}') d on d.place = r.place"
            chosen.append("(d.place is null or coalesce(r.as_of, d.reference_day) >= d.reference_day)")
        if self.where:
            chosen.append(self.where)
        cells = ", ".join(f"{sql} as {name}" for name, sql in self.measures.items())
        return f"select r.place, {cells} from f_{self.feed} r{join} where {' and '.join(chosen)} group by r.place"


def _sum(amount: str, condition: str = "") -> str:
    return f"coalesce(sum({amount}){f' filter ({condition})' if condition else ''}, 0)::bigint"


def _any(condition: str) -> str:
    return f"bool_or({condition})"


def _count(condition: str) -> str:
    return f"(count(*) filter ({condition}))::bigint"


def _items(
    name: str, measures: Mapping[str, tuple[str, ...]], amount: str = "r.amount", column: str = "item"
) -> dict[str, str]:
    return {m: _sum(amount, f"r.{column} in {codes(name, column, *words)}") for m, words in measures.items()}


def _open(column: str) -> str:
    return f"coalesce(r.{column}, date '9999-12-31') >= {ON}"


def summed() -> Sequence[Summed]:
    """Every feed that the rules read."""
    live_firm = (
        f"r.status in {codes('business_registration', 'status', 'open', 'suspended')} and not (r.role in "
        f"{codes('business_registration', 'role', 'coop_member')} and r.is_relief_coop) "
        "and not (r.is_couple_run and r.employees = 0)"
    )
    held = f"r.status in {codes('real_estate', 'status', 'owned', 'sealed')}"
    home = f"{held} and r.use in {codes('real_estate', 'use', 'residential')}"
    fit = f"{home} and r.condition not in {codes('real_estate', 'condition', 'uninhabited')}"
    premises = f"{held} and r.use in {codes('real_estate', 'use', 'commercial', 'industrial')}"
    counts = (
        f"r.status not in {codes('vehicles', 'status', 'scrapped')} and r.vehicle_class in "
        f"{codes('vehicles', 'vehicle_class', 'car', 'small_goods', 'large', 'ship')}"
    )
    heavy = f"r.kind in {codes('disability', 'kind', 'intellectual', 'mental')}"
    unfit = f"r.grade in {codes('disability', 'grade', '1', '2')}"
    unfit += f" or (r.grade in {codes('disability', 'grade', '3')} and {heavy})"
    gone = f"r.kind in {codes('absences', 'kind', 'clergy')} and r.since <= {ON} - interval 36 month"
    prison = f"r.kind in {codes('absences', 'kind', 'prison')}"
    income = {
        "t_wages": ("wages",),
        "t_fees": ("labour", "royalties"),
        "t_business": ("business",),
        "t_property": ("interest", "rent", "transfer"),
        "t_other": ("incidental",),
    }
    declared = {
        **{f"d_{word}": (word,) for word in ("wages", "business", "property", "transfer", "other")},
        "d_deposits": ("bank_deposits.balance",),
        "d_securities": ("securities.value",),
        "d_insurance": ("insurance_policies.cash_value",),
        "d_wallets": ("wallets.balance",),
    }
    surveyed = {
        "s_jobs": ("odd_jobs",),
        "s_farm": ("farming", "livestock"),
        "s_rent": ("rent",),
        "s_dividends": ("collective_dividend",),
        "s_land": ("land_compensation",),
        "s_living": ("living_condition_adjustment",),
    }
    shares = {"dividends": ("dividend",), "land": ("land_compensation",)}

    def works(*words: str) -> str:
        return _any(f"r.status in {codes('employment', 'status', *words)}")

    return (
        Summed(
            "tax_income",
            {**_items("tax_income", income), "t_tax": _sum("r.tax")},
            ("amount", "item", "tax", "month"),
            windowed="month",
        ),
        Summed("public_payroll", {"payroll": _sum("r.amount")}, ("amount", "month"), windowed="month"),
        Summed(
            "pensions_paid",
            {"pensions": _sum("r.amount")},
            ("amount", "kind", "month"),
            where=f"r.kind in {codes('pensions_paid', 'kind', *COUNTED_PENSIONS)}",
            windowed="month",
        ),
        Summed(
            "social_insurance",
            {"contributions": _sum("r.personal_paid")},
            ("personal_paid", "scheme", "month"),
            where=f"r.scheme in {codes('social_insurance', 'scheme', 'pension', 'medical', 'unemployment')}",
            windowed="month",
        ),
        Summed(
            "collective_income",
            _items("collective_income", shares, column="kind"),
            ("amount", "kind", "paid_on"),
            windowed="paid_on",
        ),
        Summed("declaration", _items("declaration", declared), ("amount", "item")),
        Summed("field_survey", _items("field_survey", surveyed), ("amount", "item")),
        Summed("bank_deposits", {"deposits": _sum("r.balance")}, ("balance",)),
        Summed("securities", {"securities": _sum("r.value")}, ("value",)),
        Summed(
            "insurance_policies",
            {"insurance": _sum("r.cash_value")},
            ("cash_value", "role"),
            where=f"r.role in {codes('insurance_policies', 'role', 'holder')}",
        ),
        Summed("wallets", {"wallets": _sum("r.balance")}, ("balance",)),
        Summed(
            "real_estate",
            {
                "homes": _count(home),
                "fit_homes": _count(fit),
                "sure_homes": _count(f"{fit} and r.verdict = 1"),
                "premises": _count(premises),
                "sure_premises": _count(f"{premises} and r.verdict = 1"),
            },
            ("use", "status", "condition"),
        ),
        Summed(
            "vehicles",
            {"vehicles": "count(*)::bigint", "sure_vehicles": _count("r.verdict = 1")},
            ("status", "vehicle_class"),
            where=counts,
        ),
        Summed(
            "business_registration",
            {"firms": "count(*)::bigint", "sure_firms": _count("r.verdict = 1")},
            ("status", "role", "is_relief_coop", "is_couple_run", "employees"),
            where=live_firm,
        ),
        Summed(
            "employment",
            {
                "e_unable": works("not_able"),
                "e_looking": works("registered_unemployed"),
                "e_idle": works("unregistered", "registered_unemployed"),
                "e_works": works("employed", "flexible"),
            },
            ("status",),
        ),
        Summed("work_offers", {"refused": _any("r.refused")}, ("refused",)),
        Summed(
            "labour_capacity",
            {"incapable": "true"},
            ("capacity",),
            where=f"r.capacity in {codes('labour_capacity', 'capacity', 'partial', 'none')}",
        ),
        Summed("disability", {"unfit": "true"}, ("kind", "grade"), where=f"({unfit}) and {_open('valid_to')}"),
        Summed(
            "serious_illness",
            {"ill": "true"},
            ("recognised_on",),
            where=f"r.recognised_on <= {ON} and {_open('valid_to')}",
        ),
        Summed(
            "school",
            {"student": "true", "full_time": _any(f"r.mode in {codes('school', 'mode', 'full_time')}")},
            ("level", "mode", "enrolled_on"),
            where=f"r.enrolled_on <= {ON} and {_open('left_on')} and r.level in {codes('school', 'level', *DEPENDENT)}",
        ),
        Summed("deaths", {"dead": "true"}, ("died_on",), where=f"r.died_on <= {ON}"),
        Summed(
            "absences",
            {"away": "true"},
            ("kind", "since"),
            where=f"(({prison}) or ({gone})) and r.since <= {ON} and {_open('until')}",
        ),
    )
