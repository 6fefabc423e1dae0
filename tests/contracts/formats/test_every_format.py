"""Whichever way the same rows come, the store holds the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from contracts.formats.legal import legal
from contracts.formats.writers import WRITERS, accepted
from meanscheck.contracts import feed

FEEDS = ("bank_deposits", "tax_income", "marriages", "medical_settlements", "vehicles")


@pytest.mark.parametrize("way", WRITERS)
@pytest.mark.parametrize("name", FEEDS)
@settings(max_examples=6)
@given(data=st.data())
def test_legal_rows_in_every_format_are_accepted_as_the_same(
    way: str, name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = data.draw(legal(feed(name)))
    folder = tmp_path_factory.mktemp("sent")
    assert_frame_equal(accepted(rows, WRITERS[way](folder, rows)), rows.expected())
