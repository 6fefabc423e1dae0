"""How is a test's entry in the reasons group written, for all rows of a block?

Canonical JSON (RFC 8785): ``{"cite":[…],"holds":…,"id":…,"limit":…,"margin":…,"programme":…,"value":…}``, with
``"bounds":{"limit":…,"value":…}`` before them where bounds decided it. Columns are named as in `law.vectors`; beside
them the frame has ``wanted:PROGRAMME`` (Boolean), and for what is decided by person ``fails:PROGRAMME`` (Boolean).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Final

import numpy as np
import polars as pl

from meanscheck.decisions.forms import forms, together
from meanscheck.decisions.record import tests_of
from meanscheck.law.law import Law, Programme

_HIDDEN: Final = 5
"""Number of the form that is not shown; before it: false, true, unknown, false and true by bounds."""


def plain_json(e: pl.Expr) -> pl.Expr:
    """A number or yes/no as JSON text, null as ``null``."""
    return e.cast(pl.String).fill_null("null")


def entries(law: Law, p: Programme, frame: pl.DataFrame) -> list[pl.Expr]:
    """The entries of a programme's tests in their order, null where they are not shown: of a person who fails, only
    what he fails is."""
    found: list[pl.Expr] = []
    columns = set(frame.columns)
    for is_compared, group in groupby(tests_of(law, p), lambda test: f"m:{p.id}:{test[0]}" in columns):
        tests = [(name, cite) for name, cite, _ in group]
        if is_compared:
            found += [_compared(p, *test, columns) for test in tests]
        else:
            found += _told(p, tests, frame)
    return found


def _compared(p: Programme, name: str, cite: Sequence[str], columns: set[str]) -> pl.Expr:
    """The entry of a test that is one comparison."""
    holds = pl.col(f"t:{p.id}:{name}")
    after_bounds = _cited(cite)
    before: pl.Expr = pl.lit("{" + after_bounds)
    if f"b:{p.id}:{name}" in columns:
        before = pl.when(f"b:{p.id}:{name}").then(_bounds(p, name) + after_bounds).otherwise(before)
    limit, margin, value = (plain_json(pl.col(f"{k}:{p.id}:{name}")) for k in ("l", "m", "x"))
    text = pl.concat_str(
        before,
        plain_json(holds),
        pl.lit(f',"id":"{name}","limit":'),
        limit,
        pl.lit(',"margin":'),
        margin,
        pl.lit(f',"programme":"{p.id}","value":'),
        value,
        pl.lit("}"),
    )
    shown = pl.col(f"wanted:{p.id}")
    if p.entity == "member":
        shown = shown & (~pl.col(f"fails:{p.id}") | holds.eq_missing(False))
    return pl.when(shown).then(text)


def _bounds(p: Programme, name: str) -> pl.Expr:
    """The beginning of a test's entry that bounds decided: bounds of limit and value."""
    limit, value = ([plain_json(pl.col(f"{which}{end}:{p.id}:{name}")) for end in "-+"] for which in ("l", "x"))
    parts = ('{"bounds":{"limit":[', limit[0], ",", limit[1], '],"value":[', value[0], ",", value[1], "]},")
    return pl.concat_str([pl.lit(part) if isinstance(part, str) else part for part in parts])


def _told(p: Programme, tests: Sequence[tuple[str, Sequence[str]]], frame: pl.DataFrame) -> list[pl.Expr]:
    """The entries of tests of which only the verdict varies."""
    wanted = frame[f"wanted:{p.id}"].to_numpy()
    passes = ~frame[f"fails:{p.id}"].to_numpy() if p.entity == "member" else None
    found, texts = [], []
    for name, cite in tests:
        form = frame[f"t:{p.id}:{name}"].cast(pl.Int64).fill_null(2).to_numpy()
        shown = wanted if passes is None else wanted & (passes | (form == 0))
        if f"b:{p.id}:{name}" in frame.columns:
            by_bounds = frame[f"b:{p.id}:{name}"].fill_null(False).to_numpy()
            form = np.where(by_bounds & (form < 2), form + 3, form)
        found.append(np.where(shown, form, _HIDDEN))
        after = f',"id":"{name}","limit":null,"margin":null,"programme":"{p.id}","value":null}}'
        words = [f"{_cited(cite)}{word}{after}" for word in ("false", "true", "null")]
        decided = [f'"bounds":{{"limit":null,"value":null}},{word}' for word in words[:2]]
        texts.append([*("{" + word for word in (*words, *decided)), None])
    parts = [slice(part.start, part.stop) for part in together(texts)]
    return [pl.lit(forms(np.array(found[part]), texts[part])) for part in parts]


def _cited(cite: Sequence[str]) -> str:
    return f'"cite":{json.dumps(list(cite), ensure_ascii=False, separators=(",", ":"))},"holds":'
