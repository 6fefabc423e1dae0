"""How is a database file opened, and how is it made sure that an encrypted one really is?

Every file is attached to a database that lives in memory, so that encrypted and other files are opened alike. DuckDB
encrypts with OpenSSL only where its httpfs extension is loaded (extra `encryption`; the wheel holds it, nothing is
fetched), and older releases took a key and wrote plain text. So it fails closed: without the extension nothing is
opened, spilling is encrypted before anything is attached, and the database must itself say that the file is encrypted.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb

from meanscheck.errors import StoreError
from meanscheck.evidence.key import StoreKey
from meanscheck.evidence.rescue import BUSY, OPEN_HERE, is_left, mend

NAME = "store"
"""Under which name the opened file is known to SQL; unqualified names mean it."""
_NEVER = "1000TB"
"""The database makes no checkpoint by itself, see `rescue`."""
_EXTENSION = "duckdb_extension_httpfs"
_INSTALL = "install 'meanscheck[encryption]', which brings the release of DuckDB that can"


def connected(
    path: Path,
    key: StoreKey | None,
    *,
    read_only: bool,
    memory_limit: str,
    threads: int,
    temp_dir: Path | str | None,
) -> duckdb.DuckDBPyConnection:
    """A connection whose unqualified names mean the file; StoreError, without the database's words, if it fails."""
    settings: dict[str, Any] = {
        "memory_limit": memory_limit,
        "threads": threads,
        "temp_directory": str(temp_dir if temp_dir is not None else path.with_name(path.name + ".tmp")),
        "python_enable_replacements": False,
        "checkpoint_threshold": _NEVER,
        "auto_checkpoint_skip_wal_threshold": 10**15,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    if not path.parent.is_dir():
        raise StoreError("the folder of the store does not exist; look at the path")
    try:
        connection = duckdb.connect(":memory:", config=settings)
    except duckdb.Error as error:
        raise StoreError(f"the database does not start ({type(error).__name__})") from None
    try:
        # What is printed is for `faces` to say.
        connection.execute("set enable_progress_bar = false").fetchall()
        connection.execute("pragma disable_checkpoint_on_shutdown").fetchall()
        if not read_only:
            mend(path)
        attach(connection, path, NAME, key, read_only=read_only)
        connection.execute(f"use {NAME}").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def attach(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    name: str,
    key: StoreKey | None,
    *,
    read_only: bool,
    row_group: int | None = None,
) -> None:
    """Open a file under a name; StoreError if it cannot be, or is not encrypted although there is a key.

    `row_group`: rows that tables made in it keep and summarise together; the database's own number unless given.
    """
    if key is not None:
        _unlock(connection)
    options = ["read_only"] if read_only else []
    if row_group is not None:
        options.append(f"row_group_size {row_group}")
    if key is not None:
        options.append(f"encryption_key '{key.passphrase}'")
    place = str(path).replace("'", "''")
    how = f" ({', '.join(options)})" if options else ""
    try:
        connection.execute(f"attach '{place}' as {name}{how}").fetchall()
    except duckdb.Error as error:
        if read_only and is_left(path):
            raise StoreError("the store was not closed by whoever wrote it last; open it once for writing") from None
        raise StoreError(_why_not_open(error, has_key=key is not None)) from None
    if key is not None:
        told = connection.execute("select encrypted from duckdb_databases() where database_name = ?", [name]).fetchall()
        if told != [(True,)]:
            connection.execute(f"detach {name}").fetchall()
            raise StoreError(
                "there is a key, but the store is not encrypted; `meanscheck encrypt` encrypts it, or take the key away"
            )


def _unlock(connection: duckdb.DuckDBPyConnection) -> None:
    """Load what encrypts, and have spilled data encrypted as well."""
    found = find_spec(_EXTENSION)
    places = list(found.submodule_search_locations or ()) if found is not None else []
    files = [Path(p) / "extensions" / f"v{duckdb.__version__}" / "httpfs.duckdb_extension" for p in places]
    there = [file for file in files if file.is_file()]
    if not there:
        raise StoreError(f"this DuckDB ({duckdb.__version__}) cannot encrypt here: {_INSTALL}. Nothing was opened")
    place = str(there[0]).replace("'", "''")
    try:
        connection.execute(f"load '{place}'").fetchall()
        connection.execute("set temp_file_encryption = true").fetchall()
    except duckdb.Error as error:
        raise StoreError(
            f"what encrypts the store cannot be loaded ({type(error).__name__}): {_INSTALL}. Nothing was opened"
        ) from None


def _why_not_open(error: duckdb.Error, *, has_key: bool) -> str:
    words = str(error)
    if "Could not set lock" in words:
        return BUSY
    if "Unique file handle conflict" in words:
        return OPEN_HERE
    if "Corrupt database file" in words:
        return "the store's file is damaged; bring it back from a backup"
    if "Wrong encryption key" in words:
        return "the key is not that of the store"
    if "without a key" in words:
        return (
            "the store is encrypted and no key was found: give it as a file beside it (keys/), in "
            "MEANSCHECK_STORE_KEY, or from the program"
        )
    if has_key and "not encrypted" in words:
        return "there is a key, but the store is not encrypted; `meanscheck encrypt` encrypts it, or take the key away"
    if isinstance(error, duckdb.IOException) and "not a valid DuckDB" in words:
        return "the file is not an evidence store"
    return f"the store cannot be opened ({type(error).__name__}); look at the path, rights and disk space"
