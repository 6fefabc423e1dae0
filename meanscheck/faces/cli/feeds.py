"""``meanscheck feeds``: what each department's answer looks like."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from meanscheck.errors import InputError
from meanscheck.faces.cli.page import AsJson, print_json, say

app = typer.Typer(help="The feeds: what each department's answer looks like.", no_args_is_help=True)

Feed = Annotated[str, typer.Argument(help="Name of a feed; `meanscheck feeds list` has them.", metavar="FEED")]


@app.command("list")
def list_feeds(as_json: AsJson = False) -> None:
    """All feeds."""
    from meanscheck.contracts import all_feeds
    from meanscheck.contracts.texts import feeds_list

    if as_json:
        print_json([_about(contract) for contract in all_feeds().values()])
    else:
        sys.stdout.write(feeds_list())


@app.command("show")
def show(feed: Feed, as_json: AsJson = False) -> None:
    """One feed in full: purpose, senders, every column in English and Chinese."""
    from meanscheck.contracts import feed as feed_named
    from meanscheck.contracts.texts import feed_text

    contract = feed_named(feed)
    if not as_json:
        sys.stdout.write(feed_text(feed))
        return
    columns = [
        {
            "name": c.name,
            "title_zh": c.title_zh,
            "kind": c.kind,
            "unit": c.unit,
            "required": c.required,
            "choices": list(c.choices),
            "aliases": list(c.aliases),
            "sensitivity": c.sensitivity,
            "in_formulas": c.in_formulas,
            "description": c.description,
        }
        for c in contract.columns
    ]
    print_json({**_about(contract), "columns": columns})


@app.command("template")
def template(
    feed: Feed,
    out: Annotated[Path | None, typer.Option("--out", help="File to write; standard output if left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """A CSV file for the feed: Chinese headers and one made-up row."""
    from meanscheck.contracts.texts import feed_template

    data = feed_template(feed)
    if out is not None:
        out.write_bytes(data)
    if as_json:
        print_json({"feed": feed, "template": data.decode("utf-8-sig"), "file": None if out is None else str(out)})
    elif out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
    else:
        say(f"written: {out}")


@app.command("sniff")
def sniff_file(
    file: Annotated[Path, typer.Argument(help="A file that a department sent.", metavar="FILE")],
    feed: Annotated[str | None, typer.Option("--feed", help="Its feed, if you know it.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Write the proposal beside the file.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Write the proposal to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """What is this file? Proposes feed and columns, says how sure it is, and never shows what stands in a cell.

    With --write the proposal becomes FILE's mapping (STEM.mapping.toml), to be checked and mended by hand; `ingest`
    then reads the file by it.
    """
    from meanscheck.contracts import feed as feed_named
    from meanscheck.contracts.mapping import mapping_path
    from meanscheck.contracts.mapping_text import mapping_text
    from meanscheck.contracts.sniff import sniff
    from meanscheck.faces.cli.sniffed import as_facts, show_sniffed

    found = sniff(file, feed=None if feed is None else feed_named(feed))
    target = out or (mapping_path(file) if write else None)
    if target is not None:
        if found.feed is None or found.mapping is None:
            raise InputError(
                "there is no proposal to write", where=file.name, remedy="Say which feed it is with --feed"
            )
        try:
            with target.open("x", encoding="utf-8") as stream:
                stream.write(mapping_text(feed_named(found.feed), found))
        except FileExistsError:
            raise InputError(
                "there is a mapping already", where=target.name, remedy="Take it away, or name another with --out"
            ) from None
    if as_json:
        print_json({**as_facts(file, found), "written": None if target is None else str(target)})
        return
    show_sniffed(file, found, written=target)


def _about(contract: Any) -> dict[str, Any]:
    return {
        "feed": contract.name,
        "title_zh": contract.title_zh,
        "purpose": contract.purpose,
        "senders": list(contract.senders),
        "authorisation": contract.authorisation,
        "counted_by": contract.basis,
        "key": list(contract.key),
        "latest_by": list(contract.latest_by),
        "digest": contract.digest,
    }
