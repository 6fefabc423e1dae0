"""Who is entitled? Jiangmen's law of 2020-06-30, written down as Polars expressions, amounts in fen.

Null is unknown where a register's entry waits for the office's review; other unknowns are one flag a household.
"""

from __future__ import annotations

import polars as pl

from meanscheck.contracts.units import RELATION, SEX

STANDARD = 90_000
MINIMUM_WAGE = 155_000
MONTHS = 6
ASSET_MONTHS = 24
TEKUN_BASIC = 144_000
DAY = 630
YEAR = 2020

HEAD, SPOUSE, CHILD, PARENT, OTHER = (RELATION.index(r) for r in ("head", "spouse", "child", "parent", "other"))
FEMALE = SEX.index("female")
ATTRIBUTES = ("place", "unit", "role", "id", "relation", "sex", "born_on", "is_open", "capacity", "items_failed")
KEPT = (*ATTRIBUTES, "lives_together", "can_live_independently", "is_excused_from_work")

c = pl.col
larger = pl.max_horizontal


def age(born: pl.Expr) -> pl.Expr:
    """Whole years on the day."""
    late = born.dt.month().cast(pl.Int64) * 100 + born.dt.day().cast(pl.Int64) > DAY
    return YEAR - born.dt.year().cast(pl.Int64) - late.cast(pl.Int64)


def none_of(sure: str, maybe: str) -> pl.Expr:
    """Whether there is none, unknown while an entry is unreviewed."""
    return pl.when(c(sure) > 0).then(False).when(c(maybe) == 0).then(True)


def at_most_one_home() -> pl.Expr:
    """Whether one dwelling at most counts; unknown while a second one is unreviewed."""
    few = (c("homes") <= 1) | (c("fit_homes") <= 1)
    return pl.when(few).then(True).when(c("sure_homes") > 1).then(False)


def word(holds: pl.Expr) -> pl.Expr:
    """The outcome's word; unknown refers."""
    return pl.when(holds).then(pl.lit("eligible")).when(~holds).then(pl.lit("ineligible")).otherwise(pl.lit("refer"))


def of_persons(persons: pl.DataFrame) -> pl.DataFrame:
    """Persons with facts filled and what follows from their own facts alone."""
    schema = persons.schema
    numbers = [n for n in persons.columns if n not in KEPT and schema[n].is_integer()]
    flags = [n for n in persons.columns if n not in KEPT and schema[n] == pl.Boolean]
    wages_found = larger("t_wages", "payroll") + c("t_fees") + c("s_jobs")
    business_found = c("t_business") + c("s_farm")
    wages, business = larger(wages_found, "d_wages"), larger(business_found, "d_business")
    collective = larger("dividends", "s_dividends") + larger("land", "s_land")
    heavy = c("severe") | c("unfit")
    full = 0
    at_work = (wages_found + business_found > 0) | c("e_works")
    reason = c("e_unable") | (c("e_looking") & ~c("refused")) | c("is_excused_from_work").fill_null(False)
    today = c("age")
    labour_age = (today >= 16) & (today < pl.when(c("sex") == FEMALE).then(50).otherwise(60))
    fit = c("capacity").fill_null(full) == full
    able = labour_age & fit & ~heavy & ~c("ill") & ~c("full_time")
    belongs = (
        ((c("relation") == HEAD) | (c("relation") == SPOUSE))
        | ((c("relation") == CHILD) & ((today < 18) | c("student") | ~c("can_live_independently")).fill_null(False))
        | (c("lives_together") & (c("relation") != OTHER)).fill_null(False)
    )
    no_labour = (today >= 60) | (today < 16) | c("no_labour")
    kin = c("relation").is_in([HEAD, SPOUSE, CHILD, PARENT])
    return (
        persons.lazy()
        .with_columns(c(numbers).fill_null(0), c(flags).fill_null(False), age=age(c("born_on")))
        .with_columns(
            wages=wages,
            business=business,
            proceeds=larger(c("t_property") + c("s_rent") + collective, "d_property"),
            transfer=larger("pensions", "d_transfer"),
            other=larger("t_other", "d_other"),
            paid=c("contributions") + c("t_tax"),
            assets=larger("deposits", "d_deposits")
            + larger("securities", "d_securities")
            + larger("insurance", "d_insurance")
            + larger("wallets", "d_wallets"),
            imputed=able & ~at_work & ~reason,
            is_member=(c("role") == 0) & belongs & ~c("dead") & ~c("away"),
            unfit_for_labour=no_labour,
            able_kin=(c("role") == 0) & kin & (today >= 18) & ~no_labour & ~c("on_tekun") & ~c("missing"),
        )
        .with_columns(
            earned=pl.when("imputed")
            .then(larger(c("wages") + c("business"), MINIMUM_WAGE * MONTHS))
            .otherwise(c("wages") + c("business"))
        )
        .with_columns(income=c("earned") + c("proceeds") + c("transfer") + c("other") - c("paid"))
        .with_columns(able_relative=c("is_member") & c("able_kin"))
        .collect(engine="in-memory")
    )


