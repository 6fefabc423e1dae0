"""Why does a record not come out again? Each class rests on something that is checked here, and says on what.

law correction      the law of the same day as published now has another digest, and gives another record
corrected evidence  the input digest differs, and rows, states or the request show it; or the store is damaged
composition change  people of the unit, their roles, relations or tokens are others
consent withdrawn   a feed read then may not be read now, and its person has a later version of a consent
erased              the household's token stands among the erased ones
engine change       inputs and law are the same by their digests, and the engine named at opening is another
missing input       law, snapshot, case or token is not in the store
unexplained         none of these: inputs and law are the same, and so is the engine, or it is not named
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from meanscheck.contracts import all_feeds
from meanscheck.evidence import Store
from meanscheck.evidence.trace import Damage, Trace, batch_names
from meanscheck.replay.verdict import Finding
from meanscheck.values.evidence_state import EvidenceState

INPUT = "evidence.input"
_ROW = ["person", "feed", "batch", "row_no"]
_SHOWN = 6
"""How many locators a reason names; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is known about the store when one case is looked at: traces of it then and now, and what is damaged."""

    store: Store
    then: Trace
    now: Trace
    damage: tuple[Damage, ...]


def of_then(
    recorded: Mapping[str, Any],
    again: Mapping[str, Any],
    paths: Sequence[str],
    *,
    scene: Scene,
    engine: tuple[str, str],
) -> list[Finding]:
    """Why the recorded law and the evidence as of the recorded snapshot give another record.

    Args:
        recorded: groups of the record.
        again: groups of the replay.
        paths: where they differ.
        scene: traces of this case.
        engine: as named when the batch was opened (empty if not known), and this one.
    """
    found: list[Finding] = []
    tokens = [p for p in paths if _field(p).startswith("subject.")]
    if any(_field(p) == "subject.household" for p in tokens):
        found.append(_other_tokens(tokens))
        paths = [p for p in paths if p not in tokens]
    composition = _people_paths(paths)
    if composition:
        found.append(_composition(recorded, again, ""))
    found += _spoiled(recorded, paths, scene, is_composed=bool(composition))
    if not found and paths:
        found.append(_engine(recorded, *engine))
    return _share(found, paths, composition)


def of_evidence(
    then: Mapping[str, Any], now: Mapping[str, Any], paths: Sequence[str], *, scene: Scene
) -> list[Finding]:
    """Why the same law gives another record on the evidence of now."""
    composition = _people_paths(paths) if _is_composed(scene) else []
    replaced = _replaced(scene)
    found = [_composition(then, now, replaced)] if composition else []
    lost = _lost(scene)
    if lost.height:
        found.append(_withdrawn(scene, lost))
    late = _late(scene, lost, replaced="" if composition else replaced)
    if late is not None:
        found.append(late)
    if not found:
        found.append(
            Finding("unexplained", "快照之后没有与本户有关的变化", "nothing about this case changed after the snapshot")
        )
    return _share(found, paths, composition)


def of_law(changes: Sequence[str], paths: Sequence[str], *, known_by: date, same_when_known_then: bool) -> Finding:
    """That the law of the same day is another now."""
    names = ", ".join(changes[:_SHOWN]) + (f" (+{len(changes) - _SHOWN})" if len(changes) > _SHOWN else "")
    if same_when_known_then:
        zh, en = f"截至 {known_by} 又公布：{names}", f"published since, by {known_by}: {names}"
    else:
        zh, en = f"规则包已更改：{names}", f"the pack itself was changed: {names}"
    return Finding("law_correction", zh, en, tuple(paths))


def erased() -> Finding:
    """That the household was erased."""
    return Finding("erased", "该户数据已依法删除", "the household's data were erased")


def no_case() -> Finding:
    """That the store has no such case as of the snapshot."""
    return Finding("missing_input", "快照中没有该户", "the case is not in the store as of that snapshot")


# ---- as known then


def _other_tokens(paths: Sequence[str]) -> Finding:
    return Finding(
        "missing_input",
        "证据库中的代号登记不是作出决定时的那一份",
        "the store's register of tokens is not the one that the decision was made with",
        tuple(paths),
    )


def _spoiled(recorded: Mapping[str, Any], paths: Sequence[str], scene: Scene, *, is_composed: bool) -> list[Finding]:
    """What of the snapshot's evidence is not as it was taken in."""
    if "evidence" in recorded and INPUT not in paths:
        # The rows are the same by the digest. Consents, manifests and the snapshot's parts are not in it.
        damaged = [d for d in scene.damage if d.kind != "rows"]
        if not damaged:
            return []
        where = _some([f"{d.kind} {d.where}" for d in damaged])
        return [
            Finding(
                "corrected_evidence",
                f"快照的授权、委托或批次已改动：{where}",
                f"consents, requests or batches of the snapshot were changed: {where}",
            )
        ]
    edited = scene.then.rows.filter(pl.col("digest") != pl.col("kept"))
    if edited.height:
        zh, en = _listed(scene.store, edited)
        return [
            Finding(
                "corrected_evidence", f"快照中的记录已被改动：{zh}", f"rows of the snapshot were changed in place: {en}"
            )
        ]
    if is_composed or INPUT not in paths:
        # Who is in the unit is in the digest; which rows of a batch are gone cannot be told by household.
        return []
    short = [d for d in scene.damage if d.kind == "rows"]
    gone = _withdrawn_since(scene, [d.feed for d in short])
    where = _some([f"{d.feed} {d.where}" for d in short])
    if short and gone:
        return [
            Finding(
                "consent_withdrawn",
                f"授权已撤回（{gone}），其记录已不在库中：{where}",
                f"a consent was withdrawn (of {gone}) and rows are no longer in the store: {where}",
            )
        ]
    if short:
        return [
            Finding(
                "corrected_evidence",
                f"输入摘要不同，且批次的记录数与收到时不符：{where}",
                f"the input digest differs and batches no longer have the rows they came with: {where}",
            )
        ]
    return [
        Finding(
            "corrected_evidence",
            "输入摘要不同，本户现存各行均与收到时一致：缺少某行，或申请内容已改动",
            "the input digest differs while every row of the case is as it came: a row is gone, or the application's "
            "own statements were changed",
        )
    ]


