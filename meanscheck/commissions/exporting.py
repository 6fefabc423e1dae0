"""Which files does a department receive? For each letter a folder of its own:

    名单 list.csv, list.xlsx       persons: identity, name, request, time asked for, purpose, consent
    <feed>….csv                    the form of the answer: headers only; filled in, it is what `ingest` takes
    <feed>….manifest.json          what the answer covers, to be filled in; not valid before
    cover.md                       what is asked, by when, under which article

Names of files hold no personal data, contents do. CSV is UTF-8 with a byte order mark, so that spreadsheets read it,
and a cell that would begin a formula has an apostrophe before it; the workbook holds text only. Bytes follow from the
content. Every letter is recorded (`exports`), with the day, the digest of its files and who stood in it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import polars as pl

from meanscheck.commissions.cover import NO_CALENDAR, NO_LIMIT, cover_note, recipient_of
from meanscheck.commissions.letters import listed
from meanscheck.contracts import FeedContract
from meanscheck.contracts import feed as feed_named
from meanscheck.contracts.sheets import write_sheet
from meanscheck.contracts.texts import feed_form
from meanscheck.errors import StoreError

if TYPE_CHECKING:
    from meanscheck.evidence import Store
    from meanscheck.law.law import Law
    from meanscheck.procedure import Calendar
    from meanscheck.procedure.checking import CheckRules, Limit

Format = Literal["both", "csv", "xlsx"]
HEADERS = {
    "no": "序号",
    "id_type": "证件类型",
    "id_number": "证件号码",
    "name": "姓名",
    "request_no": "委托编号",
    "window_from": "起始日",
    "window_to": "截止日",
    "reference_day": "基准日",
    "purpose": "用途",
    "consent_no": "授权书编号",
}
_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_FILL_IN = "请填写 YYYY-MM-DD"


@dataclass(frozen=True, slots=True)
class Letter:
    """What was sent: to whom, about how many, in which folder; `digest` is SHA-256 over its files."""

    export: int
    feed: str
    institution: str | None
    division: str | None
    recipient: str
    folder: str
    requests: int
    persons: int
    due_on: date | None
    digest: str


def export(
    store: Store,
    folder: Path,
    *,
    on: date,
    law: Law,
    rules: CheckRules,
    requests: Sequence[str] = (),
    feeds: Collection[str] = (),
    sender: str = "",
    again: bool = False,
    form: Format = "both",
    calendar: Calendar | None = None,
    limit: Limit | None = None,
) -> list[Letter]:
    """Write the letters of the requests chosen, and record them.

    Args:
        store: the evidence store, open to write.
        folder: a folder for each letter is made in it; none may exist yet.
        on: day of the letters.
        law: of that day.
        rules: under which article, and by when.
        requests, feeds, sender, again: which letters; see `letters.listed`.
        form: of the list of persons.
        calendar: working days, for the day by which to answer.
        limit: the deployment's limit for answers, where the law sets none.

    Raises:
        StoreError: a request is not known, a letter's folder exists already, or the store is open to read only.
    """
    for name in feeds:
        feed_named(name)
    people = listed(store, on=on, law=law, requests=requests, feeds=feeds, sender=sender, again=again)
    letters: list[Letter] = []
    made: list[Path] = []
    key = ["feed", "institution", "division"]
    try:
        with store.transaction():
            number = int(store.value("select coalesce(max(export), 0) from exports"))
            for own in people.partition_by(key, maintain_order=True):
                number += 1
                feed, institution, division = own.select(key).row(0)
                contract = feed_named(feed)
                name = "-".join(_safe(part) for part in (feed, institution, division) if part)
                place = folder / name
                if place.exists():
                    raise StoreError(f"{name} is there already; name an empty folder")
                place.mkdir(parents=True)
                made.append(place)
                to = recipient_of(contract, institution, sender, on=on)
                due_on, due = _due(own, rules, on=on, calendar=calendar, limit=limit)
                files = _files(own, contract, law, rules, name=name, to=to, on=on, due=due, form=form)
                for file, content in files.items():
                    if isinstance(content, bytes):
                        (place / file).write_bytes(content)
                    else:
                        write_sheet(place / file, content)
                letter = Letter(
                    number,
                    feed,
                    institution,
                    division,
                    to,
                    name,
                    own["request_no"].n_unique(),
                    own["person"].n_unique(),
                    due_on,
                    _digest(place),
                )
                _record(store, letter, own, on)
                letters.append(letter)
    except BaseException:
        for place in made:
            shutil.rmtree(place, ignore_errors=True)
        raise
    return letters


def _record(store: Store, letter: Letter, own: pl.DataFrame, on: date) -> None:
    row = pl.DataFrame(
        {
            "export": [letter.export],
            "exported_on": [on],
            "feed": [letter.feed],
            "institution": [letter.institution],
            "division": [letter.division],
            "recipient": [letter.recipient],
            "folder": [letter.folder],
            "persons": [letter.persons],
            "digest": [letter.digest],
        },
        schema_overrides={"institution": pl.String, "division": pl.String},
    )
    store.insert("exports", row)
    store.insert("export_persons", own.select("request", "person").with_columns(export=pl.lit(letter.export)))


def _due(
    own: pl.DataFrame, rules: CheckRules, *, on: date, calendar: Calendar | None, limit: Limit | None
) -> tuple[date | None, str]:
    """The day by which to answer, the shortest limit of the letter's purposes counting, and how the note says it."""
    found = [rules.of(purpose, on) for purpose in own["purpose"].unique().sort()]
    limits = [rule.answer if rule is not None and rule.answer is not None else limit for rule in found]
    days = min((one.working_days for one in limits if one is not None), default=None)
    if days is None:
        return None, NO_LIMIT
    if calendar is None:
        return None, NO_CALENDAR.format(days)
    due_on = calendar.after(on, days)
    by_law = any(rule is not None and rule.answer is not None for rule in found)
    return due_on, f"{due_on} 前（自发出之日起 {days} 个工作日{'' if by_law else '，本单位设定'}）"


