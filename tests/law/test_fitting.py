"""A bound that fits is exact, one that does not is none, and neighbours in the block change neither."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from meanscheck.law.columns import col, reckoned
from meanscheck.law.fitting import fitting_product, fitting_rounded, fitting_sum, fitting_total, within_most
from meanscheck.law.quotients import WIDE, Part, Quotient
from meanscheck.law.ranges import MOST

# Around what a comparison or a cast might get wrong: small numbers, the square root of the limit, and the limit itself.
sizes = st.one_of(
    st.integers(0, 1_000), st.integers(2**62, 2**64), st.integers(WIDE - 3, WIDE - 1), st.integers(0, WIDE - 1)
)
numbers = st.builds(lambda size, sign: size * sign, sizes, st.sampled_from([1, -1]))
pairs = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=5)


def part(name: str, values: Sequence[int]) -> Part:
    return Part(col(name), max(abs(v) for v in values))


def frame(**columns: Sequence[int]) -> pl.DataFrame:
    return pl.DataFrame({name: pl.Series(values, dtype=pl.Int128) for name, values in columns.items()})


def found(of: Callable[[Part, Part], Part], rows: Sequence[tuple[int, int]]) -> list[int | None]:
    a, b = [x for x, _ in rows], [y for _, y in rows]
    values: list[int | None] = reckoned([of(part("a", a), part("b", b)).e], frame(a=a, b=b))[0].to_list()
    return values


@given(pairs)
def test_products(rows: Sequence[tuple[int, int]]) -> None:
    expected = [x * y if abs(x * y) < WIDE else None for x, y in rows]
    assert found(fitting_product, rows) == expected
    assert [one for row in rows for one in found(fitting_product, [row])] == expected


@given(pairs)
def test_sums(rows: Sequence[tuple[int, int]]) -> None:
    expected = [x + y if abs(x + y) < WIDE else None for x, y in rows]
    assert found(fitting_total, rows) == expected
    assert [one for row in rows for one in found(fitting_total, [row])] == expected


def quotients(rows: Sequence[tuple[int, int]], n: str = "a", d: str = "b") -> Quotient:
    return Quotient(col(n), col(d), max(abs(x) for x, _ in rows), max(y for _, y in rows))


near = st.tuples(st.integers(-3, 3), st.integers(1, 10**6)).map(lambda t: (MOST * t[1] + t[0], t[1]))
quotient_rows = st.lists(
    st.one_of(near, st.tuples(numbers, st.integers(1, 10**6)), st.tuples(st.integers(-9, 9), st.integers(1, 9))),
    min_size=1,
    max_size=4,
)


@given(quotient_rows)
def test_what_is_beyond_the_most_is_none_to_the_last_unit(rows: Sequence[tuple[int, int]]) -> None:
    columns = frame(a=[n for n, _ in rows], b=[d for _, d in rows])
    kept = reckoned([within_most(quotients(rows)).n], columns)[0].to_list()
    assert kept == [n if abs(Fraction(n, d)) <= MOST else None for n, d in rows]


@given(quotient_rows)
def test_rounding_never_fails(rows: Sequence[tuple[int, int]]) -> None:
    columns = frame(a=[n for n, _ in rows], b=[d for _, d in rows])
    rounded = reckoned([fitting_rounded(quotients(rows), "fen", "down").n], columns)[0].to_list()
    assert rounded == [n // d if abs(Fraction(n, d)) <= MOST else None for n, d in rows]


@given(st.tuples(numbers, st.integers(1, 9)), st.tuples(numbers, st.integers(1, 9)))
def test_a_sum_of_quotients_is_exact_or_none(one: tuple[int, int], other: tuple[int, int]) -> None:
    columns = frame(a=[one[0]], b=[one[1]], c=[other[0]], d=[other[1]])
    total = fitting_sum(quotients([one]), quotients([other], "c", "d"))
    assert total.d is not None
    n, d = (s.item() for s in reckoned([total.n, total.d], columns))
    parts = one[0] * other[1], other[0] * one[1]
    if all(abs(p) < WIDE for p in parts) and abs(sum(parts)) < WIDE:
        assert Fraction(n, d) == Fraction(*one) + Fraction(*other)
    else:
        assert n is None
