"""Which places belong to one vault, and how is it opened?

    county.vault/            the vault: a folder a batch
    county.household-keys    the key file, beside it: short backups, see `household_keys`
    keys/county.vault.key    the deployment's key, unless it is in MEANSCHECK_VAULT_KEY or given: backed up once, apart

A backup of the vault's folder alone opens nothing, and neither does one of both files beside it without the folder.
A new vault gets both; a vault that holds batches and has lost one of them is refused, never given a new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from meanscheck.errors import StoreError
from meanscheck.vault.batch import Vault
from meanscheck.vault.deployment import DeploymentKey
from meanscheck.vault.household_keys import HouseholdKeys
from meanscheck.vault.retention import Decided


class Safe:
    """A vault as a whole: its folder of batches and its key file."""

    def __init__(self, folder: Path, keys: HouseholdKeys) -> None:
        self.folder, self.keys = folder, keys

    def __repr__(self) -> str:
        return f"Safe({self.folder.name})"

    @classmethod
    def open(
        cls, folder: Path | str, *, key: DeploymentKey | None = None, key_file: Path | None = None, make: bool = False
    ) -> Safe:
        """Open a vault.

        Args:
            folder: of batches; need not exist yet.
            key: the deployment's; looked for as `deployment` says if left out.
            key_file: beside the folder if left out.
            make: make key file and deployment's key for a vault that is empty.

        Raises:
            StoreError: a key is missing, does not fit, may be read by others, or lies inside the folder.
        """
        return cls(Path(folder), keys_beside(Path(folder), key=key, key_file=key_file, make=make))

    def batch(self, batch_id: str, group_names: tuple[str, ...]) -> Vault:
        """A batch, there or to be put."""
        return Vault(self.folder / batch_id, group_names, self.keys)

    def batches(self, group_names: tuple[str, ...] = ()) -> list[Vault]:
        """All batches, by id. Names of groups are needed to read records, not for anything else."""
        if not self.folder.is_dir():
            return []
        return [self.batch(place.name, group_names) for place in sorted(self.folder.iterdir()) if place.is_dir()]

    def history(self, token: str) -> Sequence[Decided]:
        """What the closed batches decided on a household. It may have been paid unless every outcome was ineligible."""
        found: list[Decided] = []
        for batch in self.batches():
            facts, outcomes = batch.closed(), batch.outcomes_of(token)
            if facts is None or outcomes is None:
                continue
            if "on" not in facts:
                raise StoreError(f"batch {batch.folder.name} does not say on which day it decides")
            paid = bool((outcomes["outcome"] != "ineligible").any())
            found.append(Decided(batch.folder.name, date.fromisoformat(facts["on"]), paid))
        return found


def places_beside(folder: Path) -> tuple[Path, Path]:
    """Key file and deployment's key of a vault's folder, where nobody names others."""
    stem = folder.name.removesuffix(".vault")
    return folder.with_name(f"{stem}.household-keys"), folder.parent / "keys" / f"{folder.name}.key"


def keys_beside(
    folder: Path, *, key: DeploymentKey | None = None, key_file: Path | None = None, make: bool = False
) -> HouseholdKeys:
    """The key file of a vault's folder; see `Safe.open`."""
    beside, deployment = places_beside(folder)
    beside = key_file or beside
    for place in (beside, deployment):
        if place.resolve().is_relative_to(folder.resolve()):
            raise StoreError(f"{place.name} lies inside the vault's folder: whoever copies the vault would have it")
    make = make and not beside.exists()
    if make and any(folder.glob("*/records-*.parquet")):
        raise StoreError(f"the vault holds batches, but its key file {beside.name} is missing: bring it back")
    key = key or DeploymentKey.from_environment()
    if key is None:
        if make and not deployment.exists():
            DeploymentKey.generate().save(deployment)
        key = DeploymentKey.load(deployment)
    return HouseholdKeys.open(beside, key=key, make=make)
