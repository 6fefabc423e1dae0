"""What does a check request (核对委托) say? The shape of one line of ``requests.jsonl``, and the model of a single
one."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, model_validator

from meanscheck.values.documents import NONE

_Text = Annotated[str, Field(min_length=1, max_length=200)]

_PERSON = {
    "id": pl.String(),
    "id_type": pl.String(),
    "id_number": pl.String(),
    "name": pl.String(),
    "relation": pl.String(),
    "sex": pl.String(),
    "born_on": pl.String(),
    "lives_together": pl.String(),
    "lives_together_since": pl.String(),
    "can_live_independently": pl.String(),
    "hukou_division": pl.String(),
    "cares_for": pl.String(),
    "guardian": pl.String(),
    "is_excused_from_work": pl.String(),
}
PERSON_FIELDS = tuple(_PERSON)
REQUEST_SHAPE: dict[str, pl.DataType] = {
    "request_no": pl.String(),
    "application_no": pl.String(),
    "case_id": pl.String(),
    "accepting_place": pl.String(),
    "applied_on": pl.String(),
    "reference_day": pl.String(),
    "purpose": pl.String(),
    "residence": pl.String(),
    "division": pl.String(),
    "programmes": pl.List(pl.String()),
    "feeds": pl.List(
        pl.Struct({"feed": pl.String(), "institutions": pl.List(pl.String()), "divisions": pl.List(pl.String())})
    ),
    "members": pl.List(pl.Struct({**_PERSON, "role": pl.String()})),
    "supporters": pl.List(pl.Struct({**_PERSON, "supports": pl.List(pl.String())})),
}
"""Everything arrives as text and is cast by the contracts `household` and `member` of `schemas/application/`."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    __str__ = __repr__


class FeedAsk(_Frozen):
    """A feed that is asked for; every institution and every division named must be covered by an answer."""

    feed: _Text
    institutions: tuple[_Text, ...] | None = None
    divisions: tuple[_Text, ...] | None = None


class Person(_Frozen):
    """A person of a request. `id` is the name under which cases, formulas and reports speak of him.

    Only a person without a document (`id_type` none) has no number.
    """

    id: _Text
    id_type: str = "resident_id"
    id_number: _Text | None = None
    name: str | None = None
    relation: str | None = None
    sex: str | None = None
    born_on: date | None = None
    lives_together: bool = True
    lives_together_since: date | None = None
    can_live_independently: bool | None = None
    hukou_division: str | None = None
    cares_for: str | None = None
    guardian: str | None = None
    is_excused_from_work: bool | None = None

    @model_validator(mode="after")
    def _numbered(self) -> Self:
        if (self.id_number is None) != (self.id_type == NONE):
            raise ValueError("a person has a number, or id_type none")
        return self


class Member(Person):
    """A person of the application; role ``register``: lives in the register household but is not in the application."""

    role: Literal["member", "register"] = "member"


class Supporter(Person):
    """A person who owes support (法定赡养抚养扶养义务人) to the members whose ids `supports` lists."""

    supports: tuple[_Text, ...] = ()


class CheckRequest(_Frozen):
    """One request: which household, for which purpose, which feeds, and the day on which balances count."""

    request_no: _Text
    application_no: _Text
    case_id: _Text
    accepting_place: str | None = None
    applied_on: date
    reference_day: date | None = None
    purpose: _Text
    residence: Literal["urban", "rural"] | None = None
    division: str | None = None
    programmes: tuple[_Text, ...] = ()
    feeds: tuple[FeedAsk, ...]
    members: tuple[Member, ...] = Field(min_length=1)
    supporters: tuple[Supporter, ...] = ()

    def to_line(self) -> str:
        """The request as its line of ``requests.jsonl``, without what was left out."""
        return self.model_dump_json(exclude_none=True)
