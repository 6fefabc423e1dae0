"""A figure of a decision and the rows behind it: they add up and are the store's, and the figure is the one decided."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from meanscheck.contracts import feed as feed_named
from meanscheck.decisions.explaining import Explanation
from meanscheck.decisions.record import json_value
from meanscheck.decisions.tracing import Tracer, traced
from meanscheck.errors import InputError
from meanscheck.evidence import Store
from meanscheck.law.law import Law

from .office import Office, records

CASES = 20
FIGURES = ("household_income", "assets", "size", "deposits")


READ: dict[int, list[tuple[dict[str, Any], Tracer]]] = {}


def tracers(office: Office) -> list[tuple[dict[str, Any], Tracer]]:
    if id(office) in READ:
        return READ[id(office)]
    found = READ[id(office)] = []
    every = records(office.result)
    unknown = [r for r in every[CASES:] if r["means"]["household"]["household_income"] is None]  # type: ignore[index]
    for record in every[:CASES] + unknown[:4]:
        case = str(record["subject"]["case"])
        found.append((dict(record), Tracer.of(office.store, office.law, case, snapshot=office.result.snapshot)))
    return found


def steps(office: Office, figure: str) -> Iterator[tuple[dict[str, Any], Explanation]]:
    for record, tracer in tracers(office):
        for step in tracer.figures(figure):
            yield record, step


def adds_up(step: Explanation) -> None:
    """Reckoned again by hand from the parts, wherever a step is arithmetic and everything is known."""
    if step.kind == "rows" and step.name.startswith("sum") and step.value is not None:
        assert step.value == sum(row.value for row in step.rows)  # type: ignore[misc]
    if step.kind == "rows" and step.name.startswith("count") and step.value is not None:
        assert step.value == len(step.rows)
    known = [p.value for p in step.parts]
    if (
        step.kind == "people"
        and step.name.startswith("sum")
        and step.value is not None
        and step.name != "sum supporters"
    ):
        assert step.value == sum(known)  # type: ignore[arg-type]
    if step.kind == "variable" and step.parts:
        assert step.value == step.parts[0].value
    if step.kind == "operation" and None not in known and step.value is not None:
        exact: list[Any] = [Fraction(v) if isinstance(v, int | Fraction) else v for v in known]
        a, *b = exact
        by_hand: dict[str, Any] = {
            "+": lambda: a + b[0],
            "-": lambda: a - b[0],
            "*": lambda: a * b[0],
            "/": lambda: a / b[0],
            "neg": lambda: -a,
            "greatest": lambda: max(a, *b),
            "least": lambda: min(a, *b),
            "if": lambda: a,
        }
        if step.name in by_hand:
            assert step.value == by_hand[step.name]()


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("which", ["clean", "messy"])
def test_a_figure_adds_up_and_is_the_one_decided(figure: str, which: str, request: pytest.FixtureRequest) -> None:
    office: Office = request.getfixturevalue(which)
    known = 0
    for record, step in steps(office, figure):
        means = record["means"]
        own = next((m["values"] for m in means["members"] if m["id"] == step.who), means["household"])
        assert json_value(step.value) == own[figure]
        for part in step.walk():
            adds_up(part)
        known += step.value is not None
    assert known > CASES // 3


def test_an_award_is_traced_as_it_was_decided(clean: Office) -> None:
    granted = 0
    for record, step in steps(clean, "dibao"):
        decided = [o for o in record["result"]["household"] if o["programme"] == "dibao"]
        assert step.value == (decided[0]["award"] if decided else None)
        if step.value is not None:
            granted += 1
            assert step.parts[0].value == step.value
            for part in step.walk():
                adds_up(part)
    assert granted > 1


def test_every_row_named_stands_in_the_store_with_that_amount(messy: Office) -> None:
    seen = 0
    for _, step in steps(messy, "household_income"):
        for part in step.walk():
            function, _, subject = part.name.partition(" ")
            feed, _, column = subject.partition(".")
            if part.kind != "rows" or function != "sum" or not column:
                continue
            stored = feed_named(feed).column(column).stored_name
            for row in part.rows:
                place = row.place
                assert place is not None
                found = messy.store.fetch(
                    f"select r.{stored} as amount, b.file, b.sender, b.answered_on from feed_{feed} r "
                    "join batches b on b.batch = r.batch where lower(hex(r.digest[1:8])) = ? and r.row_no = ? "
                    "and b.batch_id[1:16] = ?",
                    [place.ref, place.line, place.batch],
                )
                assert found.rows() == [(row.value, place.file, place.sender, place.answered_on)]
                assert isinstance(place.answered_on, date)
                seen += 1
    assert seen > 100


def test_an_unknown_figure_names_its_causes_and_not_a_sum(messy: Office) -> None:
    unknown = [(record, step) for record, step in steps(messy, "household_income") if step.value is None]
    assert unknown
    for _, step in unknown:
        assert step.causes
        assert set(step.causes) == {c for part in step.walk() for c in part.causes} & set(step.causes)


def test_what_is_asked_wrongly_is_an_input_error(clean: Office) -> None:
    case = str(records(clean.result)[0]["subject"]["case"])

    def ask(figure: str, member: str | None = None, law: Law = clean.law, store: Store = clean.store) -> None:
        traced(store, law, case, figure, member=member)

    with pytest.raises(InputError, match="no such figure"):
        ask("wealth")
    with pytest.raises(InputError, match="not a member's"):
        ask("household_income", "A")
    with pytest.raises(InputError, match="no such person"):
        ask("own_income", "nobody")
