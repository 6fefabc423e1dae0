"""``meanscheck verify``, ``receipt`` and ``replay``: what proves a decision to somebody who does not trust the office.

`verify` imports the ledger only: neither Polars nor DuckDB.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from meanscheck.errors import InputError, NotProven
from meanscheck.faces.cli.office import By, For, StorePath, office_at
from meanscheck.faces.cli.page import AsJson, print_json, say
from meanscheck.faces.cli.rules import day_of

if TYPE_CHECKING:
    from meanscheck.evidence import Store
    from meanscheck.ledger import Proven
    from meanscheck.replay import Now, Recorded, Replay

Language = Literal["zh", "en", "both"]
Clock = Literal["then", "now", "both"]
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
    from meanscheck.ledger import Policy
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
        list[str] | None,
        typer.Option("--disclose", help="Groups to show, with commas between; all if left out.", metavar="GROUPS"),
    ] = None,
    compact: Annotated[
        bool, typer.Option("--compact", help="Carry one signature of the log only: shorter, for a shorter life.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write; receipts/CASE.tlog-proof if left out.")
    ] = None,
    by: By = None,
    why: For = None,
    as_json: AsJson = False,
) -> None:
    """Write the receipt of a case's last sealed decision. It shows all groups unless --disclose names some."""
    from meanscheck.ledger import GROUPS, receipts

    office = office_at(store)
    wanted = [group.strip() for names in disclose or () for group in names.split(",")]
    for group in wanted:
        if group not in GROUPS:
            raise InputError("no such group", where="--disclose", remedy=f"Use {', '.join(GROUPS)}")
    held = office.latest(case)
    if held.index is None or held.leaf is None or held.salts is None:
        raise InputError(
            "decided but not sealed", where=office.store.name, remedy="Run `meanscheck assess` without --no-seal"
        )
    office.shows("receipt", [case], by=by, why=why)
    shown = [group for group in GROUPS if not wanted or group in wanted]
    text = office.open_ledger().receipt(held.index, held.leaf, held.groups, held.salts, shown)
    text = receipts.compact(text) if compact else text
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
    as_known: Annotated[
        Clock, typer.Option("--as-known", help="With the evidence and law of then, of now, or both.")
    ] = "then",
    pack: Annotated[
        Path | None, typer.Option("--pack", help="As known now: the rules as they are now.", metavar="PACK")
    ] = None,
    known_by: Annotated[
        str | None, typer.Option("--known-by", help="As known now: law published by then; today.", metavar="DATE")
    ] = None,
    lang: Annotated[Literal["zh", "en"], typer.Option("--lang", help="Language.")] = "en",
    by: By = None,
    why: For = None,
    as_json: AsJson = False,
) -> None:
    """Recompute a decision from the evidence and the law, and say why it differs. Exit 1 if any field differs."""
    from meanscheck.caseload import read_log
    from meanscheck.evidence import Store
    from meanscheck.replay import recorded_of

    if not receipt.is_file():
        raise InputError("no such file", where=receipt.name, remedy="Name a receipt, *.tlog-proof")
    try:
        recorded = recorded_of(receipt, policy)
    except NotProven as fault:
        if fault.step == "disclosure" and "a replay needs" in fault.why:
            raise InputError(fault.why, where=receipt.name, remedy=FULL) from None
        raise
    if as_known == "then" and (pack is not None or known_by is not None):
        raise InputError("only with --as-known now or both", where="--pack, --known-by", remedy="Add it")
    office, now = office_at(store), _now(pack, known_by)
    with Store.open(office.store, read_only=True) as opened:
        found = _replayed(opened, recorded, as_known, now, frozenset())
        # Who was erased stands in the log, which is read through only if something is not as it was.
        if not all(one.is_equal for one in found) and office.policy.is_file() and office.ledger.is_dir():
            found = _replayed(opened, recorded, as_known, now, read_log(office.open_ledger()).erased)
    office.shows("replay", [str(recorded.groups["subject"]["case"])], by=by, why=why)
    if as_json:
        print_json({one.as_known: one.to_json() for one in found} if as_known == "both" else found[0].to_json())
    else:
        say("\n".join(one.text(lang) for one in found))
    if not all(one.is_equal for one in found):
        raise typer.Exit(1)


def _replayed(store: Store, recorded: Recorded, as_known: Clock, now: Now, erased: frozenset[str]) -> list[Replay]:
    from meanscheck.replay import replay_both, replay_records

    records, engine = [recorded.groups], recorded.engine
    if as_known == "then":
        return list(replay_records(records, store=store, engine=engine, erased=erased))
    ((then, later),) = replay_both(records, store=store, now=now, engine=engine, erased=erased)
    return [then, later] if as_known == "both" else [later]


def _now(pack: Path | None, known_by: str | None) -> Now:
    from meanscheck.law import RulePack
    from meanscheck.replay import Now

    day = date.today() if known_by is None else day_of(known_by, "--known-by")
    return Now(day, None if pack is None else RulePack.load(pack))
