"""What is certain of a household of whom something is unknown, and what is it referred for?

Only households without a failed test and with an open one are looked at again. Each amount has a least and a greatest
value: what is in hand, and no bound above where a feed hides something (a tax paid back may even be negative, and so
may an assessor's adjustment). A member of whom it is not known whether he is one adds nothing or all. A test that all
values agree on is decided; what is still open is told by the bits of the feeds that leave it so.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from benchmarks.peer.bits import Bits
from benchmarks.peer.rules import (
    AMOUNTS,
    ASSET_MONTHS,
    BUSINESS,
    DECLARED,
    DWELLINGS,
    FLOOR,
    HOLDINGS,
    MONTHS,
    OF_AGE,
    OTHER,
    PENSIONS,
    PROPERTY,
    TESTS,
    WAGES,
    Segments,
    c,
    larger,
    reckoned,
    truths,
    verdict,
    word,
)
from meanscheck.contracts.units import RELATION

COUNTED = {
    "all_homes": ("homes", "homes", "real_estate"),
    "fit_homes": ("fit_homes", "fit_homes", "real_estate"),
    "sure_homes": ("sure_homes", "fit_homes", "real_estate"),
    "premises": ("sure_premises", "premises", "real_estate"),
    "vehicles": ("sure_vehicles", "vehicles", "vehicles"),
    "firms": ("sure_firms", "firms", "business_registration"),
}
"""What is counted: at least (confirmed), at most (with what nobody has reviewed), and the feed."""
NONE_OF = {"non_residential": "premises", "vehicles": "vehicles", "business": "firms"}
SUMMED = ("size", "own_income", "adjustment", "assets", *COUNTED)


def _low(name: str) -> pl.Expr:
    return c(f"-{name}")


def _high(name: str) -> pl.Expr:
    return c(f"+{name}")


def _is_open(name: str) -> pl.Expr:
    """Whether more than one value is left."""
    return (_low(name) != _high(name)).fill_null(True)


def _ends(name: str, least: pl.Expr, most: pl.Expr) -> list[pl.Expr]:
    return [least.alias(f"-{name}"), most.alias(f"+{name}")]


def looked_again(homes: pl.DataFrame, members: pl.DataFrame, bits: Bits) -> pl.DataFrame:
    """Households with what is left of their tests and award.

    They also get TEST:by (whether bounds decided it), bounds of value and limit of the two comparisons, and
    `why`: bits of the causes of a household that stays undecided.
    """
    people = _people(members, bits)
    segments = Segments.of(people["home"])
    found = homes.with_columns(_household_sums(people, segments))
    unions = segments.union(people, *(c(f"?{name}").alias(f"?{name}") for name in SUMMED))
    return _decided(found.with_columns(unions), bits)


def _people(members: pl.DataFrame, bits: Bits) -> pl.DataFrame:
    def whole(*feeds: str) -> pl.Expr:
        return word & bits.of(*feeds) == 0

    def most(name: str) -> pl.Expr:
        return pl.when(whole(*AMOUNTS[name])).then(f"in_{name}")

    base = c("in_wage_income") + c("in_business_income")
    most_base = most("wage_income") + most("business_income")
    sure_imputed, maybe_imputed = c("is_imputed").fill_null(False), c("is_imputed").fill_null(True)
    floored = pl.when(most_base.is_not_null()).then(larger(most_base, FLOOR))
    rest = c("in_property_income") + c("in_benefit_income") + c("in_other_income")
    most_rest = most("property_income") + most("benefit_income") + most("other_income")
    is_tax_known = whole("tax_income")
    counts = [
        e
        for name, (least, upper, feed) in COUNTED.items()
        for e in _ends(name, c(least), pl.when(whole(feed)).then(upper))
    ]
    adjustment = pl.when(whole("field_survey")).then("s_living")
    mine = c("is_member")
    sums: list[pl.Expr] = []
    for name in SUMMED[1:]:
        # Whoever may be no member adds nothing or all.
        sums += _ends(
            name,
            pl.when(mine).then(_low(name)).when(mine.is_null()).then(_no_more(_low(name))).otherwise(0),
            pl.when(mine).then(_high(name)).when(mine.is_null()).then(_no_less(_high(name))).otherwise(0),
        )
    return reckoned(
        members,
        *truths(bits, in_hand=True),
        [
            *_ends("size", mine.fill_null(False).cast(pl.Int64), mine.fill_null(True).cast(pl.Int64)),
            *_ends(
                "labour",
                pl.when(sure_imputed).then(larger(base, FLOOR)).otherwise(base),
                pl.when(maybe_imputed).then(floored).otherwise(most_base),
            ),
            *_ends("adjustment", adjustment, adjustment),
            *_ends("assets", c("in_assets"), most("assets")),
            *counts,
        ],
        _ends(
            "own_income",
            pl.when(whole("social_insurance", "tax_income")).then(_low("labour") + rest - c("in_transfers_paid")),
            pl.when(is_tax_known).then(_high("labour") + most_rest - c("in_transfers_paid")),
        ),
        _why(bits),
        sums,
    )


def _no_more(bound: pl.Expr) -> pl.Expr:
    return pl.when(bound.is_not_null()).then(pl.min_horizontal(bound, 0))


def _no_less(bound: pl.Expr) -> pl.Expr:
    return pl.when(bound.is_not_null()).then(larger(bound, 0))


def _why(bits: Bits) -> list[pl.Expr]:
    """?NAME: the bits for which a person leaves a sum over members open, 0 of who is no member."""

    def of(*feeds: str) -> pl.Expr:
        return word & bits.of(*feeds)

    def where(condition: pl.Expr, mask: pl.Expr | int) -> pl.Expr:
        return pl.when(condition).then(mask).otherwise(0)

    def unknown(name: str) -> pl.Expr:
        return c(name).is_null()

    is_child, not_other = c("relation") == RELATION.index("child"), c("relation") != OTHER
    able = where(unknown("is_able_to_work"), of("labour_capacity", "disability", "serious_illness", "school"))
    working = where(unknown("is_working"), of(*WAGES, *BUSINESS, "employment"))
    looks = c("is_looking") & c("has_not_refused")
    reason = where(
        unknown("has_reason_not_to_work"),
        where(unknown("is_unable"), of("employment"))
        | where(looks.is_null() & unknown("is_looking"), of("employment"))
        | where(looks.is_null() & unknown("has_not_refused"), of("work_offers"))
        | where(
            unknown("is_excused"),
            pl.when(of("employment") == 0).then(bits["unknown:is_excused_from_work"]).otherwise(of("employment")),
        ),
    )
    base = of(*WAGES, *BUSINESS, *DECLARED)
    labour = where(
        (_low("labour") != _high("labour")).fill_null(True),
        pl.when(unknown("is_imputed")).then(able | working | reason).otherwise(base),
    )
    kept = c("is_dependent_student") | ~c("can_live_independently")
    member = where(
        unknown("is_member"),
        where(unknown("is_dead"), of("deaths"))
        | where(unknown("is_away"), of("absences"))
        | where(
            is_child & (c("age") >= OF_AGE) & ~(c("lives_together") & not_other) & kept.is_null(),
            where(unknown("is_dependent_student"), of("school"))
            | where(unknown("can_live_independently"), pl.lit(bits["unknown:can_live_independently"])),
        ),
    )

    def counted(name: str) -> pl.Expr:
        _, _, feed = COUNTED[name]
        seen = pl.when(_low(name) != _high(name)).then(bits[f"unreviewed:{feed}"]).otherwise(0)
        return of(feed) | seen

    masks = {
        "size": pl.lit(0, dtype=pl.Int64),
        "own_income": labour | of(*PROPERTY, *PENSIONS, *DECLARED, "tax_income", "social_insurance"),
        "adjustment": of("field_survey"),
        "assets": of(*HOLDINGS.values(), *DECLARED),
        **{name: counted(name) for name in COUNTED},
    }
    may_be = c("is_member").fill_null(True)
    return [
        pl.when(may_be).then(member | mask).otherwise(0).cast(pl.Int64).alias(f"?{name}")
        for name, mask in masks.items()
    ]


def _household_sums(people: pl.DataFrame, segments: Segments) -> list[pl.Series]:
    """Sums over members; an end that one of them leaves open is open."""
    found: list[pl.Series] = []
    for name in SUMMED:
        for end in (f"-{name}", f"+{name}"):
            ends = people[end]
            total = np.add.reduceat(ends.fill_null(0).to_numpy(), segments.starts)
            sums = pl.Series(end, total)
            if ends.null_count():
                missing = np.logical_or.reduceat(ends.is_null().to_numpy(), segments.starts)
                sums = sums.set(pl.Series(missing), None)
            found.append(sums)
    return found


def _decided(homes: pl.DataFrame, bits: Bits) -> pl.DataFrame:
    standard, support = c("standard"), c("support_income")
    limit = [ASSET_MONTHS * standard * _low("size"), ASSET_MONTHS * standard * _high("size")]
    heads = [MONTHS * _low("size"), MONTHS * _high("size")]
    has_heads = _low("size") > 0
    least, most = _low("household_income"), _high("household_income")

    def left(yes: pl.Expr, no: pl.Expr) -> pl.Expr:
        return pl.when(yes).then(True).when(no).then(False)

    def half_up(amount: pl.Expr, over: pl.Expr | int) -> pl.Expr:
        return (2 * amount + over) // (2 * over)

    tests = {
        "income": left(has_heads & (most < standard * heads[0]), has_heads & (least >= standard * heads[1])),
        "financial_assets": left(_high("assets") <= limit[0], _low("assets") > limit[1]),
        "dwellings": left(_high("fit_homes") <= DWELLINGS, _low("sure_homes") > DWELLINGS),
        **{test: left(_high(name) == 0, _low(name) > 0) for test, name in NONE_OF.items()},
    }
    award = [
        half_up(standard * heads_of - income, MONTHS) for heads_of, income in ((heads[0], most), (heads[1], least))
    ]
    incomes = [end("own_income") + support + end("adjustment") for end in (_low, _high)]
    return reckoned(
        homes,
        [
            # Not less than nothing, whatever is unknown.
            incomes[0].clip(0).fill_null(0).alias("-household_income"),
            incomes[1].clip(0).alias("+household_income"),
        ],
        [
            *(e.alias(f"left:{name}") for name, e in tests.items()),
            *(e.alias(f"{end}award") for e, end in zip(award, "-+", strict=True)),
            pl.when(has_heads).then(half_up(least, heads[1])).alias("-income_value"),
            pl.when(has_heads).then(half_up(most, heads[0])).alias("+income_value"),
            *(e.alias(f"{end}assets_limit") for e, end in zip(limit, "-+", strict=True)),
        ],
        [
            *((c(name).is_null() & c(f"left:{name}").is_not_null()).alias(f"{name}:by") for name in TESTS),
            *(c(f"left:{name}").alias(name) for name in TESTS),
            pl.when(c("-award") == c("+award")).then("-award").alias("award"),
        ],
        {"verdict": verdict()},
        {"why": _causes(bits)},
    )


def _causes(bits: Bits) -> pl.Expr:
    """Bits of what leaves a household's tests and award open."""

    def open_sum(name: str) -> pl.Expr:
        return pl.when(_is_open(name)).then(f"?{name}").otherwise(0)

    def where(test: str, mask: pl.Expr) -> pl.Expr:
        return pl.when(c(test).is_null()).then(mask).otherwise(0)

    unlisted = c("of_all") & bits.of("supporters")
    sums = open_sum("own_income") | open_sum("adjustment") | unlisted
    income = pl.when(_is_open("household_income")).then(sums).otherwise(0)
    nobody = ~_is_open("household_income") & (_low("size") == 0) & (_high("size") == 0)
    divided = pl.when(nobody).then(bits["division_by_zero"]).otherwise(0)
    size = open_sum("size")
    counts = []
    for name in ("all_homes", "fit_homes", "sure_homes"):
        unclear = ~((_high(name) <= DWELLINGS).fill_null(False) | (_low(name) > DWELLINGS))
        counts.append(pl.when(unclear).then(open_sum(name)).otherwise(0))
    why = (
        where("income", income | size | divided)
        | where("financial_assets", open_sum("assets") | size)
        | where("dwellings", counts[0] | counts[1] | counts[2])
        | where("award", income | size)
    )
    for test, name in NONE_OF.items():
        why = why | where(test, open_sum(name))
    return pl.when(c("verdict").eq_missing(False)).then(None).otherwise(why)
