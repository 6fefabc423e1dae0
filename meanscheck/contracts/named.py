"""How does a table become rows under the contract's names? Headers are matched, furniture is passed over, what cannot
be a cell is set aside, and a mapping's codes, forms and units are applied.

`row_no` is the line as a person counts it. A file of several parts (sheets of a workbook, members of an archive) counts
`PART` on for each part after the first: 2 000 000 005 is line 5 of the third.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import polars as pl

from meanscheck.contracts.bounds import MAX_CELL, check_shape, is_huge, shortened
from meanscheck.contracts.cast import ROW_NO, match_headers, quarantine_schema, refuse_inexact
from meanscheck.contracts.faults import Faults
from meanscheck.contracts.furniture import furniture_of, is_note_line
from meanscheck.contracts.headers import units_of
from meanscheck.contracts.mapping import FileMapping
from meanscheck.contracts.model import FeedContract
from meanscheck.contracts.recode import is_rounded, recode, serial_days
from meanscheck.contracts.spelling import header_key, header_unit
from meanscheck.contracts.stated_units import stated_units
from meanscheck.contracts.table import Table
from meanscheck.contracts.totals import check_total
from meanscheck.errors import FeedError

PART = 1_000_000_000
"""How far apart the lines of two parts of a file are counted."""

_TOTAL_WORD = r"[合总小共累]计"


@cache
def _passed_schema() -> Mapping[str, pl.DataType]:
    return {ROW_NO: pl.Int64(), "kind": pl.String()}


@dataclass(frozen=True)
class FileRows:
    """Rows of one file.

    Attributes:
        rows: columns by names of the contract and `row_no` Int64; String, or typed if the file was Parquet.
        units: file unit of each measured column.
        broken: rows that could not be divided into cells or that the mapping does not explain, as `Cast.quarantined`.
        ignored: headers that mean nothing to the contract, or that the mapping does not name.
        format: "csv", "excel", "fixed", "parquet", "jsonl" or "cursor", with "zip " before it if packed.
        encoding: "utf-8" or "gb18030" for text formats, else empty.
        passed: `row_no` Int64, `kind`: rows that are totals, notes, signatures, repeated headers; see `furniture`.
        parts: how many sheets or members were read.
        mapping: by which the file was read, if any.
        is_whole: these are all the rows; others follow a part.
    """

    rows: pl.DataFrame = field(repr=False)
    units: Mapping[str, str]
    broken: pl.DataFrame = field(repr=False)
    ignored: tuple[str, ...]
    format: str
    encoding: str
    passed: pl.DataFrame = field(repr=False, default_factory=lambda: pl.DataFrame(schema=_passed_schema()))
    parts: int = 1
    mapping: FileMapping | None = None
    is_whole: bool = True


def named(
    contract: FeedContract,
    table: Table,
    form: str,
    where: str,
    mapping: FileMapping | None = None,
    *,
    is_whole: bool = True,
) -> FileRows:
    """Rows of one table.

    Args:
        is_whole: whether all its rows are here; a part of them has no sum to compare a total with.

    Raises:
        FeedError: wrong feed, missing column, two headers for one column, a unit that does not fit, a type that holds
        no exact number, a total that is not the sum of the rows.
    """
    check_shape(table.cells.height, len(table.headers), where=where)
    chosen = _chosen(contract, table, where) if mapping is None else _mapped(contract, table, mapping, where)
    table = _filled_down(table, chosen)
    for name, place in chosen.items():
        refuse_inexact(name, table.cells.to_series(place).dtype, where=where)
    read = [f"c{place}" for place in chosen.values()]
    identity = f"c{chosen['id_number']}" if "id_number" in chosen else None
    kinds = furniture_of(table.cells, table.headers, identity=identity, read=read)
    is_row = kinds.is_null()
    everything = table.cells.select(pl.col(f"c{place}").alias(name) for name, place in chosen.items())
    rows, lines = everything, table.lines
    if not is_row.all():
        rows, lines = everything.filter(is_row), table.lines.filter(is_row)
    cut, passed = _notes_apart(table)
    passed = pl.concat([passed, pl.DataFrame({ROW_NO: table.lines, "kind": kinds}).drop_nulls("kind")]).sort(ROW_NO)
    notes = table.cells.filter(kinds == "note").select(pl.concat_str(pl.all(), ignore_nulls=True)).to_series().to_list()
    units = _units(contract, table, chosen, mapping, stated_units(table.above, notes, where=where), where)
    faults = Faults()
    rows = _without_huge(rows, faults)
    if table.formulas:
        _mark_formulas(table, chosen, lines, faults)
    if form == "csv" and "id_number" in rows.columns:
        faults.add("id_number", "rounded_number", is_rounded(rows["id_number"]))
    rows = rows.with_columns(lines.alias(ROW_NO))
    before = rows
    if table.serial_days is not None:
        days = [n for n in chosen if contract.column(n).kind in ("date", "month") and not _has_form(mapping, n)]
        rows = rows.with_columns(serial_days(contract.column(n), rows[n], table.serial_days) for n in days)
    if mapping is not None:
        rows = recode(contract, rows, mapping, faults).select(*mapping.columns, ROW_NO)
    rows, broken = _apart(before, rows, faults)
    broken = pl.concat([broken, _broken(cut)]).sort(ROW_NO, "field", "reason")
    if is_whole and not broken.height and (kinds == "total").any():
        said = kinds == "total"
        check_total(
            contract,
            before.drop(ROW_NO),
            everything.filter(said),
            units,
            lines=table.lines.filter(said),
            labels=_labels(table.cells.filter(said)),
            where=where,
        )
    # Places stand for headers where there are none.
    ignored = tuple(
        header for place, header in enumerate(table.headers) if header.strip() and place not in chosen.values()
    )
    return FileRows(rows, units, broken, ignored, form, table.encoding, passed, 1, mapping, is_whole)


def joined(parts: Sequence[FileRows], where: str) -> FileRows:
    """Several parts as one file, in order.

    Raises:
        FeedError: the parts differ in columns, types or units.
    """
    first = parts[0]
    if len(parts) == 1:
        return first
    rows: list[pl.DataFrame] = []
    broken: list[pl.DataFrame] = []
    passed: list[pl.DataFrame] = []
    for number, part in enumerate(parts):
        is_same = dict(part.rows.schema) == dict(first.rows.schema) and dict(part.units) == dict(first.units)
        if not is_same:
            raise FeedError(
                f"part {number + 1} has other columns or units than part 1",
                where=where,
                remedy="Send sheets or files that differ one by one, or name the sheet in a mapping",
            )
        shift = pl.col(ROW_NO) + number * PART
        rows.append(part.rows.select(first.rows.columns).with_columns(shift))
        broken.append(part.broken.with_columns(shift))
        passed.append(part.passed.with_columns(shift))
    check_shape(sum(part.height for part in rows), first.rows.width, where=where)
    return FileRows(
        pl.concat(rows),
        first.units,
        pl.concat(broken),
        tuple(dict.fromkeys(header for part in parts for header in part.ignored)),
        first.format,
        first.encoding,
        pl.concat(passed),
        len(parts),
        first.mapping,
    )


def _filled_down(table: Table, chosen: Mapping[str, int]) -> Table:
    """Who a row is about, where one merged cell says it of several rows. An amount over several rows stands once: it
    would else count several times."""
    who = {chosen[name] for name in ("id_type", "id_number", "name") if name in chosen}
    spans = [span for span in table.merged if span[1] in who]
    if not spans:
        return table
    cells, lines = table.cells, table.lines.to_list()
    for column in sorted({column for _, column, _ in spans}):
        texts, done = cells.to_series(column).to_list(), 0
        for first, _, last in sorted(span for span in spans if span[1] == column):
            begin, end = bisect_left(lines, first), bisect_right(lines, last)
            if begin < done or begin == end or lines[begin] != first:
                continue  # merged cells that overlap are none
            texts[begin:end] = [texts[begin]] * (end - begin)
            done = end
        cells = cells.with_columns(pl.Series(f"c{column}", texts, dtype=pl.String))
    return replace(table, cells=cells)


def _chosen(contract: FeedContract, table: Table, where: str) -> dict[str, int]:
    """Column name → place in the table, by the spelling of the headers."""
    matched = match_headers(contract, [header for header in table.headers if header.strip()], where=where)
    # A header may be given twice only if it means nothing; `match_headers` refuses it otherwise.
    return {name: table.headers.index(header) for header, name in matched.items()}


def _mapped(contract: FeedContract, table: Table, mapping: FileMapping, where: str) -> dict[str, int]:
    """The same by the mapping alone."""
    found: dict[str, int] = {}
    keys = [header_key(header) for header in table.headers]
    for name in contract.column_names:
        given = mapping.columns.get(name)
        if given is None or given.value is not None:
            continue
        wanted = name if given.source is None else given.source
        places = [at for at, header in enumerate(table.headers) if header == wanted]
        places = places or [at for at, key in enumerate(keys) if key == header_key(wanted)]
        key = f"{where}: mapping columns.{name}.from"
        if not places:
            raise FeedError("the file has no such header", where=key, remedy="Has the sender changed the file?")
        if len(places) > 1:
            raise FeedError("the file has this header twice", where=key, remedy="Keep one of the two columns")
        found[name] = places[0]
    return found


def _units(
    contract: FeedContract,
    table: Table,
    chosen: Mapping[str, int],
    mapping: FileMapping | None,
    stated: Mapping[str, str],
    where: str,
) -> Mapping[str, str]:
    if mapping is None:
        return units_of(contract, {table.headers[at]: name for name, at in chosen.items()}, stated=stated)
    found: dict[str, str] = {}
    for name, at in chosen.items():
        column, given = contract.column(name), mapping.columns[name]
        if column.unit is None:
            continue
        shown = header_unit(table.headers[at])
        if shown is not None and given.unit is not None and shown != given.unit:
            raise FeedError(
                "the header names another unit than the mapping",
                where=f"{where}: mapping columns.{name}.unit",
                remedy="Ask the sender which one holds",
            )
        of_file = mapping.file.unit if column.kind == "money" else None
        found[name] = given.unit or shown or of_file or stated.get(column.kind, column.unit)
    for name, given in mapping.columns.items():
        unit = contract.column(name).unit
        if given.value is not None and unit is not None:
            found[name] = given.unit or unit
    return found


def _has_form(mapping: FileMapping | None, name: str) -> bool:
    return mapping is not None and mapping.columns[name].form is not None


def _without_huge(rows: pl.DataFrame, faults: Faults) -> pl.DataFrame:
    """Mark rows with a cell beyond the bound, and cut the cell."""
    texts = [name for name, kind in rows.schema.items() if kind == pl.String]
    for name in texts:
        longest = rows[name].str.len_bytes().max()
        if isinstance(longest, int) and longest > MAX_CELL:
            faults.add(name, "huge_cell", rows.select(is_huge(pl.col(name))).to_series())
            rows = rows.with_columns(shortened(pl.col(name)).alias(name))
    return rows


def _mark_formulas(table: Table, chosen: Mapping[str, int], lines: pl.Series, faults: Faults) -> None:
    names = {place: name for name, place in chosen.items()}
    at = lines.is_in(sorted(table.formulas)).arg_true()
    for place, line in zip(at.to_list(), lines.gather(at).to_list(), strict=True):
        faults.add_each(names.get(table.formulas[line], ""), pl.Series([place]), ["formula"])


def _apart(before: pl.DataFrame, rows: pl.DataFrame, faults: Faults) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows without a fault, and the others as `Cast.quarantined`, with their text as it was sent."""
    table = faults.table()
    if not table.height:
        return rows, pl.DataFrame(schema=quarantine_schema())
    places = table["at"].unique().sort()
    sound = pl.repeat(value=True, n=rows.height, eager=True).scatter(places, False)
    texts = before.drop(ROW_NO)[places.to_list()]
    raw = texts.select(pl.struct(pl.all().cast(pl.String)).struct.json_encode().alias("raw"))
    lines = raw.with_columns(places.alias("at"), before[ROW_NO].gather(places))
    found = table.join(lines, on="at", how="left").select(ROW_NO, "field", "reason", "raw")
    return rows.filter(sound), found


