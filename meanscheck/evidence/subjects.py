"""Under which random tokens do units and persons appear outside the store?

A token is 16 random bytes in hex, drawn once and kept: the log and the receipts name a household by it and never by a
case number or an identity. Tokens say nothing about whom they stand for; only this table does.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store

_TOKEN_BYTES = 16


def subjects(store: Store, case_ids: Sequence[str] | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Tokens of units and of persons; missing ones are drawn, unless the store is open to read only.

    Args:
        store: the evidence store.
        case_ids: which cases; all that the store holds unless given.

    Returns:
        units: case_id String · token String, by case_id; persons: person Int64 · token String, by person. A person has
        one token, whatever number of units he is in.
    """
    wanted, among = _wanted(case_ids)
    draw(store, case_ids)
    with store.frame("wanted", wanted):
        cases, persons = _cases(among), _persons(among)
        return (
            store.fetch(f"select case_id, token from subjects semi join {cases} using (case_id) order by case_id"),
            store.fetch(f"select person, token from subjects semi join {persons} using (person) order by person"),
        )


def draw(store: Store, case_ids: Sequence[str] | None = None) -> None:
    """Draw the tokens that are missing, of these cases or of all; none if the store is open to read only."""
    if store.read_only:
        return
    wanted, among = _wanted(case_ids)
    with store.frame("wanted", wanted):
        cases, persons = _cases(among), _persons(among)
        known = "(select person from subjects where person is not null)"
        _draw(store, "case_id", f"select case_id from {cases} anti join subjects using (case_id) order by case_id")
        _draw(store, "person", f"select person from {persons} anti join {known} using (person) order by person")


def _wanted(case_ids: Sequence[str] | None) -> tuple[pl.DataFrame, str]:
    """The cases as a frame, and the condition by which SQL looks among them."""
    wanted = pl.DataFrame({"case_id": list(case_ids or ())}, schema={"case_id": pl.String})
    return wanted, "" if case_ids is None else "where case_id in (select case_id from wanted)"


def _cases(among: str) -> str:
    return f"(select distinct case_id from requests {among})"


def _persons(among: str) -> str:
    return f"(select distinct person from unit_persons join requests using (request) {among})"


def _draw(store: Store, column: str, missing: str) -> None:
    new = store.fetch(missing)
    if new.is_empty():
        return
    text = secrets.token_bytes(_TOKEN_BYTES * new.height).hex()
    size = 2 * _TOKEN_BYTES
    tokens = pl.Series("text", [text]).str.extract_all(f".{{{size}}}").explode().alias("token")
    with store.transaction():
        store.insert("subjects", new.select(column).with_columns(tokens))
