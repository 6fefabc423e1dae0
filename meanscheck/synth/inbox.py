"""What lies beside the feed files? Check requests, consents and manifests, in the inbox format.

Feeds that a request asks for are all that the county's departments answer; the office's own findings come later (see
`findings`). Line numbers of a request file begin at 1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from meanscheck.contracts import FeedContract, all_feeds, all_senders
from meanscheck.contracts.units import RELATION
from meanscheck.synth.chance import NULL, Bools, Ints
from meanscheck.synth.estate import BANKS
from meanscheck.synth.facts import Facts
from meanscheck.synth.identity import REGIONS
from meanscheck.synth.people import CHILD, CO_RESIDENT, MEMBER, SECOND_CHILD, SUPPORTER
from meanscheck.synth.rows import day, month_starts
from meanscheck.synth.wording import numbered

SILENT_BANK = "HXB"
"""A bank that some requests ask and that never answers."""
_HISTORY_MONTHS = 12
_PLACES = ("白沙街道", "会城街道", "台城街道", "长沙街道", "沙坪街道", "恩城街道", "外海街道")


@dataclass(frozen=True, slots=True)
class ConsentState:
    """Consents of a part, one entry a person: 0 live, 1 expired the day before the answers, 2 withdrawn, 3 never
    given."""

    state: Ints


def asked_feeds() -> tuple[str, ...]:
    """Feeds that every request names."""
    return tuple(name for name in all_feeds() if name not in ("findings", "entry_exit", "utilities"))


def case_ids(facts: Facts) -> pl.Series:
    """Case numbers of the households."""
    return numbered("U", facts.households.number)


def request_numbers(facts: Facts) -> pl.Series:
    """Request numbers of the households."""
    return numbered("R", facts.households.number)


def member_ids(facts: Facts) -> pl.Series:
    """Identifier of each person within the application: A, B, … for members, S1, S2, … for supporters, null for
    others."""
    people = facts.people
    first = np.searchsorted(people.household, np.arange(facts.households.n))
    order = np.arange(people.n) - first[people.household]
    before = np.zeros(facts.households.n, dtype=np.int64)
    np.add.at(before, people.household, (people.role == MEMBER).astype(np.int64))
    letters = pl.Series(list("ABCDEFGHIJ"), dtype=pl.String)
    member = letters.gather(np.where(people.role == MEMBER, order, 0))
    number = np.where(people.role == SUPPORTER, order - before[people.household] + 1, 0)
    supporter = pl.Series(["S"]).new_from_index(0, people.n) + pl.Series(number).cast(pl.String)
    ids = member.zip_with(pl.Series(people.role == MEMBER), supporter)
    return ids.set(pl.Series(people.role == CO_RESIDENT), None)


def request_lines(facts: Facts, *, asks_silent_bank: Bools) -> pl.Series:
    """One JSON line a household."""
    households, people = facts.households, facts.people
    ids = member_ids(facts)
    born = pl.Series(people.born).cast(pl.Int32).cast(pl.Date).cast(pl.String)
    persons = pl.DataFrame(
        {
            "household": people.household,
            "role": people.role,
            "id": ids,
            "number": people.identity,
            "name": people.name,
            "relation": pl.Series(RELATION).gather(people.relation),
            "sex": pl.Series(["male", "female"]).gather(people.female.astype(np.int64)),
            "born": born,
            "together": _word(facts.lives_together.astype(np.int64)),
            "independent": _word(facts.can_live_independently),
            "excused": _word(facts.excused),
            "hukou": pl.Series([str(r) for r in REGIONS]).gather(households.region[people.household]),
            "guardian": _guardians(facts),
            "supports": _supports(facts, ids),
        }
    )
    identity = (
        pl.lit('{"id":"') + pl.col("id") + '","id_type":"resident_id","id_number":"' + pl.col("number") + '","name":"'
    )
    member = (
        identity
        + pl.col("name")
        + '","relation":"'
        + pl.col("relation")
        + '","sex":"'
        + pl.col("sex")
        + '","born_on":"'
        + pl.col("born")
        + '","lives_together":'
        + pl.col("together")
        + ',"can_live_independently":'
        + pl.col("independent")
        + ',"is_excused_from_work":'
        + pl.col("excused")
        + ',"hukou_division":"'
        + pl.col("hukou")
        + '","guardian":'
        + pl.col("guardian")
        + "}"
    )
    supporter = identity + pl.col("name") + '","supports":' + pl.col("supports") + "}"
    text = persons.select(
        "household",
        member=pl.when(pl.col("role") == MEMBER).then(member),
        supporter=pl.when(pl.col("role") == SUPPORTER).then(supporter),
    )
    grouped = text.group_by("household", maintain_order=True).agg(
        members=pl.col("member").drop_nulls().str.join(","), supporters=pl.col("supporter").drop_nulls().str.join(",")
    )
    usual, with_silent = (_asks(BANKS), _asks((*BANKS, SILENT_BANK)))
    heads = pl.DataFrame(
        {
            "no": request_numbers(facts),
            "application": numbered("SQ", households.number),
            "case": case_ids(facts),
            "place": pl.Series(_PLACES).gather(households.region),
            "applied": pl.Series(households.applied).cast(pl.Int32).cast(pl.Date).cast(pl.String),
            "residence": pl.Series(["urban", "rural"]).gather(households.rural.astype(np.int64)),
            "division": pl.Series([str(r) for r in REGIONS]).gather(households.region),
            "feeds": pl.Series([usual, with_silent]).gather(asks_silent_bank.astype(np.int64)),
        }
    )
    line = (
        pl.lit('{"request_no":"')
        + pl.col("no")
        + '","application_no":"'
        + pl.col("application")
        + '","case_id":"'
        + pl.col("case")
        + '","accepting_place":"'
        + pl.col("place")
        + '","applied_on":"'
        + pl.col("applied")
        + f'","reference_day":"{facts.on}","purpose":"dibao","residence":"'
        + pl.col("residence")
        + '","division":"'
        + pl.col("division")
        + '","programmes":["dibao","tekun","medical_relief"],"feeds":'
        + pl.col("feeds")
        + ',"members":['
        + pl.col("members")
        + '],"supporters":['
        + pl.col("supporters")
        + "]}"
    )
    return pl.concat([heads, grouped], how="horizontal").select(line=line)["line"]


def consent_lines(facts: Facts, consents: ConsentState) -> pl.Series:
    """One JSON line a consent; who is dead and only on the register has signed nothing."""
    people, on = facts.people, facts.on
    given = np.flatnonzero(consents.state != 3)
    state = consents.state[given]
    begins = date(on.year, on.month, 1) - timedelta(days=31)
    ends = (date(on.year + 1, on.month, 1), on - timedelta(days=1))
    number = numbered("C", facts.households.number[people.household[given]]) + pl.Series(
        given - np.searchsorted(people.household, people.household[given])
    ).cast(pl.String).str.zfill(2)
    until = pl.Series([str(ends[0]), str(ends[1])]).gather((state == 1).astype(np.int64))
    withdrawn = pl.Series(["null", f'"{on - timedelta(days=6)}"']).gather((state == 2).astype(np.int64))
    signed = pl.Series(["self", "guardian"]).gather((people.age[given] < 18).astype(np.int64))
    # a made-up digest of the signed form: the consent's number, padded to sixty-four hexadecimal characters
    digest = number.str.slice(1).str.zfill(64)
    frame = pl.DataFrame(
        {
            "no": number,
            "identity": people.identity.gather(given),
            "to": until,
            "withdrawn": withdrawn,
            "by": signed,
            "digest": digest,
        }
    )
    return frame.select(
        line=pl.lit('{"consent_no":"')
        + pl.col("no")
        + '","id_type":"resident_id","id_number":"'
        + pl.col("identity")
        + f'","feeds":["*"],"purpose":"social_relief","from":"{begins}","to":"'
        + pl.col("to")
        + '","withdrawn_on":'
        + pl.col("withdrawn")
        + ',"signed_by":"'
        + pl.col("by")
        + '","form_digest":"sha256:'
        + pl.col("digest")
        + '"}'
    )["line"]


def manifest(
    contract: FeedContract,
    *,
    on: date,
    requests: Sequence[str] | None,
    institutions: Sequence[str] | None = None,
    not_answered: Sequence[str] = (),
    months_late: int = 0,
) -> Mapping[str, object]:
    """The manifest of one answer.

    Args:
        contract: the feed.
        on: the county's day: everything is answered by then.
        requests: request numbers answered for, or None for all.
        institutions: who answers, where the feed has institutions.
        not_answered: identity numbers left out.
        months_late: how many months the answer stops short of the last whole month.
    """
    facts: dict[str, object] = {"feed": contract.name, "sender": _sender(contract, on)}
    if institutions is not None:
        facts["institutions"] = list(institutions)
    facts["answered_on"] = str(on)
    starts = [date(1970, 1, 1) + timedelta(days=int(d)) for d in month_starts(on, _HISTORY_MONTHS + 1)]
    if contract.basis in ("month", "event"):
        facts["covers_from"] = str(starts[1])
        # rows by month reach to the last whole month, events to the day of the answer
        last = month_starts(on, months_late)[0] if months_late else day(on.replace(day=1))
        facts["covers_to"] = (
            str(date(1970, 1, 1) + timedelta(days=int(last) - 1)) if contract.basis == "month" else str(on)
        )
    else:
        facts["as_of"] = str(on - timedelta(days=10)) if contract.basis == "as_of" else str(on)
    facts["requests"] = "all" if requests is None else list(requests)
    facts["not_answered"] = [{"id_type": "resident_id", "id_number": number} for number in not_answered]
    return facts


def _sender(contract: FeedContract, on: date) -> str:
    for sender in contract.senders:
        if all_senders()[sender].name_on(on) is not None:
            return sender
    return contract.senders[-1]


def _asks(banks: Sequence[str]) -> str:
    asks: list[dict[str, object]] = [
        {"feed": name, "institutions": list(banks)} if name == "bank_deposits" else {"feed": name}
        for name in asked_feeds()
    ]
    return json.dumps(asks, separators=(",", ":"))


def _word(flags: Ints) -> pl.Series:
    """true, false or null as JSON words."""
    return pl.Series(["false", "true", "null"]).gather(np.where(flags == NULL, 2, flags))


def _guardians(facts: Facts) -> pl.Series:
    minor = np.isin(facts.people.place, [CHILD, SECOND_CHILD]) & (facts.people.age < 18)
    return pl.Series(["null", '"A"']).gather(minor.astype(np.int64))


def _supports(facts: Facts, ids: pl.Series) -> pl.Series:
    people = facts.people
    one = pl.Series(['["']).new_from_index(0, people.n) + ids.gather(np.maximum(people.supports, 0))
    two = one + '","' + ids.gather(np.maximum(people.supports_too, 0))
    return two.zip_with(pl.Series(people.supports_too >= 0), one) + '"]'
