"""For those who write packs: households stated in Python, households at random, and what must hold of every law.

| Module | Question |
|---|---|
| building | how is a household stated in Python, and put into cases.toml |
| strategies | which households should a law be tried on (a Hypothesis strategy) |
| holding | what must hold of every household, whatever the law |

    from hypothesis import given, strategies as st
    from meanscheck.testing import answers, forgetful, households, not_towards_refer, undisputed

    LAW = RulePack.load("rules/…").on(date(2020, 6, 30))

    @given(st.data())
    def test_forgetting_a_fact_moves_only_towards_refer(data):
        unit = data.draw(households(LAW))
        less = data.draw(forgetful(LAW, unit))
        before, after = (answers(undisputed(LAW), u) for u in (unit, less))
        assert not_towards_refer(before, after) == []

Hypothesis is needed for the strategies only; it comes with the extra `test`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meanscheck.testing.building import Household

if TYPE_CHECKING:
    from meanscheck.testing.holding import Answer, answers, forgetful, not_towards_refer, reordered, undisputed
    from meanscheck.testing.strategies import households

__all__ = ["Answer", "Household", "answers", "forgetful", "households", "not_towards_refer", "reordered", "undisputed"]

_ELSEWHERE = {
    "households": "strategies",
    **dict.fromkeys(("Answer", "answers", "forgetful", "not_towards_refer", "reordered", "undisputed"), "holding"),
}


def __getattr__(name: str) -> Any:
    """What needs Hypothesis is imported when it is asked for."""
    if name not in _ELSEWHERE:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_ELSEWHERE[name]}"), name)
