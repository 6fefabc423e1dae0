"""How is one part of the county made? People first, then their condition, work and property, then what was declared,
then the lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from meanscheck.synth.chance import Chance
from meanscheck.synth.estate import draw_estate
from meanscheck.synth.facts import Facts
from meanscheck.synth.identity import Numbers
from meanscheck.synth.kin import draw_kin, draw_support
from meanscheck.synth.people import draw_households, draw_people
from meanscheck.synth.status import draw_status
from meanscheck.synth.survey import choose_on_line, draw_declaration, draw_survey, empty_declaration, put_on_line
from meanscheck.synth.truth import membership
from meanscheck.synth.work import draw_work


def draw_part(chance: Chance, *, first: int, n: int, numbers: Numbers, on: date) -> Facts:
    """True facts of `n` applications, the first of which has the county-wide number `first` (from 1)."""
    households = draw_households(chance, first=first, n=n, on=on)
    people = draw_people(chance, households, numbers=numbers, on=on)
    status = draw_status(chance, households, people, on=on)
    work = draw_work(chance, households, people, status, on=on)
    facts = Facts(
        households=households,
        people=people,
        lives_together=status.lives_together,
        can_live_independently=status.can_live_independently,
        excused=work.excused,
        feeds={
            **status.feeds,
            **work.feeds,
            **draw_estate(chance, households, people, work, first=first, on=on),
            **draw_kin(chance, households, people, status, work, first=first, on=on),
            "declaration": empty_declaration(),
        },
        on=on,
    )
    support = draw_support(chance, households, people, status, supported=membership(facts))
    facts = replace(facts, feeds={**facts.feeds, "supporters": support})
    facts = replace(facts, feeds={**facts.feeds, "field_survey": draw_survey(chance, facts, work)})
    income_heads, asset_heads = choose_on_line(chance, facts, work)
    declaration = draw_declaration(chance, facts, work, untouched=income_heads | asset_heads)
    facts = replace(facts, feeds={**facts.feeds, "declaration": declaration})
    return put_on_line(chance, facts, income_heads=income_heads, asset_heads=asset_heads)
