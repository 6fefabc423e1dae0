"""Error rates: held against published values, against hand reckoning, and against what an interval promises."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb

import pytest

from meanscheck.caseload.interval import GRID, Stratum, clopper_pearson, percent, size_for, stratified
from meanscheck.errors import InputError

# Errors, examined, confidence in per cent, low, high, as printed, and where.
PUBLISHED = [
    # Output of R's binom.test in stats.stackexchange.com question 593460.
    (10, 20, 95, "0.2719578", "0.7280422"),
    # Table of examples at codingace.net/statistics/clopper_pearson_interval.html.
    (3, 20, 95, "0.0321", "0.3789"),
    (12, 30, 90, "0.2495", "0.5661"),
    (42, 100, 95, "0.3220", "0.5229"),
    (85, 120, 99, "0.5904", "0.8092"),
    # Example of R's binom.test, after Conover 1971, p. 97: 682 of 925.
    (682, 925, 95, "0.7076683", "0.7654066"),
]


@pytest.mark.parametrize(("errors", "examined", "confidence", "low", "high"), PUBLISHED)
def test_it_gives_published_values(errors: int, examined: int, confidence: int, low: str, high: str) -> None:
    found = clopper_pearson(errors, examined, confidence=Fraction(confidence, 100))
    for value, printed in ((found.low, low), (found.high, high)):
        last = Fraction(1, 10 ** len(printed.partition(".")[2]))
        assert abs(value - Fraction(printed)) <= last / 2 + Fraction(1, GRID)


def test_without_errors_it_is_what_one_formula_says() -> None:
    """(1 - high)^n = 0.025: for n = 10, 1 - 0.025^(1/10) = 0.308497 (by hand: 0.691503^10 = 0.0250)."""
    found = clopper_pearson(0, 10)
    assert found.low == 0
    assert (1 - found.high) ** 10 <= Fraction(25, 1000) < (1 - found.high + Fraction(1, GRID)) ** 10
    assert clopper_pearson(10, 10).low == 1 - found.high


@pytest.mark.parametrize(("errors", "examined"), [(0, 1), (1, 7), (3, 59), (58, 60), (20, 41)])
def test_right_and_wrong_mirror_each_other(errors: int, examined: int) -> None:
    one, other = clopper_pearson(errors, examined), clopper_pearson(examined - errors, examined)
    assert (one.low, one.high) == (1 - other.high, 1 - other.low)


@pytest.mark.parametrize(("errors", "examined"), [(1, 10), (4, 25), (30, 50)])
def test_its_ends_are_where_the_tails_are_half_the_risk(errors: int, examined: int) -> None:
    def tail(rate: Fraction, some: range) -> Fraction:
        return sum((comb(examined, i) * rate**i * (1 - rate) ** (examined - i) for i in some), Fraction(0))

    found, half, step = clopper_pearson(errors, examined), Fraction(25, 1000), Fraction(1, GRID)
    above, below = range(errors, examined + 1), range(errors + 1)
    assert tail(found.low, above) <= half < tail(found.low + step, above)
    assert tail(found.high, below) <= half < tail(found.high - step, below)


def test_a_sample_is_large_enough_to_show_an_error() -> None:
    """0.95^58 = 0.0510 and 0.95^59 = 0.0485; 0.99^298 = 0.0500- and 0.99^299 = 0.0495."""
    assert size_for(Fraction(5, 100)) == 59
    assert size_for(Fraction(1, 100)) == 299


@pytest.mark.parametrize(
    "call",
    [
        lambda: clopper_pearson(2, 1),
        lambda: clopper_pearson(-1, 1),
        lambda: clopper_pearson(0, 1, confidence=Fraction(1)),
        lambda: Stratum(3, 4, 0),
        lambda: Stratum(3, 2, 1, 2),
        lambda: stratified([]),
        lambda: stratified([Stratum(5, 0, 0)]),
        lambda: size_for(Fraction(0)),
    ],
)
def test_numbers_that_do_not_fit_are_refused(call: object) -> None:
    assert callable(call)
    with pytest.raises(InputError):
        call()


def test_a_rate_is_rounded_outward_in_words() -> None:
    assert (percent(Fraction(1, 3)), percent(Fraction(1, 3), up=True)) == ("33.33%", "33.34%")
    assert str(clopper_pearson(0, 0)) == "0.00% – 100.00%"


def test_strata_are_weighted_by_population() -> None:
    """Half of 100 wrong in a stratum of 900, none of 50 in one of 100: 0.9 × 0.5 = 0.45."""
    rate, bounds = stratified([Stratum(900, 100, 50), Stratum(100, 50, 0)])
    assert rate == Fraction(45, 100)
    assert bounds.low < rate < bounds.high


def test_what_was_drawn_in_full_is_known() -> None:
    rate, bounds = stratified([Stratum(20, 20, 3), Stratum(80, 80, 1)])
    assert rate == bounds.low == bounds.high == Fraction(4, 100)
    rate, bounds = stratified([Stratum(20, 18, 3, 2), Stratum(80, 80, 1)])
    assert (bounds.low, bounds.high) == (Fraction(4, 100), Fraction(6, 100))


def test_open_ones_widen_upward_and_a_stratum_of_them_has_no_rate() -> None:
    some = [Stratum(100, 20, 1), Stratum(100, 20, 0)]
    rate, bounds = stratified(some)
    _, wider = stratified([Stratum(100, 18, 1, 2), some[1]])
    assert rate is not None and wider.high > bounds.high and wider.low <= bounds.low
    assert stratified([Stratum(100, 0, 0, 5), some[1]])[0] is None


def test_few_errors_in_many_strata_are_not_drowned_by_their_number() -> None:
    """Nothing wrong in 14 strata of 20: alone 0/280 has a 98.75 % bound of 1.8 %; by strata alone it would be 27 %."""
    _, bounds = stratified([Stratum(1000, 20, 0)] * 14)
    assert bounds.low == 0 and bounds.high < Fraction(2, 100)


RATES = [Fraction(n, 20) for n in (0, 1, 4, 10, 16, 19, 20)]


@pytest.mark.parametrize("sizes", [((60, 3), (40, 4)), ((90, 2), (10, 5)), ((50, 6), (50, 1))])
def test_it_holds_as_often_as_it_promises(sizes: tuple[tuple[int, int], tuple[int, int]]) -> None:
    """Reckoned over every possible sample of two strata, at pairs of true rates: at least 80 % where 80 % is asked."""
    (n1, m1), (n2, m2) = sizes
    bounds = {
        (k1, k2): stratified([Stratum(n1, m1, k1), Stratum(n2, m2, k2)], confidence=Fraction(80, 100))[1]
        for k1 in range(m1 + 1)
        for k2 in range(m2 + 1)
    }
    for p1, p2 in product(RATES, RATES):
        truth = (n1 * p1 + n2 * p2) / (n1 + n2)
        held = Fraction(0)
        for (k1, k2), found in bounds.items():
            chance = comb(m1, k1) * p1**k1 * (1 - p1) ** (m1 - k1) * comb(m2, k2) * p2**k2 * (1 - p2) ** (m2 - k2)
            held += chance if found.low <= truth <= found.high else 0
        assert held >= Fraction(80, 100), (p1, p2)
