"""Which feeds, application forms and senders are there?

Loaded once from `schemas/` (in the repository, or inside the installed wheel) and kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from meanscheck.contracts.loader import load_contract
from meanscheck.contracts.model import FeedContract
from meanscheck.contracts.spelling import choice_key
from meanscheck.contracts.strict_yaml import load_yaml
from meanscheck.errors import ContractError, FeedError
from meanscheck.values.data import data_dir

_told: dict[str, FeedContract] = {}


def tell_feeds(feeds: Mapping[str, FeedContract]) -> None:
    """Spare a process that is sent work the reading of contracts that its sender has read; for `all_feeds` after it."""
    _told.update(feeds)


@cache
def all_feeds() -> Mapping[str, FeedContract]:
    """Every feed by name, in order of names; ContractError if a file of `schemas/feeds` is faulty."""
    if _told:
        return MappingProxyType(_told)
    found: dict[str, FeedContract] = {}
    known = all_senders()
    for path in sorted((data_dir("schemas") / "feeds").glob("*.yaml")):
        where = f"schemas/feeds/{path.name}"
        contract = load_contract(path.read_text(encoding="utf-8"), where=where)
        if contract.name != path.stem:
            raise ContractError("the file is not named after its feed", where=where, remedy="Rename the file")
        unknown = [sender for sender in contract.senders if sender not in known]
        if unknown:
            raise ContractError(f"unknown sender {unknown[0]}", where=where, remedy="Add it to schemas/senders.yaml")
        found[contract.name] = contract
    return MappingProxyType(found)


def feed_names() -> tuple[str, ...]:
    """Names of all feeds, sorted."""
    return tuple(all_feeds())


def feed(name: str) -> FeedContract:
    """The contract of a feed; FeedError if there is no such feed."""
    try:
        return all_feeds()[name]
    except KeyError:
        raise FeedError(f"there is no feed {name}", remedy="`meanscheck feeds list` names them all") from None


@cache
def application_contract(name: str) -> FeedContract:
    """The contract of a part of the application: ``household`` or ``member``."""
    path = data_dir("schemas") / "application" / f"{name}.yaml"
    if not path.is_file():
        raise FeedError(f"there is no application contract {name}", remedy="There are household and member")
    return load_contract(path.read_text(encoding="utf-8"), where=f"schemas/application/{name}.yaml", application=True)


@dataclass(frozen=True, slots=True)
class SenderName:
    """A name under which a sender was met, and between which days (inclusive; None: open)."""

    name: str
    also: tuple[str, ...]
    from_: date | None
    until: date | None


@dataclass(frozen=True, slots=True)
class Sender:
    """A kind of sender, its dated names, and who took its work over."""

    id: str
    names: tuple[SenderName, ...]
    succeeded_by: str | None

    def name_on(self, day: date) -> str | None:
        """The Chinese name on a day, the newest where two overlap; None if the sender did not exist."""
        fitting = [n for n in self.names if (n.from_ or date.min) <= day <= (n.until or date.max)]
        return fitting[-1].name if fitting else None


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Name(_Strict):
    name: str
    also: list[str] = []
    from_: str | None = Field(default=None, alias="from", pattern=r"^\d{4}-\d\d-\d\d$")
    until: str | None = Field(default=None, pattern=r"^\d{4}-\d\d-\d\d$")


class _Sender(_Strict):
    id: str
    names: Annotated[list[_Name], Field(min_length=1)]
    succeeded_by: str | None = None


class _Table(_Strict):
    version: str
    senders: list[_Sender]


@cache
def all_senders() -> Mapping[str, Sender]:
    """Every kind of sender by id, from `schemas/senders.yaml`."""
    where = "schemas/senders.yaml"
    value, lines = load_yaml((data_dir("schemas") / "senders.yaml").read_text(encoding="utf-8"), where=where)
    try:
        table = _Table.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = f"{where}:{lines.get(first['loc'], 1)}"
        raise ContractError(str(first["msg"]), where=place, remedy="Mend the table") from None
    found = {
        entry.id: Sender(
            entry.id,
            tuple(SenderName(n.name, tuple(n.also), _day(n.from_), _day(n.until)) for n in entry.names),
            entry.succeeded_by,
        )
        for entry in table.senders
    }
    if len(found) != len(table.senders):
        raise ContractError("a sender is listed twice", where=where, remedy="Mend the table")
    return MappingProxyType(found)


def sender_named(text: str) -> Sender | None:
    """The sender that a manifest's text names: its id or a Chinese name, with or without a place before it."""
    key = choice_key(text)
    best: tuple[int, Sender] | None = None
    for sender in all_senders().values():
        for spelling in (sender.id, *(s for n in sender.names for s in (n.name, *n.also))):
            word = choice_key(spelling)
            if key == word:
                return sender
            if key.endswith(word) and len(word) >= 3 and (best is None or len(word) > best[0]):
                best = (len(word), sender)
    return best[1] if best is not None else None


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
