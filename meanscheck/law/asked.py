"""Which programmes do cases ask for? One that names none asks for all."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from meanscheck.law.law import Programme


def asked_for(requested: pl.Series, programmes: Sequence[Programme]) -> dict[str, pl.Series]:
    """By programme, whether each unit asks for it (Boolean).

    Args:
        requested: String, names with commas between, as `CaseBlock.households` has them.
        programmes: which programmes.

    >>> from types import SimpleNamespace as P
    >>> asked = asked_for(pl.Series(["dibao,tekun", "", "tekun"]), [P(id="dibao"), P(id="tekun"), P(id="kun")])
    >>> {name: units.to_list() for name, units in asked.items()}
    {'dibao': [True, True, False], 'tekun': [True, True, True], 'kun': [False, True, False]}
    """
    texts = requested.unique()
    named = [text.split(",") if text else None for text in texts.to_list()]
    asked: dict[str, pl.Series] = {}
    for p in programmes:
        each = pl.Series([names is None or p.id in names for names in named], dtype=pl.Boolean)
        same = len(texts) == 1
        asked[p.id] = each.new_from_index(0, len(requested)) if same else requested.replace_strict(texts, each)
    return asked
