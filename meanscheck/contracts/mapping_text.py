"""How is a proposed mapping written down, so that a person can check and mend it? As TOML with the reasons beside."""

from __future__ import annotations

import json
from collections.abc import Sequence

from meanscheck.contracts.mapping import ColumnMapping, FileMapping
from meanscheck.contracts.model import FeedContract
from meanscheck.contracts.sniff import Guess, Sniffed


def mapping_text(contract: FeedContract, found: Sniffed) -> str:
    """A mapping file: what is sure or likely stands in it, what is not stands in it as a comment.

    Args:
        found: a proposal with a mapping.
    """
    mapping = found.mapping
    assert mapping is not None, "nothing was proposed"
    reasons = {guess.column: guess for guess in found.columns if guess.column is not None}
    lines = [
        f"# {contract.title_zh} ({contract.name}): proposed, to be checked with the sender. Columns and choices:",
        f"# `meanscheck feeds show {contract.name}`. Nothing is read but what stands here.",
        f"feed = {_quoted(mapping.feed)}",
        'sender = "?"                       # who sends it',
        f"version = {_quoted(mapping.version)}",
        "# valid_from = 2025-01-01          # first and last day of the answers that it holds for",
        "# valid_to = 2025-12-31",
        "",
        "[file]",
        *_of_file(mapping),
    ]
    for name, column in mapping.columns.items():
        if name in reasons:
            lines += ["", *_of_column(contract, name, column, reasons[name], is_on=True)]
    for guess in found.columns:
        if guess.column is not None and guess.column not in mapping.columns:
            source = guess.header if found.seen.header_line else str(guess.place)
            column = ColumnMapping(source=source, form=guess.form)
            lines += ["", *_of_column(contract, guess.column, column, guess, is_on=False)]
    for name in found.missing:
        if name not in reasons:
            column_ = contract.column(name)
            lines += ["", f"# {column_.title_zh}: needed, and no column looks like it", f"# [columns.{name}]"]
            lines += ['# from = "?"']
    return "\n".join(lines) + "\n"


def _of_file(mapping: FileMapping) -> list[str]:
    facts = mapping.file.model_dump(exclude_none=True, exclude_defaults=True)
    return [f"{key} = {_quoted(value) if isinstance(value, str) else value}" for key, value in facts.items()]


def _of_column(contract: FeedContract, name: str, given: ColumnMapping, guess: Guess, *, is_on: bool) -> Sequence[str]:
    column = contract.column(name)
    facts = given.model_dump(exclude_none=True, exclude_defaults=True, by_alias=True)
    body = [f"[columns.{name}]", *(f"{key} = {_quoted(str(value))}" for key, value in facts.items())]
    mark = "" if is_on else "# "
    return [f"# {column.title_zh}, {guess.sure}: {guess.why}", *(mark + line for line in body)]


def _quoted(text: str) -> str:
    """A TOML basic string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
