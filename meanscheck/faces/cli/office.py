"""Where does an office keep what belongs to one store? Everything lies beside the store's file, under its name.

county.duckdb      evidence: requests, consents, answers, recorded law
county.vault/      records, outcomes and salts of decisions, each household's sealed under a key of its own
county.household-keys   those keys, wrapped: in a short backup cycle of their own, so that an erasure is complete soon
county.policy      whom an auditor trusts: the log's public key; to be handed out
keys/county.key    the log's private key and its state; to be kept away from everybody
keys/county.vault.key   opens the key file, unless MEANSCHECK_VAULT_KEY does; to be kept apart from the vault's backups
ledger/            the log; holds nothing secret and may be published
county.steps/      what the office keeps of its steps, readable by its owner only
receipts/          receipts written by `meanscheck receipt` and by the demo
county.access      who read which household, for what and when; readable by its owner only

Every command that shows a household goes through `Office.shows` first: nothing is shown that is not in the journal.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meanscheck.errors import Erased, InputError, NotProven, StoreError

if TYPE_CHECKING:
    from meanscheck.ledger import Ledger
    from meanscheck.vault import Held, Safe

StorePath = Annotated[
    Path, typer.Argument(help="The evidence store, *.duckdb, or the folder that holds it.", metavar="STORE")
]


By = Annotated[
    str | None,
    typer.Option(
        "--as",
        help="Code of the officer who looks; MEANSCHECK_OFFICER if left out, else the account's name.",
        metavar="OFFICER",
    ),
]
For = Annotated[str | None, typer.Option("--for", help="Why it is looked at; goes into the journal.", metavar="WHY")]
OFFICER = "MEANSCHECK_OFFICER"


@dataclass(frozen=True, slots=True)
class Office:
    """The places that belong to one store."""

    store: Path

    @property
    def vault(self) -> Path:
        """Records of sealed decisions."""
        return self.store.with_suffix(".vault")

    @property
    def steps(self) -> Path:
        """What the office keeps of its steps on decisions."""
        return self.store.with_suffix(".steps")

    @property
    def vault_key(self) -> Path:
        """The deployment's key, which opens the vault, if it is a file."""
        from meanscheck.vault.safe import places_beside

        return places_beside(self.vault)[1]

    @property
    def policy(self) -> Path:
        """The trust policy of the office's own log."""
        return self.store.with_suffix(".policy")

    @property
    def key(self) -> Path:
        """The private key of the log."""
        return self.store.parent / "keys" / f"{self.store.stem}.key"

    @property
    def ledger(self) -> Path:
        """The log's folder."""
        return self.store.parent / "ledger"

    @property
    def receipts(self) -> Path:
        """Where receipts go unless told otherwise."""
        return self.store.parent / "receipts"

    @property
    def access(self) -> Path:
        """The journal of who read what."""
        return self.store.with_suffix(".access")

    def shows(self, command: str, cases: Sequence[str], *, by: str | None, why: str | None) -> None:
        """Enter into the journal that a command is about to show households; raises if it cannot be written.

        Args:
            command: the command's name.
            cases: case numbers, or ``["*"]`` for all that the store holds.
            by: the officer as given with the command.
            why: the purpose as given; the command's name unless given.
        """
        from meanscheck.vault.access import Known, note

        known: Known = "given"
        if by is None:
            known, by = "environment", os.environ.get(OFFICER)
        if not by:
            known, by = "system", _account()
        note(
            self.access, at=datetime.now(UTC), by=by, known=known, command=command, purpose=why or command, cases=cases
        )

    def open_ledger(self) -> Ledger:
        """The log, to read: its name comes from the policy."""
        from meanscheck.ledger import Ledger, Policy

        if not self.policy.is_file():
            raise InputError("no policy beside the store", where=self.policy.name, remedy="`meanscheck init` writes it")
        try:
            policy = Policy.parse(self.policy.read_bytes())
        except NotProven as fault:
            raise InputError(fault.why, where=self.policy.name) from None
        return Ledger.open(self.ledger, origin=policy.log_keys[0].name)

    def open_vault(self) -> Safe:
        """The vault with its keys; StoreError if they are missing."""
        from meanscheck.vault import Safe

        return Safe.open(self.vault)

    def latest(self, case_id: str) -> Held:
        """The record of a case in the batch sealed last.

        Raises:
            Erased: the household was erased, and no batch has decided it since.
            Restricted: its records are only kept.
            StoreError: no batch has decided it.
        """
        from meanscheck.decisions.record import GROUPS

        safe = self.open_vault()
        tokens = safe.keys.tokens_of(case_id)
        records = [batch.find_token(token) for batch in safe.batches(GROUPS) for token in tokens]
        found = [held for held in records if held is not None]
        if not found and safe.keys.was_erased(case_id):
            raise Erased("the records of that case were erased")
        if not found:
            raise StoreError(
                f"no batch beside {self.store.name} has decided that case; `meanscheck assess` decides all"
            )
        return max(found, key=lambda held: -1 if held.index is None else held.index)


def _account() -> str:
    """The name of the account the command runs under."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"


def office_at(path: Path) -> Office:
    """The office of a store's file, or of the folder that holds one store; InputError otherwise."""
    if path.is_dir():
        stores = sorted(path.glob("*.duckdb"))
        if len(stores) != 1:
            what = "no *.duckdb there" if not stores else f"{len(stores)} stores there"
            raise InputError(what, where=path.name or str(path), remedy="Name the store's file")
        return Office(stores[0])
    if not path.is_file():
        raise InputError("no such store", where=path.name, remedy="`meanscheck init` makes one")
    return Office(path)
