"""The vault: records, outcomes and salts of decisions, each household's sealed under a key of its own.

    county.vault/<batch>/     sealed records, outcomes, salts (`batch`); opens nothing by itself
    county.household-keys     one wrapped data key a household, and what was erased or restricted (`household_keys`)
    keys/county.vault.key     the deployment's key, which wraps those (`deployment`); to be kept away from both

To erase a household is to destroy its data key (`erasure`): what is sealed under it is then noise, here and in every
backup of the vault, and every proof of the log still holds, since the log never had more than a commitment to salted
hashes. While a retention period runs (`retention`) use can be restricted instead.

| Module | Question |
|---|---|
| safe | which places belong together, and how is one opened |
| batch | where do the records of one batch lie |
| course | which run works on a batch, and how far had one come that was broken off |
| packing | how are records made small before they are sealed |
| sealed_file | how do the rows of one file get sealed, and open again |
| columns | how are columns written so that they are whole or not there |
| attempts | what if a block is worked on twice |
| sealing | how are bytes bound to household and place |
| household_keys, notes | which key opens what; what is noted of those erased or restricted |
| deployment | with which key is all that locked |
| erasure, retention | how is a household erased, and when may it be |

Choices
    The records root stays out of the clear: it is unsalted, so somebody with all other records of a batch, or with a
    batch of one, could try incomes against it. It is sealed under a key of the batch that goes with the first
    household erased from it. Counts by outcome stay in the clear; the log has them too.
    A batch that was sealed is never written anew while it may stand in a log: its salts are drawn once, and without
    them no receipt can be made. The same run again finds it closed and takes what is there.
    Households are indexed by random token, cases by a keyed hash: no case id stands in any file of the vault.
"""

from __future__ import annotations

from meanscheck.vault.batch import OUTCOME, Held, Vault, outcome_line
from meanscheck.vault.course import Finished
from meanscheck.vault.deployment import ENVIRONMENT, DeploymentKey
from meanscheck.vault.erasure import BASES, Erasure, entry_of
from meanscheck.vault.household_keys import HouseholdKeys
from meanscheck.vault.notes import ErasedNote, RestrictedNote
from meanscheck.vault.retention import Decided, Retention
from meanscheck.vault.safe import Safe, keys_beside
from meanscheck.vault.sealed_file import Purpose

__all__ = [
    "BASES",
    "ENVIRONMENT",
    "OUTCOME",
    "Decided",
    "DeploymentKey",
    "ErasedNote",
    "Erasure",
    "Finished",
    "Held",
    "HouseholdKeys",
    "Purpose",
    "RestrictedNote",
    "Retention",
    "Safe",
    "Vault",
    "entry_of",
    "keys_beside",
    "outcome_line",
]
