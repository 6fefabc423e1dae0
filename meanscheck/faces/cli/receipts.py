"""``meanscheck verify``, ``receipt`` and ``replay``: what proves a decision to somebody who does not trust the office.

`verify` imports the ledger only: neither Polars nor DuckDB.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from meanscheck.errors import InputError
from meanscheck.faces.cli.office import StorePath, office_at
from meanscheck.faces.cli.page import AsJson, print_json, say

if TYPE_CHECKING:
    from meanscheck.ledger import Proven

Language = Literal["zh", "en", "both"]
FULL = "`meanscheck receipt STORE CASE` writes one that shows all"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("receipt")(receipt)
    app.command("verify")(verify)
    app.command("replay")(replay)


def verify(
    receipt: Annotated[Path, typer.Argument(help="A receipt, *.tlog-proof.", metavar="RECEIPT")],
    policy: Annotated[Path, typer.Option("--policy", help="Whom to trust: a *.policy file.", metavar="POLICY")],
    timestamp: Annotated[
        Path | None, typer.Option("--timestamp", help="A timestamp of its checkpoint, *.tsr.", metavar="TOKEN")
    ] = None,
    timestamp_root: Annotated[
        list[Path] | None,
        typer.Option(
            "--timestamp-root", help="A certificate trusted for time, PEM or DER. May be repeated.", metavar="CERT"
        ),
    ] = None,
    lang: Annotated[Language, typer.Option("--lang", help="Language of the report.")] = "both",
    as_json: AsJson = False,
) -> None:
    """Verify a receipt offline. Exit 1, with the reason, if it does not hold or is no receipt."""
    from meanscheck.ledger import NotProven, Policy
    from meanscheck.ledger import verify as prove

    if not policy.is_file():
        raise InputError("no such file", where=policy.name, remedy="Name a policy, *.policy")
    try:
        trusted = Policy.parse(policy.read_bytes())
    except NotProven as fault:
        raise InputError(fault.why, where=policy.name, remedy="Ask the office for its policy again") from None
    if (timestamp is None) != (not timestamp_root):
        raise InputError(
            "a token and a root go together", where="--timestamp", remedy="Give --timestamp and --timestamp-root"
        )
    try:
        proven = prove(receipt, policy=trusted)
        if timestamp is not None:
            from meanscheck.ledger.timestamp import with_timestamp

            proven = with_timestamp(
                proven, timestamp.read_bytes(), roots=[root.read_bytes() for root in timestamp_root or ()]
            )
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


def receipt(
    store: StorePath,
    case: Annotated[str, typer.Argument(help="A case.", metavar="CASE")],
    disclose: Annotated[
        list[str] | None, typer.Option("--disclose", help="A group to show; all if left out. May be repeated.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write; receipts/CASE.tlog-proof if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the receipt of a case's last sealed decision. It shows all groups unless --disclose names some."""
    from meanscheck.ledger import GROUPS

    office = office_at(store)
    for group in disclose or ():
        if group not in GROUPS:
            raise InputError("no such group", where="--disclose", remedy=f"Use {', '.join(GROUPS)}")
    held = office.latest(case)
    if held.index is None or held.leaf is None or held.salts is None:
        raise InputError(
            "decided but not sealed", where=office.store.name, remedy="Run `meanscheck assess` without --no-seal"
        )
    shown = [group for group in GROUPS if not disclose or group in disclose]
    text = office.open_ledger().receipt(held.index, held.leaf, held.groups, held.salts, shown)
    target = out or office.receipts / f"{case}.tlog-proof"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8", newline="")
    if as_json:
        print_json({"case": case, "index": held.index, "shown": shown, "file": str(target)})
        return
    say(f"written: {target}\nentry {held.index} of the log; shown: {', '.join(shown)}")
    say(f"\nNext: meanscheck verify {target} --policy {office.policy}")


def replay(
    receipt: Annotated[Path, typer.Argument(help="A receipt, *.tlog-proof.", metavar="RECEIPT")],
    store: Annotated[Path, typer.Option("--store", help="The evidence store, *.duckdb.", metavar="STORE")],
    policy: Annotated[
        Path | None, typer.Option("--policy", help="Verify the receipt against this policy first.", metavar="POLICY")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Recompute a decision from the evidence and the recorded law. Exit 1 if any field differs."""
    from meanscheck.evidence import Store
    from meanscheck.replay import disclosed_groups, replay_records

    if not receipt.is_file():
        raise InputError("no such file", where=receipt.name, remedy="Name a receipt, *.tlog-proof")
    groups = disclosed_groups(receipt, policy)
    for name in ("subject", "provenance"):
        if name not in groups:
            raise InputError(f"does not disclose {name}, which a replay needs", where=receipt.name, remedy=FULL)
    with Store.open(office_at(store).store, read_only=True) as opened:
        result = next(iter(replay_records([groups], store=opened)))
    if as_json:
        print_json({"equal": result.is_equal, "groups": list(result.groups), "differences": list(result.differences)})
    else:
        say(result.text())
    if not result.is_equal:
        raise typer.Exit(1)
