"""What is made ahead comes in order, and fails where it is waited for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from meanscheck.evidence.ahead import ahead


def test_all_come_in_order() -> None:
    assert list(ahead(iter((3, 1, 2)))) == [3, 1, 2]


def test_nothing_made_is_nothing_to_use() -> None:
    assert list(ahead(iter(()))) == []


def test_what_cannot_be_made_is_told_to_him_who_waits_for_it() -> None:
    def made() -> Iterator[int]:
        yield 1
        raise ValueError("cut short")

    coming = ahead(made())
    assert next(coming) == 1
    with pytest.raises(ValueError, match="cut short"):
        next(coming)
