"""Who lives in the made-up county? Households of twelve kinds, with the people of the application, supporters and
co-residents.

A kind says who is there (a probability per place in the family) and how old the head is; the others' ages follow from
the head's. Places in a household, in the order in which its people are kept: members of the application, then
supporters (法定赡养抚养扶养义务人), then people who are only in the same household register.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from meanscheck.contracts.units import RELATION
from meanscheck.synth.chance import Bools, Chance, Ints
from meanscheck.synth.identity import REGIONS, Numbers, checked, names
from meanscheck.synth.rows import day, days_of

PLACES = (
    "head",
    "spouse",
    "child",
    "child",
    "parent",
    "parent",
    "child_in_law",
    "grandchild",
    "sibling",
    "other",
    "supporter",
    "supporter",
    "supporter",
    "register",
    "register",
)
HEAD, SPOUSE, CHILD, SECOND_CHILD, PARENT, SECOND_PARENT, IN_LAW, GRANDCHILD, SIBLING, OTHER = range(10)
SUPPORTERS, REGISTER = (10, 11, 12), (13, 14)
MEMBER, SUPPORTER, CO_RESIDENT = range(3)

# kind: share of households; head's ages; head male in thousandths; presence in thousandths of places 1–9; then of 1,
# 2, 3 supporters
KINDS: dict[str, tuple[int, tuple[int, int], int, tuple[int, ...], tuple[int, int, int]]] = {
    "single_elder": (180, (60, 92), 500, (0, 0, 0, 0, 0, 0, 0, 0, 0), (750, 450, 150)),
    "elder_couple": (110, (60, 88), 850, (1000, 0, 0, 0, 0, 0, 0, 0, 0), (750, 450, 150)),
    "couple_with_children": (215, (26, 52), 800, (960, 1000, 500, 0, 0, 0, 0, 0, 0), (0, 0, 0)),
    "single_parent": (90, (26, 52), 350, (0, 1000, 350, 0, 0, 0, 0, 0, 0), (500, 0, 0)),
    "three_generations": (55, (30, 52), 850, (950, 1000, 400, 1000, 300, 0, 0, 0, 0), (300, 0, 0)),
    "elder_with_grown_children": (30, (58, 85), 700, (500, 1000, 0, 0, 0, 700, 700, 0, 0), (300, 0, 0)),
    "disabled_child": (60, (46, 80), 700, (700, 1000, 100, 0, 0, 0, 0, 0, 0), (200, 0, 0)),
    "single_adult": (85, (19, 59), 600, (0, 0, 0, 0, 0, 0, 0, 0, 0), (200, 0, 0)),
    "couple": (75, (24, 59), 900, (1000, 0, 0, 0, 0, 0, 0, 0, 0), (0, 0, 0)),
    "alone_without_support": (55, (60, 90), 800, (0, 0, 0, 0, 0, 0, 0, 0, 0), (350, 50, 0)),
    "grandparent_and_grandchild": (25, (56, 78), 500, (400, 0, 0, 0, 0, 0, 1000, 0, 0), (700, 0, 0)),
    "mixed": (20, (30, 70), 600, (200, 0, 0, 0, 0, 0, 0, 600, 500), (0, 0, 0)),
}
KIND_NAMES = tuple(KINDS)


def kind_code(name: str) -> int:
    """Number of a kind of household."""
    return KIND_NAMES.index(name)


@dataclass(frozen=True, slots=True)
class Households:
    """Applications of a part; every array has one entry a household."""

    number: Ints
    """Ordinal in the county, from 1."""
    kind: Ints
    rural: Bools
    region: Ints
    applied: Ints

    @property
    def n(self) -> int:
        """How many."""
        return len(self.number)


@dataclass(frozen=True, slots=True)
class People:
    """Persons of a part, ascending by household, then by place; every array has one entry a person."""

    household: Ints
    place: Ints
    role: Ints
    relation: Ints
    """Index into contracts' relations (to the head); 9, other, for supporters and co-residents."""
    age: Ints
    """Completed years on the county's day."""
    born: Ints
    female: Bools
    supports: Ints
    """For a supporter the person supported (-1 for others)."""
    supports_too: Ints
    """A second person supported, or -1."""
    identity: pl.Series
    name: pl.Series

    @property
    def n(self) -> int:
        """How many."""
        return len(self.household)


def draw_households(chance: Chance, *, first: int, n: int, on: date) -> Households:
    """Applications of the five weeks before `on`, numbered from `first`."""
    kind = chance.pick([share for share, *_ in KINDS.values()], n=n)
    # two out of five in the month before, so that their window of whole months is another one
    june = chance.happens(600, n=n)
    month_start = day(on.replace(day=1))
    applied = np.where(june, chance.between(month_start, month_start + 23, n=n), 0)
    applied = np.where(june, applied, chance.between(month_start - 14, month_start - 1, n=n))
    return Households(
        number=np.arange(first, first + n, dtype=np.int64),
        kind=kind,
        rural=chance.happens(550, n=n),
        region=chance.between(0, len(REGIONS) - 1, n=n),
        applied=applied,
    )


