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
    wanted = pl.DataFrame({"case_id": list(case_ids or ())}, schema={"case_id": pl.String})
    among = "" if case_ids is None else "where case_id in (select case_id from wanted)"
    with store.frame("wanted", wanted):
        cases = f"(select distinct case_id from requests {among})"
        persons = f"(select distinct person from unit_persons join requests using (request) {among})"
        if not store.read_only:
            _draw(store, "case_id", f"select case_id from {cases} anti join subjects using (case_id) order by case_id")
            known = "(select person from subjects where person is not null)"
            _draw(store, "person", f"select person from {persons} anti join {known} using (person) order by person")
        return (
            store.fetch(f"select case_id, token from subjects semi join {cases} using (case_id) order by case_id"),
            store.fetch(f"select person, token from subjects semi join {persons} using (person) order by person"),
        )


def _draw(store: Store, column: str, missing: str) -> None:
    new = store.fetch(missing)
    if new.is_empty():
        return
    text = secrets.token_bytes(_TOKEN_BYTES * new.height).hex()
    size = 2 * _TOKEN_BYTES
    tokens = pl.Series("text", [text]).str.extract_all(f".{{{size}}}").explode().alias("token")
    with store.transaction():
        store.insert("subjects", new.select(column).with_columns(tokens))
