"""``python -m tests.replay.freeze VERSION``: leave a release's decisions behind, to be replayed for ever.

Looks for the smallest seed whose little county has every outcome of every programme, decides it under the law of the
day and once more with the figures that were not found filled in (so that medical assistance is decided too), seals
both, and writes what `corpus` describes. The signing key is thrown away.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import polars as pl

from meanscheck.decisions import Assessment, assess
from meanscheck.evidence import Store
from meanscheck.law import RulePack
from meanscheck.law.law import Law
from meanscheck.ledger import GROUPS, Ledger, Signer
from meanscheck.synth import county

from .corpus import FROZEN

DAY = date(2020, 6, 30)
PACK = "rules/cn/guangdong/jiangmen"
FIGURES: Mapping[str, object] = {"medical.ratio": "0.7", "medical.cap": "20000.00"}
HOUSEHOLDS, SEEDS = 16, 60
PROGRAMMES = ("dibao", "medical_relief", "tekun")
OUTCOMES = ("eligible", "ineligible", "refer")


def main(version: str) -> None:
    """Freeze a version; refuses to touch one that is there."""
    target = FROZEN / version
    if target.exists():
        raise SystemExit(f"{version} is frozen already: nothing in it may change")
    pack = RulePack.load(PACK)
    laws = [pack.on(DAY), pack.on(DAY, overlay=FIGURES)]
    for seed in range(1, SEEDS + 1):
        with tempfile.TemporaryDirectory() as folder:
            if _frozen(Path(folder), seed, laws, target):
                print(f"frozen: {version}, seed {seed}, {sum(1 for _ in target.rglob('*.tlog-proof'))} receipts")
                return
    raise SystemExit(f"no county of {HOUSEHOLDS} households with every outcome among {SEEDS} seeds")


def _frozen(work: Path, seed: int, laws: list[Law], final: Path) -> bool:
    target = work / "frozen"
    made = county(work / "county", households=HOUSEHOLDS, seed=seed, mess=True)
    with Store.open(work / "county.duckdb", memory_limit="500MB") as store:
        store.ingest_inbox(made.inbox)
        results = [assess(store, law).run() for law in laws]
        found = {key for result in results for key, n in result.counts.items() if n}
        if not {(p, o) for p in PROGRAMMES for o in OUTCOMES} <= found:
            return False
        ledger = Ledger.open(work / "ledger", signer=Signer.generate("frozen.example/relief"))
        for result in results:
            ledger.append(result)
        for name in ("laws", "receipts"):
            (target / name).mkdir(parents=True)
        shutil.copytree(made.inbox, target / "inbox")
        for number, result in enumerate(results, 1):
            text = store.law_text(result.law.digest)
            (target / "laws" / f"{result.law.digest.removeprefix('sha256:')}.json").write_text(text, encoding="utf-8")
            for case in _cases(result, all_of_them=number == 1):
                held = result.held(case)
                assert held.index is not None and held.leaf is not None and held.salts is not None
                receipt = ledger.receipt(held.index, held.leaf, held.groups, held.salts, disclose=GROUPS)
                (target / "receipts" / f"{number}.{case}.tlog-proof").write_text(receipt, encoding="utf-8", newline="")
        (target / "county.policy").write_text(ledger.policy().format(), encoding="utf-8", newline="")
        (target / ".gitattributes").write_text("* -text\n", encoding="utf-8", newline="")
        facts = {
            "on": DAY.isoformat(),
            "seed": seed,
            "snapshot": results[0].snapshot.id,
            "engine": results[0].opening["engine"],
            "outcomes": [result.closing["outcomes"] for result in results],
        }
        text = json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        (target / "facts.json").write_text(text, encoding="utf-8", newline="")
    final.parent.mkdir(exist_ok=True)
    shutil.move(target, final)
    return True


def _cases(result: Assessment, *, all_of_them: bool) -> list[str]:
    """All cases, or those that the figures filled in decide: receipts are the larger part of a corpus."""
    outcomes = result.outcomes.collect(engine="in-memory")
    if not all_of_them:
        outcomes = outcomes.filter(pl.col("programme") == "medical_relief", pl.col("outcome") != "ineligible")
    return sorted(set(outcomes["case_id"].to_list()))


if __name__ == "__main__":
    main(sys.argv[1])
