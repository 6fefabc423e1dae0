"""How does a person, or a program, see what `feeds sniff` found? Never with what stands in a cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from meanscheck.contracts import feed as feed_named
from meanscheck.contracts.reasons import REASONS
from meanscheck.contracts.sniff import Guess, Sniffed, is_shown
from meanscheck.faces.cli.page import painted, say, table

_COLOURS = {"sure": "green", "likely": "cyan", "perhaps": "yellow", "no idea": "dim"}
_UNITS = {"wan_yuan": "万元", "yuan": "元", "fen": "分", "m2": "平方米", "mu": "亩"}


def as_facts(file: Path, found: Sniffed) -> dict[str, Any]:
    """Everything that was found, as plain values."""
    seen = found.seen
    return {
        "file": file.name,
        "format": seen.format,
        "zipped": seen.is_packed,
        "encoding": seen.encoding,
        "delimiter": seen.separator,
        "sheet": seen.sheet,
        "header_line": seen.header_line,
        "parts": seen.parts,
        "rows": seen.rows,
        "rows_are_all": seen.is_whole,
        "stated_units": dict(seen.units),
        "note": seen.note,
        "feed": found.feed,
        "sure": found.sure,
        "why": found.why,
        "other_feeds": list(found.others),
        "columns": [
            {"place": g.place, "header": _header(g), "column": g.column, "sure": g.sure, "why": g.why}
            for g in found.columns
        ],
        "missing": list(found.missing),
        "problems": [{"key": p.key, "what": p.what, "remedy": p.remedy} for p in found.problems],
        "mapping_needed": found.is_needed,
        "trial": None if found.trial is None else {"accepted": found.accepted, "set_aside": dict(found.trial)},
        "refused": found.refused,
    }


def show_sniffed(file: Path, found: Sniffed, *, written: Path | None) -> None:
    """A page: what the file is, which feed, which columns, what is missing, what it would come to, what to do next."""
    seen = found.seen
    say(f"{file.name}: {_kind(found)}")
    if seen.note:
        say(seen.note)
    if seen.table is None:
        say('Next: write a mapping beside it, format = "fixed" under [file], start and length of each column')
        return
    if found.feed is None:
        say(f"feed: no idea, {found.why}")
        if found.columns:
            _columns(found)
        say("Next: meanscheck feeds list names the feeds; say which one it is with --feed")
        return
    contract = feed_named(found.feed)
    others = f" (next: {', '.join(found.others)})" if found.others and found.sure != "sure" else ""
    say(f"feed: {contract.name} {contract.title_zh}, {found.sure}: {found.why}{others}")
    for kind, unit in seen.units.items():
        say(f"unit: the title says {_UNITS.get(unit, unit)} for every {kind} column whose header names none")
    _columns(found)
    for name in found.missing:
        proposed = next((g for g in found.columns if g.column == name), None)
        place = f"perhaps column {proposed.place}, to be confirmed" if proposed else "no column looks like it"
        say(f"missing: {name} {contract.column(name).title_zh} is needed; {place}")
    if found.refused:
        say(f"as it stands the file would be refused: {found.refused}")
    elif found.trial is not None:
        aside = ", ".join(f"{REASONS[code].en} {count:,}" for code, count in found.trial.items())
        say(f"tried on the file: {found.accepted:,} rows accepted" + (f"; set aside: {aside}" if aside else ""))
    _next(file, found, written)


def _columns(found: Sniffed) -> None:
    page = table("", "column of the file", "is", "", "how sure!", "why")
    contract = None if found.feed is None else feed_named(found.feed)
    for guess in found.columns:
        title = contract.column(guess.column).title_zh if contract is not None and guess.column is not None else ""
        page.add_row(
            str(guess.place),
            _header(guess),
            guess.column or "·",
            title,
            painted(guess.sure, _COLOURS[guess.sure]),
            guess.why,
        )
    say(page)


def _next(file: Path, found: Sniffed, written: Path | None) -> None:
    if written is not None:
        say(f"written: {written}\nNext: check it with the sender, say who the sender is, then ingest")
    elif not found.is_needed and not found.missing:
        say(f"No mapping is needed. Next: meanscheck ingest STORE {file.name} --feed {found.feed}")
    else:
        say(f"Next: meanscheck feeds sniff {file.name} --write writes the proposal, to be checked and mended")


def _kind(found: Sniffed) -> str:
    seen = found.seen
    names = {"csv": "CSV", "excel": "Excel", "jsonl": "JSON lines", "parquet": "Parquet"}
    words = [names.get(seen.format or "", "text")]
    if seen.is_packed:
        words[0] += " in a ZIP archive"
    if seen.encoding is not None:
        words.append({"utf-8": "UTF-8", "gb18030": "GB18030"}[seen.encoding])
    if seen.separator is not None:
        words.append({",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}[seen.separator] + " between")
    if seen.format in ("csv", "excel"):
        words.append(f"header on line {seen.header_line}" if seen.header_line else "no header")
    words.append(f"{seen.rows:,} lines below it" + ("" if seen.is_whole else " in its first 4 MiB"))
    if seen.parts > 1:
        words.append(f"the first of {seen.parts} parts")
    return ", ".join(words)


def _header(guess: Guess) -> str:
    if not guess.header or guess.header.isdecimal():
        return "(no header)"
    return guess.header if is_shown(guess.header) else "(not shown)"
