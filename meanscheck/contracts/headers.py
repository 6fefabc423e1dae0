"""Which column is each header of a file, and is it the file of this feed at all?

Headers are compared by their key (spelling.py): Chinese title, aliases, the column's name and its stored name. A header
that means nothing to the contract is left out and reported; a file that lacks a required column, or that another feed
understands better, is refused with the name of the feed it looks like.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from meanscheck.contracts.catalogue import all_feeds, application_contract
from meanscheck.contracts.model import FILE_UNITS, STORED_UNIT, FeedContract
from meanscheck.contracts.spelling import header_key, header_unit
from meanscheck.errors import FeedError


def match_headers(contract: FeedContract, headers: Sequence[str], *, where: str = "") -> Mapping[str, str]:
    """File header → column name, for the headers the contract knows, in file order.

    Args:
        where: the file's name for messages.

    Raises:
        FeedError: a required column is missing, two headers mean one column, or the file is another feed's.
    """
    known = _owners(contract)
    found: dict[str, str] = {}
    taken: dict[str, str] = {}
    for position, header in enumerate(headers, start=1):
        name = known.get(header_key(header))
        if name is None:
            continue
        if name in taken:
            raise FeedError(
                f"two headers mean {name}",
                where=_place(where, f"header {position}"),
                remedy="Keep one of the two columns",
            )
        taken[name] = header
        found[header] = name
    missing = [c.name for c in contract.columns if c.required and c.name not in taken]
    better = _looks_like(contract, headers, frozenset(found), is_complete=not missing)
    if better is not None:
        raise FeedError(
            f"this is not a file of {contract.name}: its headers are those of {better.name} ({better.title_zh})",
            where=_place(where, "headers"),
            remedy=f"Ingest it as {better.name}, or send the file of {contract.name}",
        )
    if missing:
        titles = ", ".join(f"{name} ({contract.column(name).title_zh})" for name in missing)
        raise FeedError(
            f"missing column {titles}",
            where=_place(where, "headers"),
            remedy=f"Add it; `meanscheck feeds template {contract.name}` writes a file with every header",
        )
    return found


def known_headers(contract: FeedContract) -> Callable[[str], bool]:
    """A test of whether a cell is a header that the contract, or any other feed, knows."""
    tables = [_owners(contract), *(_owners_of(name) for name in all_feeds())]
    return lambda cell: bool(cell.strip()) and any(header_key(cell) in table for table in tables)


def header_of(contract: FeedContract, header: str) -> str | None:
    """The column that a header is a known name of; None if it is none."""
    return _owners(contract).get(header_key(header))


def names_every_column(contract: FeedContract) -> Callable[[Sequence[str]], bool]:
    """A test of whether headers name every column that the contract requires."""
    known = _owners(contract)
    required = {column.name for column in contract.columns if column.required}
    return lambda headers: required <= {known[key] for header in headers if (key := header_key(header)) in known}


def units_of(
    contract: FeedContract, matched: Mapping[str, str], *, stated: Mapping[str, str] | None = None
) -> Mapping[str, str]:
    """Column name → unit of the file, for measured columns: from the header, else as stated, else from the contract.

    A header that is the stored name (``amount_fen``) gives the stored unit.

    Args:
        stated: kind → unit that the file states for all its columns, such as 单位：万元 in a title.
    """
    found: dict[str, str] = {}
    for header, name in matched.items():
        column = contract.column(name)
        if column.unit is None:
            continue
        unit = header_unit(header)
        if header_key(header) == column.stored_name and column.stored_name != column.name:
            unit = STORED_UNIT[column.kind]
        elif unit is not None and unit not in FILE_UNITS[column.kind]:
            raise FeedError(
                f"the unit in the header does not fit {name}",
                where=contract.name,
                remedy=f"Give it in one of {', '.join(FILE_UNITS[column.kind])}",
            )
        found[name] = unit or (stated or {}).get(column.kind, column.unit)
    return found


@cache
def _owners_of(name: str) -> Mapping[str, str]:
    contract = all_feeds().get(name) or application_contract(name)
    return _table(contract)


def _owners(contract: FeedContract) -> Mapping[str, str]:
    kept = all_feeds().get(contract.name)
    return _owners_of(contract.name) if kept is contract else _table(contract)


def _table(contract: FeedContract) -> Mapping[str, str]:
    return {
        header_key(spelling): column.name
        for column in contract.columns
        for spelling in (column.name, column.stored_name, column.title_zh, *column.aliases)
    }


def _looks_like(
    contract: FeedContract, headers: Sequence[str], matched: frozenset[str], *, is_complete: bool
) -> FeedContract | None:
    """The feed that understands the file better: all its required columns are there, and more headers mean something.

    A file that is complete for its own feed is given away only to one that understands every header it does and more.
    """
    best: tuple[int, FeedContract] | None = None
    keys = {header: header_key(header) for header in headers}
    for other in all_feeds().values():
        if other.name == contract.name:
            continue
        known = _owners_of(other.name)
        theirs = frozenset(header for header in headers if keys[header] in known)
        names = {known[keys[header]] for header in theirs}
        if not all(c.name in names for c in other.columns if c.required):
            continue
        if len(theirs) <= len(matched) or (is_complete and not matched < theirs):
            continue
        if best is None or len(theirs) > best[0]:
            best = (len(theirs), other)
    return best[1] if best is not None else None


def _place(where: str, what: str) -> str:
    return f"{where}: {what}" if where else what
