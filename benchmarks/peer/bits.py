"""Which bit stands for which cause of an unknown? One word of 62 bits a person, and everything is told from it.

A feed that hides something from a person has one bit a state (``no_answer:wallets``) and, if it is asked about a
window, one for an answer that does not cover it. So the same word says whether a figure is known (none of the bits of
the feeds that it reads is set) and why it is not (those that are).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

STATES = {3: "no_answer", 5: "no_consent"}
"""The states this pipeline knows of, by the projection's number; 0 is an answer."""
WINDOWED = ("tax_income", "public_payroll", "pensions_paid", "social_insurance", "collective_income")
REVIEWED = ("real_estate", "vehicles", "business_registration")
OTHERS = (
    *(f"not_covered:{feed}" for feed in WINDOWED),
    *(f"unreviewed:{feed}" for feed in REVIEWED),
    "unknown:can_live_independently",
    "unknown:is_excused_from_work",
    "division_by_zero",
)
MOST = 62


class Bits:
    """Numbers for the causes that the county can have."""

    def __init__(self, met: Iterable[tuple[str, int]]) -> None:
        """`met`: the feeds and states that some person is in.

        Raises:
            ValueError: there are more causes than bits.
        """
        self.names = [f"{STATES[state]}:{feed}" for feed, state in met] + list(OTHERS)
        if len(self.names) > MOST:
            raise ValueError("more causes than one word has bits; use two words")
        self._of = {name: 1 << number for number, name in enumerate(self.names)}

    def __getitem__(self, name: str) -> int:
        """The bit of a cause, 0 if nobody can have it."""
        return self._of.get(name, 0)

    def of(self, *feeds: str) -> int:
        """All bits that hide something of these feeds."""
        kinds = (*STATES.values(), "not_covered")
        return sum(self[f"{kind}:{feed}"] for feed in set(feeds) for kind in kinds)

    def texts(self, word: int) -> Sequence[str]:
        """The causes of a word, in order."""
        return sorted(name for number, name in enumerate(self.names) if word >> number & 1)
