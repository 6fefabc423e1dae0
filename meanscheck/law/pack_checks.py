"""Does a pack hold together on every day? Checked when it loads, before any case.

Every revision by itself (citation, content, type), the revisions of one folder against each other (tie, overlap,
gap), and then the law of every day on which anything changes.

Choices
    `quote`, the law's own comparator, is held against the comparisons of the formula at load: 低于 wants ``<``, with
    what is measured on the left. A folder's quote is for its own revisions and those of the folders below it; what the
    folders above it say stays in their words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from meanscheck.errors import PackError
from meanscheck.law import tables
from meanscheck.law.check import VariableSignature
from meanscheck.law.check_dimensions import to_declare
from meanscheck.law.claims import check_claims
from meanscheck.law.conflict_checks import check_conflicts, check_higher
from meanscheck.law.derived import constant_tree
from meanscheck.law.law import Law
from meanscheck.law.pack import (
    ConflictRevision,
    FigureRevision,
    FormulaRevision,
    ManagerModel,
    Revision,
    is_overlay,
    keys_of,
    quote_of,
)
from meanscheck.law.plain import FRESHNESS, MEMBERSHIP
from meanscheck.law.tree import READS_FIGURE, Node, figures_in
from meanscheck.law.types import BOOL, UNITS, Type

if TYPE_CHECKING:
    from meanscheck.law.resolve import RulePack

COMPARATORS = {
    "低于": "<",
    "少于": "<",
    "不足": "<",
    "不高于": "<=",
    "不超过": "<=",
    "不多于": "<=",
    "高于": ">",
    "超过": ">",
    "多于": ">",
    "不低于": ">=",
    "不少于": ">=",
    "达到": ">=",
}
"""The law's words and the comparison each of them is."""
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
AWARD_UNITS = ("money", "money/month")


def check(pack: RulePack) -> None:
    """PackError naming file, key, reason and mend, if the pack does not hold together."""
    for where, revisions in pack.revisions():
        _revisions(pack, where, revisions)
    _figures(pack)
    _formulas(pack)
    _programmes(pack)
    check_conflicts(pack)
    check_claims(pack)
    for day in pack.boundary_days():
        check_day(pack, day)


def fits(got: Type, t: Type, where: str) -> None:
    """PackError if a formula of type `got` cannot be kept as `t`."""
    good = got.kind == t.kind and (got.dimension == t.dimension or got.zero)
    if good and t.kind == "num":
        if got.form == "exact":
            remedy = 'Round it: round_to(…, "fen", "half_up")'
            raise PackError("an exact quotient cannot be stored", where=where, remedy=remedy)
        good = got.form == "int" or t.form == "micro"
    if good and t.kind == "text" and t.choices is not None:
        good = got.choices is not None and got.choices <= t.choices
    if not good:
        remedy = "Correct unit or formula"
        if got.kind == t.kind == "num" and got.dimension != t.dimension:
            remedy = to_declare(got.dimension, t.dimension)
        raise PackError(f"the formula gives {got}, declared is {t}", where=where, remedy=remedy)


def check_day(pack: RulePack, day: date) -> Law:
    """The law of a day with all that was ever published; PackError if something it reads has no revision."""
    law = pack.on(day, known_by=date.max)
    check_higher(law, pack.place, day)
    for figure in (p for p in law.parameters.values() if p.formula):
        tree = constant_tree(figure.formula, by=figure.by, unit=figure.unit, scope=pack.scope, where=pack.place)
        for used in figures_in(tree):
            _has_revision(law, used, figure.id, _named_figure(pack, figure.id))
    try:
        order = law.order
    except PackError as fault:
        raise PackError(fault.what, where=f"{_named(pack, fault.what)}, on {day}", remedy=fault.remedy) from None
    for kind, name in order:
        trees = [law.variables[name].tree] if kind == "variable" else law.programme(name).trees
        for node in (n for tree in trees for n in tree.walk() if n.op in READS_FIGURE):
            _has_revision(law, str(node.args[0]), name, _named(pack, name))
    present = {p.id: p for p in law.programmes}
    for name, stanzas in pack.programmes.items():
        where = f"{stanzas.place}: {stanzas.name}"
        programme = present.get(name)
        start, end = stanzas.nearest(lambda p: p.in_force_on), stanzas.nearest(lambda p: p.ends_on)
        if programme is None and start and start <= day and (end is None or day <= end):
            what = f"it is in force on {day}, but none of its tests has a revision"
            raise PackError(what, where=where, remedy="Close the gap, or correct in_force_on")
        if programme is not None and programme.award is None and stanzas.only("award", lambda p: p.award):
            raise PackError(f"its award has no revision on {day}", where=where, remedy="Close the gap")
    return law


