"""Who flips if the law changes, by which figure or rule, and what does it cost?

`compare_laws` decides a caseload under two laws, on the same evidence and the same day, and keeps what differs. Where
several changes reach a household's programme, each is tried by itself on the old law (`law.amendment.with_change`):
those that alone change the outcome or the award are named; where none does, all that reach it are, as working together.

Choices
    Nothing is sealed, recorded or put into the vault: a law that is asked about is not a law that decided.
    Both laws see the facts of one day, so that what differs is the law's doing and not a birthday's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from meanscheck.contracts.units import CaseBlock
from meanscheck.decisions.encode import input_needs
from meanscheck.decisions.outcomes import award_of, outcome_of
from meanscheck.evidence import Snapshot, Store
from meanscheck.law.amendment import Change, changes, touches, with_change
from meanscheck.law.cut import cut
from meanscheck.law.law import Law, Programme
from meanscheck.law.plain import MEMBERSHIP
from meanscheck.law.vectors import VectorRun

BLOCK_UNITS = 25_600
KEY = ("case_id", "programme", "member")
SCHEMA: Mapping[str, pl.DataType] = {
    "case_id": pl.String(),
    "programme": pl.String(),
    "member": pl.String(),
    "outcome_before": pl.String(),
    "outcome_after": pl.String(),
    "award_fen_before": pl.Int64(),
    "award_fen_after": pl.Int64(),
    "tests": pl.List(pl.String()),
    "by": pl.List(pl.String()),
    "together": pl.Boolean(),
}
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Total:
    """One programme over the caseload. Awards are sums in fen of those eligible, per month where `unit` says so;
    outcomes are (before, after), None where the programme is not in force, with counts of those that differ."""

    programme: str
    label: str
    label_zh: str
    unit: str
    eligible_before: int
    eligible_after: int
    fen_before: int
    fen_after: int
    flips: tuple[tuple[str | None, str | None, int], ...]
    raised: int
    lowered: int


@dataclass(frozen=True, slots=True)
class Amendment:
    """Two laws over one caseload.

    `rows` has one row for each household's or member's programme whose outcome or award differs: case_id, programme,
    member, outcome_before, outcome_after String · award_fen_before, award_fen_after Int64 · tests List[String] (whose
    verdict differs) · by List[String] (names of the changes that did it) · together Boolean (no change does it alone).
    """

    old: Law
    new: Law
    on: date
    units: int
    changes: tuple[Change, ...]
    totals: tuple[Total, ...]
    rows: pl.DataFrame = field(repr=False)

    @property
    def by_change(self) -> tuple[tuple[str, int, int], ...]:
        """(name of a change, rows it takes part in, of which outcomes), most first."""
        if self.rows.is_empty():
            return ()
        each = self.rows.with_columns(flips=pl.col("outcome_before").ne_missing(pl.col("outcome_after"))).explode("by")
        counted = each.group_by("by").agg(n=pl.len(), flips=pl.col("flips").sum())
        found = [(str(name), int(n), int(flips)) for name, n, flips in counted.iter_rows()]
        return tuple(sorted(found, key=lambda one: (-one[1], one[0])))


def compare_laws(
    store: Store,
    old: Law,
    new: Law,
    *,
    snapshot: Snapshot | None = None,
    block_units: int = BLOCK_UNITS,
    progress: Progress | None = None,
) -> Amendment:
    """Decide every case unit under two laws of the same day and say what differs.

    Args:
        store: the evidence store; nothing is written to it but its projection.
        old, new: from `RulePack.on`, for the same day. The law of another day for the facts of this one:
            ``dataclasses.replace(pack.on(other), on=this)``.
        snapshot: which evidence; the present one unless given.
        block_units: case units held at a time.
        progress: called with units done and units in all.

    Raises:
        ValueError: the laws are of different days.
    """
    if old.on != new.on:
        raise ValueError("both laws must be asked about the same day")
    found = changes(old, new)
    projection = store.project(snapshot or store.snapshot(), on=old.on)
    reader = projection.reader()
    needs = _needs(old, new)
    rows: list[pl.DataFrame] = []
    sums: list[pl.DataFrame] = []
    for first in range(0, projection.units, block_units):
        after = min(first + block_units, projection.units)
        part, own = _block(reader.block(needs, first=first, after=after), old, new, found)
        rows.append(part)
        sums.append(own)
        if progress is not None:
            progress(after, projection.units)
    empty = pl.DataFrame(schema=SCHEMA)
    every = pl.concat([empty, *rows])
    return Amendment(old, new, old.on, projection.units, found, tuple(_totals(old, new, every, sums)), every)


def _needs(old: Law, new: Law) -> dict[str, frozenset[str]]:
    one, other = input_needs(old), input_needs(new)
    return {feed: one.get(feed, frozenset()) | other.get(feed, frozenset()) for feed in sorted({*one, *other})}


def _block(block: CaseBlock, old: Law, new: Law, found: Sequence[Change]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What differs in a block, and (programme, side, n, fen) of those eligible."""
    before = VectorRun(old, block)
    one, other = decided(before), decided(VectorRun(new, block))
    sums = pl.concat(
        side.filter(pl.col("outcome") == "eligible")
        .group_by("programme")
        .agg(n=pl.len(), fen=pl.col("award_fen").sum())
        .with_columns(side=pl.lit(name))
        for name, side in (("before", one), ("after", other))
    )
    rows = _different(one, other)
    if rows.is_empty():
        return rows.with_columns(by=_listed(()), together=pl.lit(False)).select(list(SCHEMA)), sums
    return _attributed(rows, one, before, new, found), sums