def draw_people(chance: Chance, households: Households, *, numbers: Numbers, on: date) -> People:
    """The people of those applications."""
    n, kind = households.n, households.kind
    present = _presence(chance, kind)
    ages, female = _ages_and_sexes(chance, households)
    keep = present.ravel()
    household = np.repeat(np.arange(n), len(PLACES))[keep]
    place = np.tile(np.arange(len(PLACES)), n)[keep]
    age, is_female = ages.ravel()[keep], female.ravel()[keep]
    people = len(household)
    role = np.array([MEMBER] * 10 + [SUPPORTER] * 3 + [CO_RESIDENT] * 2)[place]
    words = [word if word in RELATION else "other" for word in PLACES]
    relation = np.array([RELATION.index(word) for word in words])[place]
    # the birthday that makes the age, at some day of that year of life
    born = days_of(on.year - age, on.month, on.day) - chance.between(0, 364, n=people)
    supports, too = _supported(chance, households, household, place)
    region = np.where(chance.happens(930, n=people), households.region[household], 0)
    return People(
        household=household,
        place=place,
        role=role,
        relation=relation,
        age=age,
        born=born,
        female=is_female,
        supports=supports,
        supports_too=too,
        identity=checked(numbers.draw(region, born, is_female.astype(np.int64))),
        name=names(chance, people),
    )


def _presence(chance: Chance, kind: Ints) -> Bools:
    n = len(kind)
    present = np.zeros((n, len(PLACES)), dtype=np.bool_)
    present[:, HEAD] = True
    family = np.array([places for *_, places, _ in KINDS.values()])
    for place in range(SPOUSE, OTHER + 1):
        present[:, place] = chance.happens(family[kind, place - 1], n=n)
    outside = np.array([supporters for *_, supporters in KINDS.values()])
    lot = chance.between(0, 999, n=n)
    for order, place in enumerate(SUPPORTERS):
        present[:, place] = lot < outside[kind, order]
    lot = chance.between(0, 999, n=n)
    present[:, REGISTER[0]], present[:, REGISTER[1]] = lot < 60, lot < 12
    return present


def _ages_and_sexes(chance: Chance, households: Households) -> tuple[Ints, Bools]:
    n, kind = households.n, households.kind
    spans = np.array([span for _, span, *_ in KINDS.values()])
    ages = np.zeros((n, len(PLACES)), dtype=np.int64)
    head = chance.between(spans[kind, 0], spans[kind, 1], n=n)
    # a fifth of those living alone without support are younger: they are severely disabled instead (see means.py)
    young = (kind == kind_code("alone_without_support")) & chance.happens(200, n=n)
    head = np.where(young, chance.between(28, 58, n=n), head)
    ages[:, HEAD] = head
    ages[:, SPOUSE] = np.maximum(head + chance.between(-5, 5, n=n), 20)
    ages[:, CHILD] = np.clip(head - chance.between(22, 32, n=n), 0, 60)
    disabled = kind == kind_code("disabled_child")
    ages[:, CHILD] = np.where(disabled, np.maximum(head - chance.between(22, 28, n=n), 18), ages[:, CHILD])
    ages[:, SECOND_CHILD] = np.maximum(ages[:, CHILD] - chance.between(1, 6, n=n), 0)
    ages[:, PARENT] = head + chance.between(20, 30, n=n)
    ages[:, SECOND_PARENT] = ages[:, PARENT] + chance.between(-4, 4, n=n)
    ages[:, IN_LAW] = np.maximum(ages[:, CHILD] + chance.between(-3, 3, n=n), 20)
    alone = kind == kind_code("grandparent_and_grandchild")
    own = np.maximum(ages[:, CHILD] - chance.between(22, 28, n=n), 0)
    ages[:, GRANDCHILD] = np.where(alone, chance.between(2, 15, n=n), own)
    ages[:, SIBLING] = np.maximum(head + chance.between(-8, 8, n=n), 20)
    ages[:, OTHER] = chance.between(20, 60, n=n)
    elder = np.isin(kind, [kind_code(k) for k in ("single_elder", "elder_couple", "alone_without_support")])
    three = kind == kind_code("three_generations")
    for place in SUPPORTERS:
        age = np.maximum(head + chance.between(-8, 8, n=n), 20)  # a former spouse, a brother or sister
        age = np.where(elder, np.maximum(head - chance.between(20, 35, n=n), 5), age)
        age = np.where(three, np.maximum(head + chance.between(-6, 6, n=n), 20), age)
        ages[:, place] = np.where(alone, np.maximum(head - chance.between(22, 32, n=n), 20), age)
    for place in REGISTER:
        ages[:, place] = chance.between(20, 88, n=n)
    ages = np.minimum(ages, 99)
    female = np.zeros((n, len(PLACES)), dtype=np.bool_)
    male = np.array([share for _, _, share, *_ in KINDS.values()])
    for place in range(len(PLACES)):
        female[:, place] = chance.happens(500, n=n)
    female[:, HEAD] = ~chance.happens(male[kind], n=n)
    female[:, SPOUSE] = ~female[:, HEAD]
    female[:, SECOND_PARENT] = ~female[:, PARENT]
    female[:, IN_LAW] = ~female[:, CHILD]
    return ages, female


def _supported(chance: Chance, households: Households, household: Ints, place: Ints) -> tuple[Ints, Ints]:
    """Whom each supporter supports: mostly the head; the child of a single parent, of a disabled child's family, and
    so on."""
    kind = households.kind
    row_of = np.full((households.n, len(PLACES)), -1, dtype=np.int64)
    row_of[household, place] = np.arange(len(household))
    target = np.full(households.n, HEAD, dtype=np.int64)
    for name, goal in (
        ("single_parent", CHILD),
        ("disabled_child", CHILD),
        ("three_generations", PARENT),
        ("grandparent_and_grandchild", GRANDCHILD),
    ):
        target[kind == kind_code(name)] = goal
    supporter = place >= SUPPORTERS[0]
    supporter &= place <= SUPPORTERS[-1]
    supports = np.where(supporter, row_of[household, target[household]], -1)
    couple = supporter & (kind[household] == kind_code("elder_couple")) & chance.happens(500, n=len(household))
    too = np.where(couple, row_of[household, SPOUSE], -1)
    return supports, too
