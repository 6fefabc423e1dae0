"""Why was a case decided as it was? The tree of a decision: from its record, and from its evidence down to rows.

`explained(decision)` is the short tree: programmes, tests with value, limit, margin and citation, and what would settle
what is open; all of it stands in the record. With a `Tracer` over the same evidence (`evidence_of`) the same tree goes
on below each test, to variables, figures of the law and rows. So a decision that was made just now, one from the vault
and one from a receipt give the same tree.

Choices
    Figures of programmes and tests are always the record's, never reckoned anew; `holds` of the root says whether the
    evidence gives the same record again (None where nothing was reckoned).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from meanscheck.decisions.explain import row_ref_text
from meanscheck.decisions.explaining.choices import value_words
from meanscheck.decisions.explaining.tree import Bounded, Explanation, cited, unit_of
from meanscheck.decisions.record import Provenance, plain_record
from meanscheck.law.law import Law, Programme
from meanscheck.law.margins import months_of
from meanscheck.law.place_names import name_zh
from meanscheck.law.plain import MEMBERSHIP
from meanscheck.law.tree import IS_MEMBER

if TYPE_CHECKING:
    from meanscheck.decisions.decision import Decision, Ruling
    from meanscheck.decisions.tracing import Tracer
    from meanscheck.evidence import Snapshot, Store

HOLDS = {"eligible": True, "ineligible": False, "refer": None}
_COMPARED = ("means", "result", "reasons")
REASON = "membership_reason"
"""The variable by which a law says in a word why a person is a member or not, if it has one."""
YIELDS = "yields"


def evidence_of(store: Store, decision: Decision, *, snapshot: Snapshot | str | None = None) -> Tracer:
    """The evidence of a decision in its store, as of the snapshot of its record unless another is given.

    Raises:
        StoreError: the case or the snapshot is not in the store.
    """
    from meanscheck.decisions.tracing import Tracer

    taken = snapshot if snapshot is not None else str(decision.groups["provenance"]["snapshot"])
    return Tracer.of(store, decision.law, decision.case_id, snapshot=taken or None, is_reduced=True)


def explained(
    decision: Decision,
    evidence: Tracer | None = None,
    *,
    programme: str | None = None,
    member: str | None = None,
    changes: Iterable[Explanation] = (),
    is_its_own: bool = False,
) -> Explanation:
    """The tree of a decision.

    Args:
        decision: from `decide`, an assessment, the vault or a receipt that shows result and reasons.
        evidence: where its figures come from; None: the tree ends with its tests.
        programme: only this one.
        member: only this member's programmes.
        changes: nodes of kind ``change``, set below the programme whose id they bear as name.
        is_its_own: the decision was made by `evidence`, so there is nothing to compare.
    """
    law = decision.law
    chosen = [
        r
        for r in decision
        if (programme is None or r.programme.id == programme) and (member is None or r.member == member)
    ]
    below: list[Explanation] = []
    if evidence is not None:
        evidence.forget()
        below += _members(evidence, member)
    found = list(changes)
    below += [ruling_tree(r, evidence, changes=[c for c in found if _is_of(c, r)]) for r in chosen]
    if programme is None and member is None:
        below += [_conflict(entry, law) for entry in decision.conflicts]
    return Explanation(
        "decision",
        decision.case_id,
        value=law.on,
        unit="date",
        holds=None if evidence is None else is_its_own or _agrees(decision, evidence),
        label=law.name,
        label_zh=name_zh(law),
        children=tuple(below),
    )


def _is_of(change: Explanation, ruling: Ruling) -> bool:
    return (change.name, change.who) == (ruling.programme.id, ruling.member or "")


def ruling_tree(ruling: Ruling, evidence: Tracer | None = None, *, changes: Iterable[Explanation] = ()) -> Explanation:
    """The tree of one programme, of the household or one member."""
    programme, law, who = ruling.programme, ruling.law, ruling.member or ""
    person = None if evidence is None else _person(evidence, ruling.member)
    parts = [test_tree(programme, entry, law, who, evidence, person) for entry in ruling.tests]
    award = programme.award
    if award is not None and evidence is not None and ruling.award is not None:
        parts.append(
            Explanation(
                "award",
                programme.id,
                who,
                award.unit,
                ruling.award,
                formula=" ".join(award.formula.split()),
                cite=cited(law, award.cite),
                children=(evidence.step(award.tree, person),),
            )
        )
    parts += [_cause(cause, who, law, {} if evidence is None else evidence.blamed) for cause in ruling.causes]
    return Explanation(
        "programme",
        programme.id,
        who,
        award.unit if award is not None else "",
        ruling.award,
        holds=HOLDS[ruling.outcome],
        label=programme.label,
        label_zh=programme.label_zh,
        causes=ruling.causes,
        children=(*parts, *changes),
    )


def test_tree(
    programme: Programme,
    entry: Mapping[str, Any],
    law: Law,
    who: str,
    evidence: Tracer | None = None,
    person: int | None = None,
) -> Explanation:
    """The tree of one test, from its entry in the record."""
    test = next((t for t in programme.tests if t.id == entry["id"]), None)
    if test is None:
        return Explanation(
            "test",
            MEMBERSHIP,
            who,
            "bool",
            bounded=_bounded(entry),
            holds=entry["holds"],
            label="is a member of the household",
            label_zh="属于共同生活的家庭成员",
            cite=cited(law, entry["cite"]),
        )
    return Explanation(
        "test",
        test.id,
        who,
        unit_of(test.tree.nodes[0].type) if test.tree.nodes else "bool",
        entry["value"],
        entry["limit"],
        entry["margin"],
        months=None if entry["margin"] is None else months_of(test.tree, law),
        bounded=_bounded(entry),
        rising=test.tree.op in (">", ">="),
        holds=entry["holds"],
        label=test.label,
        label_zh=test.label_zh,
        formula=" ".join(test.formula.split()),
        cite=cited(law, entry["cite"], test.quote),
        children=() if evidence is None else evidence.parts(test.tree, person),
    )


def _bounded(entry: Mapping[str, Any]) -> Bounded | None:
    if "bounds" not in entry:
        return None
    value, limit = (
        None if span is None else (span[0], span[1]) for span in map(entry["bounds"].get, ("value", "limit"))
    )
    return Bounded(value, limit)


def _person(evidence: Tracer, member: str | None) -> int | None:
    if member is None:
        return None
    return next(m for m in evidence.members if evidence.name_of(m) == member)


def _members(evidence: Tracer, member: str | None) -> Iterator[Explanation]:
    """Whether each person of the application counts, and why; and which programme counts him otherwise."""
    law = evidence.law
    others = sorted(law.memberships - {IS_MEMBER})
    for person in evidence.members:
        who = evidence.name_of(person)
        if member is not None and who != member:
            continue
        counts = evidence.variable(IS_MEMBER, person)
        told = evidence.variable(REASON, person) if REASON in law.variables else None
        yield _membership(evidence, IS_MEMBER, person, told if isinstance(told, str) else None)
        for name in others:
            if evidence.variable(name, person) != counts:
                yield _membership(evidence, name, person, None)


def _membership(evidence: Tracer, name: str, person: int, told: str | None) -> Explanation:
    rule, holds = evidence.law.variables[name], evidence.variable(name, person)
    assert holds is None or isinstance(holds, bool)
    return Explanation(
        "member",
        name,
        evidence.name_of(person),
        "bool",
        told,
        holds=holds,
        label=rule.label,
        label_zh=rule.label_zh,
        formula=" ".join(rule.formula.split()),
        cite=cited(evidence.law, rule.cite),
        causes=tuple(sorted(evidence.why(name, person))),
        value_zh="" if told is None else value_words(evidence.law, evidence.law.variables[REASON].tree, told),
        children=evidence.parts(rule.tree, person),
    )


def _cause(cause: str, who: str, law: Law, blamed: Mapping[str, Mapping[str, None]]) -> Explanation:
    """Why a ruling is open, or what takes precedence, and whom it concerns."""
    kind, _, subject = cause.partition(":")
    persons = [name for name in blamed.get(cause, ()) if name]
    whose = who if who in persons else ", ".join(persons)
    if kind != YIELDS:
        return Explanation("cause", cause, whose or who, causes=(cause,))
    other = next((p for p in law.programmes if p.id == subject), None)
    labels = (other.label, other.label_zh) if other else (subject, subject)
    return Explanation("yields", subject, who, holds=True, label=labels[0], label_zh=labels[1], causes=(cause,))


def _conflict(entry: Mapping[str, Any], law: Law) -> Explanation:
    """A contradiction between feeds, from its entry in the record."""
    conflict = law.conflicts[entry["kind"]]
    rows = tuple(
        Explanation("fact", str(ref), label=str(ref), label_zh=row_ref_text(str(ref), "zh"))
        for ref in entry["row_refs"]
    )
    return Explanation(
        "conflict",
        entry["verdict"],
        ", ".join(str(p) for p in entry["persons"]),
        "" if entry["amount"] is None else "money",
        entry["amount"],
        label=conflict.label,
        label_zh=conflict.label_zh,
        cite=cited(law, entry["cite"]),
        causes=(f"conflict:{conflict.id}",) if entry["verdict"] == "open" else (),
        children=rows,
    )


def _agrees(decision: Decision, evidence: Tracer) -> bool:
    """Whether the evidence gives the record again, as far as the record is shown."""
    again = plain_record(decision.law, evidence.unit, provenance=Provenance(""), run=evidence)
    return all(decision.groups[g] == again[g] for g in _COMPARED if g in decision.groups)
