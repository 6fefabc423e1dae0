"""Who of a household may be asked in which feed, and what does the request then say?

A person is asked in a feed if a rule of the programmes applied for reads it at a person of his role (`needed_feeds`),
and a consent of his covers the feed, the purpose and the day. All others are left out, each with its reason:

    ask           to be asked
    answered      answered already and not stale on the reference day (only if it is asked what is missing)
    other_person  the request is about another member
    own           the office keeps the feed itself: nobody is asked
    not_needed    no rule reads it at a person of that role
    no_consent    no consent covers feed, purpose and day

A feed in which nobody may be asked is left out of the request. Nothing is asked by guess: whether guardians may sign,
and when a form must be signed anew, is in the consents and not decided here.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.commissions.household import household
from meanscheck.contracts import all_feeds
from meanscheck.contracts import feed as feed_named
from meanscheck.contracts.cells import parse_document
from meanscheck.errors import FeedError, StoreError
from meanscheck.evidence import CheckRequest, FeedAsk
from meanscheck.evidence.application import Person
from meanscheck.evidence.coverage import CONSENT_REACHES, is_office
from meanscheck.law.freshness import stale_from
from meanscheck.law.needs import needed_feeds
from meanscheck.values.documents import Document, unnumbered

if TYPE_CHECKING:
    from meanscheck.evidence import Store
    from meanscheck.law.law import Law
    from meanscheck.procedure.checking import CheckRules

REASONS = ("ask", "answered", "other_person", "own", "not_needed", "no_consent")
ASK, ANSWERED, OTHER, OWN, NOT_NEEDED, NO_CONSENT = REASONS
_ANSWERED = "answered"
_SCHEMA = {
    "position": pl.Int32,
    "id": pl.String,
    "role": pl.String,
    "id_type": pl.String,
    "id_number": pl.String,
    "feed": pl.String,
    "consent_no": pl.String,
    "reason": pl.String,
}


@dataclass(frozen=True, slots=True)
class Made:
    """A request that may be taken in.

    asks: position Int32, id, role, id_type, id_number, feed, consent_no (of the covering consent, else null), reason
        (one of `REASONS`) String: every person and every feed that was looked at, by position and feed.
    without: feeds that the law needs and in which nobody may be asked.
    is_partial: it asks what is missing beside an earlier request, which stays open for the rest.
    cite: articles under which authorisation is asked, as ``instrument#article``; empty if the law's rule is not known
        (then the contract alone says that authorisation is needed).
    """

    request: CheckRequest
    on: date
    asks: pl.DataFrame = field(repr=False)
    without: tuple[str, ...]
    cite: tuple[str, ...]
    is_partial: bool


def make(
    store: Store,
    case_id: str,
    *,
    request_no: str,
    on: date,
    law: Law,
    rules: CheckRules,
    application: CheckRequest | None = None,
    purpose: str | None = None,
    feeds: Mapping[str, FeedAsk] | None = None,
    reference_day: date | None = None,
    member: str | None = None,
    only_missing: bool = False,
) -> Made:
    """A request about a household, limited to what consent and law allow. Nothing is written.

    Args:
        store: the evidence store.
        case_id: the case; known to the store unless `application` is given.
        request_no: a number not used before.
        on: the day on which it is asked: consents must cover it.
        law: of that day; says which feeds the programmes need.
        rules: of the check: under which article authorisation is asked.
        application: the household as it is now, if it is new or has changed.
        purpose: that of the household's earlier request or application unless given.
        feeds: feed → institutions and divisions; those of the earlier request, and all feeds needed, unless given.
        reference_day: 核对基准日 of the new request; the earlier one's unless given.
        member: ask about this one member (birth, return, marriage, release), and only what is missing.
        only_missing: ask everybody, but only what is not answered or stale on the reference day.

    Raises:
        StoreError: the case is not known, or the number was used before.
        FeedError: a feed or member that does not exist, or nothing may be asked at all.
    """
    if store.value("select count(*) from requests where request_no = ?", [request_no]):
        raise StoreError("that request number was used before; give the new request a number of its own")
    now, known = household(store, case_id, application)
    purpose = purpose or now.purpose
    for name in feeds or ():
        feed_named(name)
    is_partial = member is not None or only_missing
    if is_partial and known is None:
        raise StoreError("nothing was asked about that case before; make a request about the whole household")
    earlier = {ask.feed: ask for ask in known.feeds} if known else {}
    needed = needed_feeds(law, now.programmes)
    wanted = set(feeds) if feeds is not None else set().union(*needed.values())
    if is_partial:
        # The same feeds as before: evidence states follow from the latest request, for everybody in it.
        wanted = set(earlier) if feeds is None else set(feeds) & set(earlier)
    day = reference_day or now.reference_day
    people = _people(now)
    if member is not None and member not in people["id"].to_list():
        raise FeedError("the household has no such person", where="--member", remedy="Give the changed application")
    asks = _with_consents(store, people.join(pl.DataFrame({"feed": sorted(wanted)}), how="cross"), purpose, on)
    held = _held(store, known, law, day or on) if is_partial and known is not None else frozenset()
    reasons = [
        _reason(row, needed=needed, member=member, held=held) for row in asks.select(*_KEYS).iter_rows(named=True)
    ]
    asks = asks.with_columns(reason=pl.Series(reasons, dtype=pl.String)).select(*_SCHEMA).sort("position", "feed")
    asked = set(asks.filter(pl.col("reason") == ASK)["feed"].to_list())
    if not asked:
        raise FeedError(
            "there is nothing to ask",
            where="request",
            remedy=f"Left out: {_counted(asks['reason'])}. Take in missing consents first, or ask without --missing",
        )
    own = {name for name in wanted if is_office(feed_named(name))}
    given = feeds or {}
    names = sorted(set(earlier) if is_partial else asked | own)
    request = now.model_copy(
        update={
            "request_no": request_no,
            "purpose": purpose,
            "reference_day": day,
            "feeds": tuple(
                earlier[n] if is_partial else given.get(n) or earlier.get(n) or FeedAsk(feed=n) for n in names
            ),
        }
    )
    lacking = asks.filter(pl.col("reason") == NO_CONSENT)["feed"].to_list()
    rule = rules.of(purpose, on)
    cite = () if rule is None or rule.authorise is None else tuple(rule.authorise.cite)
    return Made(request, on, asks, tuple(sorted(set(lacking) - asked)), cite, is_partial)


_KEYS = ("id", "role", "id_type", "id_number", "feed", "consent_no")


def _counted(reasons: pl.Series) -> str:
    """How often each reason stands, in words."""
    counts = Counter(reasons.to_list())
    return ", ".join(f"{counts[reason]} {reason}" for reason in REASONS if counts[reason])


def _people(request: CheckRequest) -> pl.DataFrame:
    rows = [
        (at, p.id, getattr(p, "role", "supporter"), *_document(request, p))
        for at, p in enumerate((*request.members, *request.supporters))
    ]
    schema = {name: kind for name, kind in _SCHEMA.items() if name not in ("feed", "consent_no", "reason")}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _document(request: CheckRequest, person: Person) -> tuple[str, str]:
    """Kind and number as the store keeps them; an invalid number is found by nobody and refused when taken in."""
    if person.id_number is None:
        return person.id_type, unnumbered(request.case_id, person.id)
    parsed = parse_document(person.id_type, person.id_number)
    if not isinstance(parsed, Document):
        return person.id_type, person.id_number
    return parsed.id_type, parsed.id_number


def _with_consents(store: Store, pairs: pl.DataFrame, purpose: str, on: date) -> pl.DataFrame:
    """Each person and feed with the number of a consent that covers it on that day, null if none does."""
    with store.frame("pairs", pairs):
        found = store.fetch(
            f"""select w.position, w.feed, min(c.consent_no) as consent_no
            from pairs w join persons i on i.id_type = w.id_type and i.id_number = w.id_number
            join consents c on c.person = i.person and c.superseded_by is null,
            (select ?::varchar as purpose) k, (select distinct feed, date '{on}' as answered_on from pairs) b
            where b.feed = w.feed and {CONSENT_REACHES} group by w.position, w.feed""",
            [purpose],
        )
    return pairs.join(found, on=["position", "feed"], how="left", maintain_order="left")


def _held(store: Store, known: CheckRequest, law: Law, day: date) -> frozenset[tuple[str, str, str]]:
    """(id_type, id_number, feed) that are answered and not stale on the reference day."""
    states = store.report_rows(known.request_no, on=law.on).states.filter(pl.col("state") == _ANSWERED)
    who = {p.id: _document(known, p) for p in (*known.members, *known.supporters)}
    found = set()
    for name, feed, as_of in states.select("id", "feed", "as_of").iter_rows():
        too_old = stale_from(law, feed, as_of)
        if too_old is None or day < too_old:
            found.add((*who[name], str(feed)))
    return frozenset(found)


def _reason(
    row: Mapping[str, str | None],
    *,
    needed: Mapping[str, Collection[str]],
    member: str | None,
    held: Collection[tuple[str, str, str]],
) -> str:
    if is_office(all_feeds()[str(row["feed"])]):
        return OWN
    if row["feed"] not in needed.get(str(row["role"]), ()):
        return NOT_NEEDED
    if member is not None and row["id"] != member:
        return OTHER
    if (row["id_type"], row["id_number"], row["feed"]) in held:
        return ANSWERED
    return ASK if row["consent_no"] is not None else NO_CONSENT


def take_in(store: Store, made: Made) -> None:
    """Take a made request into the store, with whom it asks about in which feed, in one transaction.

    Raises:
        FeedError: the request is refused; see `evidence.requests`.
    """
    with tempfile.TemporaryDirectory(prefix="meanscheck") as folder, store.transaction():
        path = Path(folder) / f"{_safe(made.request.request_no)}.jsonl"
        path.write_text(made.request.to_line() + "\n", encoding="utf-8")
        store.requests(path)
        asked = made.asks.filter(pl.col("reason") == ASK).select("id_type", "id_number", "feed")
        with store.frame("asked", asked):
            store.run(
                "insert into asked_of select distinct ?::varchar, i.person, a.feed from asked a "
                "join persons i on i.id_type = a.id_type and i.id_number = a.id_number",
                [made.request.request_no],
            )
        store.run("insert into made_requests values (?, ?, ?)", [made.request.request_no, made.on, made.is_partial])


def _safe(number: str) -> str:
    """The number as a file name: it is not personal, and it is what a locator should say."""
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in number)[:60]
