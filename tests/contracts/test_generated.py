"""What others get of our contracts works without us: the SQL runs, the schemas are whole, the doc examples are true."""

from __future__ import annotations

import doctest
import json

import duckdb
import pytest

from meanscheck.contracts import all_feeds, cells, feed, feed_names, spelling, strict_yaml
from meanscheck.contracts.generate import generated_files, json_schema
from meanscheck.values import identity


def test_the_tables_are_those_of_the_store() -> None:
    with duckdb.connect() as connection:
        connection.execute(generated_files()["feeds.sql"])
        for contract in all_feeds().values():
            found = connection.execute(f"describe feed_{contract.name}").fetchall()
            assert [(row[0], row[1]) for row in found] == [(c.stored_name, c.duckdb_type) for c in contract.columns]


@pytest.mark.parametrize("name", feed_names())
def test_a_schema_describes_every_column_and_allows_no_other(name: str) -> None:
    schema = json_schema(feed(name))
    assert tuple(schema["properties"]) == feed(name).column_names
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {column.name for column in feed(name).columns if column.required}
    assert json.loads(generated_files()[f"{name}.schema.json"]) == schema


@pytest.mark.parametrize("module", [cells, spelling, strict_yaml, identity])
def test_examples_in_the_docs_are_true(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]
