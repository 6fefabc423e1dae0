"""Which rows of a file does the contract accept, and why not the others?

`cast_rows` takes a frame whose columns have the contract's names, as text or already typed, and gives two frames:
the accepted rows in stored types, and one line for every (row, field, reason) at fault. A row with any fault is not
accepted; nothing is dropped. A repeat of an accepted row is quarantined as `repeated_row`, the first one stays. Rows
that say different things under one natural key are all quarantined: whichever were kept would depend on the order of
the file, so shuffling it would change the evidence, and the choice would be a guess. A key with an empty part
identifies nothing and is not checked (an empty `as_of` is a value of its own).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from meanscheck.contracts.amounts import whole_units, whole_units_typed
from meanscheck.contracts.faults import Faults
from meanscheck.contracts.headers import match_headers
from meanscheck.contracts.model import PERSON, Column, FeedContract
from meanscheck.contracts.reasons import REASONS, Reason
from meanscheck.contracts.whose import Whose, whose
from meanscheck.contracts.words import cast_words
from meanscheck.errors import FeedError

__all__ = ["MAX_ROWS_PER_PERSON", "REASONS", "Cast", "Reason", "cast_rows", "match_headers", "quarantine_schema"]

MAX_ROWS_PER_PERSON = 100_000
"""Rows of one person in one file, so that sums of amounts of 10^13 fen stay within Int64."""

ROW_NO = "row_no"
_WHO, _IDENTITY = "who", ("id_type", "id_number")
_MEASURED = frozenset({"money", "area", "ratio", "number"})


@dataclass(frozen=True)
class Cast:
    """Outcome of a cast.

    Attributes:
        rows: those accepted: stored columns of the contract in its order, those of the identity aside, then `row_no`
            Int64; in file order.
        quarantined: `row_no` Int64, `field`, `reason`, `raw` String (JSON object of the text row); one line for each
            fault, sorted by (row_no, field).
        whose: of the accepted rows; None if the contract names no person.
    """

    rows: pl.DataFrame = field(repr=False)
    quarantined: pl.DataFrame = field(repr=False)
    whose: Whose | None = field(repr=False, default=None)

    @property
    def accepted(self) -> pl.DataFrame:
        """`rows` with `id_type` and `id_number` before them."""
        if self.whose is None:
            return self.rows
        return pl.DataFrame([self.whose.column(name) for name in _IDENTITY]).hstack(self.rows)


def quarantine_schema() -> dict[str, pl.DataType]:
    """Columns of `Cast.quarantined`."""
    return {ROW_NO: pl.Int64(), "field": pl.String(), "reason": pl.String(), "raw": pl.String()}


def cast_rows(
    contract: FeedContract,
    text_rows: pl.DataFrame,
    *,
    as_of: date | None,
    not_after: date,
    units: Mapping[str, str] | None = None,
    may_repeat: bool = False,
) -> Cast:
    """Cast rows to the contract.

    Args:
        text_rows: columns by names of the contract (String, or typed: whole numbers, decimals, Date, Datetime,
            Boolean), and `row_no` Int64, the line a person would count. Columns that are not there are empty.
        as_of: the day the manifest states; it dates rows of register and as_of feeds that carry no day of their own.
        not_after: later days are in the future and refused, unless the contract says that a day may lie ahead.
        units: file units by column, as `headers.units_of` gives them; others are the contract's.
        may_repeat: equal rows are no repetition, because they stand in different lists; keys are not looked at.

    Raises:
        FeedError: a column has a type that cannot be read exactly (floats), or is unknown to the contract.
    """
    unknown = [name for name in text_rows.columns if name != ROW_NO and name not in contract.column_names]
    if unknown:
        raise FeedError(
            f"column {unknown[0]} is not in the contract", where=contract.name, remedy="Match headers first"
        )
    height = text_rows.height
    faults = Faults()
    typed: dict[str, pl.Series] = {}
    for column in contract.columns:
        if column.name == "id_number":
            continue  # needs id_type, which is the first column
        if column.name in text_rows.columns:
            values = _cast_column(column, text_rows[column.name], (units or {}).get(column.name, column.unit), faults)
        else:
            values = pl.Series([None], dtype=column.polars_type).new_from_index(0, height)
        if column.default is not None:
            values = values.fill_null(column.default == "true" if column.kind == "bool" else column.default)
        typed[column.name] = values
    people = _identity(contract, text_rows, typed, faults)
    if people is not None:
        _check_identity(contract, people, faults)
        del typed["id_type"]
    _date_rows(contract, typed, as_of)
    others = [column for column in contract.columns if column.name in typed]
    _check_across(others, typed, not_after, faults)
    frame = pl.DataFrame([typed[c.name].alias(c.stored_name) for c in others])
    frame = frame.with_columns(text_rows[ROW_NO].cast(pl.Int64))
    if not may_repeat:
        _check_repeats(contract, frame, people, faults)
    return _split(frame, text_rows, people, faults)


def _cast_column(column: Column, cells: pl.Series, unit: str | None, faults: Faults) -> pl.Series:
    dtype = cells.dtype
    if dtype == pl.Null or (dtype == pl.String and cells.null_count() == len(cells)):
        return pl.Series([None], dtype=column.polars_type).new_from_index(0, len(cells))
    if column.kind in _MEASURED and (dtype.is_integer() or dtype.is_decimal()):
        return whole_units_typed(column, cells, unit, faults)
    if dtype == pl.Date and column.kind == "date":
        return _plausible(column, cells, faults)
    if dtype == pl.Boolean and column.kind == "bool":
        return cells
    text = cells if dtype == pl.String else _as_text(column, cells)
    if column.kind in _MEASURED:
        return whole_units(column, text, unit, faults)
    return cast_words(column, text, faults)


def _plausible(column: Column, days: pl.Series, faults: Faults) -> pl.Series:
    odd = (days < date(1850, 1, 1)) | (days > date(9999, 12, 31))
    return faults.blank(column.name, "not_date", days, odd) if odd.any() else days


def refuse_inexact(name: str, dtype: pl.DataType, *, where: str) -> None:
    """FeedError if a column's type cannot be read exactly: floats, nested types, times, days that depend on a zone."""
    if dtype.is_float() or dtype.is_nested() or dtype in (pl.Time, pl.Duration, pl.Binary):
        raise FeedError(
            f"column {name} is of type {dtype}, which does not hold it exactly",
            where=where,
            remedy="Write it as text, decimal, whole number or date",
        )
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        raise FeedError(
            f"column {name} has a time zone, so its day depends on the reader's",
            where=where,
            remedy="Write it as a date",
        )