def decided(persons: pl.DataFrame, households: pl.DataFrame, edges: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Households with tests, outcome and award of dibao, and members with those of tekun and medical relief."""
    everyone = of_persons(persons)
    facts = everyone.select("place", "on_dibao", "on_tekun", "severe", "missing", is_open_person="is_open")
    old_or_severe = (age(c("born_on")) >= 60) | c("severe")
    unable = (age(c("born_on")) < 18) | c("on_tekun") | (c("on_dibao") & old_or_severe) | c("incapable") | c("missing")
    kin = (
        edges.lazy()
        .join(facts.lazy(), left_on="supporter_place", right_on="place", how="left")
        .with_columns(unable=unable.fill_null(False), is_open=c("is_open") | c("is_open_person"))
        .collect(engine="in-memory")
    )
    of_member = kin.lazy().group_by("member_place").agg(all_unable=c("unable").all(), support=c("support").sum())
    of_unit = (
        kin.lazy()
        .unique("supporter_place")
        .group_by("unit")
        .agg(support_income=c("support").sum() * MONTHS, open_kin=c("is_open").any())
    )
    relatives = everyone.lazy().group_by("unit").agg(able_relatives=c("able_relative").sum())
    own = c("wages") + c("business") + c("proceeds") + c("transfer") + c("other") - c("paid")
    members = (
        everyone.lazy()
        .filter(c("role") == 0)
        .join(of_member, left_on="place", right_on="member_place", how="left")
        .join(relatives, on="unit", how="left")
        .with_columns(c("all_unable").fill_null(True), c("support").fill_null(0))
        .with_columns(tekun_income=own + c("support") * MONTHS)
        .with_columns(
            tekun=c("is_member")
            & c("unfit_for_labour")
            & (c("tekun_income") < STANDARD * MONTHS)
            & (c("assets") <= ASSET_MONTHS * STANDARD)
            & at_most_one_home()
            & none_of("vehicles", "maybe_vehicles")
            & none_of("firms", "maybe_firms")
            & none_of("premises", "maybe_premises")
            & c("all_unable")
            & (c("able_relatives") == c("able_relative").cast(pl.UInt32)),
            care=pl.when(c("items_failed") >= 4)
            .then(MINIMUM_WAGE * 60 // 100)
            .when(c("items_failed") >= 1)
            .then(MINIMUM_WAGE * 30 // 100)
            .when(c("items_failed") == 0)
            .then(MINIMUM_WAGE * 2 // 100)
            .otherwise(0),
        )
        .sort("place")
        .collect(engine="in-memory")
    )
    return _households(members, households, of_unit)


def _households(
    members: pl.DataFrame, households: pl.DataFrame, of_unit: pl.LazyFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    counted = (
        *("income", "assets", "s_living", "homes", "fit_homes", "sure_homes", "vehicles", "maybe_vehicles"),
        *("firms", "maybe_firms", "premises", "maybe_premises"),
    )
    sums = (
        members.lazy()
        .group_by("unit")
        .agg(
            *[c(name).filter("is_member").sum().alias(name) for name in counted],
            size=c("is_member").sum().cast(pl.Int64),
            open_members=c("is_open").any(),
            all_tekun=c("tekun").filter("is_member").all(ignore_nulls=False),
        )
    )
    shortfall = c("size") * STANDARD * MONTHS - c("household_income")
    own = c("income_test") & c("assets_test") & c("dwellings_test") & c("vehicles_test") & c("business_test")
    own = own & c("premises_test")
    result = (
        households.lazy()
        .join(sums, on="unit", how="left")
        .join(of_unit, on="unit", how="left")
        .with_columns(c("support_income").fill_null(0), is_open=c("open_members") | c("open_kin").fill_null(False))
        .with_columns(household_income=larger(0, c("income") + c("support_income") + c("s_living")))
        .with_columns(
            income_test=c("household_income") < STANDARD * MONTHS * c("size"),
            assets_test=c("assets") <= ASSET_MONTHS * STANDARD * c("size"),
            dwellings_test=at_most_one_home(),
            vehicles_test=none_of("vehicles", "maybe_vehicles"),
            business_test=none_of("firms", "maybe_firms"),
            premises_test=none_of("premises", "maybe_premises"),
            margin=shortfall - 1,
        )
        .with_columns(own=own)
        .with_columns(
            eligible=pl.when("is_open")
            .then(None)
            .when(c("own").eq_missing(False) | c("all_tekun").fill_null(False))
            .then(False)
            .when(c("all_tekun").is_null())
            .then(None)
            .otherwise(c("own")),
            award=(shortfall * 2 + MONTHS) // (2 * MONTHS),
        )
        .with_columns(
            outcome=word(c("eligible")),
            award=pl.when("eligible").then("award"),
        )
        .sort("unit")
        .collect(engine="in-memory")
    )
    covered = c("on_medical") | c("tekun").fill_null(False) | (c("eligible").fill_null(False) & c("is_member"))
    found = members.join(result.select("unit", "eligible"), on="unit", how="left", maintain_order="left").with_columns(
        tekun_outcome=word(pl.when(~c("is_open")).then(c("tekun"))),
        tekun_award=pl.when("tekun").then(TEKUN_BASIC + c("care")),
        # The ratio of 2020 is not known.
        medical=pl.when(covered & (c("own_cost") > 0)).then(pl.lit("refer")).otherwise(pl.lit("ineligible")),
    )
    return result, found
