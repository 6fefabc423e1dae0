"""Why are decisions referred to a person, and which evidence is worth waiting for? Two tables on an assessment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meanscheck.faces.cli.page import CAUSES, painted, say, table

if TYPE_CHECKING:
    from meanscheck.decisions import Assessment


def show_causes(result: Assessment, most: int = 4) -> None:
    """Why decisions were referred to a person: by kind of cause, with the commonest subjects of each."""
    if not result.causes:
        return
    import polars as pl

    causes = result.outcomes.filter(pl.col("outcome") == "refer").with_row_index("decision").explode("causes")
    parts = pl.col("causes").str.splitn(":", 2).struct
    split = causes.with_columns(kind=parts.field("field_0"), subject=parts.field("field_1").fill_null(""))
    kinds = split.group_by("programme", "kind").agg(n=pl.col("decision").n_unique())
    frame = kinds.sort("programme", "n", "kind", descending=[False, True, False]).collect(engine="in-memory")
    page = table("programme!", "decisions>", "because", "", "of these")
    page.title = "Why decisions are referred to a person (one may have several causes)"
    for p in result.law.programmes:
        name = p.id
        for kind, n in frame.filter(pl.col("programme") == p.id).select("kind", "n").iter_rows():
            own = [
                (m, c.partition(":")[2])
                for (q, c), m in result.causes.items()
                if q == p.id and c.startswith(f"{kind}:")
            ]
            own.sort(key=lambda entry: (-entry[0], entry[1]))
            subjects = [f"{subject} {m:,}" for m, subject in own[:most]]
            subjects += [f"{len(own) - most} more"] if len(own) > most else []
            page.add_row(name, f"{n:,}", *CAUSES.get(kind, (kind, "")), " · ".join(subjects))
            name = ""
    say(page)


def show_waiting(result: Assessment, most: int = 6) -> None:
    """Feeds whose answers would settle most households, if any household waits for one."""
    from meanscheck.contracts import all_feeds

    frame = result.waiting().head(most)
    if frame.is_empty():
        return
    page = table("feed!", "", "because", "households waiting for it alone>", "in all>")
    page.title = "What is worth waiting for"
    for feed, state, alone, part in frame.iter_rows():
        page.add_row(
            feed, all_feeds()[feed].title_zh, state.replace("_", " "), painted(f"{alone:,}", "cyan"), f"{part:,}"
        )
    say(page)