def decided(run: VectorRun) -> pl.DataFrame:
    """case_id, programme, member, outcome String · award_fen Int64 · verdicts List[String] (``test+``, ``test-``,
    ``test?``), of the programmes that are asked for, sorted."""
    cases, asked = run.households["case_id"], run.asked
    parts: list[pl.DataFrame] = []
    for p in run.law.programmes:
        frame = run.frame(p.entity)
        unit = None if p.entity == "household" else frame["unit_row"]
        case, wanted = (c if unit is None else c.gather(unit) for c in (cases, asked[p.id]))
        if p.entity == "member":
            wanted = wanted & (frame["role"] == "member")
        parts.append(
            frame.select(
                case.alias("case_id"),
                programme=pl.lit(p.id),
                member=pl.lit(None, dtype=pl.String) if unit is None else pl.col("id"),
                outcome=outcome_of(p),
                award_fen=award_of(p),
                verdicts=pl.concat_list(_verdict(p, name) for name in _tests(p)),
            ).filter(wanted)
        )
    return pl.concat(parts).sort(*KEY) if parts else pl.DataFrame(schema={})


def _tests(p: Programme) -> Iterator[str]:
    if p.entity == "member":
        yield MEMBERSHIP
    yield from (t.id for t in p.tests)


def _verdict(p: Programme, test: str) -> pl.Expr:
    holds = pl.col(f"t:{p.id}:{test}")
    sign = pl.when(holds).then(pl.lit("+")).when(~holds).then(pl.lit("-")).otherwise(pl.lit("?"))
    return pl.concat_str(pl.lit(test), sign)


