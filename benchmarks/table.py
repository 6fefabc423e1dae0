"""How do the figures read? As Markdown: one table a size, the ratios below it, machine facts above all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.measure import Measured

WHAT = {
    "synth": "making the county (not the library's work)",
    "ingest": "ingest of the whole inbox (Parquet): text, casts, row digests, persons, consent, quarantine",
    "project": "projection: states, every feed sorted into unit order, input digests",
    "whole": "**evidence to sealed decisions**, one process: pull, facts, rules, causes, records, vault, commitments, "
    "tree, tiles",
    "pool": "**evidence to sealed decisions**, two processes: the same, and starting them",
    "assess": "assess alone: the same without commitments, tree and tiles",
    "seal": "seal alone: commitments, leaves, tree, tiles",
    "verify": "receipts, made and verified",
    "replay": "replay of a sample from the evidence tables",
    "whole-small": "**the law of the comparison, evidence to sealed decisions**, one process",
    "pool-small": "the same by two processes, and starting them",
    "plain": "the same with plain files in the vault's place, one process",
    "pool-plain": "the same with plain files by two processes, and starting them",
    "peer": "**hand-written pipeline**, one process: the same law, records, commitments and tree; plain Parquet files",
}
PAIRS = (
    ("facts", ("pull", "facts"), ("facts",)),
    ("rules, bounds, causes, contradictions", ("rules", "causes", "contradictions"), ("rules",)),
    ("records", ("records", "bytes and digests"), ("records", "bytes and digests")),
    ("commitments, leaves, tree", ("commitments", "leaves", "tree"), ("commitments and leaves", "tree")),
    ("the rest", ("rest",), ("rest",)),
)
"""(name, our labels in `parts`, the peer's labels): work that both do."""
APART = (
    ("files: ours sealed, the peer's plain", ("files",), ("files",)),
    ("tiles and checkpoints of the log", ("tiles",), ()),
    ("which households were decided, for the closing", ("tokens",), ()),
)
"""Work that only we do, or that is not the same: in no ratio of the whole."""
WHOLES = {
    "plain": "**all, plain files on both sides**, ours by one process",
    "pool-plain": "**all, plain files on both sides**, ours by two processes",
    "whole-small": "all, ours sealed, by one process",
    "pool-small": "all, ours sealed, by two processes",
}
"""Stage → how its row begins: the whole run, not its parts, beside the whole of the peer's."""
UNCOUNTED = {"reading", "not counted", "preparation"}

Results = Mapping[str, Measured]


def seconds(measured: Measured, labels: Sequence[str] | None = None, *, cpu: bool = False) -> float:
    """Wall or CPU seconds of some labels; of all that count if none are named."""
    wanted = [n for n in measured.parts if n not in UNCOUNTED] if labels is None else labels
    return sum(measured.parts.get(name, (0.0, 0.0))[int(cpu)] for name in wanted)


def ratio(ours: float, theirs: float) -> str:
    """Ours over theirs, a dash where there is nothing to divide by."""
    return f"{ours / theirs:.2f}" if theirs > 0 else "–"


def grouped(number: float) -> str:
    """A whole number with spaces between thousands."""
    return f"{number:,.0f}".replace(",", " ")


def section(households: int, results: Results) -> list[str]:
    """The tables of one size."""
    lines = [f"## {grouped(households)} households", ""]
    if "synth" in results:
        made = results["synth"].counts
        lines.append(f"{grouped(made['persons'])} persons, {grouped(made['rows'])} feed rows in {made['files']} files.")
    lines += ["", "| stage | wall s | CPU s | peak MiB | rate |", "|---|--:|--:|--:|---|"]
    for name in WHAT:
        if name in results and seconds(results[name]):
            m = results[name]
            mark = " (earlier run)" if m.is_reused else ""
            cells = (f"{seconds(m):.2f}", f"{seconds(m, cpu=True):.2f}", f"{m.peak_mib:.0f}", _rate(m))
            lines.append(f"| {WHAT[name]}{mark} | {' | '.join(cells)} |")
    if {"parts", "peer"} <= set(results):
        lines += ["", *_beside(results["parts"], results["peer"], results)]
    if "agreement" in results:
        lines += ["", agreement_text(results["agreement"].counts)]
    if {"formats", "bare"} <= set(results):
        lines += ["", *_formats(results["formats"], results["bare"])]
    return [*lines, ""]


def _rate(m: Measured) -> str:
    wall, counts = seconds(m), m.counts
    if m.stage == "verify":
        verify, made = (seconds(m, [part]) / counts["receipts"] * 1000 for part in ("verify", "receipts"))
        return f"{verify:.2f} ms a verification, {made:.2f} ms a receipt of {counts['receipt_bytes']} bytes"
    if m.stage == "replay":
        return f"{seconds(m, ['replay']) / max(counts['replayed'], 1) * 1000:.2f} ms a case"
    if m.stage in (*WHOLES, "whole", "pool", "assess", "seal", "peer"):
        return f"{wall / counts['units'] * 1e6:.1f} µs a household"
    return f"{grouped(counts['rows'] / wall)} rows/s" if "rows" in counts and wall else ""


def _beside(ours: Measured, theirs: Measured, results: Results) -> list[str]:
    head = "| part | ours s | by hand s | ratio | ours CPU s | by hand CPU s | ratio |"
    lines = [head, "|---|--:|--:|--:|--:|--:|--:|"]
    every = tuple(tuple(label for pair in PAIRS for label in pair[side]) for side in (1, 2))
    for name, mine, hand in (*PAIRS, ("all of these", every[0], every[1])):
        lines.append(_compared(name, ours, mine, theirs, hand))
    for name, mine, hand in APART:
        lines.append(_compared(f"apart: {name}", ours, mine, theirs, hand, has_ratio=False))
    for stage, name in WHOLES.items():
        if stage in results:
            lines.append(_compared(name, results[stage], None, theirs, None))
    text = f"A record of the comparison has {theirs.counts['record_bytes']} bytes."
    return [*lines, "", text]


def _compared(
    name: str,
    ours: Measured,
    mine: Sequence[str] | None,
    theirs: Measured,
    hand: Sequence[str] | None,
    *,
    has_ratio: bool = True,
) -> str:
    """A row: wall and CPU seconds of some labels, or of all, and our share of theirs."""
    cells = []
    for cpu in (False, True):
        a, b = seconds(ours, mine, cpu=cpu), seconds(theirs, hand, cpu=cpu)
        cells += [f"{a:.2f}", "–" if hand == () else f"{b:.2f}", ratio(a, b) if has_ratio else ""]
    return f"| {name} | {' | '.join(cells)} |"


def agreement_text(counts: Mapping[str, Any]) -> str:
    """How far both pipelines agree."""
    households = counts["households"]
    roots = (("records", "records_root"), ("batch", "batch_root"), ("log", "log_root"))
    same = ", ".join(f"{name} {'equal' if counts[root] else 'NOT equal'}" for name, root in roots)
    seen = f"{counts['refers']} of them tell causes of referral, {counts['bounds']} bounds"
    return (
        f"The same bytes: records of {counts['equal']} of {households} households, all seven groups ({seen}); under "
        f"our salts {counts['leaves']} of {households} leaves by the hand-written code are those of the log. "
        f"Roots: {same}."
    )


def _formats(ours: Measured, bare: Measured) -> list[str]:
    lines = ["| format | rows | ingest rows/s | bare read and insert rows/s | time ratio |", "|---|--:|--:|--:|--:|"]
    for form, rows in ours.counts.items():
        a, b = seconds(ours, [form]), seconds(bare, [form])
        lines.append(f"| {form} | {grouped(rows)} | {grouped(rows / a)} | {grouped(rows / b)} | {ratio(a, b)} |")
    return lines


def page(facts: Mapping[str, str], sizes: Mapping[int, Results]) -> str:
    """The whole page."""
    lines = ["# Benchmarks", "", "Taken by `python -m benchmarks`; ratios below 1 mean that we are faster.", ""]
    lines += [f"- {name}: {value}" for name, value in facts.items()]
    lines += [
        "",
        "Each row is one process, with those that it starts: wall and CPU seconds without imports and reading the law, "
        "peak memory of all of it. The hand-written pipeline is one process that gives DuckDB and Polars two threads. "
        "It holds the law of the comparison as code, makes our bytes, and seals nothing (`benchmarks/peer`). Parts are "
        "those of a run that does one thing after the other; all else is measured whole. Stages without a law's name "
        "decide under Jiangmen's full pack. Making, ingest and projection may be of an "
        "earlier run, marked; of a million they are of copies (`benchmarks.multiply`) and not shown.",
        "",
    ]
    for households, results in sizes.items():
        lines += section(households, results)
    return "\n".join(lines).rstrip() + "\n"