def _files(
    own: pl.DataFrame,
    contract: FeedContract,
    law: Law,
    rules: CheckRules,
    *,
    name: str,
    to: str,
    on: date,
    due: str,
    form: Format,
) -> dict[str, bytes | pl.DataFrame]:
    feed, institution, division = own.select("feed", "institution", "division").row(0)
    titles = {p.id: p.label_zh for p in law.programmes}
    cells = own.with_columns(no=pl.int_range(1, pl.len() + 1), purpose=pl.col("purpose").replace(titles)).select(
        pl.col(column).cast(pl.String).alias(title) for column, title in HEADERS.items()
    )
    files: dict[str, bytes | pl.DataFrame] = {}
    if form != "xlsx":
        files["list.csv"] = _csv(cells)
    if form != "csv":
        files["list.xlsx"] = cells
    lists = "、".join(files)
    purposes = own["purpose"].unique().sort().to_list()
    found = [rule for rule in (rules.of(purpose, on) for purpose in purposes) if rule is not None]
    windows = own.select(pl.col("window_from").min(), pl.col("window_to").max()).row(0)
    note = cover_note(
        contract,
        law,
        institution=institution,
        division=division,
        recipient=to,
        on=on,
        requests=own["request_no"].n_unique(),
        persons=own["person"].n_unique(),
        purposes=purposes,
        window=None if windows[0] is None else windows,
        days=own.select(first=pl.col("reference_day").min(), last=pl.col("reference_day").max()).row(0),
        due=due,
        cite=[c for rule in found for c in rule.cite],
        authorise=[c for rule in found if rule.authorise is not None for c in rule.authorise.cite],
        files=(lists, f"{name}.csv", f"{name}.manifest.json"),
    )
    files[f"{name}.csv"] = feed_form(feed)
    files[f"{name}.manifest.json"] = _manifest(own, contract)
    files["cover.md"] = note.encode()
    return files


def _csv(cells: pl.DataFrame) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(cells.columns)
    writer.writerows([_harmless(cell) for cell in row] for row in cells.iter_rows())
    return out.getvalue().encode("utf-8-sig")


def _harmless(cell: str | None) -> str:
    """A cell that a spreadsheet shows and does not run."""
    return "" if cell is None else f"'{cell}" if cell.startswith(_STARTS) else cell


def _manifest(own: pl.DataFrame, contract: FeedContract) -> bytes:
    """The manifest to fill in. Days are left open: only the department knows what its answer covers."""
    feed, institution, division = own.select("feed", "institution", "division").row(0)
    is_window = contract.basis in ("month", "event")
    facts: dict[str, object] = {
        "feed": feed,
        "sender": contract.senders[0] if len(contract.senders) == 1 else "",
        **({} if institution is None else {"institutions": [institution]}),
        **({} if division is None else {"divisions": [division]}),
        "answered_on": _FILL_IN,
        **({"covers_from": _FILL_IN, "covers_to": _FILL_IN} if is_window else {"as_of": _FILL_IN}),
        "requests": own["request_no"].unique().sort().to_list(),
        "not_answered": [],
    }
    return (json.dumps(facts, ensure_ascii=False, indent=1) + "\n").encode()


def _digest(place: Path) -> str:
    total = hashlib.sha256()
    for file in sorted(place.iterdir()):
        content = file.read_bytes()
        total.update(f"{file.name} {len(content)}\n".encode())
        total.update(content)
    return total.hexdigest()


def _safe(part: str) -> str:
    """A code as a part of a file name."""
    return "".join(c if c.isalnum() or c in "_-." else "_" for c in part)[:60]