def _as_text(column: Column, cells: pl.Series) -> pl.Series:
    """A typed column as the text that means the same."""
    refuse_inexact(column.name, cells.dtype, where=column.name)
    if isinstance(cells.dtype, pl.Datetime):
        return cells.dt.strftime("%Y-%m-%d %H:%M:%S")
    return cells.dt.strftime("%Y-%m-%d") if cells.dtype == pl.Date else cells.cast(pl.String)


def _identity(
    contract: FeedContract, rows: pl.DataFrame, typed: Mapping[str, pl.Series], faults: Faults
) -> Whose | None:
    if "id_number" not in contract.column_names:
        return None
    column = contract.column("id_number")
    if "id_number" in rows.columns:
        cells = rows["id_number"]
        text = cells if cells.dtype == pl.String else _as_text(column, cells)
    else:
        text = pl.Series([None], dtype=pl.String).new_from_index(0, rows.height)
    return whose(column, text, typed["id_type"].cast(pl.String), faults)


def _date_rows(contract: FeedContract, typed: dict[str, pl.Series], as_of: date | None) -> None:
    """Date the rows that carry no `as_of`: by the column the contract names, else by the manifest.

    Rows of event feeds are left undated: the same event would else be another row in the next answer, and count twice.
    """
    if "as_of" not in typed:
        return
    days = typed["as_of"]
    source = contract.column("as_of").as_of_from
    if source is not None:
        days = days.zip_with(days.is_not_null(), typed[source])
    if as_of is not None and contract.basis in ("as_of", "register"):
        days = days.fill_null(as_of)
    typed["as_of"] = days


def _check_identity(contract: FeedContract, people: Whose, faults: Faults) -> None:
    for name in _IDENTITY:
        if contract.column(name).required and people.people[name].null_count():
            faults.add(name, "missing", people.people[name].is_null().gather(people.who))


def _check_across(columns: Sequence[Column], typed: Mapping[str, pl.Series], not_after: date, faults: Faults) -> None:
    for column in columns:
        values = typed[column.name]
        if column.required and values.null_count():
            faults.add(column.name, "missing", values.is_null())
        if column.kind in ("date", "month") and not column.may_be_future:
            latest = values.max()
            if latest is not None and latest > not_after:  # type: ignore[operator]
                faults.add(column.name, "future_date", values > not_after)
        if column.negative_only_when is not None:
            other, choices = column.negative_only_when
            allowed = typed[other].is_in(list(choices)).fill_null(value=False)
            faults.add(column.name, "negative_not_allowed", (values < 0) & ~allowed)


