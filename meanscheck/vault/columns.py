"""How are columns of a batch written so that they are whole or not there, and read a few rows at a time?

>>> import tempfile
>>> folder = tempfile.TemporaryDirectory()
>>> file, frames = Path(folder.name, "two.parquet"), [pl.DataFrame({"n": [n]}) for n in (1, 2)]
>>> write_parquet(file, lambda: iter(frames), {"n": pl.Int64}, rows=1)
>>> read(file, pl.col("n"), 1).to_series().to_list()
[2]
>>> folder.cleanup()

Choices
    * A file is flushed to the disk before it has its name: the log that is signed after it counts on it, and a run that
      goes on after a loss of power takes what has its name for whole.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from meanscheck.errors import StoreError
from meanscheck.vault import files

_OS_ERROR = re.compile(r"\(os error (\d+)\)")
_REFUSED = "transport error"


def read(file: Path, columns: pl.Expr, first: int = 0, count: int | None = None) -> pl.DataFrame:
    """Some columns of some rows; StoreError if the file has not got them."""
    try:
        return pl.scan_parquet(file).slice(first, count).select(columns).collect(engine="in-memory")
    except (pl.exceptions.PolarsError, OSError):
        raise StoreError(
            f"{file.name} is damaged, or was not sealed by this version: bring the batch's folder back from a backup"
        ) from None


def metadata_of(file: Path) -> dict[str, str]:
    """What `write_parquet` was given as metadata; StoreError if the file is damaged."""
    try:
        return {name: text for name, text in pl.read_parquet_metadata(file).items() if name != "ARROW:schema"}
    except (pl.exceptions.PolarsError, OSError):
        raise StoreError(f"{file.name} is damaged: bring the batch's folder back from a backup") from None


def write_parquet(
    target: Path,
    parts: Callable[[], Iterator[pl.DataFrame]],
    schema: Mapping[str, Any],
    *,
    rows: int,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write frames as they come, a row group each: to a temporary name, flushed, then renamed.

    Raises:
        StoreError: the disk is full or refuses it; what was there before stays.
    """
    from polars.io.plugins import register_io_source

    def given(
        _columns: list[str] | None, _where: pl.Expr | None, _most: int | None, _batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        return parts()

    part = target.with_suffix(".part")
    with files.writing(target):
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        try:
            register_io_source(given, schema=pl.Schema(schema)).sink_parquet(
                part,
                compression="uncompressed",
                statistics=False,
                row_group_size=rows,
                metadata=dict(metadata or {}),
                maintain_order=True,
                engine="streaming",
            )
        except pl.exceptions.ComputeError as error:
            # What the operating system refused arrives as a mistake in a computation, and where it refused the file's
            # last bytes, without its number.
            found = _OS_ERROR.search(str(error))
            if found is None and _REFUSED not in str(error):
                raise
            number = errno.EIO if found is None else int(found.group(1))
            raise OSError(number, os.strerror(number)) from None
        files.flush(part)
        part.replace(target)