def _withdrawn_since(scene: Scene, feeds: Collection[str]) -> str:
    """Members with a consent for one of the feeds that was withdrawn by a version that came after the snapshot."""
    later = scene.now.consents.filter((pl.col("load") > scene.then.mark) & pl.col("withdrawn_on").is_not_null())
    persons = [
        person
        for person, names in later.select("person", "feeds").iter_rows()
        if names == "*" or set(names.split(",")) & set(feeds)
    ]
    return _ids(scene, persons)


def _engine(recorded: Mapping[str, Any], named: str, ours: str) -> Finding:
    if "evidence" not in recorded:
        return Finding(
            "unexplained",
            "未出示证据摘要组，无法判断输入是否相同",
            "the evidence group is not shown, so it cannot be told whether the inputs are the same",
        )
    if named and named != ours:
        return Finding(
            "engine_change",
            f"输入与法律的摘要相同，作出决定的程序为 {named}，现为 {ours}",
            f"inputs and law have the same digests; decided by {named}, replayed by {ours}",
        )
    return Finding(
        "unexplained",
        "输入、法律与程序均相同" if named else "输入与法律的摘要相同，未注明作出决定的程序",
        "inputs, law and engine are the same"
        if named
        else "inputs and law have the same digests; the engine that decided is not named",
    )


# ---- as known now


def _replaced(scene: Scene) -> str:
    """The request that now stands in the place of that of the snapshot, empty if it is the same."""
    then, now = (set(t.requests["request_no"].to_list()) for t in (scene.then, scene.now))
    return ", ".join(sorted(now - then))


def _lost(scene: Scene) -> pl.DataFrame:
    """person, feed: read then, not to be read now for want of consent.

    Of persons with a later version of a consent, and of all where the request was replaced: a change of the household
    or a new application makes consents lapse.
    """
    barred = pl.col("state") == int(EvidenceState.NO_CONSENT)
    later = scene.now.consents.filter(pl.col("load") > scene.then.mark).select("person").unique()
    if _replaced(scene):
        later = scene.now.states.select("person").unique()
    now = scene.now.states.filter(barred).join(later, on="person", how="semi")
    then = scene.then.states.filter(~barred)
    return now.join(then, on=["person", "feed"], how="semi").select("person", "feed")


def _withdrawn(scene: Scene, lost: pl.DataFrame) -> Finding:
    who = _ids(scene, lost["person"].to_list())
    zh, en = _feeds(lost["feed"].to_list())
    return Finding(
        "consent_withdrawn",
        f"{who} 的授权已撤回、缩小或须重新签署，不得再使用：{zh}",
        f"consent of {who} was withdrawn, narrowed, or must be signed again; no longer to be read: {en}",
    )


