"""What is made ahead comes in order, and fails where it is waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from meanscheck.evidence.ahead import Ahead, ahead


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


def test_several_are_made_at_once_and_come_in_order() -> None:
    both = threading.Barrier(2, timeout=10)

    def made(number: int) -> int:
        both.wait()  # nobody passes alone
        time.sleep(0.01 * (number % 2))
        return number * 10

    with Ahead(iter(range(8)), made, threads=2) as coming:
        assert list(coming) == [number * 10 for number in range(8)]


def test_one_thread_at_a_time_asks_for_items() -> None:
    asking = threading.Lock()

    def items() -> Iterator[int]:
        for number in range(50):
            assert asking.acquire(blocking=False)
            time.sleep(0.0005)
            asking.release()
            yield number

    with Ahead(items(), lambda number: number, threads=3) as coming:
        assert list(coming) == list(range(50))


def test_work_begins_before_anybody_waits_for_it() -> None:
    begun = threading.Event()
    with Ahead(iter((1,)), lambda _: begun.set()):
        assert begun.wait(10)


def test_after_a_failure_nothing_comes_and_no_thread_stays() -> None:
    before = threading.active_count()

    def made(number: int) -> int:
        return 10 // number

    coming = Ahead(iter((1, 0, 5)), made, threads=2)
    assert next(coming) == 10
    with pytest.raises(ZeroDivisionError):
        next(coming)
    assert list(coming) == []
    assert threading.active_count() == before


def test_whoever_has_enough_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    with Ahead(iter(range(100)), lambda number: number, threads=2) as coming:
        assert next(coming) == 0
    assert threading.active_count() == before
    assert next(ahead(iter((1, 2)))) == 1
