"""How do frames pass between DuckDB and Polars without pyarrow?

Both speak the Arrow C stream. The wrapper below has no other method, so neither side can mistake it for something it
also knows. It lives in a module that does not import DuckDB on purpose: Polars keeps the class of everything it was
given until the interpreter ends, a class keeps its module, and a kept DuckDB module makes the interpreter print
complaints of leaked objects on the user's terminal at exit.
"""

from __future__ import annotations

from typing import Any, Protocol

import polars as pl


class _Streams(Protocol):
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any: ...


class ArrowStream:
    """An Arrow stream capsule, or an object that makes one, and nothing else."""

    __slots__ = ("_source",)

    def __init__(self, source: object) -> None:
        self._source: object | None = source

    def release(self) -> None:
        """Let go of the rows: whoever was given the stream may keep it longer than it reads from it."""
        self._source = None

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any:
        source: Any = self._source
        return source.__arrow_c_stream__(requested_schema) if hasattr(source, "__arrow_c_stream__") else source


def frame_of(source: _Streams) -> pl.DataFrame:
    """The rows of anything that streams Arrow, as a Polars frame; the source is drained."""
    return pl.DataFrame(ArrowStream(source.__arrow_c_stream__()))
