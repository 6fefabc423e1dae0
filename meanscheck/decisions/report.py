"""What did the check find? The verification report (核对报告) of one request: findings without an outcome
(只核对不认定).

For every person and feed: what was declared, what was found, by how much they differ, which rows are doubtful points
(疑点), who answered as of when, and the conclusion in the words of the forms: 未发现 (nothing found), 疑似 (a hit
that no finding has settled), 待核实 (not answered, or not usable). Whether relief is due is the office's step after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from meanscheck.contracts import all_feeds
from meanscheck.decisions.discrepancies import Discrepancy, of_case
from meanscheck.decisions.explain import evidence_text
from meanscheck.evidence import ReportRows, Snapshot, Store
from meanscheck.law.freshness import age_lines, report_valid_until, stale_from
from meanscheck.values.evidence_state import EvidenceState
from meanscheck.values.money import format_yuan

if TYPE_CHECKING:
    from meanscheck.law.law import Law

REGISTERS = ("vehicles", "real_estate", "business_registration")
"""Feeds whose rows are doubtful points until a finding settles them; the people's one dwelling is none."""
FOUND_MONEY = {
    "bank_deposits": "balance",
    "securities": "value",
    "insurance_policies": "cash_value",
    "wallets": "balance",
    "tax_income": "amount",
    "pensions_paid": "amount",
    "public_payroll": "amount",
    "collective_income": "amount",
}
_WORDS = {
    "未发现": "nothing found",
    "疑似": "doubtful",
    "待核实": "to be verified",
    "已核实": "settled by findings",
    "有记录": "on record",
}
_WORK = ("wages", "business", "property", "transfer", "other")


@dataclass(frozen=True, slots=True)
class Item:
    """One person and one feed of a report. Amounts in fen; `doubtful` holds the `row_ref`s a finding would name."""

    member: str
    role: str
    feed: str
    feed_zh: str
    state: str
    rows: int
    found: int | None = field(repr=False)
    declared: int | None = field(repr=False)
    doubtful: tuple[str, ...]
    senders: tuple[str, ...]
    as_of: date | None
    quarantined: int
    conclusion: str
    stale_from: date | None = None

    @property
    def difference(self) -> int | None:
        """Found less declared; None if either is unknown."""
        return None if self.found is None or self.declared is None else self.found - self.declared


@dataclass(frozen=True, slots=True)
class Report:
    """The verification report of one request."""

    request_no: str
    application_no: str
    case_id: str
    reference_day: date
    snapshot: str
    items: tuple[Item, ...] = field(repr=False)
    valid_until: date | None = None
    discrepancies: tuple[Discrepancy, ...] | None = field(default=None, repr=False)
    """Contradictions between feeds and with what was declared; None unless the law was given that knows their kinds."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; amounts as yuan text."""

        def yuan(fen: int | None) -> str | None:
            return None if fen is None else format_yuan(fen)

        return {
            "request_no": self.request_no,
            "application_no": self.application_no,
            "case": self.case_id,
            "reference_day": self.reference_day.isoformat(),
            "snapshot": self.snapshot,
            "valid_until": None if self.valid_until is None else self.valid_until.isoformat(),
            "items": [
                {
                    "member": i.member,
                    "role": i.role,
                    "feed": i.feed,
                    "state": i.state,
                    "rows": i.rows,
                    "found": yuan(i.found),
                    "declared": yuan(i.declared),
                    "difference": yuan(i.difference),
                    "doubtful": list(i.doubtful),
                    "senders": list(i.senders),
                    "as_of": None if i.as_of is None else i.as_of.isoformat(),
                    "quarantined": i.quarantined,
                    "conclusion": i.conclusion,
                    "stale_from": None if i.stale_from is None else i.stale_from.isoformat(),
                }
                for i in self.items
            ],
            **({} if self.discrepancies is None else {"discrepancies": [d.to_json() for d in self.discrepancies]}),
        }

    def text(self, language: str = "zh") -> str:
        """The report as lines for a person."""
        zh = language == "zh"
        head = (
            f"居民家庭经济状况核对报告 委托 {self.request_no} 申请 {self.application_no} 基准日 {self.reference_day}"
            if zh
            else f"Verification report: request {self.request_no}, application {self.application_no}, "
            f"as of {self.reference_day}"
        )
        lines = [head]
        for i in self.items:
            name = i.feed_zh if zh else i.feed
            parts = [i.conclusion if zh else _WORDS[i.conclusion]]
            if i.rows:
                parts.append(f"{i.rows} 条" if zh else f"{i.rows} rows")
            if i.found is not None and (i.rows or i.declared is not None):
                parts.append(("核对 " if zh else "found ") + format_yuan(i.found))
            if i.declared is not None:
                parts.append(("申报 " if zh else "declared ") + format_yuan(i.declared))
            if i.difference:
                parts.append(("差额 " if zh else "difference ") + format_yuan(i.difference))
            if i.doubtful:
                parts.append(("疑点 " if zh else "doubtful points ") + ", ".join(i.doubtful))
            if i.state != "answered":
                parts.append(evidence_text(i.state, language))
            if i.quarantined:
                parts.append(
                    f"另有 {i.quarantined} 条无法读取" if zh else f"{i.quarantined} more rows could not be read"
                )
            lines.append(f"  {i.member} {name}: " + ", ".join(parts))
        lines += age_lines([(i.feed_zh if zh else i.feed, i.stale_from) for i in self.items], self.valid_until, zh=zh)
        if self.discrepancies is not None:
            lines.append("信息矛盾与申报差异" if zh else "contradictions and differences from what was declared")
            lines += [f"  {d.text(language)}" for d in self.discrepancies] or [f"  {'未发现' if zh else 'none found'}"]
        lines.append(
            "本报告只列核对情况, 不作认定。" if zh else "This report lists what was found; it decides nothing."
        )
        return "\n".join(lines)


