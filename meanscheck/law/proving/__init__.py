"""Which theorems hold of a pack, for every household and not only for those that were tried?

    terms        a value of the language over symbols
    household    the symbolic household: members, supporters, and what rows come to
    rows         which rows of a feed a law tells apart
    encode       checked trees → terms; programmes → outcomes (aggregates, calendar, figures)
    scene        the law of a day with a household
    asking       one question to the solver, and a real household for a "no" (witness: model → case → both executors)
    theorems     what holds of every programme (moving: with more of something)
    amendments   what a changed rule or figure changes, and for whom
    cliffs       what one fen more can cost
    proof        all of it for one pack

The solver (z3) is the extra ``prove`` and is imported in this room only; this module itself does not import it.

Choices
    * A free symbol in place of something more intricate is sound for a proof and not for a refutation: so a "no" counts
      only as a stated case that both executors reproduce, and what can be neither proved nor shown is said to be open.
"""

from __future__ import annotations

from importlib.util import find_spec

from meanscheck.errors import InputError


def needs_solver() -> None:
    """InputError saying how to install the solver, if it is not there."""
    if find_spec("z3") is None:
        raise InputError(
            "proofs need the solver z3, which is not installed",
            where="rules prove",
            remedy='Install it: pip install "meanscheck[prove]"',
        )
