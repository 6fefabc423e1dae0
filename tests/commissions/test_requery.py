"""A member joins a decided household: he is asked about, the others' answers stay, and the decision waits for him."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from evidence.inboxes import resident

from meanscheck.commissions import export, make, take_in, tracking
from meanscheck.commissions.household import known_case
from meanscheck.contracts import feed as feed_named
from meanscheck.contracts.texts import feed_form
from meanscheck.contracts.units import units_of
from meanscheck.decisions import assess
from meanscheck.decisions.encode import input_needs
from meanscheck.evidence import CheckRequest, Member, Store
from meanscheck.evidence.resigning import set_rule
from meanscheck.law import RulePack
from meanscheck.law.law import Law
from meanscheck.law.plain import PlainRun
from meanscheck.procedure.checking import CheckRules
from meanscheck.synth import county

PACK = "rules/cn/guangdong/jiangmen"
DAY = date(2020, 6, 30)
NEWBORN = resident(4321)
KEY = ["case_id", "programme", "member"]


@dataclass(frozen=True)
class Scene:
    folder: Path
    store: Store
    law: Law
    before: pl.DataFrame
    case: str
    household: CheckRequest


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("requery")
    made = county(folder, households=14, seed=11, mess=False)
    law = RulePack.load(PACK).on(DAY)
    with Store.open(folder / "county.duckdb", memory_limit="400MB") as store:
        # Consents would else lapse with the change of members, and all had to be asked about anew (see `resigning`).
        set_rule(store, on_members=False, on_application=False, in_force_on=date(2020, 1, 1), source="a test")
        store.ingest_inbox(made.inbox)
        before = outcomes(store, law)
        decided = before.filter((pl.col("programme") == "dibao") & (pl.col("outcome") != "refer"))
        case = str(decided["case_id"].sort()[0])
        known = known_case(store, case)
        assert known is not None
        yield Scene(folder, store, law, before, case, known)


def outcomes(store: Store, law: Law) -> pl.DataFrame:
    return assess(store, law).run().outcomes.collect(engine="in-memory").sort(KEY)


def states(store: Store, request_no: str) -> dict[tuple[str, str], str]:
    found = store.report_rows(request_no, on=DAY).states
    return {(name, feed): state for name, feed, state in found.select("id", "feed", "state").iter_rows()}


def causes(store: Store, law: Law, case: str) -> set[str]:
    (unit,) = units_of(store.case_block(case, input_needs(law), on=DAY))
    return {
        cause for outcome in PlainRun(law, unit).decide() if outcome.programme == "dibao" for cause in outcome.causes
    }


def told(one: pl.DataFrame) -> list[str]:
    """Causes of the only decision in a frame."""
    (causes,) = one["causes"].to_list()
    return causes or []


def fill_in(place: Path, feed: str) -> Path:
    """The department answers that it knows nothing about the person."""
    manifest = next(place.glob("*.manifest.json"))
    facts = json.loads(manifest.read_text(encoding="utf-8"))
    contract = feed_named(feed)
    facts |= {"sender": facts["sender"] or contract.senders[0], "answered_on": "2020-06-30"}
    if "as_of" in facts:
        facts["as_of"] = "2020-06-30"
    else:
        facts |= {"covers_from": "2019-01-01", "covers_to": "2020-06-30"}
    manifest.write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
    return manifest.with_name(manifest.name.removesuffix(".manifest.json") + ".csv")


def test_a_birth_is_asked_about_alone_and_decided_when_answered(scene: Scene) -> None:
    store, law, case = scene.store, scene.law, scene.case
    rules = CheckRules.load(PACK)
    old = states(store, scene.household.request_no)
    child = Member(id="N", id_number=NEWBORN, relation="child", sex="male", born_on=date(2020, 6, 1))
    born = scene.household.model_copy(update={"members": (*scene.household.members, child)})
    consent = {
        "consent_no": "C-N",
        "id_type": "resident_id",
        "id_number": NEWBORN,
        "feeds": ["*"],
        "purpose": "social_relief",
        "from": "2020-06-01",
        "to": "2021-06-01",
        "signed_by": "guardian",
    }
    (scene.folder / "consents-n.jsonl").write_text(json.dumps(consent) + "\n", encoding="utf-8")
    store.consents(scene.folder / "consents-n.jsonl")
    made = make(store, case, request_no="R-N", on=DAY, law=law, rules=rules, application=born, member="N")
    asked = made.asks.filter(pl.col("reason") == "ask")
    assert set(asked["id"]) == {"N"} and asked.height > 15
    take_in(store, made)

    # The others' answers stay what they were; of the child nothing is known yet.
    now = states(store, "R-N")
    assert {key: state for key, state in now.items() if key[0] != "N"} == old
    assert {now["N", feed] for feed in asked["feed"]} == {"no_answer"}
    waiting = outcomes(store, law)
    others = pl.col("case_id") != case
    assert waiting.filter(others).equals(scene.before.filter(others))
    dibao = waiting.filter((pl.col("case_id") == case) & (pl.col("programme") == "dibao")).row(0, named=True)
    if dibao["outcome"] == "refer":
        assert any(cause.startswith("no_answer:") for cause in dibao["causes"])
    assert set(dibao["causes"] or ()) == causes(store, law, case)

    letters = export(store, scene.folder / "letters", on=DAY, law=law, rules=rules, requests=["R-N"])
    assert {letter.persons for letter in letters} == {1}
    open_needs = tracking(store, on=DAY, rules=rules).filter(pl.col("request_no") == "R-N")
    assert set(open_needs["state"]) == {"waiting"} and open_needs.height == len(letters)
    for letter in letters:
        store.ingest(letter.feed, fill_in(scene.folder / "letters" / letter.folder, letter.feed))
    now = states(store, "R-N")
    assert {now["N", feed] for feed in asked["feed"]} == {"answered"}
    assert {key: state for key, state in now.items() if key[0] != "N"} == old
    assert set(tracking(store, on=DAY, rules=rules).filter(pl.col("request_no") == "R-N")["state"]) == {"answered"}
    after = outcomes(store, law).filter((pl.col("case_id") == case) & (pl.col("programme") == "dibao"))
    lacking = {c.split(":")[1] for c in told(after) if c.startswith(("no_answer", "not_"))}
    # What the office itself has to state of the child is not asked of anybody.
    assert all(feed_named(feed).authorisation == "office" for feed in lacking)
    for feed in lacking:
        (scene.folder / f"{feed}.csv").write_bytes(feed_form(feed))
        store.ingest(feed, scene.folder / f"{feed}.csv")
    after = outcomes(store, law).filter((pl.col("case_id") == case) & (pl.col("programme") == "dibao"))
    assert not [c for c in told(after) if c.startswith(("no_answer", "not_"))]
    assert set(told(after)) == causes(store, law, case)


def test_what_the_first_request_still_waits_for_is_followed_beside_it(scene: Scene) -> None:
    # The earlier request is not over: the later one asks about the child alone.
    frame = tracking(scene.store, on=DAY, rules=CheckRules(()))
    numbers = set(frame["request_no"])
    assert {scene.household.request_no, "R-N"} <= numbers
    first = frame.filter(pl.col("request_no") == scene.household.request_no)
    assert set(first["persons"]) == {len(scene.household.members) + len(scene.household.supporters)}
