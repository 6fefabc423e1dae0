"""How is a record written? Seven groups of canonical JSON a household, by Polars.

`struct.json_encode` for what is flat, `concat_str` around it, lists joined a household; what has few forms (four tests
by verdict, ids, causes) is written once.
"""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import polars as pl

from benchmarks.peer.bits import Bits
from benchmarks.peer.rules import AMOUNTS, c
from meanscheck.contracts.units import RELATION, RESIDENCE

ON = "2020-06-30"
MEMBER_VALUES = sorted(
    (
        *AMOUNTS,
        *("labour_income", "own_income", "has_reason_not_to_work", "is_able_to_work", "is_away", "is_dead"),
        *("is_dependent_student", "is_imputed", "is_member", "is_working"),
    )
)
HOME_VALUES = ("household_income", "size", "support_income")
CITES = {
    "income": ["gd-262", "jm-dibao-2020"],
    **{name: ["gd-9-2019"] for name in ("financial_assets", "dwellings", "non_residential", "vehicles", "business")},
}
PLAIN = ("dwellings", "non_residential", "vehicles", "business")
"""Tests of which only the verdict varies."""
WORDS = ("false", "true", "null")


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _plain_tests() -> pl.Series:
    """The entries of the four tests for every set of verdicts: false, true, unknown, false and true by bounds."""
    forms = []
    for name in PLAIN:
        told = f'"id":"{name}","limit":null,"margin":null,"programme":"dibao","value":null}}'
        known = [f'{{"cite":{_compact(CITES[name])},"holds":{word},{told}' for word in WORDS]
        forms.append([*known, *('{"bounds":{"limit":null,"value":null},' + known[i][1:] for i in (0, 1))])
    return pl.Series([",".join(texts) for texts in product(*forms)])


PLAIN_TESTS = _plain_tests()


def _number(name: str) -> pl.Expr:
    return c(name).cast(pl.String).fill_null("null")


def _chain(*parts: str | pl.Expr) -> pl.Expr:
    return pl.concat_str([pl.lit(part) if isinstance(part, str) else part for part in parts])


def _texts(names: pl.Series) -> pl.Series:
    """Texts as JSON; each different one is written once."""
    if names.null_count():
        raise ValueError("somebody has no name in the record")
    different = names.unique()
    return names.replace_strict(different, pl.Series([_compact(name) for name in different]))


def _comparison(name: str, limit: str, bounds: tuple[str, ...]) -> pl.Expr:
    """The entry of a test that is one comparison."""
    before = f'"cite":{_compact(CITES[name])},"holds":'
    least, most, low, high = bounds
    by = _chain('{"bounds":{"limit":[', _number(least), ",", _number(most), '],"value":[')
    by = _chain(by, _number(low), ",", _number(high), "]}," + before)
    return _chain(
        pl.when(f"{name}:by").then(by).otherwise(pl.lit("{" + before)),
        _number(name),
        f',"id":"{name}","limit":',
        _number(limit),
        ',"margin":',
        _number(f"{name}_margin"),
        ',"programme":"dibao","value":',
        _number(f"{name}_value"),
        "}",
    )


def _causes(why: pl.Series, bits: Bits) -> pl.Series:
    """Causes of each household as JSON."""
    different, which = np.unique(why.fill_null(0).to_numpy(), return_inverse=True)
    return pl.Series([_compact(bits.texts(int(word))) for word in different]).gather(which)


def _codes(homes: pl.DataFrame) -> pl.Series:
    """Number of each household's text in `PLAIN_TESTS`."""
    code = pl.lit(0, dtype=pl.Int32)
    for name in PLAIN:
        own = c(name).cast(pl.Int32).fill_null(2) + 3 * c(f"{name}:by").fill_null(False)
        code = code * 5 + own
    return homes.select(code).to_series()


