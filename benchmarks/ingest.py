"""How many rows a second come in, per format, beside a bare read and insert that checks nothing?

`inbox`         the whole inbox: requests, consents, every feed (Parquet), into an empty store
`formats`       the rows of one feed (pensions, at most `SAMPLE`) as CSV, Excel, Parquet and JSON lines, each into a
                store that knows requests and consents: reading as text, casting by the contract, row digests, matching
                persons, consent, quarantine, one transaction
`bare_formats`  the same files by Polars' own reader and one DuckDB insert: no checks, no digests, nobody matched
"""

from __future__ import annotations

import json
import shutil
from typing import Any

import polars as pl

from benchmarks.caseload import Place
from benchmarks.clock import Clock
from meanscheck.evidence import Store
from meanscheck.values.arrow import ArrowStream

FEED = "pensions_paid"
SAMPLE = 300_000
SHEET = 100_000
"""A sheet's rows: Excel holds a million, but nobody sends that."""
FORMATS = ("csv", "xlsx", "parquet", "jsonl")


def inbox(place: Place, clock: Clock) -> dict[str, Any]:
    """Ingest everything into a new store."""
    for old in place.folder.glob("county.duckdb*"):
        old.unlink()
    place.projection.unlink(missing_ok=True)
    reports = []
    with clock("open"):
        store = Store.open(place.store)
    with store:
        with clock("requests"):
            store.requests(place.county / "inbox" / "requests.jsonl")
        with clock("consents"):
            store.consents(place.county / "inbox" / "consents.jsonl")
        with clock("feeds"):
            reports = store.ingest_inbox(_only_feeds(place))
        with clock("close"):
            store.close()
    return {
        "rows": sum(r.accepted + r.quarantined + r.not_covered for r in reports),
        "accepted": sum(r.accepted for r in reports),
        "store_mib": place.store.stat().st_size / 2**20,
    }


def _only_feeds(place: Place) -> Any:
    folder = place.folder / "feeds"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for file in (place.county / "inbox").iterdir():
        if file.name not in ("requests.jsonl", "consents.jsonl"):
            (folder / file.name).hardlink_to(file)
    return folder


def sample_files(place: Place) -> dict[str, tuple[Any, int]]:
    """Format → (file, rows); made once, with a manifest each."""
    folder = place.folder / "formats"
    folder.mkdir(exist_ok=True)
    source = sorted((place.county / "inbox").glob(f"{FEED}*.parquet"))[0]
    manifest = json.loads(source.with_suffix(".manifest.json").read_text(encoding="utf-8"))
    made: dict[str, tuple[Any, int]] = {}
    for form in FORMATS:
        frame = pl.read_parquet(source, n_rows=SHEET if form == "xlsx" else SAMPLE)
        target = folder / f"{FEED}-{form}.{form}"
        made[form] = (target, frame.height)
        if target.exists():
            continue
        if form == "csv":
            frame.write_csv(target)
        elif form == "parquet":
            frame.write_parquet(target)
        elif form == "jsonl":
            frame.write_ndjson(target)
        else:
            frame.select(pl.all().cast(pl.String)).write_excel(target)
        # Another sender each, so that no answer is taken for an earlier one.
        text = json.dumps({**manifest, "sender": f"{manifest['sender']}-{form}"}, ensure_ascii=False)
        (folder / f"{FEED}-{form}.manifest.json").write_text(text, encoding="utf-8")
    return made


def formats(place: Place, clock: Clock) -> dict[str, Any]:
    """Ingest the sample once a format, each into a new store."""
    counts: dict[str, Any] = {}
    files = sample_files(place)
    path = place.folder / "one-format.duckdb"
    for form, (file, rows) in files.items():
        for old in place.folder.glob("one-format.duckdb*"):
            old.unlink()
        with Store.open(path) as store:
            with clock("preparation"):
                store.requests(place.county / "inbox" / "requests.jsonl")
                store.consents(place.county / "inbox" / "consents.jsonl")
            with clock(form):
                store.ingest(FEED, file)
        counts[form] = rows
    return counts


def bare_formats(place: Place, clock: Clock) -> dict[str, Any]:
    """Read the same files and insert them, nothing else."""
    import duckdb

    counts: dict[str, Any] = {}
    for form, (file, rows) in sample_files(place).items():
        path = place.folder / "bare.duckdb"
        path.unlink(missing_ok=True)
        connection = duckdb.connect(str(path), config={"threads": 2})
        with clock(form):
            if form == "csv":
                frame = pl.read_csv(file, infer_schema=False)
            elif form == "parquet":
                frame = pl.read_parquet(file)
            elif form == "jsonl":
                frame = pl.read_ndjson(file)
            else:
                frame = pl.read_excel(file, engine="calamine")
            connection.register("incoming", ArrowStream(frame))
            connection.execute("create table feed as select * from incoming").fetchall()
            connection.execute("checkpoint").fetchall()
        connection.unregister("incoming")
        connection.close()
        counts[form] = rows
    return counts
