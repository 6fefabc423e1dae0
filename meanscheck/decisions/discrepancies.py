"""What was declared, what was found, how far apart is it, and what follows for whom?

The list of discrepancies of a caseload (`discrepancies`) or of one case (for the verification report): every
contradiction that the law of the day knows, with the rule by which it counts. It decides nothing.

A difference may concern the *integrity record* (诚信记录) only where the household declared less than was found, and no
finding explains it: what two departments say of each other's figures is nobody's untruth, and nothing enters a record
by itself. How long an entry stays, and within how many working days a re-check is due that a person told a negative
result may ask for with proof (民发〔2021〕57号 art. 18), are figures of the pack; where none was found they are
unknown, and said to be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from meanscheck.contracts.units import ROW_REF, CaseBlock
from meanscheck.decisions.disputes import told
from meanscheck.decisions.explain import SETTLED, citation_text, row_refs_text
from meanscheck.evidence import Snapshot, Store
from meanscheck.law.conflicts.found import find
from meanscheck.law.law import Law
from meanscheck.values.money import format_yuan

BLOCK_UNITS = 51_200
RECORD, RECHECK = "integrity.record_months", "contest.recheck_days"
DECLARATION = "declaration"

SCHEMA = {
    "case_id": pl.String(),
    "application_no": pl.String(),
    "kind": pl.String(),
    "persons": pl.List(pl.String()),
    "feeds": pl.List(pl.String()),
    "declared_fen": pl.Int64(),
    "found_fen": pl.Int64(),
    "figures_fen": pl.List(pl.Int64()),
    "difference_fen": pl.Int64(),
    "rule": pl.String(),
    "holds": pl.String(),
    "cite": pl.List(pl.String()),
    "verdict": pl.String(),
    "row_refs": pl.List(pl.String()),
    "may_enter_record": pl.Boolean(),
    "record_months": pl.Int64(),
    "recheck_days": pl.Int64(),
    "contest_cite": pl.List(pl.String()),
}
"""Columns of the list. `figures_fen`: what either of `feeds` says; `declared_fen` and `found_fen` only where one of the
two is the declaration; `difference_fen` the one less the other, without sign. `may_enter_record`: less was declared
than found, and no finding has settled it. `record_months`, `recheck_days`: null where no text was found.
`contest_cite`: what lets the person bring proof and ask for a re-check; empty before there was such a text."""


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One line of the list. Amounts in fen."""

    law: Law = field(repr=False)
    line: dict[str, Any] = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; amounts as yuan text."""
        return line_json(self.line)

    def text(self, language: str = "zh") -> str:
        """The line for a person: who, what, by how much, under which rule, and how it is contested."""
        zh, line = language == "zh", self.line
        conflict = self.law.conflicts[line["kind"]]
        parts = [f"{', '.join(str(p) for p in line['persons'])} {conflict.label_zh if zh else conflict.label}"]
        if line["declared_fen"] is not None:
            declared, found = format_yuan(line["declared_fen"]), format_yuan(line["found_fen"])
            parts.append(f"申报 {declared} 核对 {found}" if zh else f"declared {declared}, found {found}")
        if line["difference_fen"] is not None:
            parts.append(("差额 " if zh else "difference ") + format_yuan(line["difference_fen"]))
        parts.append(row_refs_text(line["row_refs"], language))
        parts.append(SETTLED[line["verdict"]][0 if zh else 1])
        parts.append(("依据 " if zh else "under ") + self._cited(line["cite"], language))
        if line["may_enter_record"]:
            parts.append(_record_text(line["record_months"], zh=zh))
        if line["contest_cite"]:
            days, text = line["recheck_days"], self._cited(line["contest_cite"], language)
            limit = "未规定期限" if zh else "no limit set"
            if days is not None:
                limit = f"{days} 个工作日内" if zh else f"within {days} working days"
            how = "可提供证明并要求复核" if zh else "proof may be brought and a re-check asked for"
            parts.append(f"{how} ({limit}; {text})")
        return " · ".join(parts)

    def _cited(self, cite: list[str], language: str) -> str:
        return "; ".join(citation_text(c, self.law, language) for c in cite)


def _record_text(months: int | None, *, zh: bool) -> str:
    if months is None:
        return "诚信记录期限未找到规定" if zh else "how long it would stay on the integrity record: no text was found"
    return f"如计入诚信记录，保留 {months} 个月" if zh else f"would stay on the integrity record for {months} months"


def line_json(line: dict[str, Any]) -> dict[str, Any]:
    """A line as plain JSON values; amounts as yuan text under their names without the unit."""

    def yuan(value: Any) -> Any:
        if isinstance(value, list):
            return [yuan(v) for v in value]
        return None if value is None else format_yuan(value)

    return {k.removesuffix("_fen"): yuan(v) if k.endswith("_fen") else v for k, v in line.items()}


def needs_of(law: Law) -> dict[str, frozenset[str]]:
    """Feed → columns that a block must carry for the list."""
    needs: dict[str, frozenset[str]] = {"supporters": frozenset()}
    for conflict in law.conflicts.values():
        for feed, columns in conflict.kind.columns.items():
            needs[feed] = needs.get(feed, frozenset()) | columns | {ROW_REF}
    return needs


def listed(law: Law, block: CaseBlock) -> pl.DataFrame:
    """The list of one block; columns as in `SCHEMA`, by case, kind, persons and rows."""
    found = find(law, block)
    empty = pl.DataFrame(schema=SCHEMA)
    if not found.points.height:
        return empty
    homes = block.households.select("case_id", "application_no")
    lines = told(found)
    lines = lines.with_columns(homes[name].gather(lines["unit"]) for name in homes.columns)
    months, days = (_figure(law, name) for name in (RECORD, RECHECK))
    contest = list(law.parameters[RECHECK].cite) if RECHECK in law.parameters else []
    parts = [empty]
    for name, conflict in law.conflicts.items():
        is_declared = conflict.kind.feeds[0] == DECLARATION
        own = lines.filter(pl.col("kind") == name)
        if not own.height:
            continue
        none = pl.lit(None, pl.Int64)
        may_enter = pl.lit(False)
        if is_declared:
            may_enter = (pl.col("one") < pl.col("other")) & (pl.col("verdict") != "finding")
        parts.append(
            own.select(
                "case_id",
                "application_no",
                "kind",
                pl.col("ids").alias("persons"),
                _same(list(conflict.kind.feeds), own.height).alias("feeds"),
                (pl.col("one") if is_declared else none).alias("declared_fen"),
                (pl.col("other") if is_declared else none).alias("found_fen"),
                pl.when(pl.col("one").is_not_null()).then(pl.concat_list("one", "other")).alias("figures_fen"),
                (pl.col("one") - pl.col("other")).abs().alias("difference_fen"),
                pl.lit(conflict.rule).alias("rule"),
                pl.lit(conflict.holds or None, pl.String).alias("holds"),
                _same(list(conflict.cite), own.height).alias("cite"),
                "verdict",
                pl.col("refs").alias("row_refs"),
                may_enter.alias("may_enter_record"),
                pl.lit(months, pl.Int64).alias("record_months"),
                pl.lit(days, pl.Int64).alias("recheck_days"),
                _same(contest, own.height).alias("contest_cite"),
            )
        )
    order = [pl.col(name).list.join("\n") for name in ("persons", "row_refs")]
    return pl.concat(parts).sort("case_id", "kind", *order)


def _same(words: list[str], n: int) -> pl.Series:
    return pl.Series([words], dtype=pl.List(pl.String())).new_from_index(0, n)


def _figure(law: Law, name: str) -> int | None:
    value = law.parameters[name].get() if name in law.parameters else None
    return value if isinstance(value, int) else None


def discrepancies(
    store: Store,
    law: Law,
    *,
    snapshot: Snapshot | None = None,
    block_units: int = BLOCK_UNITS,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[pl.DataFrame]:
    """The list of a whole caseload, block by block, in the order of cases.

    Args:
        store: the evidence store.
        law: from `RulePack.on`.
        snapshot: which evidence; the present one unless given.
        block_units: case units held at a time.
        progress: called with units done and units in all.

    Returns:
        frames as in `SCHEMA`; a case without contradictions has no line.
    """
    projection = store.project(snapshot or store.snapshot(), on=law.on)
    done = 0
    for block in projection.blocks(needs_of(law), block_units=block_units):
        yield listed(law, block)
        done += block.units
        if progress is not None:
            progress(done, projection.units)


def of_case(store: Store, law: Law, case_id: str, *, snapshot: Snapshot | str | None = None) -> tuple[Discrepancy, ...]:
    """The list of one case, from the evidence tables."""
    block = store.case_block([case_id], needs_of(law), on=law.on, snapshot=snapshot)
    return tuple(Discrepancy(law, line) for line in listed(law, block).iter_rows(named=True))
