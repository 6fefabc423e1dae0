"""``meanscheck latest``: is a receipt's decision still the household's latest? Asked with the log's folder, or a proof.

It imports the ledger only: neither Polars nor DuckDB.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from meanscheck.errors import InputError
from meanscheck.faces.cli.page import AsJson, print_json, say
from meanscheck.faces.cli.receipts import Language


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("latest")(latest)


def latest(
    receipt: Annotated[Path, typer.Argument(help="A receipt, *.tlog-proof.", metavar="RECEIPT")],
    policy: Annotated[Path, typer.Option("--policy", help="Whom to trust: a *.policy file.", metavar="POLICY")],
    log: Annotated[
        Path | None, typer.Option("--log", help="The log's folder, or a copy: make the proof.", metavar="FOLDER")
    ] = None,
    proof: Annotated[Path | None, typer.Option("--proof", help="A proof made before.", metavar="FILE")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="With --log: keep the proof here.", metavar="FILE")] = None,
    lang: Annotated[Language, typer.Option("--lang", help="Language of the report.")] = "both",
    as_json: AsJson = False,
) -> None:
    """Prove that the log has no later decision on the household. Exit 1 if it has, or if the proof does not hold."""
    from meanscheck.ledger import Ledger, NotProven, Policy, verify, verify_latest

    if (log is None) == (proof is None):
        raise InputError("one of the two is needed", where="--log, --proof", remedy="Name a folder or a proof")
    for file in (receipt, policy, *([] if proof is None else [proof])):
        if not file.is_file():
            raise InputError("no such file", where=file.name, remedy="Check the path")
    try:
        trusted = Policy.parse(policy.read_bytes())
    except NotProven as fault:
        raise InputError(fault.why, where=policy.name, remedy="Ask the office for its policy again") from None
    shown = verify(receipt, policy=trusted)
    if proof is not None:
        text = proof.read_bytes().decode("utf-8", errors="replace")
    else:
        assert log is not None
        if not (log / "checkpoint").is_file():
            raise InputError("no log there", where=log.name, remedy="Name the folder that holds `checkpoint`")
        found = Ledger.open(log, origin=shown.origin)
        text = found.prove_latest(shown.index, found.entry(shown.index))
    proven = verify_latest(text, policy=trusted)
    if (proven.head.origin, proven.index, proven.leaf) != (shown.origin, shown.index, shown.leaf):
        raise NotProven("latest", "the proof is of another decision than the receipt")
    if out is not None:
        out.write_text(text, encoding="utf-8", newline="")
    if as_json:
        print_json(
            {
                "latest": True,
                "origin": proven.head.origin,
                "index": proven.index,
                "size": proven.head.size,
                "batches": list(proven.batches),
                "signed_by": list(proven.signed_by),
                "witnessed": [{"by": by, "at": at} for by, at in proven.witnessed],
            }
        )
        return
    for line in proven.report(lang):
        say(line)
