"""How are columns of a batch written so that they are whole or not there, and read a few rows at a time?

>>> import tempfile
>>> folder = tempfile.TemporaryDirectory()
>>> file, frames = Path(folder.name, "two.parquet"), [pl.DataFrame({"position": [n]}) for n in (1, 2)]
>>> write_parquet(file, lambda: iter(frames), {"position": pl.Int64}, rows=1)
>>> read(file, ["position"], 1).to_series().to_list(), height(file)
([2], 2)
>>> folder.cleanup()

Choices
    * What lies in a vault may be damaged, or somebody else's: it is read as sent files are (`values.parquet`).
    * A file is flushed to the disk before it has its name: the log that is signed after it counts on it, and a run that
      goes on after a loss of power takes what has its name for whole.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import polars as pl

from meanscheck.errors import StoreError
from meanscheck.values.parquet import Unreadable, opened
from meanscheck.values.sql import quoted
from meanscheck.vault import files

COLUMNS: Final[Mapping[str, type[pl.DataType]]] = {
    "position": pl.Int64,
    "token": pl.String,
    "index": pl.Int64,
    "leaf": pl.Binary,
    "sealed": pl.Binary,
}
"""What the files of a batch are made of."""
_ALL = 2**62
_OF_ARROW = b"ARROW:schema"
_OS_ERROR = re.compile(r"\(os error (\d+)\)")
_REFUSED = "transport error"


def read(file: Path, columns: Sequence[str], first: int = 0, count: int | None = None) -> pl.DataFrame:
    """Some of `COLUMNS` of some rows, in their order; StoreError if the file has not got them."""
    with _told(file), opened(file) as parquet:
        frame = parquet.frame([quoted(name) for name in columns], first, _ALL if count is None else first + count)
        if frame.schema != {name: COLUMNS[name] for name in columns}:
            raise Unreadable
        return frame


def height(file: Path) -> int:
    """How many rows a file says it has; StoreError if it is damaged."""
    with _told(file), opened(file) as parquet:
        ((rows,),) = parquet.rows("select num_rows from parquet_file_metadata(?)")
    return int(rows)


def metadata_of(file: Path) -> dict[str, str]:
    """What `write_parquet` was given as metadata; StoreError if the file is damaged."""
    with _told(file), opened(file) as parquet:
        found = parquet.rows("select key, value from parquet_kv_metadata(?)")
        return {name.decode(): text.decode() for name, text in found if name != _OF_ARROW}


@contextmanager
def _told(file: Path) -> Iterator[None]:
    try:
        yield
    except (Unreadable, ValueError):
        raise StoreError(
            f"{file.name} is damaged, or was not sealed by this version: bring the batch's folder back from a backup"
        ) from None


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
