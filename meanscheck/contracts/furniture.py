"""Which rows of a sent table are no rows: totals, notes, signatures, repeated headers, lines left blank?

Such a row says nothing about a person and would only fill the quarantine. It is passed over, and reported with its
line and kind. The rule is narrow, so that no row of a person is ever lost: it is passed over only if its identity cell
is blank, holds the word itself, or, in a line of signatures, a text without any digit, and if no cell of the row
holds a number as long as an identity number; anything else that lacks a number is quarantined as before.

    total       a cell says 合计, 小计, 总计, 累计 …
    note        the first text says 注, 说明, 制表人, 审核, 单位（盖章）, 以下空白, 第 1 页 …, in a row of few cells;
                or, below the last row with an identity, it is the only cell
    header      the header again, as printed pages have it
    numbering   the row under the header that numbers the columns
    blank       nothing but a running number
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

_LONG = r"[0-9０-９]{14,}"
_TOTAL = r"^[（(]?(?:本页|本表|全部|本单位|截至本页|本期)?(?:合|总|小|共|累)计[)）]?(?:[:：].*|[（(].*[)）]|\d.*)?$"
_NOTE = (
    r"^[*※【（(]*(?:附?注\d*[:：、．.]|备注[:：]|说明[:：]|填表说明|填报说明|制表|制单|填表|填报|编制|审核|复核|审批|经办|经手|负责人|"
    r"联系人|联系电话|签字|签名|签章|盖章|单位[（(]?盖章|(?:查询|打印|导出|制表|填表|填报)(?:时间|日期|人)|日期[:：]|数据来源|数据截至|"
    r"(?:金额)?(?:计量)?单位[:：]|以下空白|以上|此页|第.{1,6}页|共.{1,6}页|本页|page\d)"
)
_INTEGER = r"^[0-9０-９]{1,6}[.、]?$"
_FEW = 6
_SPACES = r"[\s\u3000\u00a0]"


def furniture_of(
    cells: pl.DataFrame, headers: Sequence[str], *, identity: str | None, read: Sequence[str]
) -> pl.Series:
    """What kind of furniture each row is (String); null for a row.

    Args:
        cells: c0, c1 …; only tables of text have furniture.
        headers: of the columns, by place.
        identity: the column that names the person; None if the feed has none.
        read: the columns that mean something to the contract.
    """
    none = pl.Series("kind", [None], dtype=pl.String).new_from_index(0, cells.height)
    if identity is None or not cells.height or any(kind != pl.String for kind in cells.dtypes):
        return none
    who = pl.col(identity).str.replace_all(_SPACES, "").fill_null("")
    # Few rows have no number where one must stand: only these are looked at, and most are told by their length.
    near = cells.with_row_index("at").filter((pl.col(identity).str.len_bytes() != 18).fill_null(value=True))
    near = near.filter(~who.str.contains(r"[0-9０-９]{8}"))
    if not near.height:
        return none
    names = cells.columns
    bare = near.with_columns(pl.col(name).str.replace_all(_SPACES, "").replace("", None) for name in names)
    bare = bare.with_columns(
        filled=pl.sum_horizontal(pl.col(name).is_not_null() for name in names),
        first=pl.coalesce(names).str.to_lowercase(),
        is_long=pl.any_horizontal(pl.col(name).str.contains(_LONG).fill_null(value=False) for name in names),
        is_total=pl.any_horizontal(pl.col(name).str.contains(_TOTAL).fill_null(value=False) for name in names),
        who=who,
    )
    others = [name for name in names if name not in read]
    said = pl.any_horizontal(pl.col(name).is_not_null() for name in read)
    # `all_horizontal` of nothing is an error.
    counts = [pl.lit(value=True), *(pl.col(name).is_null() | pl.col(name).str.contains(_INTEGER) for name in others)]
    counts_only = pl.all_horizontal(counts)
    last = cells.select(who.str.contains(_LONG).arg_true().max()).item()
    is_nobody = (
        (pl.col("who") == "")
        | pl.col("who").str.contains(_TOTAL)
        | pl.col("who").str.contains(_NOTE)
        | (pl.col("first").str.contains(_NOTE) & ~pl.col("who").str.contains(r"\d"))
        | (pl.col("filled") == 1)
    )
    kinds = bare.select(
        "at",
        kind=pl.when(_is_header(names, headers))
        .then(pl.lit("header"))
        .when((pl.col("at") == 0) & _is_numbering(names))
        .then(pl.lit("numbering"))
        .when(pl.col("is_long") | ~is_nobody)
        .then(None)
        .when(pl.col("is_total"))
        .then(pl.lit("total"))
        .when(pl.col("first").str.contains(_NOTE) & (pl.col("filled") <= _FEW))
        .then(pl.lit("note"))
        .when(~said & counts_only)
        .then(pl.lit("blank"))
        .when((pl.col("filled") == 1) & (pl.col("at") > (-1 if last is None else last)) & (len(names) > 2))
        .then(pl.lit("note"))
        .otherwise(None),
    ).drop_nulls("kind")
    return none.scatter(kinds["at"], kinds["kind"]).alias("kind") if kinds.height else none


def is_note_line(line: pl.Expr) -> pl.Expr:
    """Whether a text line that has not as many cells as the header is a note or a total below a table."""
    bare = line.str.replace_all(r"[\s\u3000,;|\"]", "")
    return (bare.str.contains(_NOTE) | bare.str.contains(_TOTAL)) & ~bare.str.contains(_LONG)


def _is_header(names: Sequence[str], headers: Sequence[str]) -> pl.Expr:
    """Whether a row repeats the header, or, of a header over several rows, its last parts."""
    shown = {
        name: header.replace(" ", "").replace("\u3000", "").rsplit("/", 1)[-1]
        for name, header in zip(names, headers, strict=True)
        if header.strip()
    }
    same = [(pl.col(name) == text).fill_null(value=False) for name, text in shown.items()]
    return pl.sum_horizontal(same) >= max(2, (len(same) + 1) // 2)


def _is_numbering(names: Sequence[str]) -> pl.Expr:
    """Whether a row numbers the columns: 1, 2, 3 … (or (1), (2) …), perhaps 甲, 乙 first."""
    plain = [pl.col(name).str.replace_all(r"[（()）]", "") for name in names]
    counted = [(cell == str(number)).fill_null(value=False) for number, cell in enumerate(plain, 1)]
    shifted = [
        (cell == str(number - lead)).fill_null(value=False)
        for lead in (1, 2)
        for number, cell in enumerate(plain, 1)
        if number > lead
    ]
    ways = [pl.all_horizontal(counted)]
    lead_one = shifted[: len(names) - 1]
    lead_two = shifted[len(names) - 1 :]
    ways += [pl.all_horizontal(way) for way in (lead_one, lead_two) if len(way) >= 2]
    return pl.any_horizontal(ways)
