"""Evidence: consents, check requests and answers of departments in one store, and what is known of whom.

    with Store.open("county.duckdb") as store:
        store.requests("inbox/requests.jsonl")
        store.consents("inbox/consents.jsonl")
        report = store.ingest("bank_deposits", "inbox/bank_deposits.csv")
        projection = store.project(store.snapshot(), on=date(2020, 6, 30))
        for block in projection.blocks({"bank_deposits": ["balance"]}, block_units=50_000): ...

`store` gathers what is done with the file, `database` asks DuckDB; `requests`, `consents`, `links` and `ingest` bring
things in (an answer is read and cast by `incoming`, joined with persons by `staging`, lies where `laid` says);
`merging` and `twins` read a person's numbers together; `signing`, `resigning` and `due` say whose consent holds;
`suspects` lists who may be one person; `coverage` says what is known; `rows`, `edges` and `assemble` put it into the
order of case units; `projection` keeps that for a whole caseload, `single` takes one case out of it, `parquet` and
`relations` hand it to clusters, and `case` reads single cases straight from the tables. `corrections` and `clocks`
say what still counts and since when; `erasing`, `rewriting` and `household_file` serve those whom it is about. The
order of arrival of files and rows does not change ids, digests or blocks. `memory` says what the database may take.

Choices (where this differs from the plan, and why)

* `batch` in the tables of feeds is the number of arrival; the content address is `batches.batch_id`. A snapshot is then
  "everything up to load number n", one comparison a row, and past snapshots stay readable.
* Coverage is computed per distinct terms (request, consents, exceptions) and not stored per person: a county of a
  million households has a few thousand, and a consent that came after an answer never makes that answer "nothing
  found".
* An answer reaches a person only if request and consent were there when it was ingested; ingesting the file again after
  they grew makes a supplementary batch.
* The raw text of a quarantined row is kept only of persons whose rows may be kept; file, line, field and reason always.
* A row that another file brought before is stored once, whoever sent it: its digest does not contain the sender.
* A row's digest is made by Polars when it comes in and by the database when a case is read: each checks the other.
* Rows of a large answer are in the feed's table before they are judged, in a transaction into which nobody else sees
  (`laid`): each is written once. If some must go after all, the database writes the others again, as all were before.
* A balance whose manifest is dated after the reference day is no answer for that day.
* The input digest covers the rows that count (of balances the latest ones), which are all that a decision can see.
* Evidence of a person whose consent was withdrawn is left out of projection and cases, not only hidden by its state.
  What may be read is a list of answers (`coverage`, ``p_open``), so a row that came into the store by another way than
  the intake is in no list and read by nobody.
* Persons keep the ordinals of their numbers when a link makes them one; queries read all of a person's ordinals
  (`merging`). So a link that proves wrong ends without a trace in rows, and past snapshots stay as they were.
* When consents must be signed again is a setting of the office, dated and cited, kept in the store and not in a pack:
  it bounds what is read before any law is applied. Unless stated it is what the one form found says (`resigning`).
"""

from meanscheck.evidence.application import CheckRequest, FeedAsk, Member, Supporter
from meanscheck.evidence.ingest import IngestReport
from meanscheck.evidence.manifest import Manifest
from meanscheck.evidence.projection import Projection, ProjectionFile, Reader
from meanscheck.evidence.report import ReportRows
from meanscheck.evidence.requests import Counts
from meanscheck.evidence.snapshot import Snapshot
from meanscheck.evidence.store import Store

__all__ = [
    "CheckRequest",
    "Counts",
    "FeedAsk",
    "IngestReport",
    "Manifest",
    "Member",
    "Projection",
    "ProjectionFile",
    "Reader",
    "ReportRows",
    "Snapshot",
    "Store",
    "Supporter",
]
