"""How does an outcome stand in the columns of a run? For whoever lists outcomes of a caseload."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from meanscheck.law.law import Programme


def outcome_of(p: Programme) -> pl.Expr:
    """``eligible``, ``ineligible`` or ``refer``, on the frame of the programme's entity."""
    decided = pl.col(f"o:{p.id}")
    word = pl.when(decided).then(pl.lit("eligible")).when(~decided).then(pl.lit("ineligible"))
    return word.otherwise(pl.lit("refer"))


def award_of(p: Programme) -> pl.Expr:
    """The award in fen, Int64; null where nobody gets one."""
    return pl.col(f"w:{p.id}") if p.award is not None else pl.lit(None, dtype=pl.Int64)


def asked_in(requested: pl.Series, programmes: Sequence[Programme]) -> frozenset[str]:
    """Ids of the programmes that any of some units asks for."""
    return frozenset(name for name, units in asked_for(requested, programmes).items() if units.any())


def asked_for(requested: pl.Series, programmes: Sequence[Programme]) -> dict[str, pl.Series]:
    """By programme, whether each unit asks for it (Boolean): one that names none asks for all.

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
