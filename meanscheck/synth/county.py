"""How does a whole made-up county get onto disk? Part by part: facts, truth, then the files of every department.

inbox/   requests.jsonl, consents.jsonl, <feed>[-<n>].<suffix> with <stem>.manifest.json
truth/   outcomes.parquet   case_id · programme · member (null for a household) · outcome · award_fen
         doubtful.parquet   case_id · feed · id_number · key · real · reason    adverse entries of the three registers
         mess.parquet       kind · feed · file · line (null: the whole file, or no row)
         county.json        what was made, and `County.describe()`
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from meanscheck.errors import InputError
from meanscheck.synth.chance import PART, Chance
from meanscheck.synth.delivery import FileStyle, write_part
from meanscheck.synth.identity import Numbers
from meanscheck.synth.part import draw_part
from meanscheck.synth.record import PROGRAMMES, Written, keep_truth
from meanscheck.synth.truth import reckon

DAY = date(2020, 6, 30)
"""The day as of which the truth is reckoned: Jiangmen's figures of that day are sourced."""


@dataclass(frozen=True, slots=True)
class County:
    """A made-up county on disk."""

    folder: Path
    households: int
    seed: int
    on: date
    is_messy: bool
    persons: int
    members: int
    rows: Mapping[str, int]
    """Rows written per feed."""
    files: int
    outcomes: Mapping[str, Mapping[str, int]]
    """Programme → outcome → how many."""
    mess: Mapping[str, int]
    """Kind of disorder → places."""

    @property
    def inbox(self) -> Path:
        """Where the departments' files lie."""
        return self.folder / "inbox"

    @property
    def truth(self) -> Path:
        """Where the truth lies."""
        return self.folder / "truth"

    def describe(self) -> dict[str, object]:
        """The county in figures, as plain JSON values: for a summary."""
        return {
            "on": str(self.on),
            "seed": self.seed,
            "is_messy": self.is_messy,
            "households": self.households,
            "persons": self.persons,
            "members": self.members,
            "feeds": len(self.rows),
            "files": self.files,
            "feed_rows": sum(self.rows.values()),
            "rows_by_feed": dict(self.rows),
            "true_outcomes": {programme: dict(counts) for programme, counts in self.outcomes.items()},
            "mess": dict(self.mess),
        }


def county(
    folder: Path,
    *,
    households: int,
    seed: int,
    mess: bool = True,
    style: FileStyle = "files",
    on: date = DAY,
    progress: Callable[[int, int], None] | None = None,
) -> County:
    """Make a county.

    Args:
        folder: where; `inbox` and `truth` in it are replaced.
        households: how many applications (at least 1).
        seed: same seed and size, same data.
        mess: what the real world does to files and consents. Without it everything is answered cleanly; wrong register
            entries are there all the same, and want the office's review (`complete_findings`).
        style: `files`, as departments send them, or `parquet` (canonical names, for large counties).
        on: the day of the truth; only 2020-06-30 is sourced.
        progress: called with (households done, households) after each part.

    Raises:
        InputError: no households, or a day of which the truth is not known.
    """
    if households < 1:
        raise InputError("a county has at least one household", where="households", remedy="Give a number from 1")
    if not date(2020, 3, 30) <= on <= date(2020, 12, 31):
        raise InputError("the truth is known for days of 2020 from 30 March", where="on", remedy="Use 2020-06-30")
    inbox, truth = folder / "inbox", folder / "truth"
    for place in (inbox, truth):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
    numbers, kept = Numbers(), Written()
    parts = -(-households // PART)
    for part in range(parts):
        first = part * PART + 1
        n = min(PART, households - part * PART)
        facts = draw_part(Chance(seed, part=part), first=first, n=n, numbers=numbers, on=on)
        keep_truth(facts, reckon(facts), kept)
        chance = Chance(seed, part=part, stream=1) if mess else None
        write_part(facts, inbox, kept, numbers, chance=chance, style=style, is_only=parts == 1)
        if progress is not None:
            progress(first - 1 + n, households)
    return _finish(folder, kept, households=households, seed=seed, on=on, mess=mess)


def _finish(folder: Path, kept: Written, *, households: int, seed: int, on: date, mess: bool) -> County:
    outcomes = pl.concat(kept.outcomes)
    outcomes.write_parquet(folder / "truth" / "outcomes.parquet")
    pl.concat(kept.doubtful).sort("case_id", "feed", "key").write_parquet(folder / "truth" / "doubtful.parquet")
    schema = {"kind": pl.String, "feed": pl.String, "file": pl.String, "line": pl.Int64}
    spoilt = pl.concat([pl.DataFrame(schema=schema), *kept.mess])
    spoilt.write_parquet(folder / "truth" / "mess.parquet")
    counts = outcomes.group_by("programme", "outcome").len().sort("programme", "outcome")
    by_programme: dict[str, dict[str, int]] = {programme: {} for programme in PROGRAMMES}
    for programme, outcome, n in counts.iter_rows():
        by_programme[programme][outcome] = n
    made = County(
        folder=folder,
        households=households,
        seed=seed,
        on=on,
        is_messy=mess,
        persons=kept.persons,
        members=kept.members,
        rows=dict(sorted(kept.rows.items())),
        files=sum(kept.files.values()),
        outcomes=by_programme,
        mess=dict(sorted(Counter(spoilt["kind"].to_list()).items())),
    )
    text = json.dumps(made.describe(), ensure_ascii=False, indent=1)
    (folder / "truth" / "county.json").write_text(text + "\n", encoding="utf-8")
    return made
