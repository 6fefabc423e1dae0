"""How does a decision's record tell the contradictions between feeds (group `reasons`, member `conflicts`)?

One object each, in the order of their own canonical text:

    amount    the difference in fen, null where the kind has no figures      figures   what either side says, in fen
    kind      its stable name, as in conflicts.toml                          feeds     its sides, in the kind's order
    persons   ids of the people concerned      row_refs   ``FEED:REF``, REF as a finding names the row; of a stated
              case, which has no rows in a store, the row's place from 1
    rule      person, higher, source or law, with cite and, for source, holds
    verdict   open, finding or rule: who has settled it, if anybody has

Both executors give the same entries; `block_entries` writes them for many cases, `case_entries` for one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import rfc8785

from meanscheck.contracts.units import ROW_REF

if TYPE_CHECKING:
    from meanscheck.law.conflicts.found import Found
    from meanscheck.law.conflicts.kinds import Conflict
    from meanscheck.law.conflicts.plain_finders import Dispute
    from meanscheck.law.plain import PlainRun


def _fixed(conflict: Conflict) -> tuple[str, str, str]:
    """The parts of an entry that follow from the law: cite to figures, holds to persons, rule."""
    parts = (list(conflict.cite), list(conflict.kind.feeds), conflict.holds or None)
    cite, feeds, holds = (rfc8785.dumps(part).decode() for part in parts)
    head = f',"cite":{cite},"feeds":{feeds},"figures":'
    middle = f',"holds":{holds},"kind":"{conflict.id}","persons":['
    return head, middle, f'],"rule":"{conflict.rule}","verdict":"'


def block_entries(found: Found, units: int) -> pl.Series:
    """Entries of each unit as JSON texts with commas between (String, empty where there are none)."""
    empty = pl.Series("json", [""], dtype=pl.String).new_from_index(0, units)
    if not found.points.height:
        return empty
    entries = conflict_lines(found)
    lists = entries.sort("unit", "json").group_by("unit", maintain_order=True).agg(pl.col("json").str.join(","))
    every = pl.DataFrame({"unit": pl.arange(units, dtype=pl.Int64, eager=True)})
    return every.join(lists, on="unit", how="left", maintain_order="left")["json"].fill_null("").alias("json")


def told(found: Found) -> pl.DataFrame:
    """One line for every conflict of a block, unordered.

    conflict, unit Int64 · kind, verdict String · one, other Int64 · persons, ids, refs List[String] (sorted; persons
    are the ids as JSON)
    """
    ids = found.block.persons["id"].gather(found.points["person"])
    points = found.points.with_columns(ids.alias("id"), _text(ids).alias("who"), _refs(found).alias("ref"))
    return (
        points.group_by("conflict")
        .agg(
            pl.col("unit", "kind", "verdict", "one", "other").first(),
            persons=pl.col("who").unique().sort(),
            ids=pl.col("id").unique().sort(),
            refs=pl.concat_str("feed", pl.lit(":"), "ref").sort(),
        )
        .select("conflict", "unit", "kind", "verdict", "one", "other", "persons", "ids", "refs")
    )


def conflict_lines(found: Found) -> pl.DataFrame:
    """unit Int64 · json String: one line for every conflict."""
    conflicts = told(found)
    amount = pl.col("one").sub(pl.col("other")).abs().cast(pl.String).fill_null("null")
    figures = pl.concat_str(pl.lit("["), "one", pl.lit(","), "other", pl.lit("]")).fill_null("null")
    refs = pl.concat_str(pl.lit('],"row_refs":["'), pl.col("refs").list.join('","'), pl.lit('"'))
    parts: list[pl.DataFrame] = []
    for name in conflicts["kind"].unique().to_list():
        head, middle, tail = _fixed(found.law.conflicts[name])
        text = pl.concat_str(
            pl.lit('{"amount":'),
            amount,
            pl.lit(head),
            figures,
            pl.lit(middle),
            pl.col("persons").list.join(","),
            refs,
            pl.lit(tail),
            "verdict",
            pl.lit('"}'),
        )
        parts.append(conflicts.filter(pl.col("kind") == name).select("unit", text.alias("json")))
    return pl.concat(parts)


def _text(ids: pl.Series) -> pl.Series:
    """Ids as JSON texts."""
    frame = pl.DataFrame({"x": ids})
    return frame.select(pl.struct("x").struct.json_encode().str.slice(5).str.head(-1)).to_series()


def _refs(found: Found) -> pl.Series:
    """The `row_ref` of each point, or its place among the person's rows, from 1."""
    refs = pl.Series([None], dtype=pl.String).new_from_index(0, found.points.height)
    for feed in found.points["feed"].unique().to_list():
        is_its = found.points["feed"] == feed
        rows = found.points["row"].filter(is_its)
        frame = found.block.feeds[feed]
        if ROW_REF in frame.columns:
            own = frame[ROW_REF].gather(rows)
        else:
            before = found.block.persons[f"n:{feed}"].cast(pl.Int64).cum_sum() - found.block.persons[f"n:{feed}"]
            own = (rows - before.gather(found.points["person"].filter(is_its)) + 1).cast(pl.String)
        refs = refs.scatter(is_its.arg_true(), own)
    return refs


def case_entries(run: PlainRun) -> list[dict[str, Any]]:
    """The entries of one case, as JSON values."""
    entries = [_entry(run, dispute) for dispute in run.contradictions.disputes]
    return sorted(entries, key=lambda entry: rfc8785.dumps(entry))


def _entry(run: PlainRun, dispute: Dispute) -> dict[str, Any]:
    conflict = run.law.conflicts[dispute.kind]
    ids = {run.unit.persons[p.person].attributes.get("id") for p in dispute.points}
    refs = []
    for point in dispute.points:
        feed = conflict.kind.feeds[point.side]
        row = run.unit.persons[point.person].feed(feed).rows[point.row]
        refs.append(f"{feed}:{row.get(ROW_REF) or point.row + 1}")
    one, other = dispute.one, dispute.other
    return {
        "amount": None if one is None or other is None else abs(one - other),
        "cite": list(conflict.cite),
        "feeds": list(conflict.kind.feeds),
        "figures": None if one is None or other is None else [one, other],
        "holds": conflict.holds or None,
        "kind": conflict.id,
        "persons": sorted(ids, key=lambda name: rfc8785.dumps(name)),
        "row_refs": sorted(refs),
        "rule": conflict.rule,
        "verdict": dispute.verdict,
    }
