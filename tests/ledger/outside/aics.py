"""Asks aics-tlog, which knows nothing of us, for its verdicts; see `__init__` for what goes in and out.

Runs under a Python of its own (3.12, with aics-tlog installed), so it imports nothing of ours.
"""

import base64
import json
import sys
from pathlib import Path
from typing import Any

import aics_tlog  # type: ignore[import-not-found]


def _hash(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not canonical")
    return data


def _judge(case: dict[str, Any], log: Any, witness: Any) -> bool:
    if case["kind"] == "checkpoint":
        note = aics_tlog.parse_note(base64.b64decode(case["note"]))
        if not aics_tlog.verify_checkpoint(note, log, [witness], quorum=1, expected_origin=log.name).ok:
            return False
        aics_tlog.parse_checkpoint(note.text)
        return True
    path = [_hash(text) for text in case["path"]]
    root, size = _hash(case["root"]), case["size"]
    if case["kind"] == "inclusion":
        leaf = base64.b64decode(case["leaf"])
        return bool(aics_tlog.verify_leaf_inclusion(leaf, case["index"], size, path, root))
    return bool(aics_tlog.verify_consistency(case["old"], size, _hash(case["before"]), root, path))


def main() -> None:
    """One line a case."""
    asked = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    log, witness = (aics_tlog.parse_vkey(asked[name]) for name in ("log", "witness"))
    for case in asked["cases"]:
        try:
            verdict = _judge(case, log, witness)
        except ValueError:
            verdict = False
        print(int(verdict))


if __name__ == "__main__":
    main()
