"""Decisions that must come out again for ever: what a release leaves behind, and how it is taken up again.

    frozen/<version>/inbox/      a small county's files as departments send them
                     laws/       the recorded laws, by digest
                     receipts/   <batch>.<case>.tlog-proof, all groups shown
                     county.policy
                     facts.json  day, snapshot, engine, outcomes by programme
                     .gitattributes   nothing here may be changed by a checkout

``python -m tests.replay.freeze VERSION`` adds a release's; nothing in a folder is changed afterwards. A test takes the
inbox in anew and asks for the same snapshot, the same bytes of every record from both executors, and receipts that
verify.

Choices
    Files and not the store's own file. A DuckDB file of this county is some ten megabytes, is opened by later DuckDB
    only as far as its makers keep that promise, and this library refuses a store whose feeds have other columns. Files
    can be read by anybody, show in a diff, and freeze reading, casting, coverage and digests along with the law.
    What cannot come out of the files again is random: tokens of households and persons. They stand in the receipts
    (subject), and are put back from there. Snapshot ids follow from the files.
    The law is frozen as it was recorded, resolved: that is what a decision rests on, and what its digest names. The
    packs behind it may be mended; a replay as known now is for that.
    A change of a feed's columns changes row digests, and so breaks this corpus: such a change must keep the old digest
    for rows of the old contract (each batch notes its contract).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from meanscheck.evidence import Store
from meanscheck.ledger import Proven, verify

FROZEN = Path(__file__).parent / "frozen"


@dataclass(frozen=True)
class Corpus:
    """What one release left behind."""

    folder: Path

    @property
    def facts(self) -> dict[str, Any]:
        """What was noted when it was frozen."""
        facts: dict[str, Any] = json.loads((self.folder / "facts.json").read_text(encoding="utf-8"))
        return facts

    @property
    def receipts(self) -> list[Path]:
        """All receipts, by name."""
        return sorted((self.folder / "receipts").glob("*.tlog-proof"))

    def proven(self) -> Iterator[Proven]:
        """Every receipt, verified."""
        return (verify(file, policy=self.folder / "county.policy") for file in self.receipts)

    def laws(self) -> dict[str, str]:
        """Digest → text of the recorded laws."""
        files = sorted((self.folder / "laws").glob("*.json"))
        return {f"sha256:{file.stem}": file.read_text(encoding="utf-8") for file in files}

    def restore(self, path: Path) -> Store:
        """A store made anew from the files, with laws and tokens put back."""
        store = Store.open(path, memory_limit="500MB")
        store.ingest_inbox(self.folder / "inbox")
        for digest, text in self.laws().items():
            store.record_law(digest, text)
        store.snapshot()
        homes: dict[str, str] = {}
        persons: dict[int, str] = {}
        for one in self.proven():
            subject = one.groups["subject"]
            members = store.fetch(
                "select p.person from units u join unit_persons p on p.request = u.request "
                "where u.case_id = ? and p.role = 'member' order by p.position",
                [subject["case"]],
            )["person"].to_list()
            homes[subject["case"]] = subject["household"]
            persons |= dict(zip(members, subject["persons"], strict=True))
        store.insert("subjects", pl.DataFrame({"case_id": list(homes), "token": list(homes.values())}))
        store.insert("subjects", pl.DataFrame({"person": list(persons), "token": list(persons.values())}))
        return store


def corpora() -> list[Corpus]:
    """Those of all releases, by version."""
    return [Corpus(folder) for folder in sorted(FROZEN.iterdir()) if (folder / "facts.json").is_file()]
