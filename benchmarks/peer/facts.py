"""What is known of each person? DuckDB adds up every feed by GROUP BY, over the projection's tables.

Frames of one block of units:

    homes      unit, case_id, residence, token; what the record tells of an application
    members    unit, home (row of `homes`), token, attributes, `word` (see `bits`), one column a fact: what the rows in
               hand come to, whether the answer is whole or not
    edges      unit, id of the supporter, support due: the first edge of each supporter

Rows in hand are all that a person's answers hold. Of an answer that is still to be completed, a balance dated before the
reference day may yet be replaced, so it is left out (`REPLACED`): the rest is a lower bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from benchmarks.peer.bits import STATES, WINDOWED, Bits
from meanscheck.contracts import feed
from meanscheck.evidence.arrow import frame_of

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
    name: str, measures: dict[str, tuple[str, ...]], amount: str = "r.amount", column: str = "item"
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
            where=f"r.enrolled_on <= {ON} and {_open('left_on')} "
            f"and r.level in {codes('school', 'level', *DEPENDENT)}",
        ),
        Summed("deaths", {"dead": "true"}, ("died_on",), where=f"r.died_on <= {ON}"),
        Summed(
            "absences",
            {"away": "true"},
            ("kind", "since"),
            where=f"(({prison}) or ({gone})) and r.since <= {ON} and {_open('until')}",
        ),
    )


HOME_CELLS = (
    *("unit", "case_id", "residence", "accepting_place", "application_no", "division", "input_digest"),
    "applied_on::varchar as applied_on",
    "reference_day::varchar as reference_day",
)
STATED = {
    "households": (*("case_id", "residence", "applied_on", "reference_day", "input_digest", "requested"),),
    "supporters": ("agreed_amount", "received_amount"),
}
MEMBER_CELLS = (
    *("place", "unit", "id", "relation", "sex", "born_on", "lives_together", "can_live_independently"),
    *("is_excused_from_work", "term"),
)


@dataclass(frozen=True, slots=True)
class Block:
    """The frames of some units."""

    homes: pl.DataFrame
    members: pl.DataFrame
    edges: pl.DataFrame


class Facts:
    """A read-only connection to the projection, and what is the same for all of it."""

    def __init__(self, projection: Path, *, threads: int = 2, memory: str = "2GB") -> None:
        self.connection = duckdb.connect(
            str(projection), read_only=True, config={"threads": threads, "memory_limit": memory}
        )
        self.tables = {str(name) for (name,) in self._rows("select table_name from duckdb_tables()")}
        self.units = int(self._rows("select count(*) from households")[0][0])
        self.feeds = [one for one in summed() if f"f_{one.feed}" in self.tables]
        self._check()
        self._terms()

    def _rows(self, sql: str) -> list[tuple]:
        return self.connection.execute(sql).fetchall()

    def _check(self) -> None:
        """Whether everything is stated that this pipeline takes for stated."""
        asked = {f"f_{one.feed}": one.reads for one in self.feeds} | STATED
        for table, columns in asked.items():
            missing = " or ".join(f'"{column}" is null' for column in columns)
            if table in self.tables and self._rows(f"select bool_or({missing}) from {table}")[0][0]:
                raise ValueError(f"{table} leaves a cell open that the hand-written pipeline takes for stated")
        people = "relation is null or sex is null or born_on is null or lives_together is null"
        asked_for = "select count(*) from households where requested not like '%dibao%' and requested <> ''"
        alone = "select (select count(*) from households) - count(distinct unit) from persons where role = 0"
        open_ones = f"select count(*) from persons where role = 0 and ({people})"
        if any(self._rows(sql)[0][0] for sql in (asked_for, alone, open_ones)):
            raise ValueError("a household without members, or one of whom the pipeline knows too little")

    def _terms(self) -> None:
        """Per term the causes of its states, and what answers about a window cover."""
        feeds = [*(one.feed for one in self.feeds), "supporters"]
        listed = ", ".join(f"'{name}'" for name in feeds)
        met = self._rows(f"select distinct feed, state from states where feed in ({listed}) and state <> 0 order by all")
        if not {state for _, state in met} <= set(STATES):
            raise ValueError("a state of evidence that the hand-written pipeline does not know")
        self.bits = Bits(met)
        count = int(self._rows("select coalesce(max(term), -1) + 1 from persons")[0][0])
        if self._rows(f"select count(*) from states where feed in ({listed})")[0][0] != count * len(feeds):
            raise ValueError("some feeds were not requested for some persons")
        self.words = np.zeros(count, dtype=np.int64)
        self.covers = {name: (np.full(count, -(2**40)), np.full(count, 2**40)) for name in WINDOWED}
        day = "({0} - date '1970-01-01')"
        rows = self._rows(
            f"select term, feed, state, {day.format('covers_from')}, {day.format('covers_to')} from states "
            f"where feed in ({listed}) and (state <> 0 or covers_from is not null or covers_to is not null)"
        )
        for term, name, state, since, until in rows:
            if state:
                self.words[term] |= self.bits[f"{STATES[state]}:{name}"]
            elif name in self.covers:
                for held, bound in zip(self.covers[name], (since, until), strict=True):
                    held[term] = held[term] if bound is None else bound

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def block(self, first: int, after: int) -> Block:
        """The frames of units `first` … `after`-1."""
        within = f"unit >= {first} and unit < {after}"
        run = self.connection.execute
        run(
            "create or replace temp table hh as select unit, date_trunc('month', applied_on)::date as after, "
            f"(date_trunc('month', applied_on) - interval 6 month)::date as first from households where {within}"
        )
        replaced = [one.feed for one in self.feeds if not one.windowed and one.feed not in ("deaths", "work_offers")]
        run(
            "create or replace temp table partial as select p.place, s.feed, h.reference_day from persons p "
            "join states s on s.term = p.term join households h on h.unit = p.unit "
            f"where p.{within.replace('and unit', 'and p.unit')} and s.state <> 0 and s.feed in {tuple(replaced)}"
        )
        partial = {name for (name,) in self._rows("select distinct feed from partial")}
        homes = self._frame(
            f"select {', '.join(HOME_CELLS)}, (hh.first - date '1970-01-01')::int as first, "
            f"(hh.after - date '1970-01-01')::int as after from households join hh using (unit) order by unit"
        )
        tokens = self._frame(f"select token from unit_tokens where {within} order by unit")["token"]
        names = self._frame(f"select place, token from person_tokens where {within} order by place")
        members = self._frame(
            f"select {', '.join(MEMBER_CELLS)} from persons where {within} and role = 0 order by place"
        )
        start, count = int(names["place"][0]), names.height
        places = members["place"].to_numpy() - start
        facts = []
        for one in self.feeds:
            found = self._frame(one.sql(within, partial=one.feed in partial))
            rows = found["place"].to_numpy() - start
            for name in one.measures:
                values = found[name].to_numpy()
                dense = np.zeros(count, dtype=values.dtype)
                dense[rows] = values
                facts.append(pl.Series(name, dense[places]))
        at = (members["unit"] - first).to_numpy()
        word = self._word(members["term"].to_numpy(), homes["first"].to_numpy()[at], homes["after"].to_numpy()[at])
        return Block(
            homes=homes.drop("first", "after").with_columns(tokens),
            members=members.with_columns(
                names["token"].gather(places), pl.Series("home", at), pl.Series("word", word), *facts
            ),
            edges=self._frame(
                "select s.unit, p.id, greatest(s.agreed_amount, s.received_amount) as support_due "
                "from (select unit, supporter_place, arg_min(agreed_amount, member_place) as agreed_amount, "
                "arg_min(received_amount, member_place) as received_amount "
                f"from supporters where {within} group by all) s join persons p on p.place = s.supporter_place "
                "order by s.supporter_place"
            ),
        )

    def _word(self, terms: np.ndarray, first: np.ndarray, after: np.ndarray) -> np.ndarray:
        word = self.words[terms]
        for name, (since, until) in self.covers.items():
            short = (since[terms] > first) | (until[terms] < after - 1)
            word |= np.where(short, self.bits[f"not_covered:{name}"], 0)
        return word

    def _frame(self, sql: str) -> pl.DataFrame:
        return frame_of(self.connection.sql(sql))
