"""What can go wrong, as one tree.

    MeanscheckError
    ├── InputError          something given from outside cannot be used; the text says file, line, field and remedy
    │   ├── ContractError   a feed contract (schemas/) is itself faulty
    │   ├── FeedError       a feed file, manifest, consent or request file cannot be read at all
    │   ├── PackError       a rule pack does not load: file, key, position, reason, suggested mend
    │   ├── CaseError       a stated case (cases.toml, `Case.from_dict`) is faulty
    │   └── MoneyError      an amount, date or number text is not what the contract says
    ├── StoreError          the evidence store or the vault cannot be opened, or refuses an operation
    │   ├── Erased          the household's key was destroyed: nobody can open its records
    │   ├── Restricted      the household's records are kept and may be read by an audit only
    │   └── Retained        a retention period runs: no erasure yet; `.until` is the day on which it ends
    ├── LedgerError         the log, its keys or its state file refuse an operation
    │   └── NotProven       a receipt, checkpoint, proof or policy does not verify; `.step` says which check failed
    ├── ReplayDifference    a recomputed decision differs; `.differences` lists the fields
    └── InternalError       a guard of our own tripped (overflow bound, executor self-test): stop and report

No message ever carries a person's value: it names the place (file, line, field, rule, locator), never the content.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date


class MeanscheckError(Exception):
    """Root of everything this library raises on purpose."""


class InputError(MeanscheckError):
    """Something given from outside cannot be used.

    Args:
        what: the reason, without any personal value.
        where: locator, such as ``"rules/cn/rules.toml: programme dibao, test income"`` or ``"bank.csv:17 balance"``.
        remedy: what to do next; may be empty.
    """

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what, self.where, self.remedy = what, where, remedy
        text = f"{where}: {what}" if where else what
        super().__init__(f"{text}. {remedy}" if remedy else text)


class ContractError(InputError):
    """A feed contract is itself faulty."""


class FeedError(InputError):
    """A feed file, manifest, consent file or request file cannot be read."""


class PackError(InputError):
    """A rule pack does not load."""


class CaseError(InputError):
    """A stated case is faulty."""


class MoneyError(InputError, ValueError):
    """A text is not an amount, date or number of the expected form."""


class StoreError(MeanscheckError):
    """The evidence store cannot be opened or refuses an operation."""


class Erased(StoreError):
    """The key of a household was destroyed, so nobody can open its records. Nothing is wrong with the vault."""


class Restricted(StoreError):
    """Use of a household's records is restricted to keeping them; an audit may read them."""


class Retained(StoreError):
    """A retention period still runs, so the records of a household are not erased.

    Args:
        until: the first day on which they may be erased; None while that day is not known.
        why: what runs, and what to do.
    """

    def __init__(self, until: date | None, why: str) -> None:
        self.until = until
        super().__init__(why)


class LedgerError(MeanscheckError):
    """The log, its keys or its state file refuse an operation."""


class NotProven(LedgerError):
    """A receipt, checkpoint, proof or policy does not verify.

    Args:
        step: the check that failed, such as ``"inclusion"``.
        why: the reason.
    """

    def __init__(self, step: str, why: str) -> None:
        self.step, self.why = step, why
        super().__init__(f"{step}: {why}")


class ReplayDifference(MeanscheckError):
    """A recomputed decision differs from the recorded one.

    Args:
        differences: one line per differing field, by its path in the record, without values.
    """

    def __init__(self, differences: Sequence[str]) -> None:
        self.differences = tuple(differences)
        super().__init__("; ".join(self.differences))


class InternalError(MeanscheckError):
    """A guard of our own tripped; the result cannot be trusted and was not written."""
