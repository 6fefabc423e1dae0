"""What is a formula over columns, and how is it reckoned?

`Column` has the vocabulary of a Polars expression (`col`, `lit`, `when`, operators) and its meaning, and is reckoned
by Polars too, but kernel by kernel over whole series: no query is planned, no frame of a thousand columns is described,
and what a formula names several times is reckoned once and let go after its last use.

Choices
    A block is reckoned in some thousands of short formulas, so planning them (50 to 200 µs each, however few the rows)
    cost more than reckoning; and an eager Polars query reckons a part as often as it is written. So no kernel here
    is one for which Polars plans a query by itself, but for days and texts.
    Null is unknown, in Kleene's logic, as everywhere in Polars; a condition that is unknown takes `otherwise`.
    A constant is a series of one value, spread over the rows where it becomes a column.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache, reduce
from typing import Any, Protocol, TypeAlias

import polars as pl

from meanscheck.errors import InternalError

Constant: TypeAlias = bool | int | str | date | None
Kernel: TypeAlias = Callable[..., pl.Series]
DataType: TypeAlias = pl.DataType | type[pl.DataType]
_INT64 = 2**63


class Column:
    """A formula over the columns of one sheet; makes one series of its rows, or of one value."""

    __slots__ = ("_made", "below", "kernel", "name", "varies")

    def __init__(self, kernel: Kernel | None, below: tuple[Column, ...], *, name: str = "") -> None:
        self.kernel, self.below, self.name = kernel, below, name
        self.varies: bool = kernel is None or True in [b.varies for b in below]
        """Whether it names a column, and so may differ from row to row."""
        self._made: dict[object, Column] | None = None

    def alias(self, name: str) -> Column:
        """The same under the name that it gets as a column."""
        return Column(_itself, (self,), name=name)

    def __bool__(self) -> bool:
        raise InternalError("a formula over columns is neither true nor false")

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        # Without an address: its digits may read like somebody's amount where what is shown is searched for leaks.
        return f"Column({self.name})"

    # ---- arithmetic and comparison

    def __add__(self, other: Column | Constant) -> Column:
        return Column(operator.add, (self, lifted(other)))

    def __sub__(self, other: Column | Constant) -> Column:
        return Column(operator.sub, (self, lifted(other)))

    def __rsub__(self, other: Constant) -> Column:
        return Column(operator.sub, (lifted(other), self))

    def __mul__(self, other: Column | Constant) -> Column:
        return Column(operator.mul, (self, lifted(other)))

    def __floordiv__(self, other: Column | Constant) -> Column:
        return Column(operator.floordiv, (self, lifted(other)))

    def __rfloordiv__(self, other: Constant) -> Column:
        return Column(operator.floordiv, (lifted(other), self))

    def __mod__(self, other: Column | Constant) -> Column:
        return Column(operator.mod, (self, lifted(other)))

    def __lt__(self, other: Column | Constant) -> Column:
        return Column(operator.lt, (self, lifted(other)))

    def __le__(self, other: Column | Constant) -> Column:
        return Column(operator.le, (self, lifted(other)))

    def __gt__(self, other: Column | Constant) -> Column:
        return Column(operator.gt, (self, lifted(other)))

    def __ge__(self, other: Column | Constant) -> Column:
        return Column(operator.ge, (self, lifted(other)))

    def __eq__(self, other: object) -> Column:  # type: ignore[override]
        return Column(operator.eq, (self, lifted(other)))  # type: ignore[arg-type]

    def __ne__(self, other: object) -> Column:  # type: ignore[override]
        return Column(operator.ne, (self, lifted(other)))  # type: ignore[arg-type]

    def abs(self) -> Column:
        """Without its sign."""
        return Column(_size, (self,))

    # ---- yes and no

    def __and__(self, other: Column | Constant) -> Column:
        return Column(operator.and_, (self, lifted(other)))

    def __or__(self, other: Column | Constant) -> Column:
        return Column(operator.or_, (self, lifted(other)))

    def __invert__(self) -> Column:
        return self._once(operator.invert, "not")

    def is_null(self) -> Column:
        """Whether it is unknown."""
        return self._once(_is_null, "is null")

    def is_not_null(self) -> Column:
        """Whether it is known."""
        return self._once(_known, "is known")

    def fill_null(self, value: Constant) -> Column:
        """A value in place of the unknown."""
        if isinstance(value, bool):
            return self._once(_true_or_unknown, "not false") if value else self.eq_missing(True)
        return Column(_first_known, (self, lifted(value)))

    def eq_missing(self, value: bool) -> Column:
        """Whether a yes/no is known and this one."""
        return self._once(is_true, "is true") if value else self._once(_is_false, "is false")

    def is_in(self, values: Sequence[Constant]) -> Column:
        """Whether it is one of these; unknown where it is unknown."""
        return (
            reduce(operator.or_, [self == v for v in values])
            if values
            else self.made(lambda s: s.is_in([]), "in nothing")
        )

    # ---- other

    def cast(self, dtype: DataType) -> Column:
        """As another type; the run stops where a value does not fit."""
        return self._once(lambda s: s.cast(dtype), dtype)

    def made(self, kernel: Callable[[pl.Series], pl.Series], name: str) -> Column:
        """What a function of series makes of it, row by row: one formula for one name, and of a constant a constant."""
        if not self.varies and (self._made is None or name not in self._made):
            (series,) = reckoned([Column(kernel, (self,))], _Nowhere())
            return self._keep(held(series), name)
        return self._once(kernel, name)

    def _once(self, kernel: Kernel, name: object) -> Column:
        """One formula for what is made of this one, so that it is reckoned once."""
        found = None if self._made is None else self._made.get(name)
        return self._keep(Column(kernel, (self,)), name) if found is None else found

    def _keep(self, formula: Column, name: object) -> Column:
        if self._made is None:
            self._made = {}
        self._made[name] = formula
        return formula


class Choice(Column):
    """`when(…).then(…)`: unknown where no condition holds, until `otherwise` says more."""

    __slots__ = ()

    def when(self, condition: Column) -> _When:
        """A further case, where none before held."""
        return _When(self.below, condition)

    def otherwise(self, value: Column | Constant) -> Column:
        """What it is where no condition holds."""
        return Column(_chosen_or, (*self.below, lifted(value)))


class _When:
    def __init__(self, before: tuple[Column, ...], condition: Column) -> None:
        self._before, self._condition = before, condition

    def then(self, value: Column | Constant) -> Choice:
        """The value where the condition holds."""
        return Choice(_chosen, (*self._before, self._condition, lifted(value)))


def when(condition: Column) -> _When:
    """The beginning of a choice; a condition that is unknown does not hold."""
    return _When((), condition)


def col(name: str) -> Column:
    """A column of the sheet."""
    return Column(None, (), name=name)


@lru_cache(maxsize=8_192, typed=True)
def lit(value: Constant, dtype: DataType | None = None) -> Column:
    """A constant."""
    if dtype is None and type(value) is int:
        dtype = pl.Int64 if -_INT64 <= value < _INT64 else pl.Int128
    return held(_NOTHING if value is None and dtype is None else pl.Series([value], dtype=dtype))


def held(series: pl.Series) -> Column:
    """A series of one value as a constant."""
    return Column(lambda: series, ())


def lifted(value: Column | Constant) -> Column:
    """A formula as it is, anything else as a constant."""
    return value if isinstance(value, Column) else lit(value)


def coalesce(*columns: Column) -> Column:
    """The first that is known."""
    return Column(_first_known, columns)


def all_horizontal(columns: Sequence[Column]) -> Column:
    """Whether all are true, in Kleene's logic."""
    return reduce(operator.and_, columns)


