"""A small inbox to write: people, a request, consents, feed files with manifests."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from meanscheck.evidence import Store

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def resident(number: int) -> str:
    """A made-up identity number with a right check digit (GB 11643-1999)."""
    base = f"44070319{50 + number % 40}{number % 12 + 1:02d}{number % 28 + 1:02d}{number % 1000:03d}"
    return base + "10X98765432"[sum(int(c) * w for c, w in zip(base, _WEIGHTS, strict=True)) % 11]


A, B, S, OUTSIDER = (resident(n) for n in (1, 2, 3, 4))
BANKS = ("ABC", "ICBC")
ASKED = ({"feed": "bank_deposits", "institutions": list(BANKS)}, {"feed": "tax_income"}, {"feed": "deaths"})


def member(name: str, number: str, **more: object) -> dict[str, object]:
    return {"id": name, "id_type": "resident_id", "id_number": number, "name": "甲", **more}


def request(case_id: str = "U-1", **changes: object) -> dict[str, object]:
    line: dict[str, object] = {
        "request_no": f"R-{case_id}",
        "application_no": f"A-{case_id}",
        "case_id": case_id,
        "accepting_place": "440703001",
        "applied_on": "2020-06-01",
        "reference_day": "2020-06-30",
        "purpose": "dibao",
        "residence": "urban",
        "division": "440703",
        "programmes": ["tekun", "dibao"],
        "feeds": list(ASKED),
        "members": [member("A", A, relation="head", sex="male", born_on="1951-02-02"), member("B", B)],
        "supporters": [],
    }
    return {**line, **changes}


def consent(number: str, **changes: object) -> dict[str, object]:
    line: dict[str, object] = {
        "consent_no": f"C-{number[-6:]}",
        "id_type": "resident_id",
        "id_number": number,
        "feeds": ["*"],
        "purpose": "dibao",
        "from": "2020-05-01",
        "to": "2021-05-01",
        "withdrawn_on": None,
        "signed_by": "self",
        "form_digest": "sha256:" + "0" * 64,
    }
    return {**line, **changes}


def deposit(number: str, bank: str, balance: str = "12.50", account: str = "T1", **more: str) -> dict[str, str]:
    row = {"身份证号": number, "银行代码": bank, "账号": account, "余额": balance, "截止日期": "2020-06-20"}
    return {**row, **more}


def wage(number: str, month: str = "2020-03", amount: str = "1000.00", payer: str = "P") -> dict[str, str]:
    return {"id_number": number, "month": month, "item": "wages", "amount": amount, "payer": payer}


@dataclass
class Inbox:
    """Writes files into a folder; `store` opens the store beside it."""

    folder: Path

    def lines(self, name: str, objects: Sequence[Mapping[str, object]]) -> Path:
        path = self.folder / name
        path.write_text("".join(json.dumps(o, ensure_ascii=False) + "\n" for o in objects), encoding="utf-8")
        return path

    def requests(self, *objects: Mapping[str, object]) -> Path:
        return self.lines("requests.jsonl", objects or (request(),))

    def consents(self, *objects: Mapping[str, object]) -> Path:
        return self.lines("consents.jsonl", objects or (consent(A), consent(B)))

    def feed(
        self, stem: str, rows: Sequence[Mapping[str, str]], *, header: Sequence[str] = (), **manifest: object
    ) -> Path:
        path = self.folder / f"{stem}.csv"
        names = list(header) or list(dict.fromkeys(name for row in rows for name in row))
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, names)
            writer.writeheader()
            writer.writerows(rows)
        if manifest:
            facts = {"feed": stem.split("-")[0], "sender": "S", "answered_on": "2020-06-25", **manifest}
            (self.folder / f"{stem}.manifest.json").write_text(json.dumps(facts), encoding="utf-8")
        return path

    def bank(self, bank: str, rows: Sequence[Mapping[str, str]], **manifest: object) -> Path:
        header = ["身份证号", "银行代码", "账号", "余额", "截止日期"]
        facts = {"institutions": [bank], "as_of": "2020-06-20", **manifest}
        return self.feed(f"bank_deposits-{bank}", rows, header=header, **facts)

    def tax(self, rows: Sequence[Mapping[str, str]], stem: str = "tax_income", **manifest: object) -> Path:
        facts = {"covers_from": "2019-06-01", "covers_to": "2020-05-31", **manifest}
        return self.feed(stem, rows, header=["id_number", "month", "item", "amount", "payer"], **facts)

    def store(self, name: str = "county.duckdb") -> Store:
        return Store.open(self.folder / name, memory_limit="500MB", threads=2)
