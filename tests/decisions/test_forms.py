"""Entries of few forms: each row's text is that of its forms joined by hand."""

from __future__ import annotations

import doctest

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from meanscheck.decisions import forms as module
from meanscheck.decisions.forms import MOST, forms, together


def test_examples_are_true() -> None:
    assert doctest.testmod(module).failed == 0 and doctest.testmod(module).attempted > 0


ways = st.lists(st.one_of(st.none(), st.text("ab,", max_size=3)), min_size=1, max_size=6)


@given(st.lists(ways, max_size=12), st.data())
def test_each_row_has_the_texts_of_its_forms(texts: list[list[str | None]], data: st.DataObject) -> None:
    height = data.draw(st.integers(0, 5))
    found = np.array([data.draw(st.lists(st.integers(0, len(w) - 1), min_size=height, max_size=height)) for w in texts])
    parts = together(texts)
    assert [at for part in parts for at in part] == list(range(len(texts)))
    for part in parts:
        assert len(part) == 1 or np.prod([len(texts[at]) for at in part]) <= MOST
        made = forms(
            found[part.start : part.stop].reshape(len(part), height).astype(int), texts[part.start : part.stop]
        )
        for row in range(height):
            shown = [text for at in part if (text := texts[at][found[at][row]]) is not None]
            assert made[row] == (",".join(shown) if shown else None)