def any_horizontal(columns: Sequence[Column]) -> Column:
    """Whether any is true, in Kleene's logic."""
    return reduce(operator.or_, columns)


# ---- kernels

_TRUE, _FALSE, _NOTHING = pl.Series([True]), pl.Series([False]), pl.Series([None])


def _itself(s: pl.Series) -> pl.Series:
    return s


def _size(s: pl.Series) -> pl.Series:
    zero = pl.Series([0], dtype=s.dtype)
    return s.zip_with(s >= zero, zero - s)


@lru_cache(maxsize=64)
def _unknown(dtype: pl.DataType) -> pl.Series:
    return pl.Series([None], dtype=dtype)


def is_known(s: pl.Series) -> pl.Series:
    """Where a series is not null."""
    return spread(_known(s), len(s))


def _known(s: pl.Series) -> pl.Series:
    """The same, or one value where it is the same for all."""
    if not s.null_count():
        return _TRUE
    # A series is equal to itself where it is known; Polars plans a query for `is_not_null`.
    return _TRUE.zip_with(s == s, _FALSE)


def _is_null(s: pl.Series) -> pl.Series:
    return ~_known(s)


def is_true(s: pl.Series) -> pl.Series:
    """Where a yes/no is known and yes."""
    return _TRUE.zip_with(s, _FALSE) if s.null_count() else s


