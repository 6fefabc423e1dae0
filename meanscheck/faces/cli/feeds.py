"""``meanscheck feeds``: what each department's answer looks like."""

from __future__ import annotations

import typer

from meanscheck.faces.cli.page import AsJson, print_json, say, table

app = typer.Typer(help="The feeds: what each department's answer looks like.", no_args_is_help=True)


@app.command("list")
def list_feeds(as_json: AsJson = False) -> None:
    """All feeds with their senders."""
    from meanscheck.contracts import all_feeds

    feeds = all_feeds().values()
    if as_json:
        print_json(
            [
                {
                    "feed": f.name,
                    "title_zh": f.title_zh,
                    "senders": list(f.senders),
                    "authorisation": f.authorisation,
                    "counted_by": f.basis,
                    "columns": len(f.columns),
                }
                for f in feeds
            ]
        )
        return
    page = table("feed", "", "from", "consent", "counted by", "columns>")
    for f in feeds:
        page.add_row(f.name, f.title_zh, ", ".join(f.senders), f.authorisation, f.basis, str(len(f.columns)))
    say(page)
