"""How is what was worked out of a law kept, and let go together with it?

A law is equal to another of the same digest, and a digest is taken over thousands of canonical bytes: a cache that
looked laws up by equality would cost more than most of what it keeps. Laws are looked up by identity here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from meanscheck.law.law import Law

P = ParamSpec("P")
T = TypeVar("T")


def kept_with_law(function: Callable[Concatenate[Law, P], T]) -> Callable[Concatenate[Law, P], T]:
    """Keep the results of a function of a law and of what can be hashed, for as long as the law is there."""

    @wraps(function)
    def keeping(law: Law, /, *key: P.args, **named: P.kwargs) -> T:
        place = (function, key, *named.items())
        if place not in law.kept:
            law.kept[place] = function(law, *key, **named)
        found: T = law.kept[place]
        return found

    return keeping
