"""Evidence that somebody edited shows in the replay of that household, by field, and in no other."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from decisions.office import Office, records

from meanscheck.errors import ReplayDifference
from meanscheck.evidence import Store
from meanscheck.replay import replay_records


@dataclass(frozen=True)
class Edit:
    """One column of one row; `shows` is a piece of a path that must differ besides the input digest (empty: none)."""

    feed: str
    change: str
    where: str = "true"
    shows: str = ""


EDITS = {
    "a pension": Edit("pensions_paid", "amount_fen = amount_fen + 100", "month = date '2020-03-01'", "income"),
    "a wage": Edit("tax_income", "amount_fen = amount_fen + 1", "month = date '2020-04-01'", "income"),
    "a balance": Edit("bank_deposits", "balance_fen = balance_fen + 1", shows="assets"),
    "a policy's value": Edit("insurance_policies", "cash_value_fen = cash_value_fen + 1", shows="assets"),
    "an account's number, which no rule reads": Edit("bank_deposits", "account_token = account_token || 'x'"),
    "a payer, which no rule reads": Edit("tax_income", "payer = 'Q'"),
    "a name, which no rule reads": Edit("vehicles", "name = '某'"),
    "a feed that no rule reads": Edit("housing_fund", "balance_fen = balance_fen + 1"),
    "an entry that no rule reads and that contradicts the application": Edit(
        "household_register", "status = 'cancelled'", shows="reasons.conflicts"
    ),
}


def edited(store: Store, edit: Edit, taken: set[str]) -> str | None:
    """Change one row that counts, of a member of a case not taken yet; the case, or None if there is no such row."""
    rows = store.fetch(
        f"select up.case_id, r.person, r.batch, r.row_no from feed_{edit.feed} r "
        "join (select u.case_id, p.person from units u join unit_persons p on p.request = u.request "
        "where p.role = 'member') up on up.person = r.person "
        f"where {edit.where} order by all"
    )
    for case, person, batch, row_no in rows.iter_rows():
        if case not in taken:
            store.run(
                f"update feed_{edit.feed} set {edit.change} where person = ? and batch = ? and row_no = ?",
                [person, batch, row_no],
            )
            return str(case)
    return None


@pytest.fixture(scope="module")
def copied(clean: Office, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A copy of the clean county's store."""
    clean.store.run("checkpoint")
    target = tmp_path_factory.mktemp("copy") / "county.duckdb"
    shutil.copy(clean.store.path, target)
    with Store.open(target, memory_limit="500MB") as store:
        yield store


def test_an_edited_row_shows_in_its_household_by_field_and_in_no_other(clean: Office, copied: Store) -> None:
    cases: dict[str, Edit] = {}
    for what, edit in EDITS.items():
        case = edited(copied, edit, set(cases))
        assert case is not None, what
        cases[case] = edit
    gone = copied.fetch(
        "select distinct u.case_id, p.person from units u join unit_persons p on p.request = u.request "
        "join feed_bank_deposits r on r.person = p.person where p.role = 'member' order by all"
    ).filter(~pl.col("case_id").is_in(list(cases)))
    lost, person = gone.row(0)
    copied.run("delete from feed_bank_deposits where person = ?", [person])
    cases[lost] = Edit("bank_deposits", "all rows deleted", shows="assets")
    found = {one.case_id: one for one in replay_records(records(clean.result), store=copied)}
    assert {case for case, one in found.items() if not one.is_equal} == set(cases)
    for case, edit in cases.items():
        differences = found[case].differences
        assert "evidence.input" in differences, edit
        if edit.shows:
            assert any(d.startswith(("means.", "reasons.conflicts")) and edit.shows in d for d in differences), edit
        else:
            # A row that a contradiction names is named by its digest.
            assert {d for d in differences if ".row_refs" not in d} == {"evidence.input"}, edit


@pytest.mark.parametrize(
    ("change", "where", "shows"),
    [
        ("relation = 'other'", "relation = 'head'", "household.members[A].relation"),
        ("born_on = born_on - interval 40 year", "born_on > date '1985-01-01'", "means.members["),
    ],
)
def test_an_edited_member_shows(clean: Office, copied: Store, change: str, where: str, shows: str) -> None:
    """Attributes of the application are evidence too, as far as the law reads them."""
    for case in found_equal(clean, copied):
        before = copied.fetch("select * from unit_persons order by all")
        copied.run(
            f"update unit_persons set {change} where role = 'member' and {where} and request = "
            "(select request from units where case_id = ?)",
            [case],
        )
        if copied.fetch("select * from unit_persons order by all").equals(before):
            continue
        (result,) = replay_records([r for r in records(clean.result) if r["subject"]["case"] == case], store=copied)
        assert any(d.startswith(shows) for d in result.differences)
        return
    raise AssertionError("nobody to edit")


def found_equal(clean: Office, store: Store) -> list[str]:
    return [one.case_id for one in replay_records(records(clean.result)[-30:], store=store) if one.is_equal]


def test_evidence_that_came_later_does_not_change_a_replay(clean: Office, copied: Store, tmp_path: Path) -> None:
    """A replay reads as of the snapshot of its decision."""
    case = found_equal(clean, copied)[-1]
    number = copied.fetch(
        "select p.id_number from units u join unit_persons m on m.request = u.request join persons p using (person) "
        "where m.role = 'member' and u.case_id = ? order by all limit 1",
        [case],
    ).item()
    file = tmp_path / "declaration.csv"
    file.write_text(f"id_number,item,amount\n{number},other,60000.00\n", encoding="utf-8")
    report = copied.ingest("declaration", file)
    assert report.accepted == 1
    (again,) = replay_records([r for r in records(clean.result) if r["subject"]["case"] == case], store=copied)
    assert again.is_equal


@pytest.mark.parametrize(
    "change",
    [
        "replace(text, '\"900.00\"', '\"901.00\"')",
        'replace(text, \'"on":"2020-06-30"\', \'"on":"2020-06-29"\')',
        "'{}'",
    ],
)
def test_a_changed_law_is_not_run(clean: Office, copied: Store, change: str) -> None:
    before = copied.law_text(clean.law.digest)
    copied.run(f"update laws set text = {change} where digest = ?", [clean.law.digest])
    assert copied.law_text(clean.law.digest) != before
    try:
        (found,) = replay_records(records(clean.result)[:1], store=copied)
    finally:
        copied.run("update laws set text = ? where digest = ?", [before, clean.law.digest])
    assert (found.verdict, found.classes, found.groups) == ("missing_input", ("missing_input",), ())
    assert "law was changed" in found.text("en") and "法律与其摘要不符" in found.text("zh")
    with pytest.raises(ReplayDifference, match="law"):
        found.raise_for_difference()


def test_a_case_that_is_not_there_is_a_missing_input_and_stops_no_other(clean: Office, copied: Store) -> None:
    case = found_equal(clean, copied)[-1]
    (record,) = (r for r in records(clean.result) if r["subject"]["case"] == case)
    other: Mapping[str, Any] = {**record, "subject": {**record["subject"], "case": "U-none"}}
    found = list(replay_records([other, record], store=copied))
    assert [one.verdict for one in found] == ["missing_input", "equal"]
    assert not found[0].is_equal and "not in the store" in found[0].text()