def _is_false(s: pl.Series) -> pl.Series:
    return is_true(~s)


def _true_or_unknown(s: pl.Series) -> pl.Series:
    return ~is_true(~s)


def _either(condition: pl.Series, a: pl.Series, b: pl.Series) -> pl.Series:
    if a is _NOTHING:
        a = _unknown(b.dtype)
    elif b is _NOTHING:
        b = _unknown(a.dtype)
    return a.zip_with(condition, b)


def _chosen_or(*parts: pl.Series) -> pl.Series:
    found = parts[-1]
    for i in range(len(parts) - 3, -1, -2):
        found = _either(parts[i], parts[i + 1], found)
    return found


def _chosen(*parts: pl.Series) -> pl.Series:
    return _chosen_or(*parts, _unknown(parts[-1].dtype))


def _first_known(*parts: pl.Series) -> pl.Series:
    found = parts[-1]
    for part in parts[-2::-1]:
        found = _either(_known(part), part, found)
    return found


# ---- reckoning


class Columns(Protocol):
    """Series of one height, by name."""

    @property
    def height(self) -> int:
        """How many rows."""

    def __getitem__(self, name: str) -> pl.Series: ...


class _Nowhere:
    """No column: where constants are reckoned."""

    height = 1

    def __getitem__(self, name: str) -> pl.Series:
        raise InternalError("a constant names no column")


def reckoned(formulas: Sequence[Column], columns: Columns) -> list[pl.Series]:
    """Each formula as a series of the rows; what they have in common is reckoned once.

    Raises:
        InternalError: if a number does not fit Int64.
    """
    try:
        made = _reckoned(formulas, columns)
    except pl.exceptions.InvalidOperationError as fault:
        if "conversion" not in str(fault):
            raise
    else:
        return [spread(s, columns.height) for s in made]
    # Outside of the handler: Polars shows the values that did not fit, and a chained error would show them again.
    raise InternalError("a value exceeds the bound of exact reckoning")


def _reckoned(formulas: Sequence[Column], columns: Columns) -> list[pl.Series]:
    # By identity, children first; without recursion, since a table of some hundred entries is as deep a choice.
    made: dict[int, pl.Series] = {}
    uses: dict[int, int] = {}
    order: list[Column] = []
    stack: list[Column | None] = [*formulas]
    while stack:
        one = stack.pop()
        if one is None:
            order.append(stack.pop())  # type: ignore[arg-type]
            continue
        key = id(one)
        if key in uses:
            uses[key] += 1
            continue
        uses[key] = 1
        if one.below:
            stack.append(one)
            stack.append(None)
            stack.extend(one.below)
        else:
            made[key] = columns[one.name] if one.kernel is None else one.kernel()
    for one in order:
        assert one.kernel is not None
        made[id(one)] = one.kernel(*[made[id(b)] for b in one.below])
        for b in one.below:
            key = id(b)
            uses[key] -= 1
            if not uses[key]:
                del made[key]
    return [made[id(one)] for one in formulas]


def constant(formula: Column) -> Any:
    """The value of a formula that names no column."""
    return reckoned([formula], _Nowhere())[0].item()


def spread(s: pl.Series, height: int) -> pl.Series:
    """A series of one value as one of so many rows; any other as it is."""
    if len(s) == height:
        return s
    if len(s) != 1:
        raise InternalError("a formula does not give one value a row")
    return s.new_from_index(0, height) if height else s.head(0)
