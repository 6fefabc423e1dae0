"""Why are many cases undecided? The causes of `plain.py`, for a block at once.

A set of causes is a set of bits in Int64 columns (62 a word); causes get their bits as they are met. Only units with an
undecided programme are looked at: `causes_of` cuts them out of the block, with all that was reckoned for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

import numpy as np
import polars as pl

from meanscheck.contracts.units import VERDICT_DROPPED, VERDICT_NONE
from meanscheck.law.cause_bits import NONE, WORD, Mask, bit_at, distinct, joined, places_of
from meanscheck.law.columns import Column, col, is_known, is_true, lit, reckoned, when
from meanscheck.law.conflicts.kinds import MEMBERSHIP
from meanscheck.law.emit import Emitter
from meanscheck.law.law import Programme
from meanscheck.law.plan import yields_column
from meanscheck.law.ranges import point
from meanscheck.law.segments import places_among, where
from meanscheck.law.sides import RowEmitter, Rows, Side
from meanscheck.law.span_emit import constant_range
from meanscheck.law.tables import lacking
from meanscheck.law.tree import Node, membership_of
from meanscheck.law.types import UNITS
from meanscheck.law.vector_bounds import LEVELS, VectorBounds
from meanscheck.law.vector_facts import belongs_to
from meanscheck.law.vectors import VectorRun
from meanscheck.values.evidence_state import EvidenceState


def causes_of(run: VectorRun, *, only_asked: bool = False) -> tuple[dict[str, pl.Series], dict[str, pl.Series]]:
    """For each programme the causes as sorted lists of text (List[String]), by household row or person row of the
    block.

    Args:
        run: the block, decided.
        only_asked: causes of what a household does not ask for may be left out.

    Returns:
        household programmes by id, member programmes by id; null where the outcome is not `refer`.
    """
    law = run.law
    programmes = [p for p in run.programmes if not only_asked or run.asked[p.id].any()]
    refers = pl.repeat(False, run.sheet("household").height, dtype=pl.Boolean, eager=True)
    listed = run.sheet("member")["role"] == "member"
    for p in programmes:
        undecided = ~is_known(run.sheet(p.entity)[f"o:{p.id}"])
        if p.entity == "member":
            undecided = run.persons_of.sums({p.id: is_true(undecided & listed)})[p.id] > 0
        refers = refers | (undecided & run.asked[p.id] if only_asked else undecided)
    homes: dict[str, pl.Series] = {}
    members: dict[str, pl.Series] = {}
    if not refers.any():
        return homes, members
    bounds = run.bounds_of(refers) if law.bounds else None
    if bounds is not None:
        # The same part was looked at before, and more of it: what is decided has no causes.
        refers = bounds.units
    of_person = refers[run.household_of("member")]
    if bounds is not None:
        causes = _Causes(bounds.run, bounds)
    else:
        causes = _Causes(run.restricted(units=refers, persons=of_person))
    for p in programmes:
        texts = causes.texts(p)
        household = p.entity == "household"
        place = places_among(refers if household else of_person)
        (homes if household else members)[p.id] = texts if place is None else texts.gather(place)
    return homes, members


class _Causes:
    """Bits and masks over one run."""

    def __init__(self, run: VectorRun, bounds: VectorBounds | None = None) -> None:
        self.run, self.law, self.bounds = run, run.law, bounds
        self.bits: dict[str, int] = {}
        self.kept: dict[object, tuple[int, ...]] = {}
        self._emitters: Mapping[str, Emitter] = (
            {level: Emitter(Side(run, level)) for level in LEVELS} if bounds is None else bounds.emitters
        )
        """What is unknown: under a law that uses bounds, what has several values left."""
        self._rows: dict[str, RowEmitter] = {}

    # ---- bits

    def bit(self, cause: str) -> Mask:
        """The mask of one cause."""
        index = self.bits.setdefault(cause, len(self.bits))
        return {index // WORD: bit_at(index)}

    @staticmethod
    def either(masks: list[Mask]) -> Mask:
        """Union."""
        words = {w for m in masks for w in m}
        return {w: reduce(lambda a, b: a | b, [m[w] for m in masks if w in m]) for w in words}

    @staticmethod
    def when(condition: Column, mask: Mask) -> Mask:
        """The mask where the condition is true, nothing elsewhere."""
        return {w: when(condition).then(e).otherwise(NONE) for w, e in mask.items()}

    def texts(self, programme: Programme) -> pl.Series:
        """Sorted causes of a programme per row of its frame; null where it is decided."""
        words = self.programme(programme)
        p, sheet = programme.id, self.run.sheet(programme.entity)
        rows = np.flatnonzero((~is_known(sheet[f"o:{p}"])).to_numpy())
        first, which = distinct([sheet[f"c{w}:o:{p}"].to_numpy()[rows] for w in words], len(rows))
        names = sorted(self.bits, key=self.bits.__getitem__)
        sets = zip(*(sheet[f"c{w}:o:{p}"].to_numpy()[rows][first].tolist() for w in words), strict=True)
        texts = [
            sorted(names[w * WORD + i] for w, word in zip(words, one, strict=True) for i in places_of(word))
            for one in (sets if words else [()] * len(first))
        ]
        place = np.full(sheet.height, -1, dtype=np.int64)
        place[rows] = which
        series = pl.Series("texts", texts, dtype=pl.List(pl.String))
        return series.gather(where(pl.Series(place >= 0), pl.Series(place)))

    # ---- kept masks

    def keep(self, key: object, level: str, name: str, mask: Mask) -> tuple[int, ...]:
        """Store a mask as columns ``c{word}:{name}`` of a frame."""
        if mask:
            self.run.put(level, [e.alias(f"c{w}:{name}") for w, e in mask.items()])
        self.kept[key] = tuple(sorted(mask))
        return self.kept[key]

    def carried(self, words: tuple[int, ...], name: str, home: str, level: str) -> Mask:
        """A kept mask as another frame knows it."""
        return {w: col(self.run.carried(f"c{w}:{name}", home, level)) for w in words}

    def variable(self, name: str) -> tuple[int, ...]:
        """Words of a variable's mask, kept on its entity's frame."""
        variable = self.law.variables[name]
        if ("var", name) in self.kept:
            return self.kept[("var", name)]
        column = f"v:{name}"
        if self.run.sheet(variable.entity)[column].null_count() == 0:
            return self.keep(("var", name), variable.entity, column, {})
        leaf = Node("var", (name,), UNITS[variable.unit], variable.entity)
        mask = self.when(self.is_open(leaf, variable.entity), self.mask(variable.tree, variable.entity))
        return self.keep(("var", name), variable.entity, column, mask)

    def is_open(self, leaf: Node, level: str) -> Column:
        """Whether a variable or aggregate is unknown."""
        return self._emitters[level].emit(leaf).n.is_null()

    def undecided(self, programme: Programme, other: str, when: str) -> Mask:
        """Bits for which a programme that takes precedence is not decided."""
        there = self.law.programme(other)
        words = self.programme(there)
        if there.entity == "household" or when == "this member":
            return self.carried(words, f"o:{other}", there.entity, programme.entity)
        open_there = (
            col(f"o:{other}").is_null() & (col("role") == "member") & ~col(f"v:{programme.members}").eq_missing(False)
        )
        mask = self.when(open_there, self.carried(words, f"o:{other}", "member", "member"))
        if not mask:
            return {}
        name = yields_column(programme, other, when)
        union = self._joined(mask, "member", "unit_row", "household")
        self.run.put("household", [s.alias(f"c{w}:{name}") for w, s in union.items()])
        return self.carried(tuple(union), name, "household", programme.entity)

    def programme(self, programme: Programme) -> tuple[int, ...]:
        """Words of a programme's mask."""
        if ("programme", programme.id) in self.kept:
            return self.kept[("programme", programme.id)]
        level, p = programme.entity, programme.id
        masks: list[Mask] = []
        own = col(f"own:{p}")
        if level == "member":
            words = self.variable(programme.members)
            masks.append(self.carried(words, f"v:{programme.members}", "member", level))
        for test in programme.tests:
            masks.append(self.when(col(f"t:{p}:{test.id}").is_null(), self.mask(test.tree, level)))
        tests = [col(f"t:{p}:{t.id}") for t in programme.tests]
        if level == "member":
            tests.append(col(f"t:{p}:membership"))
        verdict = reduce(lambda a, b: a & b, tests)
        mask = self.when(verdict.is_null(), self.either(masks))
        if programme.award is not None:
            # The award's own column was emptied where the programme is undecided, so it is reckoned anew.
            award = self.mask(programme.award.tree, level)
            mask = self.either([mask, self.when(verdict.eq_missing(True) | verdict.is_null(), award)])
        for rule in programme.yields_to:
            gives = f"y:{p}:{rule.programme}"
            if gives in self.run.sheet(level):
                unknown = col(gives).is_null() & ~own.eq_missing(False)
                below = self.undecided(programme, rule.programme, rule.when)
                below = self.either([below, self.bit(f"outcome:{rule.programme}")])
                mask = self.either([mask, self.when(unknown, below)])
        return self.keep(("programme", p), level, f"o:{p}", mask)

    def _joined(self, mask: Mask, level: str, index: str, home: str) -> dict[int, pl.Series]:
        """Bits of an entity's rows, joined per row of `home` that the column `index` names."""
        sheet = self.run.sheet(level)
        bits = dict(zip(mask, reckoned(list(mask.values()), sheet), strict=True))
        return joined(bits, sheet[index].to_numpy(), self.run.sheet(home).height)

    def _codes(self, state: str) -> list[int]:
        """The states that the evidence of persons is in."""
        return [int(code) for code in np.unique(self.run.sheet("member")[state].to_numpy())]

    # ---- trees

    def mask(self, node: Node, level: str) -> Mask:
        """Bits of a node where it is unknown, 0 where it is known, over the frame of `level`."""
        emitter = self._emitters[level]
        op = node.op
        if op == "var":
            name = str(node.args[0])
            return self.carried(self.variable(name), f"v:{name}", node.level, level)
        if op == "attr":
            return self.when(emitter.leaves.leaf(node).is_null(), self.bit(f"unknown:{node.args[1]}"))
        if op == "undisputed":
            kinds = [k for k, c in self.law.conflicts.items() if MEMBERSHIP in c.doubts]
            return self.either([self.open_conflict(k) for k in kinds if self.is_disputed(k)])
        if op == "outcome":
            name = str(node.args[0])
            words = self.programme(self.law.programme(name))
            below = self.carried(words, f"o:{name}", node.level, level)
            return self.when(emitter.leaves.leaf(node).is_null(), self.either([below, self.bit(f"outcome:{name}")]))
        if op == "agg":
            return self.carried(self.aggregate(node), self.run.plan.names[node], "member", level)
        if op in ("members", "supporters"):
            return self.carried(self.people(node), self.run.plan.names[node], node.level, level)
        if op == "streak":
            months = emitter.streak(node)
            return self.mask(node.nodes[1] if months is None else months, level)
        return self.composite(node, [self.mask(n, level) for n in node.nodes], emitter)

    def composite(self, node: Node, below: list[Mask], emitter: Emitter) -> Mask:
        """An operation's bits from those of its arguments."""
        op = node.op
        unknown = emitter.emit(node).n.is_null()
        if op == "param":
            return self.bit(f"parameter:{node.args[0]}") if self.is_unknown(node) else {}
        if op == "unknown":
            return self.bit(f"formula:{node.args[0]}")
        if op in ("index", "slices", "at"):
            name = str(node.args[0])
            keys = reduce(lambda a, b: a & b, [emitter.emit(k).n.is_not_null() for k in node.nodes])
            cause = f"no_place:{name}" if op == "at" else lacking(self.law.parameters[name])
            own = self.when(keys & unknown, self.bit(cause))
            return self.either([*[self.when(unknown, m) for m in below], own])
        if op == "if":
            condition = emitter.emit(node.nodes[0]).n
            chosen = [
                self.when(condition.is_null(), below[0]),
                self.when(condition.eq_missing(True), below[1]),
                self.when(condition.eq_missing(False), below[2]),
            ]
            return self.when(unknown, self.either(chosen))
        mask = self.either(below)
        if op == "/":
            both = reduce(lambda a, b: a & b, [emitter.emit(n).n.is_not_null() for n in node.nodes])
            mask = self.either([mask, self.when(both, self.bit("division_by_zero"))])
        return self.when(unknown, mask) if mask else {}

    def is_unknown(self, node: Node) -> bool:
        """Whether a single figure is not known, or under a law that uses bounds has several values left."""
        known = self.law.parameters[str(node.args[0])].get() is not None
        if known or self.bounds is None or node.type.kind != "num":
            return not known
        return point(constant_range(self.law, node)) is None

    # ---- aggregates

    def aggregate(self, node: Node) -> tuple[int, ...]:
        """Words of a feed aggregate, kept on the persons' frame."""
        if node in self.kept:
            return self.kept[node]
        run, feed, name = self.run, str(node.args[1]), self.run.plan.names[node]
        if run.sheet("member")[name].null_count() == 0:
            return self.keep(node, "member", name, {})
        state = run.state(feed)
        codes = self._codes(state)
        masks = [self.when(col(state) == code, self.hidden(code, feed)) for code in codes if code]
        visible = col(state) == 0
        covered = run.covered(node)
        if covered is not None:
            masks.append(self.when(visible & ~covered, self.bit(f"not_covered:{feed}")))
            visible = visible & covered
        rows = self._row_masks(node)
        run.put("member", [series.alias(f"r{w}:{name}") for w, series in rows.items()])
        inside: Mask = {w: col(f"r{w}:{name}") for w in rows}
        masks.append(self.when(visible, inside))
        nothing = visible & reduce(lambda a, b: a & b, [e == 0 for e in inside.values()], lit(True))
        if node.args[0] == "latest":
            run.put("member", [(self._counts(node) > 0).alias(f"some:{name}")])
            masks.append(self.when(nothing & col(f"some:{name}"), self.bit(f"ambiguous:{feed}")))
            nothing = nothing & ~col(f"some:{name}")
        masks.append(self.when(nothing, self.bit(f"no_rows:{feed}")))
        return self.keep(node, "member", name, self.when(self.is_open(node, "member"), self.either(masks)))

    def is_disputed(self, kind: str) -> bool:
        """Whether a conflict of the kind is open somewhere."""
        return f"k:{kind}" in self.run.sheet("member")

    def open_conflict(self, kind: str) -> Mask:
        """The bit of a kind where an open conflict of it concerns the person."""
        return self.when(col(f"k:{kind}"), self.bit(f"conflict:{kind}"))

    def hidden(self, code: int, feed: str) -> Mask:
        """Bits of a state: of one in doubt, the conflicts by name."""
        word = self.bit(f"{EvidenceState(code).word}:{feed}")
        if code != EvidenceState.CONFLICTING or f"was:{feed}" not in self.run.sheet("member"):
            return word
        kinds = [k for k, c in self.law.conflicts.items() if feed in c.doubts and self.is_disputed(k)]
        return self.either([self.when(col(f"was:{feed}"), word), *map(self.open_conflict, kinds)])

    def _of_feed(self, feed: str) -> RowEmitter:
        """The emitter over the rows of a feed: what was carried to them once stays there."""
        if self.bounds is not None:
            return self.bounds.of_feed(feed)
        if feed not in self._rows:
            self._rows[feed] = RowEmitter(Rows(self.run, feed))
        return self._rows[feed]

    def _counts(self, node: Node) -> pl.Series:
        """How many rows of each person belong."""
        emitter = self._of_feed(str(node.args[1]))
        rows = emitter.rows
        belongs = belongs_to(node, rows, emitter)
        truth = lit(True) if belongs is None else belongs
        return self.run.segments(str(node.args[1])).sums(rows.sheet.made([truth.fill_null(False).alias("n")]))["n"]

    def _row_masks(self, node: Node) -> dict[int, pl.Series]:
        """Bits of the rows that may count, joined per person."""
        function, feed, element, condition, by, reviewed = node.args
        emitter = self._of_feed(str(feed))
        rows = emitter.rows
        if not rows.frame.height:
            return {}
        counts = lit(True)
        masks: list[Mask] = []
        if reviewed:
            verdict = col("verdict")
            counts = counts & (verdict != VERDICT_DROPPED)
            masks.append(self.when(verdict == VERDICT_NONE, self.bit(f"unreviewed:{feed}")))
        elif rows.frame["verdict"].max() == VERDICT_DROPPED:
            counts = counts & (col("verdict") != VERDICT_DROPPED)
        for part in (condition, element, by):
            if isinstance(part, Node):
                masks.append(self.row_mask(part, rows, emitter))
        if isinstance(condition, Node):
            counts = counts & ~emitter.emit(condition).n.eq_missing(False)
        if function in ("any", "all") and isinstance(element, Node):
            counts = counts & ~emitter.emit(element).n.eq_missing(function == "all")
        mask = self.when(counts, self.either(masks))
        if not mask:
            return {}
        bits = dict(zip(mask, reckoned(list(mask.values()), rows.sheet), strict=True))
        return joined(bits, self.run.owner_of_row(str(feed)).to_numpy(), self.run.sheet("member").height)

    def row_mask(self, node: Node, rows: Rows, emitter: RowEmitter) -> Mask:
        """Bits of a node over the rows of a feed."""
        if node.op == "col":
            name = f"{node.args[0]}.{node.args[1]}"
            return self.when(col(str(node.args[1])).is_null(), self.bit(f"unknown:{name}"))
        if node.op == "confirmed":
            return self.when(col("verdict") == VERDICT_NONE, self.bit(f"unreviewed:{node.args[0]}"))
        if node.level in ("household", "member", "supporter"):
            mask = self.mask(node, "member")
            return {w: rows.from_owner(e, f"mask{w}:{node.key}") for w, e in mask.items()}
        return self.composite(node, [self.row_mask(n, rows, emitter) for n in node.nodes], emitter)

    def people(self, node: Node) -> tuple[int, ...]:
        """Words of an aggregate over members or supporters, kept on the frame that it belongs to."""
        if node in self.kept:
            return self.kept[node]
        run, name = self.run, self.run.plan.names[node]
        if run.sheet(node.level)[name].null_count() == 0:
            return self.keep(node, node.level, name, {})
        function, element, condition = node.args[:3]
        level = "member" if node.op == "members" else "supporter"
        emitter = self._emitters[level]
        masks: list[Mask] = []
        if node.op == "members":
            member = membership_of(node)
            belongs = emitter.emit(member).n
            masks.append(self.mask(member, level))
        else:
            belongs = col("first") if node.level == "household" else lit(True)
        counts = ~belongs.eq_missing(False)
        if isinstance(condition, Node):
            masks.append(self.mask(condition, level))
            counts = counts & ~emitter.emit(condition).n.eq_missing(False)
        if isinstance(element, Node):
            masks.append(self.mask(element, level))
            if function in ("any", "all"):
                counts = counts & ~emitter.emit(element).n.eq_missing(function == "all")
        mask = self.when(counts, self.either(masks))
        index = "unit_row" if node.op == "members" or node.level == "household" else "member_row"
        inside = self._joined(mask, level, index, node.level)
        run.put(node.level, [s.alias(f"r{w}:{name}") for w, s in inside.items()])
        result: Mask = {w: col(f"r{w}:{name}") for w in inside}
        if node.op == "supporters":
            result = self._unlisted(node, name, result)
        nothing = reduce(lambda a, b: a & b, [e == 0 for e in result.values()], lit(True))
        result = self.either([result, self.when(nothing, self.bit(f"no_rows:{node.op}"))])
        return self.keep(node, node.level, name, self.when(self.is_open(node, node.level), result))

    def _unlisted(self, node: Node, name: str, inside: Mask) -> Mask:
        """Where the list of supporters itself is not known, that is the cause and the only one."""
        run, state = self.run, self.run.state("supporters")
        bits = self.either(
            [
                self.when(
                    (col(state) == code) & (col("role") == "member"),
                    self.bit(f"{EvidenceState(code).word}:supporters"),
                )
                for code in self._codes(state)
                if code
            ]
        )
        if not bits:
            return inside
        if node.level == "household":
            union = self._joined(bits, "member", "unit_row", "household")
            run.put("household", [s.alias(f"u{w}:{name}") for w, s in union.items()])
        else:
            run.put("member", [e.alias(f"u{w}:{name}") for w, e in bits.items()])
        unlisted: Mask = {w: col(f"u{w}:{name}") for w in bits}
        hidden = reduce(lambda a, b: a | b, [e != 0 for e in unlisted.values()])
        return self.either([unlisted, self.when(~hidden, inside)])
