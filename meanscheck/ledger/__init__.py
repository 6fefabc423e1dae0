"""A log that auditors can trust without trusting the office: entries, proofs, receipts, and their verification.

Usable alone: it imports the standard library, `cryptography` and
`meanscheck.errors`. It takes the bytes of groups and does not know what a decision is.

An office appends batches and hands out receipts:

    signer = Signer.load("keys/county.key")
    ledger = Ledger.open("ledger", signer=signer)
    sealed = ledger.append(batch)
    text = ledger.receipt(index, leaf, groups, salts, disclose=["result", "reasons"])

Anyone else verifies, with the receipt and a policy file alone:

    proven = verify("0007.tlog-proof", policy="county.policy")
    print(*proven.report("zh"), sep="\\n")

Each module below is one format or one step. Its docstring is the specification, a tutorial and a test vector, and is
executed by the tests. Verbs come in pairs.

| Module | Question | Verbs |
|---|---|---|
| canonical | which bytes stand for a value | format, parse |
| note | who signed this text (C2SP signed-note) | sign, open; format, parse |
| merkle | is it in the tree, did the tree only grow (RFC 6962) | prove_…, check_… |
| checkpoint | how large, which root (C2SP tlog-checkpoint) | format, parse |
| tiles | where on disk (C2SP tlog-tiles) | format_bundle, parse_bundle |
| proof | the offline proof's text (C2SP tlog-proof) | format, parse |
| policy | whom to trust (C2SP tlog-policy) | format, parse |
| commitment, bulk | how a leaf binds and hides a decision; the same for a million | commit, hide, reveal |
| together | what of the log's work can be done where decisions are made | together, put |
| keyfile | how a private key is kept, what it signs | write, read |
| signer, state | who may sign, never two histories | save, load |
| command, device | the same with the key elsewhere: another program, a PKCS#11 token | sign_note |
| witness | does everyone see the same history (C2SP tlog-witness) | add_checkpoint; format_…, parse_… |
| witnessing | the log's side of that: until the quorum is met | cosign, is_met |
| carriers | the same bytes over HTTP or as files | HttpWitness, Server; FileWitness, answer_file |
| log, files | how the folder grows and survives crashes | grow, publish |
| batches | the front: batches and entries in, receipts and proofs out | append, add; receipt, prove_… |
| closing, tokens | what does a batch promise: how many, where, which households | format, parse; check_page |
| entries | what else is entered: corrections, erasures, keys, steps of the office | format, parse |
| corrections | which decisions take the place of earlier ones | take, entries |
| history | what happened to a household; does every entry keep its promise | history, admit, check_entries |
| latest | is this the household's latest decision | prove, verify |
| shown | is this entry, of any kind, in the log | prove, verify |
| rotation | how a key is changed, how one year's log goes on from another's | overlap, check_chain |
| receipts | the receipt's one text | format, parse |
| verdict | is it true | verify |
| timestamp | when did it exist at the latest (RFC 3161) | stamp, check_timestamp |
| sm2, sm3, parallel | the same log under SM3 and SM2 | catch_up; prove, check |

Choices
-------
* The plan's `verify.py` is `verdict.py`: a submodule named like the function would hide it.
* Member m of a leaf is the plain SHA-256 of the batch-open entry, so that `sha256sum` can check it.
* batch-open and batch-close hold the caller's content under one member (`opening`, `closing`), so that it can never
  collide with the ledger's own members.
* The opening is published under its own checkpoint before the run. A run that breaks off leaves it as the log's last
  entry, and the same batch continues from it. So decision n of a batch always stands at index open + 1 + n, which
  `verify` checks.
* Receipts put signature lines in one order. The specification leaves it open; one text for each receipt needs it.
* Groups travel in receipts as JSON text inside JSON, not as nested objects: what is hashed is what was received.
* New tiles wait under `.staging/` and are renamed together, and leftovers of a crash are removed before the log
  grows, so that a reader who prefers full tiles meets none of them.
* A state is one class and `Guarded` puts it before any signer, so that no way of signing has a rule of its own.
* Timestamps stamp the note's text, not its signature lines: a receipt may leave lines out, and a stolen key cannot have
  made a tree head that was stamped before.
* A parallel log repeats no entries and has its own checkpoint, so that it can be added to a log, left out of a copy, or
  taken up again from nothing.
* A subject group that has a member `household` must carry the entry's token there.
* batch-close commits to the households decided (`tokens.py`) and names the batch-close before it, so that "is this the
  latest" is answered with a page a batch. Steps of the office would make the way from one batch to the next long, so a
  tally stands after every 32 entries and says that there was no decision: these entries then need not be shown.
* Corrections are pairs of indexes in the open, many in one entry; see `corrections.py`.
* `Ledger.check` recomputes hashes and takes any entry; `Ledger.check_entries` also holds each entry to its promise.
* The log's own ML-DSA-44 line states no time (0), as the specification allows: the ledger reads no clock, and a log's
  word on time proves nothing. Witnesses state theirs.
* A receipt carries all lines of its checkpoint; `receipts.compact` makes the short form, without the office.
* A policy that lists one of a log's two keys refuses receipts with the other's line, as a byte of an unknown line could
  be changed unseen: policies list both.
* The witnessed opening is kept in the batch-close entry, with its cosignatures: the file `checkpoint` has the newest.
* A witness signs within the lock that guards its state, so its times never go against its sizes.
* A witness answers 409 with its size also where only the root differs: a client that reads files has no content type.
* A receipt of a record committed to as a whole repeats its one salt in each group, so that receipts keep one form.
"""

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import (
    canonical,
    checkpoint,
    commitment,
    entries,
    history,
    latest,
    merkle,
    note,
    policy,
    proof,
    receipts,
    rotation,
    shown,
    tiles,
)
from meanscheck.ledger.batch import Batch, Sealed
from meanscheck.ledger.batches import Ledger
from meanscheck.ledger.bulk import Block, Seal, SealedBlock, seal_block
from meanscheck.ledger.commitment import GROUPS, Leaf
from meanscheck.ledger.latest import verify as verify_latest
from meanscheck.ledger.note import VerifierKey
from meanscheck.ledger.policy import Policy
from meanscheck.ledger.rotation import Overlap
from meanscheck.ledger.shown import verify as verify_entry
from meanscheck.ledger.signer import Signer
from meanscheck.ledger.state import Guarded
from meanscheck.ledger.verdict import Proven, Step, open_receipt, verify
from meanscheck.ledger.witness import Witness
from meanscheck.ledger.witnessing import Witnesses

__all__ = [
    "GROUPS",
    "Batch",
    "Block",
    "Guarded",
    "Leaf",
    "Ledger",
    "LedgerError",
    "NotProven",
    "Overlap",
    "Policy",
    "Proven",
    "Seal",
    "Sealed",
    "SealedBlock",
    "Signer",
    "Step",
    "VerifierKey",
    "Witness",
    "Witnesses",
    "canonical",
    "checkpoint",
    "commitment",
    "entries",
    "history",
    "latest",
    "merkle",
    "note",
    "open_receipt",
    "policy",
    "proof",
    "receipts",
    "rotation",
    "seal_block",
    "shown",
    "tiles",
    "verify",
    "verify_entry",
    "verify_latest",
]
