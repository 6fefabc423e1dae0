"""Which database does work that belongs to no store? One of the process's own, in memory, which keeps nothing."""

from __future__ import annotations

from contextlib import closing
from functools import cache

import duckdb
import polars as pl

from meanscheck.errors import StoreError
from meanscheck.values.arrow import ArrowStream, frame_of


def asked(query: str, rows: pl.DataFrame) -> pl.DataFrame:
    """What a query answers of a frame, which it calls ``given``; rows keep their order.

    Raises:
        StoreError: it could not be answered; without the database's words, which may hold values.
    """
    try:
        with closing(scratch()) as connection:
            connection.register("given", ArrowStream(rows))
            return frame_of(connection.sql(query))
    except (duckdb.Error, pl.exceptions.PolarsError) as error:  # the second, if some rows had come already
        raise StoreError(
            f"rows could not be worked on in memory ({type(error).__name__}); nothing was kept. Is there enough of it?"
        ) from None


def scratch() -> duckdb.DuckDBPyConnection:
    """A connection for whoever asks, to be closed by him."""
    return _database().cursor()


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """One for the process: to open it takes as long as to read a small file twenty times."""
    # Nothing is fetched; nothing of a person is spilled, or kept until its name in memory means another file.
    off = ("autoinstall_known_extensions", "autoload_known_extensions", "enable_external_file_cache")
    connection = duckdb.connect(config={"memory_limit": "1GB", "temp_directory": "", **dict.fromkeys(off, False)})
    connection.execute("set enable_progress_bar = false")
    return connection
