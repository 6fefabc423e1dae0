"""``meanscheck explain``: why a case was decided as it was, from the outcome down to article and row.

The record tells the tests; what each rests on is reckoned anew from the evidence as it was then, where it is still in
the store. Whether that gives the recorded decision again is said at the end.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from meanscheck.errors import InputError, StoreError
from meanscheck.faces.cli.office import By, For, StorePath, office_at
from meanscheck.faces.cli.page import AsJson, complain, print_json, say

if TYPE_CHECKING:
    from meanscheck.decisions import Decision
    from meanscheck.decisions.tracing import Tracer
    from meanscheck.evidence import Store

Language = Literal["zh", "en"]
Format = Literal["text", "json", "html"]


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("explain")(explain)


def explain(
    store: StorePath,
    case: Annotated[str, typer.Argument(help="A case.", metavar="CASE")],
    programme: Annotated[str | None, typer.Argument(help="One programme only.", metavar="PROGRAMME")] = None,
    member: Annotated[str | None, typer.Option("--member", help="One member only.")] = None,
    form: Annotated[
        Format, typer.Option("--format", help="json and html tell all of it, unless --depth bounds it.")
    ] = "text",
    depth: Annotated[
        int | None,
        typer.Option(
            "--depth",
            min=1,
            help="1 (of text, if left out): tests. 2 and more: what each rests on, down to rows of files.",
            metavar="N",
        ),
    ] = None,
    receipt: Annotated[
        Path | None,
        typer.Option(
            "--receipt", help="Explain the decision of this receipt, not the one sealed last.", metavar="RECEIPT"
        ),
    ] = None,
    lang: Annotated[Language, typer.Option("--lang", help="Language.")] = "zh",
    by: By = None,
    why: For = None,
    as_json: AsJson = False,
) -> None:
    """Why a case was decided as it was: every test with value, limit, margin and article, and the rows behind them."""
    from meanscheck.decisions.explaining import changes, data, explained, page, text
    from meanscheck.evidence import Store

    office = office_at(store)
    groups = _shown(receipt, case, office.policy) if receipt is not None else _loaded(office.latest(case).groups)
    office.shows("explain", [case], by=by, why=why)
    if depth is None and form == "text":
        depth = 1
    with Store.open(office.store, read_only=True) as opened:
        decision = decision_of(groups, opened)
        rulings = [
            r
            for r in decision
            if (programme is None or r.programme.id == programme) and (member is None or r.member == member)
        ]
        if not rulings:
            raise InputError(
                "not decided for that case", where=programme or "programme", remedy="Leave it out to see all"
            )
        if as_json:
            print_json([{**_ruling_json(r, lang), "case": case} for r in rulings])
            return
        evidence = _evidence(opened, decision)
    turning = [] if evidence is None else changes(evidence)
    tree = explained(decision, evidence, programme=programme, member=member, changes=turning)
    if form == "json":
        print_json(data(tree if depth is None else tree.cut(depth + 1), decision.law))
    elif form == "html":
        sys.stdout.write(page(tree, decision.law, lang, depth=depth))
    else:
        say(text(tree, decision.law, lang, depth=depth))


def _evidence(store: Store, decision: Decision) -> Tracer | None:
    """What the figures of a decision rest on; None, with a line that says so, if it is no longer in the store."""
    from meanscheck.decisions.explaining import evidence_of

    try:
        return evidence_of(store, decision)
    except StoreError as fault:
        complain(f"meanscheck: only what the record says is told: {fault}")
        return None


def _shown(receipt: Path, case: str, policy: Path) -> dict[str, Any]:
    """The groups of a receipt that holds under the office's policy, is of that case and shows why it was decided so."""
    from meanscheck.replay.recorded import recorded_of

    if not receipt.is_file():
        raise InputError("no such file", where=receipt.name, remedy="Name a receipt, *.tlog-proof")
    groups = dict(recorded_of(receipt, policy if policy.is_file() else None).groups)
    if str(groups["subject"].get("case", "")) != case:
        raise InputError("the receipt is of another case", where=receipt.name, remedy="Name the case it is of")
    for name in ("result", "reasons"):
        if name not in groups:
            raise InputError(
                f"the receipt does not disclose {name}", where=receipt.name, remedy="Leave --receipt out, or --disclose"
            )
    return groups


def _loaded(groups: Mapping[str, bytes]) -> dict[str, Any]:
    return {name: json.loads(text) for name, text in groups.items()}


def _ruling_json(ruling: Any, lang: Language) -> dict[str, Any]:
    return {
        "programme": ruling.programme.id,
        "member": ruling.member,
        "outcome": ruling.outcome,
        "award_fen": ruling.award,
        "failed": list(ruling.failed),
        "causes": list(ruling.causes),
        "tests": [dict(t) for t in ruling.tests],
        "text": ruling.explain(lang),
    }


def decision_of(groups: dict[str, Any], store: Store) -> Decision:
    """A decision from its groups, with the law that the store recorded for it."""
    from meanscheck.decisions import Decision
    from meanscheck.law import Law

    return Decision(groups, Law.from_json(store.law_text(groups["provenance"]["law"])))