def check(
    store: Store,
    request: str,
    *,
    on: date | None = None,
    snapshot: Snapshot | str | None = None,
    law: Law | None = None,
) -> Report:
    """The verification report of a request.

    Args:
        store: the evidence store.
        request: the request's number (核对委托编号).
        on: the day as of which states count; the request's reference day unless given.
        snapshot: which evidence; the present one unless given.
        law: of the day: says which answers are stale, until when the report holds (counted from the reference day), and
            which differences count; none of it is told without a law.

    Raises:
        StoreError: the store does not know the request.
    """
    rows = store.report_rows(request, on=on, snapshot=snapshot)
    facts = rows.request.row(0, named=True)
    taken = snapshot if isinstance(snapshot, str) else (snapshot or store.snapshot()).id
    return Report(
        request_no=facts["request_no"],
        application_no=facts["application_no"],
        case_id=facts["case_id"],
        reference_day=facts["reference_day"],
        snapshot=taken,
        items=tuple(item if law is None else aged(item, law, facts["reference_day"]) for item in _items(rows)),
        valid_until=None if law is None else report_valid_until(law, facts["reference_day"]),
        discrepancies=None if law is None else of_case(store, law, facts["case_id"], snapshot=taken),
    )


def aged(item: Item, law: Law, day: date) -> Item:
    """The item with the day from which its answer is stale; a stale answer is one to be verified (待核实)."""
    too_old = stale_from(law, item.feed, item.as_of) if item.state == "answered" else None
    if too_old is None or day < too_old:
        return replace(item, stale_from=too_old)
    return replace(item, stale_from=too_old, state=EvidenceState.STALE.word, conclusion="待核实", found=None)


def _items(material: ReportRows) -> Iterator[Item]:
    titles = {name: contract.title_zh for name, contract in all_feeds().items()}
    estate = material.rows.get("real_estate")
    one_dwelling = estate is None or estate.filter(pl.col("use") == "residential").height <= 1
    declared = _declared(material.rows.get("declaration"))
    bad = {(r["position"], r["feed"]): r["n"] for r in _quarantined(material.quarantined).iter_rows(named=True)}
    for state in material.states.iter_rows(named=True):
        feed, position = state["feed"], state["position"]
        own = material.rows.get(feed)
        own = None if own is None else own.filter(pl.col("position") == position)
        rows = 0 if own is None else own.height
        doubtful: tuple[str, ...] = ()
        settled = False
        found = None
        senders: tuple[str, ...] = ()
        if own is not None and rows:
            senders = tuple(sorted(set(own["source_sender"].drop_nulls().to_list())))
            if feed in REGISTERS:
                hits = own.filter(pl.col("use") != "residential") if feed == "real_estate" and one_dwelling else own
                doubtful = tuple(hits.filter(pl.col("finding") == 0)["ref"].to_list())
                settled = hits.height > 0 and not doubtful
        if feed in FOUND_MONEY and state["state"] == "answered":
            found = 0 if own is None else int(own[FOUND_MONEY[feed]].sum())
        if state["state"] != "answered":
            conclusion = "待核实"
        elif doubtful:
            conclusion = "疑似"
        else:
            conclusion = "已核实" if settled else "有记录" if rows else "未发现"
        yield Item(
            member=state["id"],
            role=state["role"],
            feed=feed,
            feed_zh=titles[feed],
            state=state["state"],
            rows=rows,
            found=found,
            declared=declared.get((position, feed)),
            doubtful=doubtful,
            senders=senders,
            as_of=state["as_of"],
            quarantined=bad.get((position, feed), 0),
            conclusion=conclusion,
        )


def _declared(rows: pl.DataFrame | None) -> dict[tuple[int, str], int]:
    """What each person declared of a feed's money column (`bank_deposits.balance`), and wages against the tax feed."""
    result: dict[tuple[int, str], int] = {}
    if rows is None:
        return result
    for row in rows.iter_rows(named=True):
        item = row["item"]
        feed = "tax_income" if item == "wages" else "pensions_paid" if item == "transfer" else str(item).split(".")[0]
        if item in _WORK and item not in ("wages", "transfer"):
            continue
        if row["amount"] is not None and feed not in REGISTERS:
            key = (row["position"], feed)
            result[key] = result.get(key, 0) + row["amount"]
    return result


def _quarantined(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of each person and feed that were not accepted, repeats apart."""
    return (
        rows.filter(pl.col("reason") != "repeated_row").group_by("position", "feed").agg(n=pl.col("row_no").n_unique())
    )
