"""Which database does work that belongs to no store? One of the process's own, in memory, which keeps nothing."""

from __future__ import annotations

from functools import cache

import duckdb


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