def _has_revision(law: Law, used: str, reader: str, place: str) -> None:
    if used not in law.parameters:
        raise PackError(
            f"parameter {used} has no revision on {law.on}, but {reader} reads it",
            where=place,
            remedy='Close the gap, or add a revision with unknown = "not found"',
        )


def _named_figure(pack: RulePack, name: str) -> str:
    stanzas = pack.parameters[name]
    return f"{stanzas.place}: {stanzas.name}"


def _named(pack: RulePack, text: str) -> str:
    """The file and stanza of the first variable or programme that a text names."""
    for name in re.findall(r"\w+", text):
        stanzas = pack.variables.get(name) or pack.programmes.get(name)
        if stanzas is not None:
            return f"{stanzas.place}: {stanzas.name}"
    return pack.place


# ---- revisions


def _revisions(pack: RulePack, where: str, revisions: Sequence[Revision]) -> None:
    """The revisions that one file gives of one thing."""
    seen: set[tuple[date, date]] = set()
    ordered = sorted(revisions, key=lambda r: (r.in_force_on, pack.published_on(r)))
    for r in ordered:
        here = f"{where} {r.in_force_on}"
        if not r.cite and r.status != "unsure":
            remedy = 'Add cite = ["…#…"]; without a source it is status = "unsure", and refers until it is accepted'
            raise PackError("citation is missing", where=here, remedy=remedy)
        for name in (c.split("#")[0] for c in r.cite):
            if name not in pack.instruments:
                raise PackError(f"cites an unknown instrument {name}", where=here, remedy="Add it to pack.toml")
        tie = (r.in_force_on, pack.published_on(r))
        if tie in seen:
            raise PackError(f"two revisions of {r.in_force_on}", where=where, remedy="Keep one, or date them apart")
        seen.add(tie)
        if r.ends_on is not None and r.ends_on < r.in_force_on:
            raise PackError("ends before it begins", where=here, remedy="Correct ends_on")
        _content(r, here)
    for a, b in pairwise(ordered):
        # A later publication for the same first day replaces the earlier one; so it is no neighbour.
        if a.ends_on is None or a.in_force_on == b.in_force_on:
            continue
        if a.ends_on >= b.in_force_on:
            what = f"revisions of {a.in_force_on} and {b.in_force_on} overlap"
            raise PackError(what, where=where, remedy="Move ends_on")
        if a.ends_on + timedelta(days=1) < b.in_force_on:
            what = f"a gap between {a.ends_on} and {b.in_force_on}"
            raise PackError(what, where=where, remedy='Close it, or add a revision with unknown = "not found"')


def _content(revision: Revision, where: str) -> None:
    content: object = None
    if isinstance(revision, FigureRevision):
        content = revision.formula or None if revision.value is None else revision.value
        _of_formula(revision, where)
    elif isinstance(revision, FormulaRevision):
        content = revision.formula or None
    elif isinstance(revision, ConflictRevision):
        content = revision.rule or None
    elif isinstance(revision, ManagerModel):
        content = revision.office or None
    if revision.unknown and content is not None:
        raise PackError("both a content and `unknown`", where=where, remedy="Keep one")
    if not revision.unknown and content is None:
        raise PackError("neither a content nor `unknown`", where=where, remedy='Add it, or unknown = "not found"')


def _of_formula(revision: FigureRevision, where: str) -> None:
    """What only makes sense beside a formula, or beside a value too."""
    if revision.keys is not None and (not revision.formula or revision.value is not None):
        what = "keys are listed for a formula without a value"
        raise PackError(what, where=where, remedy="Leave keys out: the value has its own")
    if revision.differs and (not revision.formula or revision.value is None):
        what = "`differs` says why a published value is not what the formula gives"
        raise PackError(what, where=where, remedy="Give both, or leave it out")


# ---- contents


