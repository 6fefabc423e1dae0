"""Who is entitled, where everything is known? The law of the comparison as Polars expressions, amounts in fen.

Whatever reads a feed that hides something from a person is null, which is unknown, and stays so (Kleene) through and,
or and not. Amounts are reckoned of the rows in hand first and emptied afterwards, so that what is in hand is also there
as a lower bound for `undecided`: NAME is what is known, in_NAME what is in hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from benchmarks.peer.bits import Bits
from benchmarks.peer.facts import Block
from meanscheck.contracts.units import RELATION, RESIDENCE, SEX

STANDARD = {"urban": 90_000, "rural": 90_000}
MINIMUM_WAGE = 155_000
MONTHS = 6
ASSET_MONTHS = 24
DWELLINGS = 1
OF_AGE = 18
FROM_AGE, TO_AGE = 16, {"male": 60, "female": 50}
FLOOR = MINIMUM_WAGE * MONTHS
DAY = 630
YEAR = 2020

HEAD, SPOUSE, CHILD, OTHER = (RELATION.index(r) for r in ("head", "spouse", "child", "other"))

WAGES = ("tax_income", "public_payroll", "field_survey")
BUSINESS = ("tax_income", "field_survey")
PROPERTY = ("tax_income", "field_survey", "collective_income")
PENSIONS = ("pensions_paid",)
OTHERS = ("tax_income",)
PAID = ("social_insurance", "tax_income")
DECLARED = ("declaration",)
HOLDINGS = {
    "deposits": "bank_deposits",
    "securities_held": "securities",
    "insurance_held": "insurance_policies",
    "wallets_held": "wallets",
}
AMOUNTS: Mapping[str, Sequence[str]] = {
    "wages_found": WAGES,
    "business_found": BUSINESS,
    "property_found": PROPERTY,
    "benefits_found": PENSIONS,
    "other_found": OTHERS,
    "transfers_paid": PAID,
    "wage_income": WAGES + DECLARED,
    "business_income": BUSINESS + DECLARED,
    "property_income": PROPERTY + DECLARED,
    "benefit_income": PENSIONS + DECLARED,
    "other_income": OTHERS + DECLARED,
    **{name: (feed, *DECLARED) for name, feed in HOLDINGS.items()},
    "assets": (*HOLDINGS.values(), *DECLARED),
}
"""The feeds that each amount reads: it is known where none of them hides anything."""
SUMMED = (
    *("in_assets", "s_living", "homes", "fit_homes", "sure_homes", "premises", "sure_premises"),
    *("vehicles", "sure_vehicles", "firms", "sure_firms"),
)
TESTS = ("income", "financial_assets", "dwellings", "non_residential", "vehicles", "business")

c = pl.col
larger = pl.max_horizontal
word = c("word")


def age(born: pl.Expr) -> pl.Expr:
    """Whole years on the day."""
    late = born.dt.month().cast(pl.Int32) * 100 + born.dt.day().cast(pl.Int32) > DAY
    return YEAR - born.dt.year() - late.cast(pl.Int32)


def by_code(column: str, choices: Sequence[str], figures: Mapping[str, int]) -> pl.Expr:
    """The figure of a choice."""
    return c(column).replace_strict([choices.index(k) for k in figures], [*figures.values()], return_dtype=pl.Int64)


def amounts_in_hand() -> list[list[pl.Expr]]:
    """Amounts of the rows in hand, in the order in which they build on each other."""
    shares = larger("dividends", "s_dividends") + larger("land", "s_land")
    found = [
        (larger("t_wages", "payroll") + c("t_fees") + c("s_jobs")).alias("in_wages_found"),
        (c("t_business") + c("s_farm")).alias("in_business_found"),
        (c("t_property") + c("s_rent") + shares).alias("in_property_found"),
        c("pensions").alias("in_benefits_found"),
        c("t_other").alias("in_other_found"),
        (c("contributions") + c("t_tax")).alias("in_transfers_paid"),
        larger("deposits", "d_deposits").alias("in_deposits"),
        larger("securities", "d_securities").alias("in_securities_held"),
        larger("insurance", "d_insurance").alias("in_insurance_held"),
        larger("wallets", "d_wallets").alias("in_wallets_held"),
    ]
    counted = [
        larger("in_wages_found", "d_wages").alias("in_wage_income"),
        larger("in_business_found", "d_business").alias("in_business_income"),
        larger("in_property_found", "d_property").alias("in_property_income"),
        larger("in_benefits_found", "d_transfer").alias("in_benefit_income"),
        larger("in_other_found", "d_other").alias("in_other_income"),
        pl.sum_horizontal(*(f"in_{name}" for name in HOLDINGS)).alias("in_assets"),
    ]
    return [found, counted]


def truths(bits: Bits, *, in_hand: bool) -> list[dict[str, pl.Expr]]:
    """Yes or no of each person, in the order in which they build on each other.

    `in_hand`: what a row in hand shows is certain, though the answer is not whole.
    """

    def any_of(column: str, feed: str) -> pl.Expr:
        answered = word & bits.of(feed) == 0
        return c(column) | pl.when(answered).then(False) if in_hand else pl.when(answered).then(c(column))

    shown = c("in_wages_found") + c("in_business_found") > 0
    whole = word & bits.of(*WAGES, *BUSINESS) == 0
    earns = shown | pl.when(whole).then(False) if in_hand else pl.when(whole).then(shown)
    excused = c("is_excused_from_work")
    belongs = (
        c("relation").is_in([HEAD, SPOUSE])
        | ((c("relation") == CHILD) & ((c("age") < OF_AGE) | c("is_dependent_student") | ~c("can_live_independently")))
        | (c("lives_together") & (c("relation") != OTHER))
    )
    of_age = (c("age") >= FROM_AGE) & (c("age") < by_code("sex", SEX, TO_AGE))
    fit = ~any_of("incapable", "labour_capacity") & ~any_of("unfit", "disability") & ~any_of("ill", "serious_illness")
    return [
        {
            "is_dead": any_of("dead", "deaths"),
            "is_away": any_of("away", "absences"),
            "is_dependent_student": any_of("student", "school"),
            "is_working": earns | any_of("e_works", "employment"),
            "is_able_to_work": of_age & fit & ~any_of("full_time", "school"),
            "is_unable": any_of("e_unable", "employment"),
            "is_looking": any_of("e_looking", "employment"),
            "has_not_refused": ~any_of("refused", "work_offers"),
            # Where the register shows that somebody does not work, no reason stated is no reason.
            "is_excused": pl.coalesce(excused, pl.when(any_of("e_idle", "employment")).then(False)),
        },
        {
            "is_member": ~c("is_dead") & ~c("is_away") & belongs,
            "has_reason_not_to_work": c("is_unable") | (c("is_looking") & c("has_not_refused")) | c("is_excused"),
        },
        {"is_imputed": c("is_able_to_work") & ~c("is_working") & ~c("has_reason_not_to_work")},
    ]


@dataclass(frozen=True, slots=True)
class Segments:
    """Which members belong to which household: they stand together, and every household has one."""

    starts: np.ndarray

    @classmethod
    def of(cls, homes: pl.Series) -> Segments:
        """From the household of each member, ascending."""
        rows = homes.to_numpy()
        return cls(np.flatnonzero(np.diff(rows, prepend=-1)))

    def sums(self, frame: pl.DataFrame, *columns: pl.Expr) -> list[pl.Series]:
        """Sums a household, of Int64 expressions; yes counts 1."""
        return [
            pl.Series(s.name, np.add.reduceat(s.to_numpy(), self.starts))
            for s in frame.select(e.cast(pl.Int64) for e in columns).get_columns()
        ]

    def union(self, frame: pl.DataFrame, *columns: pl.Expr) -> list[pl.Series]:
        """Bits that some member of a household has."""
        return [
            pl.Series(s.name, np.bitwise_or.reduceat(s.to_numpy(), self.starts))
            for s in frame.select(columns).get_columns()
        ]


def reckoned(frame: pl.DataFrame, *steps: Sequence[pl.Expr] | Mapping[str, pl.Expr]) -> pl.DataFrame:
    """The frame with columns added step by step."""
    lazy = frame.lazy()
    for step in steps:
        lazy = lazy.with_columns(**step) if isinstance(step, Mapping) else lazy.with_columns(step)
    return lazy.collect(engine="in-memory")


def of_members(members: pl.DataFrame, bits: Bits) -> pl.DataFrame:
    """Members with every variable of the law."""
    known = [pl.when(word & bits.of(*feeds) == 0).then(f"in_{name}").alias(name) for name, feeds in AMOUNTS.items()]
    base = c("wage_income") + c("business_income")
    labour = (
        pl.when(c("is_imputed").eq_missing(False) | (base >= FLOOR))
        .then(base)
        .when(c("is_imputed") & (base < FLOOR))
        .then(FLOOR)
    )
    own = c("labour_income") + c("property_income") + c("benefit_income") + c("other_income") - c("transfers_paid")
    return reckoned(
        members,
        {"age": age(c("born_on"))},
        *amounts_in_hand(),
        known,
        *truths(bits, in_hand=False),
        {"labour_income": labour},
        {"own_income": own},
    )


def of_homes(block: Block, members: pl.DataFrame, bits: Bits) -> pl.DataFrame:
    """Households with variables, tests (value, limit, margin) and award, null where unknown."""
    segments = Segments.of(members["home"])
    mine = c("is_member").fill_null(False)
    sums = segments.sums(
        members,
        mine.alias("size"),
        c("is_member").is_null().alias("unsure"),
        (mine & c("own_income").is_null()).alias("open_incomes"),
        (c("own_income").fill_null(0) * mine).alias("own_income"),
        *((c(name) * mine).alias(name) for name in SUMMED),
    )
    words = segments.union(members, (word * mine.cast(pl.Int64)).alias("of_members"), word.alias("of_all"))
    support = block.edges.group_by("unit").agg(c("support_due").sum())
    homes = block.homes.with_columns(*sums, *words).join(support, on="unit", how="left", maintain_order="left")
    standard = c("standard")
    sure = c("unsure") == 0
    of_members = c("of_members")

    def answered(*feeds: str) -> pl.Expr:
        return sure & (of_members & bits.of(*feeds) == 0)

    def none_of(name: str, feed: str) -> pl.Expr:
        reviewed = c(name) == c(f"sure_{name}")
        return pl.when(answered(feed) & reviewed).then(c(name) == 0)

    few, counts_known = c("fit_homes") <= DWELLINGS, answered("real_estate")
    dwellings = pl.when(counts_known & (few | (c("fit_homes") == c("sure_homes")))).then(few)
    income_known = sure & (c("open_incomes") == 0) & (of_members & bits.of("field_survey") == 0)
    listed = c("of_all") & bits.of("supporters") == 0
    own = c("own_income") + c("support_income") + c("s_living")
    heads = MONTHS * c("size")
    return reckoned(
        homes,
        {
            "standard": by_code("residence", RESIDENCE, STANDARD),
            "support_income": pl.when(listed).then(c("support_due").fill_null(0) * MONTHS),
            "size": pl.when(sure).then("size"),
        },
        {"household_income": pl.when(income_known).then(own.clip(0))},
        {
            "income": pl.when(heads > 0).then(c("household_income") < standard * heads),
            "income_value": pl.when(heads > 0).then((2 * c("household_income") + heads) // (2 * heads)),
            "income_margin": standard * heads - c("household_income") - 1,
            "financial_assets_value": pl.when(answered(*HOLDINGS.values(), *DECLARED)).then("in_assets"),
            "financial_assets_limit": ASSET_MONTHS * standard * c("size"),
            "dwellings": dwellings,
            "non_residential": none_of("premises", "real_estate"),
            "vehicles_test": none_of("vehicles", "vehicles"),
            "business": none_of("firms", "business_registration"),
            "award": (2 * (standard * heads - c("household_income")) + MONTHS) // (2 * MONTHS),
        },
        {
            "financial_assets": c("financial_assets_value") <= c("financial_assets_limit"),
            "financial_assets_margin": c("financial_assets_limit") - c("financial_assets_value"),
            "vehicles": c("vehicles_test"),
        },
        {"verdict": verdict()},
    )


def verdict() -> pl.Expr:
    """Whether every test holds, Kleene."""
    return pl.all_horizontal(*TESTS)
