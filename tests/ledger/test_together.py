"""Decisions made ready elsewhere give the log, the batch's root and the token root that they give one by one."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanscheck.errors import LedgerError
from meanscheck.ledger import Signer, merkle, tokens
from meanscheck.ledger.commitment import Leaf
from meanscheck.ledger.log import Log
from meanscheck.ledger.together import Cut, together

ORIGIN = "county.example/relief"


def leaf(position: int) -> bytes:
    token = f"{position * 0x9E3779B97F4A7C15 % 2**128:032x}"
    return Leaf("2026-11", f"{position:064x}", "55" * 32, position, token).format()


@given(before=st.integers(0, 600), cuts=st.lists(st.integers(0, 700), min_size=1, max_size=4))
def test_pieces_of_any_size_at_any_place_give_the_same_log(before: int, cuts: list[int]) -> None:
    earlier = [b"earlier %d" % n for n in range(before)]
    leaves = [leaf(n) for n in range(sum(cuts))]
    batch, dealt = merkle.Frontier(), tokens.Tokens()
    with TemporaryDirectory() as folder:
        log, signer = Log.open(Path(folder), origin=ORIGIN), Signer.generate(ORIGIN, ml_dsa=False)
        with log.grow(signer) as growth:
            growth.add(earlier)
            position = 0
            for size in cuts:
                some = leaves[position : position + size]
                block = together(some, merkle.leaf_hashes(some), first_index=before + position, first_position=position)
                assert block.leaves() == some
                growth.put(block)
                block.in_batch.extend(batch)
                dealt.take(block.tokens)
                position += size
            growth.publish()
        assert log.check() == before + len(leaves)
        assert list(log.reader().entries()) == earlier + leaves
        assert log.head is not None and log.head.root == merkle.root(merkle.leaf_hashes(earlier + leaves))
    assert (batch.size, batch.root()) == (len(leaves), merkle.root(merkle.leaf_hashes(leaves)))
    whole = tokens.Tokens()
    whole.extend(leaves)
    assert (dealt.count, tokens.root(dealt.pages())) == (whole.count, tokens.root(whole.pages()))


def test_what_was_made_ready_for_another_place_is_refused(tmp_path: Path) -> None:
    some = [leaf(n) for n in range(300)]
    block = together(some, merkle.leaf_hashes(some), first_index=7, first_position=0)
    log, signer = Log.open(tmp_path, origin=ORIGIN), Signer.generate(ORIGIN, ml_dsa=False)
    with pytest.raises(LedgerError, match="another place"), log.grow(signer) as growth:
        growth.put(block)
    assert log.size == 0


@pytest.mark.parametrize("size", [1, 255, 257])
def test_a_subtree_is_not_put_where_none_begins(size: int) -> None:
    tree = merkle.Frontier()
    tree.extend(bytes(merkle.HASH * size))
    with pytest.raises(ValueError, match="do not begin here"):
        tree.extend(bytes(merkle.HASH), level=8)


def test_a_cut_of_less_than_a_full_tile_has_none() -> None:
    cut = Cut.of(bytes(merkle.HASH * 10), 3)
    assert (len(cut.before), cut.full, cut.after) == (merkle.HASH * 10, b"", b"")
