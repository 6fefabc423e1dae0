"""Whose words are planted, and where do they turn up again?

The made-up county's people keep their identity numbers; names and bank rows are written anew with words that occur
nowhere else. Five kinds, since not all may lie in the same places: what the office may keep of its people (`numbers`,
`names`, `accounts`, `amounts`), and what it may keep nowhere, not even in its store (`strangers`: people nobody asked
about, and accounts of people whose consent does not cover the answer).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from meanscheck.contracts import feed
from meanscheck.contracts.headers import match_headers
from meanscheck.synth import county

FEED = "bank_deposits"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True)
class Planted:
    """An inbox with planted words, by kind."""

    inbox: Path
    words: Mapping[str, frozenset[str]]
    amounts: frozenset[int]
    """In fen."""

    def needles(self) -> Needles:
        """Every spelling in bytes, and the kind it gives away."""
        found: dict[bytes, str] = {}
        for kind, words in self.words.items():
            for word in words:
                spellings = [word.encode(encoding) for encoding in ("utf-8", "gb18030", "utf-16-le", "utf-16-be")]
                spellings.append(json.dumps(word)[1:-1].encode())
                found |= dict.fromkeys(spellings, kind)
        for fen in self.amounts:
            for text in _spellings(fen):
                for encoding in ("utf-8", "utf-16-le"):
                    found[text.encode(encoding)] = "amounts"
            found[struct.pack("<q", fen)] = "amounts"
        return Needles(found)


def _spellings(fen: int) -> Iterator[str]:
    yuan, rest = divmod(fen, 100)
    yield str(fen)
    yield f"{yuan}.{rest:02d}"
    yield f"{yuan:,}.{rest:02d}"
    yield f"{fen:,}"
    yield f"{yuan // 10_000}.{yuan % 10_000:04d}{rest:02d}"


def resident(number: int) -> str:
    """A made-up identity number with a right check digit (GB 11643-1999), of a region that no county has."""
    base = f"659001{1931 + number % 60}{number % 12 + 1:02d}{number % 28 + 1:02d}{number % 1000:03d}"
    return base + "10X98765432"[sum(int(c) * w for c, w in zip(base, _WEIGHTS, strict=True)) % 11]


def plant(folder: Path, *, households: int, seed: int) -> Planted:
    """Make the county and put the words in."""
    made = county(folder, households=households, seed=seed)
    names: dict[str, str] = {}
    requests = made.inbox / "requests.jsonl"
    lines = [json.loads(line) for line in requests.read_text(encoding="utf-8").splitlines()]
    numbers: set[str] = set()
    for line in lines:
        for person in (*line["members"], *line["supporters"]):
            old = person["name"]
            person["name"] = names.setdefault(
                old, f"欧阳{chr(0x9F00 + len(names) % 150)}{chr(0x9E00 + len(names) // 7)}"
            )
            numbers.add(person["id_number"])
    requests.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    consented = _consented(made.inbox / "consents.jsonl")
    bank = _Bank(consented & numbers)
    for path in sorted(made.inbox.glob(f"{FEED}-*.csv")):
        bank.rewrite(path)
    return Planted(
        inbox=made.inbox,
        words={
            "numbers": frozenset(numbers),
            "names": frozenset(names.values()),
            "accounts": frozenset(bank.accounts),
            "strangers": frozenset(bank.strangers),
        },
        amounts=frozenset(bank.amounts),
    )


def _consented(path: Path) -> set[str]:
    """Whose consent is neither withdrawn nor at its end."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {line["id_number"] for line in lines if line["withdrawn_on"] is None and line["to"] > "2020-07"}


class _Bank:
    """Writes the banks' files again."""

    def __init__(self, covered: set[str]) -> None:
        self.covered = covered
        self.accounts: set[str] = set()
        self.strangers: set[str] = set()
        self.amounts: set[int] = set()
        self._count = 0

    def rewrite(self, path: Path) -> None:
        data = path.read_bytes()
        encoding = "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "gb18030"
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("gb18030")
        rows = [line.split(",") for line in text.splitlines()]
        at = {name: rows[0].index(header) for header, name in match_headers(feed(FEED), rows[0]).items()}
        for row in rows[1:]:
            self._mark(row, at, kept=row[at["id_number"]].strip().upper() in self.covered)
        if len(rows) > 1:
            stranger = list(rows[1])
            stranger[at["id_number"]] = resident(self._count)
            self.strangers.add(stranger[at["id_number"]])
            self._mark(stranger, at, kept=False)
            broken = list(rows[1])
            self._mark(broken, at, kept=rows[1][at["id_number"]].strip().upper() in self.covered)
            broken[at["balance"]] = "as last year"
            rows += [stranger, broken]
        path.write_bytes("".join(",".join(row) + "\n" for row in rows).encode(encoding))

    def _mark(self, row: list[str], at: Mapping[str, int], *, kept: bool) -> None:
        """Of rows in another spelling of the number nothing is demanded: whether they are kept is not known here."""
        self._count += 1
        account = f"LEAK7Q4Z{self._count:04d}"
        fen = 512_345_678_900 + self._count * 7_919
        row[at["account_token"]], row[at["balance"]] = account, f"{fen // 100}.{fen % 100:02d}"
        number = row[at["id_number"]].strip().upper()
        if kept:
            self.accounts.add(account)
            self.amounts.add(fen)
        elif len(number) == 18 and number.isascii():
            self.strangers.add(account)


class Needles:
    """Planted spellings, sorted by their first bytes, so that most data is passed over with a few looks."""

    def __init__(self, needles: Mapping[bytes, str]) -> None:
        self._groups: dict[bytes, list[tuple[bytes, str]]] = {}
        for needle, kind in needles.items():
            # Amounts as integers share their high bytes, not their low ones.
            group = needle[3:] if len(needle) == 8 and needle.endswith(b"\0\0") else needle[:8]
            self._groups.setdefault(group, []).append((needle, kind))

    def search(self, data: bytes) -> set[str]:
        """Kinds of planted words that stand in the data."""
        return {
            kind
            for group, needles in self._groups.items()
            if group in data
            for needle, kind in needles
            if needle in data
        }
