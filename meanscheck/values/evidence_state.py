"""What is known about one person in one feed.

The numbers are ordered so that the worse state is the larger one: combining states is ``max``.
"""

from __future__ import annotations

from enum import IntEnum


class EvidenceState(IntEnum):
    """State of the evidence of one person in one feed; only `ANSWERED` lets a rule see rows."""

    ANSWERED = 0
    STALE = 1
    CONFLICTING = 2
    NO_ANSWER = 3
    NOT_REQUESTED = 4
    NO_CONSENT = 5

    @property
    def word(self) -> str:
        """The state's name as it appears in cases, causes and files, such as ``no_answer``."""
        return self.name.lower()


STATE_WORDS: tuple[str, ...] = tuple(state.word for state in EvidenceState)
