"""Between which bounds lies the error rate? Clopper and Pearson's exact interval, in whole numbers only.

Of n examined decisions k are wrong. With confidence 1 - α the rate lies between low and high, where a binomial with
rate low gives k or more with probability α/2, and one with rate high gives k or fewer with probability α/2 (low is 0
for k = 0, high is 1 for k = n; C. J. Clopper, E. S. Pearson, Biometrika 26, 1934, 404-413). Both are found by bisection
over millionths: at the rate j/D (D = 10^6) the tail is a sum of C(n,i) j^i (D-j)^(n-i), a whole number held against α/2
of D^n. Low is rounded down and high up, so an interval is never too narrow, and at most a millionth too wide at each
end.

>>> clopper_pearson(0, 10).high * GRID
Fraction(308498, 1)
>>> print(clopper_pearson(1, 10))
0.25% – 44.51%

Decisions are drawn without being put back, which makes the interval of a small stratum, if anything, too wide; a
stratum drawn in full has no uncertainty left.

Several strata together: the rate is the mean of the strata's rates, weighted by their populations W. Of those not drawn
in full, two intervals are taken at confidence 1 - α/2 each, and what both leave is the answer:

* by strata: each stratum's at 1 - α/(2H) for H strata, which all hold at once (Bonferroni), added up by weight;
* pooled: k errors of all n drawn, at 1 - α/2, bound the mean of the rates weighted by the numbers drawn, since a sum of
  unequal trials strays less than a binomial (W. Hoeffding, Ann. Math. Statist. 27, 1956, 713-721; his theorem says
  nothing where all drawn but one are alike, so no bound is taken there). The rate weighted by population is at most the
  largest, and at least the smallest, ratio of the two weights times that mean.

The first is better where errors sit in a small stratum, the second where there are few. Neither assumes that strata
resemble each other.

>>> rare = [Stratum(1000, 100, 0)] * 4
>>> print(stratified(rare)[1])
0.00% – 1.09%
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from meanscheck.errors import InputError

GRID = 10**6
CONFIDENCE = Fraction(95, 100)


@dataclass(frozen=True, slots=True)
class Interval:
    """Bounds of a rate."""

    low: Fraction
    high: Fraction

    def __str__(self) -> str:
        return f"{percent(self.low)} – {percent(self.high, up=True)}"


@dataclass(frozen=True, slots=True)
class Stratum:
    """What was found in one stratum.

    Attributes:
        population: units in it.
        examined: units whose error is known, right or wrong.
        errors: wrong ones.
        open: drawn units that could not be examined (erased, missing input): counted as wrong for the upper bound and
            as right for the lower.
    """

    population: int
    examined: int
    errors: int
    open: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.errors <= self.examined or self.open < 0 or self.examined + self.open > self.population:
            raise InputError("errors, examined and population do not fit together", where="stratum")

    @property
    def drawn(self) -> int:
        """Units drawn."""
        return self.examined + self.open


def percent(rate: Fraction, *, up: bool = False) -> str:
    """A rate as per cent with two places, rounded down, or up."""
    hundredths = rate * 10_000
    whole = -(-hundredths.numerator // hundredths.denominator) if up else hundredths.__floor__()
    return f"{whole // 100}.{whole % 100:02d}%"


def clopper_pearson(errors: int, examined: int, *, confidence: Fraction = CONFIDENCE) -> Interval:
    """The exact interval of a binomial rate; InputError unless 0 <= errors <= examined, and 0 < confidence < 1."""
    if not 0 <= errors <= examined:
        raise InputError("there cannot be more errors than examined decisions", where="interval")
    if not 0 < confidence < 1:
        raise InputError("a confidence lies between 0 and 1", where="interval")
    if examined == 0:
        return Interval(Fraction(0), Fraction(1))
    half = (1 - confidence) / 2
    low = 0 if errors == 0 else _last(lambda j: _at_least(errors, examined, j) <= half * GRID**examined)
    # k or fewer wrong ones are n - k or more right ones.
    high = (
        GRID
        if errors == examined
        else GRID - _last(lambda j: _at_least(examined - errors, examined, j) <= half * GRID**examined)
    )
    return Interval(Fraction(low, GRID), Fraction(high, GRID))


def stratified(strata: Sequence[Stratum], *, confidence: Fraction = CONFIDENCE) -> tuple[Fraction | None, Interval]:
    """The weighted rate (None if a stratum has nothing examined) and its interval.

    Raises:
        InputError: all strata are empty, or nothing was drawn from one.
    """
    there = [s for s in strata if s.population]
    if not there or any(not s.drawn for s in there):
        raise InputError("there is nothing in any stratum, or nothing was drawn from one", where="interval")
    total = sum(s.population for s in there)
    full = [s for s in there if s.drawn == s.population]
    part = [s for s in there if s.drawn < s.population]
    low = sum((Fraction(s.errors, total) for s in full), Fraction(0))
    high = low + sum((Fraction(s.open, total) for s in full), Fraction(0))
    for bounds in (_of_part(part, total, confidence),) if part else ():
        low, high = low + bounds.low, high + bounds.high
    rate: Fraction | None = None
    if all(s.examined for s in there):
        rate = sum((Fraction(s.population * s.errors, total * s.examined) for s in there), Fraction(0))
    return rate, Interval(low, high)


def _of_part(part: Sequence[Stratum], total: int, confidence: Fraction) -> Interval:
    """What strata that were not drawn in full add to the rate."""
    alpha, weights = 1 - confidence, [Fraction(s.population, total) for s in part]
    if len(part) == 1:
        bounds = bounds_of(part[0], confidence=confidence)
        return Interval(weights[0] * bounds.low, weights[0] * bounds.high)
    each = [bounds_of(s, confidence=1 - alpha / (2 * len(part))) for s in part]
    low = sum((w * b.low for w, b in zip(weights, each, strict=True)), Fraction(0))
    high = sum((w * b.high for w, b in zip(weights, each, strict=True)), Fraction(0))
    n, errors = sum(s.drawn for s in part), sum(s.errors for s in part)
    most = errors + sum(s.open for s in part)
    ratios = [w * n / s.drawn for w, s in zip(weights, part, strict=True)]
    if errors > 1:
        low = max(low, min(ratios) * clopper_pearson(errors, n, confidence=1 - alpha / 2).low)
    if most < n - 1:
        high = min(high, max(ratios) * clopper_pearson(most, n, confidence=1 - alpha / 2).high)
    return Interval(low, high)


def bounds_of(s: Stratum, *, confidence: Fraction = CONFIDENCE) -> Interval:
    """The interval of one stratum; a point, but for open units, if it was drawn in full."""
    if s.drawn == s.population and s.population:
        return Interval(Fraction(s.errors, s.population), Fraction(s.errors + s.open, s.population))
    low = clopper_pearson(s.errors, s.drawn, confidence=confidence).low
    return Interval(low, clopper_pearson(s.errors + s.open, s.drawn, confidence=confidence).high)


def size_for(rate: Fraction, *, confidence: Fraction = CONFIDENCE) -> int:
    """The smallest sample that shows at least one error, with that confidence, if the rate of errors is `rate`.

    >>> size_for(Fraction(5, 100))
    59
    """
    if not 0 < rate < 1 or not 0 < confidence < 1:
        raise InputError("rate and confidence lie between 0 and 1", where="sample size")
    n, missed = 0, Fraction(1)
    while missed > 1 - confidence:
        n, missed = n + 1, missed * (1 - rate)
    return n


def _at_least(k: int, n: int, j: int) -> int:
    """D^n times the probability of k or more of n at the rate j/D, by the shorter of the two tails."""
    if k <= n - k:
        whole: int = GRID**n
        return whole - _at_most(k - 1, n, j)
    return _at_most(n - k, n, GRID - j)


def _at_most(k: int, n: int, j: int) -> int:
    """D^n times the probability of k or fewer of n at the rate j/D: the sum of C(n,i) j^i (D-j)^(n-i), by Horner."""
    other, total, term = GRID - j, 0, 1
    for i in range(k + 1):
        total = total * other + term
        # C(n, i+1) j^(i+1) from C(n, i) j^i: the division leaves nothing over.
        term = term * (n - i) * j // (i + 1)
    if k < 0:
        return 0
    rest: int = other ** (n - k)
    return total * rest


def _last(holds: Callable[[int], bool]) -> int:
    """The largest place of the grid for which a falling statement still holds; it holds for 0."""
    low, high = 0, GRID
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