def _notes_apart(table: Table) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Broken lines that are rows, and those that are notes or totals with fewer cells than the header."""
    broken = table.broken
    if not broken.height:
        return broken, pl.DataFrame(schema=_passed_schema())
    # A line beyond the bound of a cell is no note: it is not looked through.
    is_short = pl.col("line").str.len_bytes() <= MAX_CELL
    line = pl.when(is_short).then("line").otherwise(pl.lit(""))
    is_note = broken.select((pl.col("reason") == "broken_row") & is_note_line(line)).to_series()
    notes = broken.filter(is_note).select(ROW_NO, pl.lit("note").alias("kind"))
    return broken.filter(~is_note), notes


def _broken(lines: pl.DataFrame) -> pl.DataFrame:
    raw = pl.struct(shortened(pl.col("line")).alias("line")).struct.json_encode().alias("raw")
    return lines.select(ROW_NO, pl.lit("").alias("field"), "reason", raw)


def _labels(cells: pl.DataFrame) -> list[str]:
    """The text of each total that makes it one."""
    bare = cells.select(pl.all().str.replace_all(r"[\s\u3000]", ""))
    words = bare.select(
        pl.coalesce(pl.when(pl.col(name).str.contains(_TOTAL_WORD)).then(name) for name in bare.columns)
    )
    return [word or "" for word in words.to_series().to_list()]
