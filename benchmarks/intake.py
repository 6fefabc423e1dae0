"""What do a large file and many small ones cost to take in, beside a bare read and insert that checks nothing?

    python -m benchmarks.intake --work DIR --households 100000                 3 000 000 rows, and 500 small files
    python -m benchmarks.intake --work DIR --rows 1000000 10000000             is memory flat?

intake-parquet, intake-csv   one file of pensions: the county's, and again with months and amounts of other years, into
                             a store that knows requests and consents
bare-parquet, bare-csv       the same file by Polars' own reader and one DuckDB insert
intake-small                 the first rows of that feed in 500 files of 20 rows each, one after the other

Ratios are of wall and of CPU seconds, taken one after the other in one run; on a shared machine CPU is what counts.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import machine, measure
from benchmarks.caseload import Place
from benchmarks.clock import Clock
from benchmarks.measure import Measured

if TYPE_CHECKING:
    import polars as pl

FEED = "pensions_paid"
ROWS, FILES, SMALL = 3_000_000, 500, 20
FORMS = ("parquet", "csv")
STAGES = ("intake-prepare", "bare-parquet", "intake-parquet", "bare-csv", "intake-csv", "intake-small")


def _inbox(place: Place) -> Path:
    return place.county / "inbox"


def _known(place: Place) -> Path:
    """A store with requests and consents only, copied for each measurement."""
    from meanscheck.evidence import Store

    path = place.folder / "known.duckdb"
    if not path.exists():
        with Store.open(path) as store:
            store.requests(_inbox(place) / "requests.jsonl")
            store.consents(_inbox(place) / "consents.jsonl")
    return path


def _rows(place: Place) -> pl.DataFrame:
    import polars as pl

    return pl.concat([pl.read_parquet(file) for file in sorted(_inbox(place).glob(f"{FEED}*.parquet"))])


def large_files(place: Place, rows: int) -> dict[str, Path]:
    """Format → a file of that many rows, made once; every copy after the first lies a year earlier, a yuan higher."""
    import polars as pl

    folder = place.folder / "large"
    folder.mkdir(exist_ok=True)
    made = {form: folder / f"{FEED}-{rows}-{form}.{form}" for form in FORMS}
    if not all(file.exists() for file in made.values()):
        first = _rows(place)
        plain = first.filter(
            pl.col("month").str.contains(r"^\d{4}-\d\d$"), pl.col("amount").str.contains(r"^\d+\.\d\d$")
        )
        year, fen = pl.col("month").str.slice(0, 4).cast(pl.Int32), pl.col("amount").str.replace(".", "", literal=True)
        copies = [
            plain.with_columns(
                month=(year - k).cast(pl.String) + pl.col("month").str.slice(4),
                amount=(fen.cast(pl.Int64) + 100 * k).cast(pl.String).str.replace(r"(\d\d)$", ".${1}"),
            )
            for k in range(1, -(-rows // plain.height))
        ]
        frame = pl.concat([first, *copies]).head(rows)
        frame.write_parquet(made["parquet"])
        frame.write_csv(made["csv"])
        for form, file in made.items():
            _manifest(file, sender=form)
    return made


def _manifest(file: Path, *, sender: str) -> None:
    facts = {"feed": FEED, "sender": sender, "answered_on": "2020-06-30", "covers_to": "2020-05-31"}
    file.with_suffix(".manifest.json").write_text(json.dumps(facts), encoding="utf-8")


def prepare(place: Place, clock: Clock) -> dict[str, Any]:
    """Files and the store that is copied; in a process of its own, so that no measurement has its peak of memory."""
    with clock("preparation"):
        _known(place)
        large_files(place, place.households)
        small_files(place)
    return {"rows": place.households}


def small_files(place: Place) -> list[Path]:
    """Files of `SMALL` rows each, made once."""
    folder = place.folder / "small"
    files = [folder / f"{FEED}-{at:04d}.csv" for at in range(FILES)]
    if not folder.exists():
        folder.mkdir()
        rows = _rows(place)
        for at, file in enumerate(files):
            rows.slice(at * SMALL, SMALL).write_csv(file)
            _manifest(file, sender="small")
    return files


def _fresh(place: Place) -> Path:
    path = place.folder / "intake.duckdb"
    for old in place.folder.glob("intake.duckdb*"):
        old.rmdir() if old.is_dir() else old.unlink()
    path.write_bytes(_known(place).read_bytes())
    return path


def _large(place: Place, clock: Clock, form: str) -> dict[str, Any]:
    from meanscheck.evidence import Store

    file = large_files(place, place.households)[form]
    with Store.open(_fresh(place)) as store, clock(form):
        report = store.ingest(FEED, file)
    return {"rows": place.households, "accepted": report.accepted}


def _bare(place: Place, clock: Clock, form: str) -> dict[str, Any]:
    import duckdb
    import polars as pl

    from meanscheck.values.arrow import ArrowStream

    file = large_files(place, place.households)[form]
    path = place.folder / "bare.duckdb"
    path.unlink(missing_ok=True)
    connection = duckdb.connect(str(path), config={"threads": 2})
    with clock(form):
        frame = pl.read_csv(file, infer_schema=False) if form == "csv" else pl.read_parquet(file)
        connection.register("incoming", ArrowStream(frame))
        connection.execute("create table feed as select * from incoming").fetchall()
        connection.execute("checkpoint").fetchall()
    connection.unregister("incoming")
    connection.close()
    return {"rows": place.households}


def large_parquet(place: Place, clock: Clock) -> dict[str, Any]:
    """Take in the large Parquet file."""
    return _large(place, clock, "parquet")


def large_csv(place: Place, clock: Clock) -> dict[str, Any]:
    """Take in the large CSV file."""
    return _large(place, clock, "csv")


def bare_parquet(place: Place, clock: Clock) -> dict[str, Any]:
    """Read and insert the large Parquet file."""
    return _bare(place, clock, "parquet")


def bare_csv(place: Place, clock: Clock) -> dict[str, Any]:
    """Read and insert the large CSV file."""
    return _bare(place, clock, "csv")


def small(place: Place, clock: Clock) -> dict[str, Any]:
    """Take in many small files, one transaction each."""
    from meanscheck.evidence import Store

    first, *files = small_files(place)
    with Store.open(_fresh(place)) as store:
        with clock("preparation"):
            store.ingest(FEED, first)
        with clock("small"):
            for file in files:
                store.ingest(FEED, file)
    return {"files": len(files), "rows": len(files) * SMALL}


def rows_of_table(results: dict[str, Measured]) -> list[str]:
    """The table's lines: rows a second of both, ratios of wall and CPU, peaks; then what a small file costs."""
    lines = []
    for form in FORMS:
        ours, bare = results[f"intake-{form}"], results[f"bare-{form}"]
        (wall, cpu), (bare_wall, bare_cpu) = ours.parts[form], bare.parts[form]
        rows = ours.counts["rows"]
        rates = f"{rows / wall:,.0f} | {rows / bare_wall:,.0f} | {wall / bare_wall:.1f}"
        each = f"{cpu / rows * 1e6:.2f} | {bare_cpu / rows * 1e6:.2f} | {cpu / bare_cpu:.1f}"
        lines.append(f"| {form} | {rows:,} | {rates} | {each} | {ours.peak_mib:.0f} | {bare.peak_mib:.0f} |")
    done = results["intake-small"]
    wall, cpu = (seconds / done.counts["files"] * 1000 for seconds in done.parts["small"])
    return [*lines, "", f"A file of {SMALL} rows: {wall:.1f} ms, {cpu:.1f} ms of CPU ({done.counts['files']} files)."]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.intake", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--households", type=int, default=100_000, metavar="N", help="of the county whose rows are used"
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[ROWS], metavar="N", help="rows of the large files")
    parser.add_argument("--work", type=Path, help="folder to work in and to keep; a temporary one unless given")
    options = parser.parse_args(arguments)
    print(*(f"- {name}: {value}" for name, value in machine.facts().items()), sep="\n")
    head = "rows/s | bare rows/s | ratio | CPU µs a row | bare | ratio | peak MiB | bare"
    print(f"\n| format | rows | {head} |", "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|", sep="\n")
    with tempfile.TemporaryDirectory(prefix="meanscheck-intake-") as temporary:
        work = options.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        if not (work / "county").exists():
            measure.run("synth", work, options.households)
        for rows in options.rows:
            results = {stage: measure.run(stage, work, rows) for stage in STAGES}
            print(*rows_of_table(results), sep="\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
