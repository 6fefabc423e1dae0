"""By which law was decided? Its text is kept under its digest, so that a decision can be replayed from the store
alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meanscheck.errors import StoreError

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store


def record_law(store: Store, digest: str, text: str) -> None:
    """Keep a law's text; the same digest with another text is refused."""
    known = store.value("select text from laws where digest = ?", [digest])
    if known is None:
        with store.transaction():
            store.run("insert into laws values (?, ?)", [digest, text])
    elif known != text:
        raise StoreError(f"another text is already recorded under the law digest {digest}")


def law_text(store: Store, digest: str) -> str:
    """The text recorded under a digest."""
    text = store.value("select text from laws where digest = ?", [digest])
    if text is None:
        raise StoreError(f"no law with digest {digest} is recorded in this store")
    return str(text)
