"""For whom, for which time and place does an answer speak? Its manifest says so: ``<stem>.manifest.json`` beside the
file.

Coverage follows from the manifest and never from the rows: a person without a row is "nothing found" only where a
manifest says that he was asked about and answered for. A feed that the office keeps itself may come without one; it
then answers for all requests without limit of time.
"""

from __future__ import annotations

from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from meanscheck.contracts import FeedContract, feed_names
from meanscheck.contracts.cells import Fault, parse_document
from meanscheck.errors import FeedError

OFFICE = "office"
_Text = Annotated[str, Field(min_length=1, max_length=200)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Identity(_Frozen):
    """Whom an answer leaves out."""

    id_type: _Text = "resident_id"
    id_number: _Text

    def __repr__(self) -> str:
        return "Identity(…)"


class Manifest(_Frozen):
    """What one answer covers. Days are inclusive; left out means not limited."""

    feed: _Text
    sender: _Text
    institutions: tuple[_Text, ...] | None = None
    answered_on: date
    covers_from: date | None = None
    covers_to: date | None = None
    as_of: date | None = None
    divisions: tuple[_Text, ...] | None = None
    requests: Literal["all"] | tuple[_Text, ...] = "all"
    not_answered: tuple[Identity, ...] = ()
    answer_no: _Text | None = None
    """The sender's own number of this answer, by which a later one may correct it."""
    corrects: _Text | None = None
    """The `answer_no` of an earlier answer, or 16 characters or more of its batch id."""
    how: Literal["replace", "amend", "withdraw"] | None = None
    """What the correction does to it; see `corrections`."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if (self.corrects is None) != (self.how is None):
            raise ValueError("corrects and how go together")
        if self.covers_from is not None and self.covers_to is not None and self.covers_from > self.covers_to:
            raise ValueError("covers_from is after covers_to")
        if self.as_of is not None and self.as_of > self.answered_on:
            raise ValueError("as_of is after answered_on")
        for place, one in enumerate(self.not_answered, 1):
            if isinstance(parse_document(one.id_type, one.id_number), Fault):
                # Passed over, this person would count as answered with nothing found.
                raise ValueError(f"not_answered, no. {place}: the identity number is not a valid one")
        return self

    @cached_property
    def listed(self) -> tuple[str, ...] | None:
        """The requests that it names, sorted, each once; None: all. There may be as many as a county has cases."""
        return None if self.requests == "all" else _each_once(self.requests)

    def facts(self) -> dict[str, object]:
        """The manifest as canonical JSON facts, lists sorted, so that equal answers have equal batch ids."""
        facts: dict[str, object] = self.model_dump(mode="json", exclude={"not_answered", "requests"})
        for name in ("answer_no", "corrects", "how"):
            if facts[name] is None:
                del facts[name]  # so that an answer without them keeps the id it had before they were known
        for name, given in (("institutions", self.institutions), ("divisions", self.divisions)):
            facts[name] = None if given is None else _each_once(given)
        facts["requests"] = "all" if self.listed is None else self.listed
        return facts


def _each_once(words: tuple[str, ...]) -> tuple[str, ...]:
    # Sorted first: most often they come in order, which a set would lose.
    return tuple(dict.fromkeys(sorted(words)))


def manifest_path(path: Path) -> Path:
    """Where the manifest of a feed file is looked for."""
    return path.with_name(path.stem + ".manifest.json")


def load_manifest(contract: FeedContract, path: Path, given: Path | None) -> Manifest | None:
    """The manifest of a feed file, or None for an office feed that has none.

    Raises:
        FeedError: there is none where one is needed, it does not parse, or it is of another feed.
    """
    source = given if given is not None else manifest_path(path)
    if not source.is_file():
        if given is None and contract.authorisation == "office":
            return None
        raise FeedError(
            "there is no manifest, so it is not known for whom and for which time this file answers",
            where=path.name,
            remedy=f"Write {manifest_path(path).name} beside it with feed, sender, answered_on, and covers_from and "
            "covers_to, or as_of",
        )
    try:
        manifest = Manifest.model_validate_json(source.read_bytes())
    except OSError:
        raise FeedError("the manifest cannot be read", where=source.name, remedy="Look at its rights") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        # A key that is not known may be anything, such as the number of a person: it is not repeated.
        is_unknown = first["type"] == "extra_forbidden"
        known = first["loc"][:-1] if is_unknown else first["loc"]
        place = ".".join([*map(str, known), *(["a key that is not known here"] if is_unknown else [])])
        raise FeedError(
            f"the manifest is faulty: {first['msg']}",
            where=f"{source.name} {place}".strip(),
            remedy="Compare it with the inbox format",
        ) from None
    if manifest.feed != contract.name:
        other = f"of feed {manifest.feed}" if manifest.feed in feed_names() else "of no feed that is known"
        raise FeedError(
            f"the manifest is {other}, not of {contract.name}",
            where=source.name,
            remedy="Ingest the file under the feed that its manifest names, or mend the manifest",
        )
    return manifest