def records(
    homes: pl.DataFrame, members: pl.DataFrame, edges: pl.DataFrame, bits: Bits, *, provenance: str
) -> list[pl.Series]:
    """The seven groups of each household, String."""
    people = members.select(
        c("home").set_sorted(),
        "token",
        _texts(members["id"]).alias("id"),
        c("relation").replace_strict([*range(len(RELATION))], [*RELATION], return_dtype=pl.String),
        values=pl.struct(MEMBER_VALUES).struct.json_encode(),
    ).select(
        "home",
        "token",
        "id",
        related=_chain('{"id":', c("id"), ',"relation":"', c("relation"), '"}'),
        valued=_chain('{"id":', c("id"), ',"values":', c("values"), "}"),
    )
    lists = people.group_by("home", maintain_order=True).agg(pl.all())
    kin = edges.with_columns(_texts(edges["id"])).select(
        "unit", text=_chain('{"id":', c("id"), ',"values":{"support_due":', _number("support_due"), "}}")
    )
    kin = kin.group_by("unit", maintain_order=True).agg("text").with_columns(c("text").list.join(","))
    causes = _causes(homes["why"], bits)
    told = homes.with_columns(
        lists["token"].list.join('","').alias("persons"),
        lists["related"].list.join(",").alias("related"),
        lists["valued"].list.join(",").alias("valued"),
        lists["id"].list.join(',"outcomes":[]},{"id":').alias("outcomes"),
        lists["id"].list.join(',"tests":[]},{"id":').alias("tests"),
        causes.alias("causes"),
        PLAIN_TESTS.gather(_codes(homes)).alias("plain_tests"),
        case=pl.struct(case="case_id").struct.json_encode(),
        told=pl.struct("accepting_place", "application_no", "applied_on", "division").struct.json_encode(),
        home=pl.struct(HOME_VALUES).struct.json_encode(),
        live=c("residence").replace_strict([*range(len(RESIDENCE))], [*RESIDENCE], return_dtype=pl.String),
    ).join(kin, on="unit", how="left", maintain_order="left")
    income = _comparison("income", "standard", ("standard", "standard", "-income_value", "+income_value"))
    limits = ("-assets_limit", "+assets_limit", "-assets", "+assets")
    assets = _comparison("financial_assets", "financial_assets_limit", limits)
    groups = told.select(
        subject=_chain(c("case").str.head(-1), ',"household":"', c("token"), '","persons":["', c("persons"), '"]}'),
        household=_chain(
            c("told").str.head(-1),
            ',"members":[',
            c("related"),
            '],"reference_day":"',
            c("reference_day"),
            '","residence":"',
            c("live"),
            '","size":',
            _number("size"),
            "}",
        ),
        means=_chain(
            *('{"household":', c("home"), ',"members":[', c("valued")),
            *('],"supporters":[', c("text").fill_null(""), "]}"),
        ),
        result=_chain(
            *('{"household":[{"award":', _number("award"), ',"causes":', c("causes"), ',"outcome":"', c("outcome")),
            *('","programme":"dibao"}],"members":[{"id":', c("outcomes"), f',"outcomes":[]}}],"on":"{ON}"}}'),
        ),
        reasons=_chain(
            *('{"household":[', income, ",", assets, ",", c("plain_tests")),
            *('],"members":[{"id":', c("tests"), ',"tests":[]}]}'),
        ),
        provenance=pl.lit(provenance),
        evidence=_chain('{"input":"', c("input_digest"), '"}'),
    )
    if any(s.null_count() for s in groups.get_columns()):
        raise ValueError("a group of the record was not written")
    return groups.get_columns()


def outcomes(homes: pl.DataFrame, bits: Bits) -> pl.DataFrame:
    """case_id, programme, outcome String · award_fen Int64 · causes List[String], null unless referred."""
    different, which = np.unique(homes["why"].fill_null(0).to_numpy(), return_inverse=True)
    lists = pl.Series([bits.texts(int(one)) for one in different], dtype=pl.List(pl.String)).gather(which)
    return homes.select(
        "case_id",
        pl.lit("dibao").alias("programme"),
        "outcome",
        c("award").alias("award_fen"),
        causes=pl.when(c("why").is_not_null()).then(pl.lit(lists)),
    )
