"""The registry of tokens forgets a household that was erased, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from meanscheck.evidence import Store

TOKENS = {"A": "aa" * 16, "B": "bb" * 16, 0: "00" * 16, 1: "11" * 16, 2: "22" * 16}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Case A with persons 0 and 1, twice requested; case B with persons 1 and 2."""
    with Store.open(tmp_path / "county.duckdb") as opened:
        filled = ", ".join(
            f"({n}, 1, null, 'R{n}', 'N{n}', '{case}', null, '2020-01-01', null, '', null, null, '', 1, '\\x00', '', 1)"
            for n, case in enumerate(("A", "A", "B"))
        )
        opened.run(f"insert into requests values {filled}")
        people = [(0, 0), (0, 1), (1, 0), (2, 1), (2, 2)]
        rows = ", ".join(f"({request}, 0, 'member', {person})" for request, person in people)
        opened.run(f"insert into unit_persons (request, position, role, person) values {rows}")
        cases = pl.DataFrame({"case_id": ["A", "B"], "token": [TOKENS["A"], TOKENS["B"]]})
        opened.insert("subjects", cases)
        opened.insert("subjects", pl.DataFrame({"person": [0, 1, 2], "token": [TOKENS[n] for n in range(3)]}))
        yield opened


def tokens(store: Store) -> set[str]:
    return set(store.fetch("select token from subjects")["token"].to_list())


def test_the_unit_and_those_who_are_in_no_other_are_forgotten(store: Store) -> None:
    assert store.forget_subject(TOKENS["A"]) == 2
    assert tokens(store) == {TOKENS["B"], TOKENS[1], TOKENS[2]}


def test_forgetting_twice_or_a_person_s_token_does_nothing(store: Store) -> None:
    store.forget_subject(TOKENS["A"])
    assert store.forget_subject(TOKENS["A"]) == 0
    assert store.forget_subject(TOKENS[1]) == 0
    assert tokens(store) == {TOKENS["B"], TOKENS[1], TOKENS[2]}


def test_a_unit_that_comes_again_gets_another_token(store: Store) -> None:
    store.forget_subject(TOKENS["A"])
    units, persons = store.subjects(["A"])
    assert units.height == 1 and persons.height == 2
    assert units["token"][0] != TOKENS["A"]
    assert dict(persons.iter_rows())[1] == TOKENS[1] and dict(persons.iter_rows())[0] != TOKENS[0]
