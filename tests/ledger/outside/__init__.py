"""Programs around verifiers that share no code with us: Go's sumdb packages, and aics-tlog.

Each reads one JSON file and writes one line a case, `1` if its library accepts the case and `0` if not:

    {"log": "<verifier key>", "witness": "<verifier key>", "cases": [
      {"kind": "checkpoint", "note": "<base64>"},
      {"kind": "inclusion", "index": 3, "size": 9, "leaf": "<base64>", "root": "<base64>", "path": ["<base64>"]},
      {"kind": "consistency", "old": 3, "size": 9, "before": "<base64>", "root": "<base64>", "path": ["<base64>"]}]}

Go's packages know no cosignatures, so that program judges the log's own line alone.
"""
