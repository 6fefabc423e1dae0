"""What is true of a part of the county: its applications, its people and every row that a fully informed office would
hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from meanscheck.synth.chance import Bools, Ints
from meanscheck.synth.people import Households, People
from meanscheck.synth.rows import Rows


@dataclass(frozen=True, slots=True)
class Facts:
    """True facts of a part.

    `feeds` holds the rows as the senders keep them, before any file is written or spoilt; rows of a register that are
    wrong about the person carry `real` False. The other arrays are attributes of the application, one entry a person.
    """

    households: Households
    people: People
    lives_together: Bools
    can_live_independently: Ints
    """1, 0 or NULL (not stated)."""
    excused: Ints
    """`is_excused_from_work`: 1, 0 or NULL (not stated)."""
    feeds: Mapping[str, Rows]
    on: date
