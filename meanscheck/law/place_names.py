"""What is the place of a law called in Chinese? By its code, as the packs of this house name it (pack.toml).

The recorded law holds one name, and its digest covers it; so the Chinese one is looked up and not recorded.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache

from meanscheck.law.law import Law
from meanscheck.values.data import data_dir


@cache
def _names() -> Mapping[str, str]:
    packs = (tomllib.loads(p.read_text(encoding="utf-8")) for p in data_dir("rules").rglob("pack.toml"))
    return {pack["code"]: pack["name_zh"] for pack in packs if pack.get("name_zh")}


def name_zh(law: Law) -> str:
    """The Chinese name of the law's place; the law's own name where no pack here is of that code."""
    return _names().get(law.code, law.name)
