"""Who is in the household that a request asks about: as the store knows it, or as a changed application says?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from meanscheck.errors import FeedError, StoreError
from meanscheck.evidence import CheckRequest, FeedAsk
from meanscheck.evidence.tables import MEMBER_COLUMNS

if TYPE_CHECKING:
    from meanscheck.evidence import Store

NOT_YET = "(not given)"
"""Request number of an application that is not a request yet."""
_HEAD = (
    "request_no",
    "application_no",
    "case_id",
    "accepting_place",
    "applied_on",
    "reference_day",
    "purpose",
    "residence",
    "division",
)


def known_case(store: Store, case_id: str) -> CheckRequest | None:
    """The latest request of a case, as the store holds it; None if the store does not know the case."""
    heads = store.fetch(f"select request, ask, requested, {', '.join(_HEAD)} from units where case_id = ?", [case_id])
    if heads.is_empty():
        return None
    head = heads.row(0, named=True)
    people = store.fetch(
        f"select up.role, up.supports, up.name, i.id_type, i.id_number, {', '.join(f'up.{c}' for c in MEMBER_COLUMNS)} "
        "from unit_persons up join persons i using (person) where up.request = ? order by up.position",
        [head["request"]],
    )
    members: list[dict[str, Any]] = []
    supporters: list[dict[str, Any]] = []
    for row in people.iter_rows(named=True):
        person = {name: value for name, value in row.items() if value is not None and name not in ("role", "supports")}
        if row["role"] == "supporter":
            supporters.append({**person, "supports": [s for s in (row["supports"] or "").split(",") if s]})
        else:
            members.append({**person, "role": row["role"]})
    return CheckRequest.model_validate(
        {
            **{name: head[name] for name in _HEAD},
            "programmes": [p for p in head["requested"].split(",") if p],
            "feeds": [ask.model_dump() for ask in asks_of(store, int(head["ask"])).values()],
            "members": members,
            "supporters": supporters,
        }
    )


def asks_of(store: Store, ask: int) -> dict[str, FeedAsk]:
    """What a request asks for, by feed."""
    rows = store.fetch(
        "select feed, list_sort(list(distinct institution)) as institutions, list_sort(list(distinct division)) as "
        "divisions from asks where ask = ? group by feed order by feed",
        [ask],
    )
    return {
        feed: FeedAsk(
            feed=feed,
            institutions=tuple(i for i in institutions or () if i is not None) or None,
            divisions=tuple(d for d in divisions or () if d is not None) or None,
        )
        for feed, institutions, divisions in rows.iter_rows()
    }


def application_of(path: Path) -> CheckRequest:
    """An application from a file of one JSON object, of the shape of a request; number and feeds may be left out.

    Raises:
        FeedError: the file cannot be used; the message names the field, never a value.
    """
    try:
        members: Any = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError:
        raise FeedError("not one JSON object in UTF-8", where=path.name) from None
    if not isinstance(members, dict):
        raise FeedError("not one JSON object", where=path.name)
    try:
        return CheckRequest.model_validate({"request_no": NOT_YET, "feeds": (), **members})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise FeedError(f"the application is faulty: {first['msg']}", where=f"{path.name} {place}") from None


def household(store: Store, case_id: str, application: CheckRequest | None) -> tuple[CheckRequest, CheckRequest | None]:
    """The household to ask about, and the request that the store knows of it.

    Raises:
        FeedError: the application is of another case.
        StoreError: the store does not know the case and no application was given.
    """
    known = known_case(store, case_id)
    if application is not None:
        if application.case_id != case_id:
            raise FeedError("the application is of another case", where="case_id", remedy="Name the case that it is of")
        return application, known
    if known is None:
        raise StoreError("the store does not know that case; give the application (--application FILE)")
    return known, known
