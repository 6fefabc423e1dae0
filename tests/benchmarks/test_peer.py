"""The hand-written pipeline stands on its own feet, and the law that it holds as code has the real figures."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from benchmarks import caseload
from benchmarks.peer import rules
from benchmarks.peer.bits import Bits

PEER = Path(rules.__file__).parent
ALLOWED = ("meanscheck.contracts", "meanscheck.values.arrow")


@pytest.mark.parametrize("file", sorted(PEER.glob("*.py")), ids=lambda file: file.stem)
def test_the_peer_uses_lists_of_codes_and_the_stream_of_rows_and_nothing_else_of_ours(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    own = {name for name in names if name.split(".")[0] == "meanscheck"}
    assert {name for name in own if not name.startswith(ALLOWED)} == set()


def test_the_law_of_the_comparison_has_jiangmens_figures() -> None:
    compared, real = caseload.law_compared(), caseload.law_of_the_day()
    assert len(compared.parameters) == 10
    for name, parameter in compared.parameters.items():
        assert parameter.table == real.parameters[name].table, name
    assert {p.id for p in compared.programmes} == {"dibao"}
    # Everything that it asks of evidence the real law asks too.
    assert {feed: columns - real.needs[feed] for feed, columns in compared.needs.items()} == dict.fromkeys(
        compared.needs, frozenset()
    )


def test_a_word_tells_whether_a_feed_hides_something_and_why() -> None:
    bits = Bits([("wallets", 3), ("wallets", 5), ("tax_income", 5)])
    word = bits["no_consent:wallets"] | bits["not_covered:tax_income"]
    assert word & bits.of("wallets") and word & bits.of("tax_income", "tax_income")
    assert not word & bits.of("public_payroll")
    assert bits.texts(word) == ["no_consent:wallets", "not_covered:tax_income"]


def test_more_causes_than_bits_are_refused() -> None:
    with pytest.raises(ValueError, match="more causes than one word has bits"):
        Bits((f"feed{n}", 3) for n in range(60))
