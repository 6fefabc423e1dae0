"""In what condition is each person? Alive or dead, present or away, at school, disabled, ill, fit for work, able to
care for himself.

These are facts; the feeds they come from (`deaths`, `absences`, `school`, `disability`, `serious_illness`,
`labour_capacity`, `self_care_assessments`) are drawn with them. A head is always alive and not serving a sentence, so
no household is empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from meanscheck.synth.chance import NULL, Bools, Chance, Ints
from meanscheck.synth.people import (
    CHILD,
    GRANDCHILD,
    HEAD,
    MEMBER,
    SECOND_CHILD,
    SUPPORTER,
    Households,
    People,
    kind_code,
)
from meanscheck.synth.rows import Coded, Rows, absent, day, days_of, full, same, stack

ABSENCES = ("prison", "compulsory_detox", "missing", "military", "clergy")
DISABILITIES = ("vision", "hearing", "speech", "limb", "intellectual", "mental", "multiple")
GRADES = ("1", "2", "3", "4")
LEVELS = ("preschool", "primary", "junior", "senior", "vocational", "undergraduate", "postgraduate")
CAPACITIES = ("full", "partial", "none")
ILLNESSES = ("malignant_tumour", "uraemia", "heart_failure", "stroke", "leukaemia", "cirrhosis", "lupus")


@dataclass(frozen=True, slots=True)
class Status:
    """What is true of each person on the county's day; arrays have one entry a person."""

    dead: Bools
    absent: Bools
    """In prison, detox, the army, a monastery, or missing."""
    student: Bools
    impaired: Bools
    """Severely disabled, seriously ill or appraised unfit: hardly ever at work."""
    ill: Bools
    lives_together: Bools
    can_live_independently: Ints
    """1, 0, or NULL where the application does not say."""
    feeds: Mapping[str, Rows]


def draw_status(chance: Chance, households: Households, people: People, *, on: date) -> Status:
    """Conditions of all persons of a part, with the rows that record them."""
    n, today = people.n, day(on)
    kind = households.kind[people.household]
    member = people.role == MEMBER
    dead, deaths = _deaths(chance, people, today)
    gone, absences = _absences(chance, households, people, dead, today)
    student, school = _school(chance, people, dead | gone, on)
    severe, disability = _disability(chance, people, kind, today)
    ill, illness = _illness(chance, people, kind, today)
    unfit, capacity = _capacity(chance, people, severe | ill, today)
    self_care = _self_care(chance, people, kind, severe, today)

    child = np.isin(people.place, [CHILD, SECOND_CHILD])
    grown = child & (people.age >= 18) & ~student
    migrant = grown & ~severe & chance.happens(350, n=n)
    boarding = child & (people.age >= 18) & student & chance.happens(600, n=n)
    in_care = grown & severe & chance.happens(60, n=n)
    elsewhere = (people.place > SECOND_CHILD) & (people.place != GRANDCHILD) & chance.happens(40, n=n)
    spouse_away = (people.place == 1) & chance.happens(60, n=n)
    together = ~(migrant | boarding | in_care | elsewhere | spouse_away) & member
    independent = np.where(migrant, 1, np.where(in_care | (grown & severe & chance.happens(500, n=n)), 0, NULL))
    return Status(
        dead=dead,
        absent=gone,
        student=student,
        impaired=severe | ill | unfit,
        ill=ill,
        lives_together=together,
        can_live_independently=independent,
        feeds={
            "deaths": deaths,
            "absences": absences,
            "school": school,
            "disability": disability,
            "serious_illness": illness,
            "labour_capacity": capacity,
            "self_care_assessments": self_care,
        },
    )


def _deaths(chance: Chance, people: People, today: int) -> tuple[Bools, Rows]:
    rate = np.where(people.age >= 60, 20, 1)
    rate = np.where(people.role == SUPPORTER, 0, np.where(people.role == MEMBER, rate, 200))
    dead = chance.happens(rate, n=people.n) & (people.place != HEAD)
    who = np.flatnonzero(dead)
    return dead, Rows(who, {"died_on": today - chance.between(5, 700, n=len(who))})


