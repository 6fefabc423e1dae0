"""What if the vault's files were not sealed? For the comparison with a pipeline that seals none."""

from __future__ import annotations

import polars as pl

from meanscheck.vault import Vault


class PlainVault(Vault):
    """A vault that writes records, outcomes and salts in the clear, packed as the hand-written pipeline packs them."""

    def put(self, kind: str, block: int, frame: pl.DataFrame) -> None:
        frame.write_parquet(self.folder / f"{kind}-{block:05d}.parquet", compression="zstd", compression_level=1)