def _different(one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """Rows of `SCHEMA` without ``by`` and ``together`` for what is not the same on both sides."""
    both = one.join(other, on=KEY, how="full", coalesce=True, nulls_equal=True, suffix="_after").sort(*KEY)
    differs = pl.col("outcome").ne_missing(pl.col("outcome_after")) | pl.col("award_fen").ne_missing(
        pl.col("award_fen_after")
    )
    mine, theirs = (pl.col(c).fill_null(_listed(())) for c in ("verdicts", "verdicts_after"))
    tests = mine.list.set_symmetric_difference(theirs).list.eval(pl.element().str.head(-1)).list.unique().list.sort()
    return both.filter(differs).select(
        *KEY,
        pl.col("outcome").alias("outcome_before"),
        "outcome_after",
        pl.col("award_fen").alias("award_fen_before"),
        pl.col("award_fen_after"),
        tests.alias("tests"),
    )


def _attributed(
    rows: pl.DataFrame, one: pl.DataFrame, before: VectorRun, new: Law, found: Sequence[Change]
) -> pl.DataFrame:
    """The rows with the changes that brought them about; `one` is what the old law decides, by the run `before`."""
    old = before.law
    own = {p: _reaching(p, old, new, found) for p in rows["programme"].unique().sort().to_list()}
    alone: dict[Change, pl.DataFrame] = {}
    if any(len(reaching) > 1 for reaching in own.values()):
        part, mine = _cut(before, rows["case_id"]), one.filter(pl.col("case_id").is_in(rows["case_id"].implode()))
        for change in dict.fromkeys(c for reaching in own.values() for c in reaching):
            alone[change] = _by_itself(part, mine, old, new, change)
    frames: list[pl.DataFrame] = []
    for programme, reaching in own.items():
        mine = rows.filter(pl.col("programme") == programme)
        if len(reaching) == 1:
            frames.append(mine.with_columns(by=_listed(reaching), together=pl.lit(False)))
            continue
        marks = [
            mine.select(*KEY)
            .join(alone[c].with_columns(hit=True), on=KEY, how="left", nulls_equal=True, maintain_order="left")
            .select(pl.when("hit").then(pl.lit(c.name)).alias(str(i)))
            .to_series()
            for i, c in enumerate(reaching)
        ]
        names = pl.DataFrame(marks).select(pl.concat_list(pl.all()).list.drop_nulls().alias("by")).to_series()
        none = names.list.len() == 0
        frames.append(
            mine.with_columns(names, together=none).with_columns(
                by=pl.when("together").then(_listed(reaching)).otherwise("by")
            )
        )
    return pl.concat(frames).select(list(SCHEMA)).sort(*KEY)


def _listed(found: Sequence[Change]) -> pl.Expr:
    """The names of some changes, the same for every row."""
    return pl.lit(pl.Series([[c.name for c in found]], dtype=pl.List(pl.String))).first()


def _reaching(programme: str, old: Law, new: Law, found: Sequence[Change]) -> list[Change]:
    """The changes that a programme's outcome may depend on."""
    names = touches(old, programme) | touches(new, programme)
    return [c for c in found if (c.kind, c.programme, c.id) in names]


def _cut(run: VectorRun, cases: pl.Series) -> CaseBlock:
    """The evidence of some cases only."""
    units = run.households["case_id"].is_in(cases.unique().implode())
    return cut(run, units=units, persons=units[run.household_of("member")])


def _by_itself(part: CaseBlock, one: pl.DataFrame, old: Law, new: Law, change: Change) -> pl.DataFrame:
    """Keys of what one change alone makes different; none if the old law does not hold together with it."""
    law = with_change(old, new, change)
    if law is None:
        return pl.DataFrame(schema=dict.fromkeys(KEY, pl.String))
    return _different(one, decided(VectorRun(law, part))).select(*KEY)


def _totals(old: Law, new: Law, rows: pl.DataFrame, sums: Sequence[pl.DataFrame]) -> Iterator[Total]:
    counted: dict[tuple[str, str], tuple[int, int]] = {}
    if sums:
        each = pl.concat(sums).group_by("programme", "side").agg(pl.col("n", "fen").sum())
        counted = {(p, side): (n, fen) for p, n, fen, side in each.select("programme", "n", "fen", "side").iter_rows()}
    programmes = {p.id: p for law in (old, new) for p in law.programmes}
    for name, p in programmes.items():
        mine = rows.filter(pl.col("programme") == name)
        flips = (
            mine.group_by("outcome_before", "outcome_after")
            .len()
            .filter(pl.col("outcome_before").ne_missing(pl.col("outcome_after")))
        )
        change = pl.col("award_fen_after") - pl.col("award_fen_before")
        same = mine.filter(pl.col("outcome_before").eq_missing(pl.col("outcome_after")))
        before, after = (counted.get((name, side), (0, 0)) for side in ("before", "after"))
        yield Total(
            programme=name,
            label=p.label,
            label_zh=p.label_zh,
            unit=p.award.unit if p.award else "",
            eligible_before=before[0],
            eligible_after=after[0],
            fen_before=before[1],
            fen_after=after[1],
            flips=tuple(sorted(flips.iter_rows(), key=lambda flip: (-flip[2], str(flip[0]), str(flip[1])))),
            raised=same.filter(change > 0).height,
            lowered=same.filter(change < 0).height,
        )