def _figures(pack: RulePack) -> None:
    for name, stanzas in pack.parameters.items():
        unit, keys = stanzas.needed("unit", lambda p: p.unit), keys_of(stanzas.nearest(lambda p: p.by))
        if name == FRESHNESS and (unit, keys) != ("month", ("feed",)):
            what = f"{FRESHNESS} is a number of months by feed"
            raise PackError(what, where=f"{stanzas.place}: {stanzas.name}", remedy='unit = "month", by = "feed"')
        for place, stanza in stanzas:
            for r in stanza.revision:
                where = f"{place}: {stanzas.name} {r.in_force_on}"
                if r.formula:
                    pack.figure_tree(r, unit, keys, where)
                    if any(len(path) != len(keys) for path in r.paths or ()):
                        raise PackError(f"each of keys has {len(keys)} parts", where=where, remedy='keys = ["…"]')
                if r.value is not None:
                    if keys and not isinstance(r.value, dict) and not is_overlay(place):
                        by = ", ".join(keys)
                        raise PackError(f"a table by {by} is wanted", where=where, remedy='Write { key = "…" }')
                    tables.read(r.value, unit, keys, f"{where}, value")


def _formulas(pack: RulePack) -> None:
    for name, stanzas in pack.variables.items():
        signature = pack.scope.variables[name]
        for place, stanza in stanzas:
            for r in stanza.revision:
                if not r.unknown:
                    where = f"{place}: {stanzas.name} {r.in_force_on}"
                    pack.tree(r, entity=signature.entity, t=signature.type, where=where)


def _programmes(pack: RulePack) -> None:
    for name, stanzas in pack.programmes.items():
        entity = pack.scope.programmes[name]
        _yields(pack, name)
        _membership(pack, name)
        for test_id, test in stanzas.parts("test", lambda p: p.test).items():
            if entity == "member" and test_id == MEMBERSHIP:
                where = f"{test.place}: {test.name}"
                raise PackError(
                    "that a member belongs to the household is tested anyway", where=where, remedy="Rename it"
                )
            for place, stanza in test:
                for feed in stanza.review or ():
                    if feed not in pack.scope.feeds:
                        raise PackError(f"reviews an unknown feed {feed}", where=f"{place}: {test.name}")
                for r in stanza.revision:
                    if not r.unknown:
                        where = f"{place}: {test.name} {r.in_force_on}"
                        _quoted(quote_of(test, r), pack.tree(r, entity=entity, t=BOOL, where=where), where)
        award = stanzas.only("award", lambda p: p.award)
        if award is None:
            continue
        unit = award.needed("unit", lambda a: a.unit)
        if unit not in AWARD_UNITS:
            where = f"{award.place}: {award.name}"
            raise PackError("an award is an amount", where=where, remedy=f"Use {' or '.join(AWARD_UNITS)}")
        for place, of_place in award:
            for r in of_place.revision:
                if not r.unknown:
                    pack.tree(r, entity=entity, t=UNITS[unit], where=f"{place}: {award.name} {r.in_force_on}")


def _yields(pack: RulePack, name: str) -> None:
    stanzas = pack.programmes[name]
    where = f"{stanzas.place}: {stanzas.name}"
    for rule in stanzas.nearest(lambda p: p.yields_to) or ():
        other = pack.scope.programmes.get(rule.programme)
        if other is None:
            raise PackError(f"yields to an unknown programme {rule.programme}", where=where)
        if rule.when == "this member" and other == "member" and pack.scope.programmes[name] == "household":
            what = f"yields to {rule.programme} for this member, but decides households"
            raise PackError(what, where=where, remedy='Say "any member" or "all members"')


def _membership(pack: RulePack, name: str) -> None:
    for place, stanza in pack.programmes[name]:
        named = stanza.members
        if named is not None and pack.scope.variables.get(named) != VariableSignature("member", BOOL):
            remedy = "Write a variable of entity member and unit bool, or leave `members` out for is_member"
            raise PackError(
                f"members: {named} is no yes/no of a member", where=f"{place}: programme {name}", remedy=remedy
            )


def _quoted(quote: str, tree: Node, where: str) -> None:
    """PackError if the law's own comparator is none of the formula's."""
    if not quote:
        return
    wanted = COMPARATORS.get(quote)
    if wanted is None:
        raise PackError(f"{quote} is no comparator", where=where, remedy=f"Quote one of {', '.join(COMPARATORS)}")
    found = set(_comparisons(tree, straight=True))
    if wanted not in found:
        given = ", ".join(sorted(found)) or "no comparison"
        raise PackError(f"the law says {quote} ({wanted}), the formula has {given}", where=where, remedy="Correct one")


def _comparisons(tree: Node, *, straight: bool) -> Iterator[str]:
    """The order comparisons of a tree; under `not` the opposite ones."""
    if tree.op == "not":
        yield from _comparisons(tree.nodes[0], straight=not straight)
        return
    if tree.op in _OPPOSITE:
        yield tree.op if straight else _OPPOSITE[tree.op]
    for node in tree.nodes:
        yield from _comparisons(node, straight=straight)
