"""``meanscheck verify``: what an outsider runs on a receipt. Imports the ledger only: no Polars, no DuckDB."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from meanscheck.faces.cli.page import AsJson, print_json, say

if TYPE_CHECKING:
    from meanscheck.ledger import Proven

Language = Literal["zh", "en", "both"]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("verify")(verify)


def verify(
    receipt: Annotated[Path, typer.Argument(help="A receipt, *.tlog-proof.", metavar="RECEIPT")],
    policy: Annotated[Path, typer.Option("--policy", help="Whom to trust: a *.policy file.", metavar="POLICY")],
    lang: Annotated[Language, typer.Option("--lang", help="Language of the report.")] = "both",
    as_json: AsJson = False,
) -> None:
    """Verify a receipt offline. Exit 1, with the reason, if it does not hold or is no receipt."""
    from meanscheck.ledger import NotProven
    from meanscheck.ledger import verify as prove

    try:
        proven = prove(receipt, policy=policy)
    except NotProven as fault:
        if as_json:
            print_json({"holds": False, "step": fault.step, "why": fault.why})
        raise
    if as_json:
        print_json(_proven_json(proven))
        return
    for line in proven.report(lang):
        say(line)


def _proven_json(proven: Proven) -> dict[str, Any]:
    """What was proven, without the contents of the shown groups."""
    return {
        "holds": True,
        "origin": proven.origin,
        "batch": proven.leaf.batch,
        "position": proven.leaf.position,
        "index": proven.index,
        "size": proven.size,
        "root": proven.root,
        "shown": sorted(proven.groups),
        "signed_by": list(proven.signed_by),
        "witnessed": [{"by": by, "at": at} for by, at in proven.witnessed],
        "steps": [{"step": s.name, "held": s.held, "en": s.en, "zh": s.zh} for s in proven.steps],
    }