def _absences(chance: Chance, households: Households, people: People, dead: Bools, today: int) -> tuple[Bools, Rows]:
    n = people.n
    lot = chance.between(0, 9999, n=n)
    adult = (people.age >= 19) & (people.age < 80) & ~dead
    able_to_leave = adult & (people.place != HEAD)
    # members seldom; the outside supporters of those who have nobody else, often
    scale = np.where(people.role == SUPPORTER, 3, 1)
    alone = [kind_code("alone_without_support"), kind_code("grandparent_and_grandchild")]
    scale = np.where((people.role == SUPPORTER) & np.isin(households.kind[people.household], alone), 20, scale)
    bounds = np.cumsum([80, 20, 40, 10, 10])
    code = np.searchsorted(bounds, lot // scale, side="right")
    gone = able_to_leave & (code < len(ABSENCES))
    military = gone & (code == ABSENCES.index("military"))
    gone &= ~(military & (people.age > 26))
    who = np.flatnonzero(gone)
    lasting = Rows(
        who,
        {
            "kind": Coded(code[who], ABSENCES),
            "since": today - chance.between(60, 2400, n=len(who)),
            "until": np.where(chance.happens(300, n=len(who)), today + chance.between(30, 900, n=len(who)), NULL),
        },
    )
    back = np.flatnonzero(adult & ~gone & chance.happens(5, n=n))
    since = today - chance.between(900, 2000, n=len(back))
    ended = Rows(
        back, {"kind": same("prison", len(back)), "since": since, "until": since + chance.between(90, 800, n=len(back))}
    )
    return gone, stack([lasting, ended])


def _school(chance: Chance, people: People, away: Bools, on: date) -> tuple[Bools, Rows]:
    n, age = people.n, people.age
    young = np.isin(people.place, [CHILD, SECOND_CHILD, GRANDCHILD]) & ~away
    lot = chance.between(0, 999, n=n)
    level = np.full(n, -1)
    level = np.where((age >= 3) & (age < 6) & (lot < 700), 0, level)
    level = np.where((age >= 6) & (age < 12), 1, level)
    level = np.where((age >= 12) & (age < 15), 2, level)
    level = np.where((age >= 15) & (age < 18) & (lot < 900), np.where(lot < 560, 3, 4), level)
    level = np.where((age >= 18) & (age < 23) & (lot < 480), 5, level)
    student = young & (level >= 0)  # no postgraduates: they stand on their own feet and are not in the application
    who = np.flatnonzero(student)
    spent = np.array([0, 2, 1, 1, 1, 2, 1])[level[who]]
    started = days_of(on.year - 1 - np.minimum(spent, np.maximum(age[who] - 3, 0)), 9)
    fee = chance.between(0, 1, n=len(who))
    now = Rows(
        who,
        {
            "level": Coded(level[who], LEVELS),
            "mode": same("full_time", len(who)),
            "fee_class": Coded(fee, ("ordinary", "reduced")),
            "enrolled_on": started,
            "left_on": absent(len(who)),
        },
    )
    left = np.flatnonzero(young & ~student & (age >= 17) & (age < 27) & (lot >= 500))
    m = len(left)
    past = Rows(
        left,
        {
            "level": Coded(np.where(age[left] < 20, 4, 5), LEVELS),
            "mode": same("full_time", m),
            "fee_class": same("ordinary", m),
            "enrolled_on": full(day(date(on.year - 4, 9, 1)), m),
            "left_on": full(day(date(on.year - 1, 6, 30)), m),
        },
    )
    return student, stack([now, past])


def _disability(chance: Chance, people: People, kind: Ints, today: int) -> tuple[Bools, Rows]:
    n = people.n
    core = (kind == kind_code("disabled_child")) & (people.place == CHILD)
    young_alone = (kind == kind_code("alone_without_support")) & (people.place == HEAD) & (people.age < 60)
    parent_of_alone = (kind == kind_code("alone_without_support")) & (people.role == SUPPORTER)
    rate = np.select([core | young_alone, parent_of_alone, people.age >= 60, people.age < 16], [1000, 120, 90, 12], 45)
    who = np.flatnonzero(chance.happens(rate, n=n) & (people.role != 2))
    m = len(who)
    sort = chance.pick([12, 12, 5, 35, 16, 16, 4], n=m)
    grade = chance.pick([15, 25, 30, 30], n=m)
    heavy = core[who] | young_alone[who]
    grade = np.where(heavy, chance.pick([45, 35, 15, 5], n=m), grade)
    sort = np.where(young_alone[who], chance.pick([2, 2, 0, 30, 33, 33, 0], n=m), sort)
    endless = chance.happens(600, n=m)
    rows = Rows(
        who,
        {
            "kind": Coded(sort, DISABILITIES),
            "grade": Coded(grade, GRADES),
            "valid_to": np.where(endless, NULL, today + chance.between(40, 3000, n=m)),
        },
    )
    severe = np.zeros(n, dtype=np.bool_)
    severe[who] = (grade <= 1) | ((grade == 2) & np.isin(sort, [4, 5]))
    return severe, rows


def _illness(chance: Chance, people: People, kind: Ints, today: int) -> tuple[Bools, Rows]:
    single = (kind == kind_code("single_adult")) & (people.place == HEAD)
    rate = np.where(single, 200, np.where(people.age >= 60, 60, 25))
    who = np.flatnonzero(chance.happens(rate, n=people.n) & (people.role == MEMBER))
    m = len(who)
    recognised = today - chance.between(100, 1400, n=m)
    expired = chance.happens(150, n=m)
    valid_to = np.where(chance.happens(300, n=m), NULL, today + chance.between(20, 700, n=m))
    valid_to = np.where(expired, today - chance.between(1, 90, n=m), valid_to)
    rows = Rows(
        who,
        {
            "diagnosis_group": Coded(chance.between(0, len(ILLNESSES) - 1, n=m), ILLNESSES),
            "recognised_on": recognised,
            "valid_to": valid_to,
        },
    )
    ill = np.zeros(people.n, dtype=np.bool_)
    ill[who[~expired]] = True
    return ill, rows


def _capacity(chance: Chance, people: People, impaired: Bools, today: int) -> tuple[Bools, Rows]:
    adult = (people.role == MEMBER) & (people.age >= 16) & (people.age < 60)
    judged = adult & chance.happens(np.where(impaired, 250, 20), n=people.n)
    who = np.flatnonzero(judged)
    m = len(who)
    latest = np.where(chance.happens(200, n=m), 0, chance.between(1, 2, n=m))
    appraised = today - chance.between(20, 700, n=m)
    rows = Rows(who, {"capacity": Coded(latest, CAPACITIES), "appraised_on": appraised})
    twice = chance.happens(300, n=m)
    k = int(twice.sum())
    older = Rows(
        who[twice],
        {
            "capacity": Coded(chance.between(0, 2, n=k), CAPACITIES),
            "appraised_on": appraised[twice] - chance.between(30, 900, n=k),
        },
    )
    unfit = np.zeros(people.n, dtype=np.bool_)
    unfit[who] = latest > 0
    return unfit, stack([rows, older])


def _self_care(chance: Chance, people: People, kind: Ints, severe: Bools, today: int) -> Rows:
    alone = kind == kind_code("alone_without_support")
    rate = np.select([alone, severe, people.age >= 70], [750, 400, 250], 5)
    who = np.flatnonzero(chance.happens(rate, n=people.n) & (people.role == MEMBER))
    m = len(who)
    assessed = today - chance.between(10, 600, n=m)
    failed = np.where(chance.happens(550, n=m), 0, chance.between(1, 6, n=m))
    needs = np.where(failed > 0, assessed - chance.between(30, 900, n=m), NULL)
    rows = Rows(who, {"items_failed": failed, "needs_care_since": needs, "assessed_on": assessed})
    twice = chance.happens(200, n=m)
    k = int(twice.sum())
    before = np.maximum(failed[twice] - chance.between(0, 3, n=k), 0)
    older = Rows(
        who[twice],
        {
            "items_failed": before,
            "needs_care_since": absent(k),
            "assessed_on": assessed[twice] - chance.between(30, 700, n=k),
        },
    )
    return stack([rows, older])