def _check_repeats(contract: FeedContract, frame: pl.DataFrame, people: Whose | None, faults: Faults) -> None:
    """Mark exact repeats, conflicts under the key, and persons with too many rows, among rows without a fault."""
    at_fault = faults.table()["at"].unique()
    rows = frame.drop(ROW_NO).with_row_index("at")
    identity = []
    if people is not None:
        rows, identity = rows.with_columns(people.who.alias(_WHO)), [_WHO]
    sound = None
    if len(at_fault):
        sound = pl.repeat(value=True, n=rows.height, eager=True).scatter(at_fault, False)
    columns = [name for name in rows.columns if name != "at"]
    key = [contract.column(name).stored_name for name in contract.key if name != PERSON]
    # Equal rows have equal keys, so one pass over the key finds the few rows worth comparing whole.
    near = _sharing(rows, [*identity, *key] if contract.key else columns, among=sound)
    repeats = _repeats_among(near, columns)
    if len(repeats):
        faults.add_each("", repeats, ["repeated_row"] * len(repeats))
    if contract.key and near.height:
        single = near.filter(~pl.col("at").is_in(repeats.implode()))
        keyed = single.drop_nulls([name for name in key if name != "as_of"]) if key else single
        conflicting = _sharing(keyed, [*identity, *key])["at"]
        faults.add_each(",".join(contract.key), conflicting, ["conflicting_key"] * len(conflicting))
    if people is not None and people.most_rows() > MAX_ROWS_PER_PERSON:
        # Without the repetitions: each row is accounted for once.
        numbers = people.column("id_number").to_frame().with_row_index("at")
        _mark_crowds(numbers, pl.concat([at_fault, repeats]), faults)


def _mark_crowds(rows: pl.DataFrame, apart: pl.Series, faults: Faults) -> None:
    rows = rows.filter(~pl.col("at").is_in(apart.implode()))
    crowd = rows.group_by("id_number").len().filter(pl.col("len") > MAX_ROWS_PER_PERSON)["id_number"]
    places = rows.filter(pl.col("id_number").is_in(crowd.implode()))["at"]
    faults.add_each("id_number", places, ["too_many_rows"] * len(places))


def _sharing(rows: pl.DataFrame, columns: list[str], *, among: pl.Series | None = None) -> pl.DataFrame:
    """Rows whose `columns` are equal to another row's. Hashes propose candidates, an exact comparison decides.

    Args:
        among: which rows are looked at (Boolean); all unless given.
    """
    if rows.height < 2:
        return rows.clear()
    mixed = pl.Series([0], dtype=pl.UInt64).new_from_index(0, rows.height)
    for position, name in enumerate(columns):
        # Each column has its own seed; wrapping addition is meant here, as it only proposes.
        mixed = mixed + rows[name].hash(position + 1)
    ordered = np.sort((mixed if among is None else mixed.filter(among)).to_numpy())
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(twice):
        return rows.clear()
    proposed = mixed.is_in(pl.Series(twice).implode())
    candidates = rows.filter(proposed if among is None else proposed & among)
    return candidates.filter(candidates.select(columns).is_duplicated())


def _repeats_among(rows: pl.DataFrame, columns: list[str]) -> pl.Series:
    """Places of rows that repeat an earlier one."""
    if not rows.height:
        return rows["at"]
    first = rows.unique(subset=columns, keep="first", maintain_order=True)["at"]
    return rows.filter(~pl.col("at").is_in(first.implode()))["at"]


def _split(frame: pl.DataFrame, text_rows: pl.DataFrame, people: Whose | None, faults: Faults) -> Cast:
    table = faults.table()
    if not table.height:
        return Cast(frame, pl.DataFrame(schema=quarantine_schema()), people)
    places = table["at"].unique().sort()
    sound = pl.repeat(value=True, n=frame.height, eager=True).scatter(places, False)
    texts = text_rows.drop(ROW_NO)
    raw = texts[places.to_list()].select(pl.struct(pl.all().cast(pl.String)).struct.json_encode().alias("raw"))
    lines = raw.with_columns(places.alias("at"), text_rows[ROW_NO].gather(places).cast(pl.Int64).alias(ROW_NO))
    quarantined = table.join(lines, on="at", how="left").select(ROW_NO, "field", "reason", "raw")
    left = None if people is None else Whose(people.people, people.who.filter(sound))
    return Cast(frame.filter(sound), quarantined.sort(ROW_NO, "field"), left)
