"""A claim that fails stands explained only for the causes that were meant, and an idle explanation is told."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from meanscheck.errors import PackError
from meanscheck.law.proving.household import Extent
from meanscheck.law.proving.proof import Proof, prove

from .small import FIGURES, figure, pack, programme

LACKING = figure("p.of", "money", 'value = { urban = "900.00" }', more='by = "residence"')


def proof_of(folder: Path, explanation: str, test: str = "income < p.of[household.residence]") -> Proof:
    """The proof of a pack whose table says nothing of the countryside."""
    pack(folder, programme(test), figures=FIGURES + LACKING)
    (folder / "theorems.toml").write_text(explanation, encoding="utf-8")
    return prove(
        folder,
        extent=Extent(2, 0),
        seconds=30,
        stage=lambda name: nullcontext(lambda done, total: None),
        clock=lambda: 0,
        with_changes=False,
    )


def of_one_outcome(refers: str) -> str:
    return f'[[theorem]]\nid = "relief: one outcome"\nrefers = {refers}\nwhy = "nobody found it"\n'


def test_it_is_explained_for_the_causes_meant(tmp_path: Path) -> None:
    proof = proof_of(tmp_path, of_one_outcome('["parameter:p.of"]'))
    (theorem,) = proof.refuted
    assert theorem.causes == {"parameter:p.of"}
    assert proof.why(theorem) == "nobody found it"
    assert proof.unexplained == () and proof.stale == ()


@pytest.mark.parametrize("refers", ["[]", '["parameter:p.wage"]'])
def test_and_for_no_other(refers: str, tmp_path: Path) -> None:
    proof = proof_of(tmp_path, of_one_outcome(refers))
    assert [th.name for th in proof.unexplained] == ["relief: one outcome"]


def test_what_holds_needs_no_explanation(tmp_path: Path) -> None:
    proof = proof_of(tmp_path, of_one_outcome("[]"), test="income < p.wage")
    assert proof.refuted == () and proof.stale == ("relief: one outcome",)


@pytest.mark.parametrize(
    "text",
    [
        '[[theorem]]\nid = "x"\n',
        "[[theorem]]\nid = 1\nwhy = 'y'\n",
        "[[theorem",
        '[[mutant]]\nid = "x"\nwhy = "a mutant here would be read by nobody"\n',
    ],
)
def test_a_file_that_is_no_such_list_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"theorems\.toml"):
        proof_of(tmp_path, text)


def test_the_same_is_explained_once(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="explained twice: relief: one outcome"):
        proof_of(tmp_path, 2 * of_one_outcome('["parameter:p.of"]'))
