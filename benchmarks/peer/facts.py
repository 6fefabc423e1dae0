"""What is known of each person? DuckDB adds up every feed by GROUP BY, over the projection's tables.

Frames of one block of units:

    persons     place, unit, role (0 member, 1 supporter, 2 register), attributes, one column a fact, `is_open` (some
                evidence that the rules read is missing, stale or does not cover the window)
    households  unit, case_id, residence, the window of income
    edges       unit, member_place, supporter_place, support stated and received, the supporter's own facts
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from meanscheck.contracts import feed
from meanscheck.evidence.arrow import frame_of

if TYPE_CHECKING:
    from collections.abc import Sequence

ON = "date '2020-06-30'"
WINDOW_FEEDS = ("tax_income", "public_payroll", "pensions_paid", "social_insurance", "collective_income")
MEMBER_FEEDS = (
    *WINDOW_FEEDS,
    *("bank_deposits", "securities", "insurance_policies", "wallets", "real_estate", "vehicles"),
    *("business_registration", "declaration", "field_survey", "employment", "work_offers", "labour_capacity"),
    *(
        "disability",
        "serious_illness",
        "school",
        "deaths",
        "absences",
        "relief_status",
        "supporters",
        "self_care_assessments",
    ),
)
SUPPORTER_FEEDS = ("relief_status", "disability", "absences")
COUNTED_PENSIONS = (
    *("employee_pension", "office_pension", "resident_basic_pension", "survivor_allowance", "unemployment_benefit"),
    *("retired_military_pension", "injury_benefit"),
)
MEDICAL = ("dibao", "tekun", "orphan", "unsupported_child", "dibao_margin", "return_to_poverty_monitored")
DEPENDENT = ("preschool", "primary", "junior", "senior", "vocational", "undergraduate")


def codes(name: str, column: str, *words: str) -> str:
    """The stored codes of some words, as an SQL list."""
    choices = feed(name).column(column).choices
    return "(" + ", ".join(str(choices.index(word)) for word in words) + ")"


@dataclass(frozen=True, slots=True)
class Summed:
    """One feed added up: name of the feed, its measures, which rows count, whether the window applies."""

    feed: str
    measures: dict[str, str]
    where: str = ""
    windowed: str = ""

    def sql(self, within: str) -> str:
        """The GROUP BY of a range of units."""
        chosen = ["r.verdict <> 2", within.replace("unit", "r.unit")]
        join = ""
        if self.windowed:
            join = " join hh on hh.unit = r.unit"
            chosen.append(f"r.{self.windowed} >= hh.first and r.{self.windowed} < hh.after")
        if self.where:
            chosen.append(self.where)
        cells = ", ".join(f"{sql} as {name}" for name, sql in self.measures.items())
        return f"select r.place, {cells} from f_{self.feed} r{join} where {' and '.join(chosen)} group by r.place"


def _sum(amount: str, condition: str = "") -> str:
    return f"coalesce(sum({amount}){f' filter ({condition})' if condition else ''}, 0)::bigint"


def _any(condition: str) -> str:
    return f"coalesce(bool_or({condition}), false)"


def _count(condition: str) -> str:
    return f"(count(*) filter ({condition}))::bigint"


def _items(
    name: str, measures: dict[str, tuple[str, ...]], amount: str = "r.amount", column: str = "item"
) -> dict[str, str]:
    return {m: _sum(amount, f"r.{column} in {codes(name, column, *words)}") for m, words in measures.items()}


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
    heavy_kinds = codes("disability", "kind", "intellectual", "mental")
    severe = codes("disability", "grade", "1", "2")
    third = f"r.grade in {codes('disability', 'grade', '3')} and r.kind in {heavy_kinds}"
    limb = f"r.kind in {codes('disability', 'kind', 'limb')} and r.grade in {codes('disability', 'grade', '1')}"
    mode = codes("school", "mode", "full_time")
    gone = f"r.kind in {codes('absences', 'kind', 'clergy')} and r.since <= {ON} - interval 36 month"
    prison = f"r.kind in {codes('absences', 'kind', 'prison')}"

    def status(*words: str) -> str:
        return _any(f"r.programme in {codes('relief_status', 'programme', *words)}")

    def works(*words: str) -> str:
        return _any(f"r.status in {codes('employment', 'status', *words)}")

    return (
        Summed(
            "tax_income",
            {
                **_items(
                    "tax_income",
                    {
                        "t_wages": ("wages",),
                        "t_fees": ("labour", "royalties"),
                        "t_business": ("business",),
                        "t_property": ("interest", "rent", "transfer"),
                        "t_other": ("incidental",),
                    },
                ),
                "t_tax": _sum("r.tax"),
            },
            windowed="month",
        ),
        Summed("public_payroll", {"payroll": _sum("r.amount")}, windowed="month"),
        Summed(
            "pensions_paid", _items("pensions_paid", {"pensions": COUNTED_PENSIONS}, column="kind"), windowed="month"
        ),
        Summed(
            "social_insurance",
            _items(
                "social_insurance",
                {"contributions": ("pension", "medical", "unemployment")},
                amount="r.personal_paid",
                column="scheme",
            ),
            windowed="month",
        ),
        Summed(
            "collective_income",
            _items("collective_income", {"dividends": ("dividend",), "land": ("land_compensation",)}, column="kind"),
            windowed="paid_on",
        ),
        Summed(
            "declaration",
            _items(
                "declaration",
                {
                    **{f"d_{word}": (word,) for word in ("wages", "business", "property", "transfer", "other")},
                    "d_deposits": ("bank_deposits.balance",),
                    "d_securities": ("securities.value",),
                    "d_insurance": ("insurance_policies.cash_value",),
                    "d_wallets": ("wallets.balance",),
                },
            ),
        ),
        Summed(
            "field_survey",
            _items(
                "field_survey",
                {
                    "s_jobs": ("odd_jobs",),
                    "s_farm": ("farming", "livestock"),
                    "s_rent": ("rent",),
                    "s_dividends": ("collective_dividend",),
                    "s_land": ("land_compensation",),
                    "s_living": ("living_condition_adjustment",),
                },
            ),
        ),
        Summed("bank_deposits", {"deposits": _sum("r.balance")}),
        Summed("securities", {"securities": _sum("r.value")}),
        Summed(
            "insurance_policies",
            _items("insurance_policies", {"insurance": ("holder",)}, amount="r.cash_value", column="role"),
        ),
        Summed("wallets", {"wallets": _sum("r.balance")}),
        Summed(
            "real_estate",
            {
                "homes": _count(home),
                "fit_homes": _count(fit),
                "sure_homes": _count(f"{fit} and r.verdict = 1"),
                "premises": _count(f"{premises} and r.verdict = 1"),
                "maybe_premises": _count(f"{premises} and r.verdict = 0"),
            },
        ),
        Summed(
            "vehicles",
            {
                "vehicles": _count(f"{counts} and r.verdict = 1"),
                "maybe_vehicles": _count(f"{counts} and r.verdict = 0"),
            },
        ),
        Summed(
            "business_registration",
            {
                "firms": _count(f"{live_firm} and r.verdict = 1"),
                "maybe_firms": _count(f"{live_firm} and r.verdict = 0"),
            },
        ),
        Summed(
            "employment",
            {
                "e_unable": works("not_able"),
                "e_looking": works("registered_unemployed"),
                "e_idle": works("unregistered", "registered_unemployed"),
                "e_works": works("employed", "flexible"),
            },
        ),
        Summed("work_offers", {"refused": _any("r.refused")}),
        Summed("labour_capacity", {"capacity": "arg_max(r.capacity, r.appraised_on)"}),
        Summed(
            "disability",
            {
                "severe": _any(f"r.grade in {severe}"),
                "unfit": _any(f"r.grade in {severe} or ({third})"),
                "no_labour": _any(f"(r.kind in {heavy_kinds} and r.grade in {severe}) or ({limb})"),
            },
            where=f"coalesce(r.valid_to, date '9999-12-31') >= {ON}",
        ),
        Summed(
            "serious_illness",
            {"ill": "true"},
            where=f"r.recognised_on <= {ON} and coalesce(r.valid_to, date '9999-12-31') >= {ON}",
        ),
        Summed(
            "school",
            {"student": "true", "full_time": _any(f"r.mode in {mode}")},
            where=f"r.enrolled_on <= {ON} and coalesce(r.left_on, date '9999-12-31') >= {ON} "
            f"and r.level in {codes('school', 'level', *DEPENDENT)}",
        ),
        Summed("deaths", {"dead": "true"}, where=f"r.died_on <= {ON}"),
        Summed(
            "absences",
            {
                "away": _any(f"({prison}) or ({gone})"),
                "missing": _any(f"r.kind in {codes('absences', 'kind', 'missing', 'prison')}"),
            },
            where=f"r.since <= {ON} and coalesce(r.until, date '9999-12-31') >= {ON}",
        ),
        Summed(
            "relief_status",
            {
                "on_dibao": status("dibao"),
                "on_tekun": status("tekun"),
                "on_medical": status(*MEDICAL),
            },
            where=f"r.\"from\" <= {ON} and coalesce(r.until, date '9999-12-31') >= {ON}",
        ),
        Summed("self_care_assessments", {"items_failed": "arg_max(r.items_failed, r.assessed_on)"}),
        Summed(
            "medical_settlements",
            {"own_cost": _sum("r.in_scope - r.basic_paid - r.serious_paid - r.other_paid")},
            where=f"r.settled_on between date '2020-01-01' and {ON} and r.reverses is null and not exists "
            "(select 1 from f_medical_settlements x where x.place = r.place and x.reverses = r.settlement_no)",
        ),
    )


PERSON_CELLS = ("place", "unit", "role", "id", "relation", "sex", "born_on", "lives_together", "can_live_independently")


class Facts:
    """A read-only connection to the projection."""

    def __init__(self, projection: Path, *, threads: int = 2, memory: str = "2GB") -> None:
        self.connection = duckdb.connect(
            str(projection), read_only=True, config={"threads": threads, "memory_limit": memory}
        )
        found = self.connection.execute("select table_name from duckdb_tables()").fetchall()
        self.tables = {str(name) for (name,) in found}
        row = self.connection.execute("select count(*) from households").fetchone()
        self.units = int(row[0]) if row else 0

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def block(self, first: int, after: int) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """Persons, households and edges of units `first` … `after`-1."""
        within = f"unit >= {first} and unit < {after}"
        run = self.connection.execute
        run(
            "create or replace temp table hh as select unit, case_id, residence, date_trunc('month', applied_on)::date "
            "as after, (date_trunc('month', applied_on) - interval 6 month)::date as first, reference_day "
            f"from households where {within} order by unit"
        )
        run(
            "create or replace temp table terms as select term, "
            f"count(*) filter (state = 0 and feed in {MEMBER_FEEDS}) = {len(MEMBER_FEEDS)} as whole, "
            f"count(*) filter (state = 0 and feed in {SUPPORTER_FEEDS}) = {len(SUPPORTER_FEEDS)} as whole_supporter, "
            f"max(covers_from) filter (feed in {WINDOW_FEEDS}) as covers_from, "
            f"min(covers_to) filter (feed in {WINDOW_FEEDS}) as covers_to, "
            f"min(as_of) filter (feed in {MEMBER_FEEDS}) as as_of from states group by term"
        )
        joins, cells = [], []
        for number, one in enumerate(s for s in summed() if f"f_{s.feed}" in self.tables):
            joins.append(f"left join ({one.sql(within)}) a{number} on a{number}.place = p.place")
            cells += [f"a{number}.{name}" for name in one.measures]
        own = ", ".join(f"p.{name}" for name in (*PERSON_CELLS, "is_excused_from_work"))
        persons = self.connection.sql(
            f"select {own}, case when p.role = 0 then not coalesce(t.whole, false) "
            "or coalesce(t.covers_from > hh.first, false) or coalesce(t.covers_to < hh.after - 1, false) "
            "or coalesce(t.as_of < date_trunc('month', hh.reference_day) - interval 6 month, false) "
            "when p.role = 1 then not coalesce(t.whole_supporter, false) "
            f"else false end as is_open, {', '.join(cells)} from (select * from persons where {within}) p "
            f"join hh on hh.unit = p.unit left join terms t on t.term = p.term {' '.join(joins)} order by p.place"
        )
        everyone = frame_of(persons)
        incapable = codes("supporters", "civil_capacity", "none")
        edges = self.connection.sql(
            "select unit, member_place, supporter_place, greatest(agreed_amount, received_amount) as support, born_on, "
            "agreed_amount is null or received_amount is null or civil_capacity is null or born_on is null as is_open, "
            f"civil_capacity in {incapable} as incapable from supporters where {within} "
            "order by member_place, supporter_place"
        )
        households = frame_of(self.connection.sql("select * from hh order by unit"))
        return everyone, households, frame_of(edges)
