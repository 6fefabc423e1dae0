"""What lies in an inbox? ``identity_links.jsonl``, ``requests.jsonl``, ``consents.jsonl`` and feed files
``<feed>[-<n>].<ending>`` with manifests."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from meanscheck.contracts import feed_names
from meanscheck.contracts.mapping import mapping_path
from meanscheck.errors import FeedError
from meanscheck.evidence.ahead import Ahead
from meanscheck.evidence.incoming import incoming_file
from meanscheck.evidence.ingest import IngestReport, take_in
from meanscheck.evidence.manifest import manifest_path

if TYPE_CHECKING:
    from meanscheck.evidence.store import Progress, Store

REQUESTS, CONSENTS, LINKS = "requests.jsonl", "consents.jsonl", "identity_links.jsonl"
ENDINGS = (".csv", ".xlsx", ".parquet", ".jsonl", ".zip")
MAY_BE = (".txt", ".tsv", ".dat", ".ndjson")
"""Endings of feed files that other files have too: such a file counts if its name begins with a feed's."""
_STEM = re.compile(r"([a-z_]+)(-.+)?")


def feed_files(folder: Path) -> list[tuple[str, Path]]:
    """Feed and path of every feed file of an inbox, in the order of file names.

    Raises:
        FeedError: a file's name names no feed, or a manifest has no file.
    """
    found: list[tuple[str, Path]] = []
    for path in sorted(folder.iterdir()):
        ending = path.suffix.lower()
        if path.name in (REQUESTS, CONSENTS, LINKS) or ending not in (*ENDINGS, *MAY_BE) or path.name.startswith("."):
            continue
        match = _STEM.fullmatch(path.stem)
        if match is None or match.group(1) not in feed_names():
            if ending in MAY_BE:
                continue
            raise FeedError(
                "the file name does not begin with the name of a feed",
                where=path.name,
                remedy="Name it like bank_deposits-1.csv, or ingest it by itself",
            )
        found.append((match.group(1), path))
    answered = {manifest_path(path) for _, path in found}
    for manifest in sorted(folder.glob("*.manifest.json")):
        if manifest not in answered:
            raise FeedError("there is no feed file beside this manifest", where=manifest.name, remedy="Put it there")
    mapped = {mapping_path(path) for _, path in found}
    for mapping in sorted(folder.glob("*.mapping.toml")):
        if mapping not in mapped:
            raise FeedError("there is no feed file beside this mapping", where=mapping.name, remedy="Name it after one")
    return found


def _turn(path: Path) -> tuple[str, str]:
    """When a file's turn is; a faulty manifest is reported when it comes."""
    try:
        facts = json.loads(manifest_path(path).read_bytes())
        return (str(facts["answered_on"]) if facts.get("corrects") else "", path.name)
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return ("", path.name)


def ingest_inbox(store: Store, folder: Path, *, progress: Progress | None = None) -> list[IngestReport]:
    """Take in an inbox: links, requests, consents, then every feed file; each is in wholly or not at all.

    Answers that correct others come last, in the order of the days on which they were given.

    Raises:
        FeedError: the folder or a file cannot be used; files before it have been taken in.
    """
    if not folder.is_dir():
        raise FeedError("there is no such inbox folder", where=folder.name, remedy="Look at the path")
    files = sorted(feed_files(folder), key=lambda file: _turn(file[1]))
    # Links come before requests: whoever stands in two applications under two numbers of his is seen then.
    lists = ((LINKS, store.identity_links), (REQUESTS, store.requests), (CONSENTS, store.consents))
    tell = progress or (lambda what, done, total: None)
    steps = len(files) + len(lists)
    for done, (name, load) in enumerate(lists):
        tell(name, done, steps)
        if (folder / name).is_file():
            load(folder / name)
    reports: list[IngestReport] = []
    # A file is read while the rows of the one before are being stored; if it is refused, so only when its turn comes.
    with Ahead(iter(files), lambda file: incoming_file(*file)) as answers:
        for done, (_, path) in enumerate(files, len(lists)):
            tell(path.name, done, steps)
            reports.append(take_in(store, next(answers)))
    tell("done", steps, steps)
    return reports
