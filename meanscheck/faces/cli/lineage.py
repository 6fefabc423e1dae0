"""Where do events of lineage go? Into the file of ``--lineage`` or MEANSCHECK_LINEAGE, a line each, as runs proceed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meanscheck.errors import MeanscheckError

if TYPE_CHECKING:
    from meanscheck.decisions import Assessment
    from meanscheck.evidence import IngestReport
    from meanscheck.ledger import Sealed
    from meanscheck.lineage import Data, Kind

LineageFile = Annotated[
    Path | None,
    typer.Option(
        "--lineage",
        envvar="MEANSCHECK_LINEAGE",
        help="Append OpenLineage events to this file, one JSON object a line. No personal data.",
        metavar="FILE",
    ),
]


@dataclass(slots=True)
class Run:
    """A run that is told about; fill in what it writes."""

    outputs: list[Data] = field(default_factory=list)
    inputs: list[Data] = field(default_factory=list)
    """More that turned out to be read."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Tells of runs, or of nothing if there is no file."""

    path: Path | None = None

    @contextmanager
    def run(self, job: str, *, inputs: Sequence[Data] = (), digests: Mapping[str, str] | None = None) -> Iterator[Run]:
        """START on entry; COMPLETE with its outputs at the end, or FAIL with our own words for an error of ours."""
        made, run_id = Run(), str(uuid.uuid4())
        self._tell("START", job, run_id, inputs, (), digests)
        try:
            yield made
        except BaseException as fault:
            # Others' messages may hold values; ours name places only.
            said = str(fault) if isinstance(fault, MeanscheckError) else type(fault).__name__
            self._tell("FAIL", job, run_id, inputs, (), digests, said)
            raise
        self._tell("COMPLETE", job, run_id, (*inputs, *made.inputs), made.outputs, digests)

    def _tell(
        self,
        kind: Kind,
        job: str,
        run_id: str,
        inputs: Sequence[Data],
        outputs: Sequence[Data],
        digests: Mapping[str, str] | None,
        error: str = "",
    ) -> None:
        if self.path is None:
            return
        from meanscheck import __version__
        from meanscheck.lineage import event, line

        at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        told = event(
            kind,
            job=job,
            run_id=run_id,
            at=at,
            release=__version__,
            inputs=inputs,
            outputs=outputs,
            digests=digests,
            error=error,
        )
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(line(told))


def batch_of(report: IngestReport) -> Data:
    """The batch that a file became."""
    from meanscheck.contracts import feed
    from meanscheck.lineage import Data

    contract = feed(report.feed)
    counts = ("quarantined", "not_covered", "not_requested", "repeated", "known_rows")
    return Data(
        f"store/{report.feed}/{report.short_id}",
        columns=[(c.stored_name, c.duckdb_type) for c in contract.columns],
        rows=report.accepted,
        digests={"batch": report.batch_id, "contract": contract.digest},
        counts={name: int(getattr(report, name)) for name in counts},
    )


def projection_of(result: Assessment) -> Data:
    """The evidence in the order of case units."""
    from meanscheck.lineage import Data

    projection = result.projection
    return Data(
        f"projection/{projection.key[:16]}",
        rows=projection.units,
        digests={"projection": projection.key, "snapshot": result.snapshot.id},
        counts={"units": projection.units, "persons": projection.persons, **projection.rows},
        days={"on": projection.on},
    )


def decisions_of(result: Assessment) -> Data:
    """The batch of decisions in the vault."""
    from meanscheck.lineage import Data

    outcomes = {f"{programme}.{outcome}": n for (programme, outcome), n in result.counts.items()}
    return Data(
        f"vault/{result.batch_id}",
        rows=result.projection.units,
        digests={"law": result.law.digest, "snapshot": result.snapshot.id},
        counts=outcomes,
        days={"on": result.law.on, "known_by": result.law.known_by},
    )


def sealed_of(sealed: Sealed) -> Data:
    """The batch in the log."""
    from meanscheck.lineage import Data

    return Data(
        f"log/{sealed.batch_id}",
        rows=sealed.count,
        digests={"root": sealed.root},
        counts={"first_index": sealed.first_index, "size": sealed.size},
    )
