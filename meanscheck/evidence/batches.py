"""What is recorded of an answer, and by which ids is it known?

The file id names the answer as it came, so that the same file is known again; the batch id names what was stored of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meanscheck.contracts import FeedContract
from meanscheck.evidence.digests import NOTHING, canonical, digest_of_sorted, named
from meanscheck.evidence.manifest import OFFICE, Manifest
from meanscheck.evidence.quarantine import REPEATED
from meanscheck.evidence.staging import Staged

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store


def facts_of(contract: FeedContract, answer: Manifest | None) -> dict[str, object]:
    """What the manifest states, for the batch id; an office feed without one is the office's."""
    return {"feed": contract.name, "sender": OFFICE} if answer is None else answer.facts()


def file_id_of(store: Store, facts: dict[str, object], answer: Manifest | None, staged: Staged) -> str:
    """Names the answer as it came, whoever may be kept of it: facts, whom it leaves out, and every row in it."""
    silent = sorted(f"{p.id_type} {p.id_number}" for p in (answer.not_answered if answer else ()))
    bad = NOTHING
    if staged.bad:
        bad = digest_of_sorted(
            store,
            "select distinct unhex(left(sha256(concat_ws(chr(31), field, reason, raw)), 32)) as digest from i_bad "
            f"where reason <> '{REPEATED}'",
        )
    return named(canonical({**facts, "not_answered": silent, "quarantined": bad}), staged.every_row)


def record(
    store: Store,
    contract: FeedContract,
    name: str,
    answer: Manifest | None,
    *,
    numbers: dict[str, int],
    batch_id: str,
    file_id: str,
    stated: bytes,
    of_file: str | None,
) -> None:
    """Write down the batch: its ids, what it covers, and what became of its rows (`numbers`, by column).

    `stated` is what the manifest says, as canonical JSON.
    """
    row: dict[str, object] = {
        "batch_id": batch_id,
        "file_id": file_id,
        "feed": contract.name,
        "sender": OFFICE if answer is None else answer.sender,
        "institutions": _words(answer.institutions if answer else None),
        "divisions": _words(answer.divisions if answer else None),
        "answered_on": answer.answered_on if answer else None,
        "covers_from": answer.covers_from if answer else None,
        "covers_to": answer.covers_to if answer else None,
        "as_of": answer.as_of if answer else None,
        "all_requests": answer is None or answer.requests == "all",
        "file": name,
        "manifest": stated.decode(),
        "contract": contract.digest,
        "answer_no": answer.answer_no if answer else None,
        "how": answer.how if answer else None,
        "of_file": of_file,
        **numbers,
    }
    marks = ", ".join("?" for _ in row)
    store.run(f"insert into batches ({', '.join(row)}) values ({marks})", list(row.values()))


def _words(given: tuple[str, ...] | None) -> list[str] | None:
    return None if given is None else sorted(set(given))