def _late(scene: Scene, lost: pl.DataFrame, *, replaced: str) -> Finding | None:
    """Rows and states of persons who were in the unit then and are now, apart from what was lost with a consent."""
    both = scene.then.persons.join(scene.now.persons, on="person", how="semi").select("person").unique()
    rows = [
        t.rows.join(both, on="person", how="semi").join(lost, on=["person", "feed"], how="anti")
        for t in (scene.then, scene.now)
    ]
    new = rows[1].join(rows[0], on=_ROW, how="anti")
    old = rows[0].join(rows[1], on=_ROW, how="anti")
    states = [
        t.states.join(both, on="person", how="semi").join(lost, on=["person", "feed"], how="anti")
        for t in (scene.then, scene.now)
    ]
    whole = ["person", "feed", "state", "covers_from", "covers_to", "as_of"]
    known = states[1].select(whole).join(states[0].select(whole), on=whole, how="anti", nulls_equal=True)
    zh: list[str] = []
    en: list[str] = []
    for frame, word_zh, word_en in ((new, "收到 {}", "received: {}"), (old, "不再计入 {}", "no longer counts: {}")):
        if frame.height:
            said = _listed(scene.store, frame)
            zh.append(word_zh.format(said[0]))
            en.append(word_en.format(said[1]))
    if known.height:
        names = _feeds(known["feed"].to_list())
        zh.append(f"答复状态或期间有变 {names[0]}")
        en.append(f"state or window of the answer is another: {names[1]}")
    if replaced:
        zh.append(f"委托已由 {replaced} 更正")
        en.append(f"the request was replaced by {replaced}")
    if not zh:
        return None
    return Finding("corrected_evidence", f"快照之后：{'；'.join(zh)}", f"after the snapshot: {'; '.join(en)}")


# ---- composition


def _people_paths(paths: Sequence[str]) -> list[str]:
    """Paths that name who is in the unit."""
    return [p for p in paths if _is_people(p)]


def _is_people(path: str) -> bool:
    name = _field(path)
    if name.startswith(("household.members", "subject.persons")):
        return True
    of_one = name.startswith(("means.members[", "means.supporters[", "result.members[", "reasons.members["))
    return of_one and name.endswith("]") and name.count("[") == 1


def _is_composed(scene: Scene) -> bool:
    """Whether the unit has other people, or the same in other roles and relations."""
    who = ["person", "role", "id", "relation"]
    then, now = (set(t.persons.select(who).iter_rows()) for t in (scene.then, scene.now))
    return then != now


def _composition(then: Mapping[str, Any], now: Mapping[str, Any], replaced: str) -> Finding:
    before, after = _people(then), _people(now)
    gone, come = sorted(before - after), sorted(after - before)
    zh = [f"增加 {', '.join(come)}"] * bool(come) + [f"减少 {', '.join(gone)}"] * bool(gone)
    en = [f"added: {', '.join(come)}"] * bool(come) + [f"gone: {', '.join(gone)}"] * bool(gone)
    if not zh:
        zh, en = ["成员相同，关系、次序或人员有别"], ["the same ids, with another relation, order or person"]
    if replaced:
        zh.append(f"委托 {replaced}")
        en.append(f"request {replaced}")
    return Finding("composition_change", "；".join(zh), "; ".join(en))


def _people(groups: Mapping[str, Any]) -> set[str]:
    """Ids of members and supporters, as far as the groups are shown."""
    members = groups.get("household", {}).get("members", ())
    supporters = groups.get("means", {}).get("supporters", ())
    return {str(m["id"]) for m in members} | {f"{s['id']} (supporter)" for s in supporters}


# ---- words


def _field(path: str) -> str:
    return path.split(": ", 1)[0]


def _share(found: Sequence[Finding], paths: Sequence[str], composition: Collection[str]) -> list[Finding]:
    """Give each finding the paths it may account for: those that name people to the composition alone."""
    is_composed = any(f.kind == "composition_change" for f in found)
    others = tuple(p for p in paths if not (is_composed and p in composition))
    return [
        f if f.paths else Finding(f.kind, f.zh, f.en, tuple(paths) if f.kind == "composition_change" else others)
        for f in found
    ]


def _listed(store: Store, rows: pl.DataFrame) -> tuple[str, str]:
    """Rows by feed and batch, in Chinese and English."""
    groups = rows.group_by("feed", "batch").agg(n=pl.len()).sort("feed", "batch")
    names = batch_names(store, groups["batch"].to_list())
    titles = all_feeds()
    zh = [f"{titles[f].title_zh} {n} 条（批次 {names[b]}）" for f, b, n in groups.iter_rows()]
    en = [f"{n} of {f} (batch {names[b]})" for f, b, n in groups.iter_rows()]
    return _some(zh, "、"), _some(en)


def _feeds(names: Collection[str]) -> tuple[str, str]:
    once = sorted(set(names))
    return _some([all_feeds()[name].title_zh for name in once], "、"), _some(once)


def _some(items: Sequence[str], between: str = ", ") -> str:
    more = f" (+{len(items) - _SHOWN})" if len(items) > _SHOWN else ""
    return between.join(items[:_SHOWN]) + more


def _ids(scene: Scene, persons: Collection[int]) -> str:
    """Ids of persons in their application."""
    known = pl.concat([scene.then.persons, scene.now.persons]).filter(pl.col("person").is_in(list(persons)))
    return ", ".join(sorted(set(known["id"].drop_nulls().to_list())))
