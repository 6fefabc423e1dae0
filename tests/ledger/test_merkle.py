"""Trees and proofs, for every small size, against the recursive definition of RFC 6962."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import merkle, tiles
from meanscheck.ledger.log import Log
from meanscheck.ledger.signer import Signer

LEAVES = [b"leaf %d" % n for n in range(600)]
FLAT = merkle.leaf_hashes(LEAVES)
SMALL = 34


def defined(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, as written there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + defined(leaves[:k]) + defined(leaves[k:])).digest()


@pytest.mark.parametrize("size", [*range(SMALL), 255, 256, 257, 600])
def test_roots_follow_the_definition_however_the_leaves_arrive(size: int) -> None:
    expected = defined(LEAVES[:size])
    assert merkle.root(FLAT[: 32 * size]) == expected
    for step in (1, 3, 7, 256):
        frontier = merkle.Frontier()
        for at in range(0, size, step):
            frontier.extend(FLAT[32 * at : 32 * min(at + step, size)])
        assert (frontier.size, frontier.root()) == (size, expected)


def test_every_leaf_of_every_small_tree_is_proven_and_nothing_else_is() -> None:
    tree = merkle.FlatTree(FLAT)
    for size in range(1, SMALL):
        root = merkle.root(FLAT[: 32 * size])
        for index in range(size):
            leaf = FLAT[32 * index : 32 * index + 32]
            path = merkle.prove_inclusion(tree, index, size)
            merkle.check_inclusion(leaf, index, size, path, root)
            wrong = [(leaf, index, size, [*path, root], root), (leaf, index, size, path, bytes(32))]
            wrong += [(bytes(32), index, size, path, root), (leaf, size, size, path, root)]
            wrong += [(leaf, other, size, path, root) for other in range(size) if other != index]
            if path:
                wrong += [(leaf, index, size, path[:-1], root), (leaf, index, size, path[1:], root)]
                wrong += [(leaf, index, size, [path[0][:31], *path[1:]], root)]
            if len(path) > 1:
                wrong.append((leaf, index, size, path[::-1], root))
            for case in wrong:
                with pytest.raises(NotProven):
                    merkle.check_inclusion(*case)


def test_every_growth_of_small_trees_is_proven_and_nothing_else_is() -> None:
    tree = merkle.FlatTree(FLAT)
    roots = [merkle.root(FLAT[: 32 * size]) for size in range(SMALL)]
    for new in range(SMALL):
        for old in range(new + 1):
            path = merkle.prove_consistency(tree, old, new)
            merkle.check_consistency(old, roots[old], new, roots[new], path)
            wrong = [(old, bytes(32), new, roots[new], path), (old, roots[old], new, roots[new], [*path, bytes(32)])]
            if old:
                wrong.append((old, roots[old], new, bytes(32), path))
            if path:
                wrong.append((old, roots[old], new, roots[new], path[:-1]))
                wrong.append((old, roots[old], new, roots[new], [bytes(32), *path[1:]]))
            for case in wrong:
                with pytest.raises(NotProven):
                    merkle.check_consistency(*case)


@given(st.integers(2, 40), st.data())
def test_any_change_before_an_older_checkpoint_breaks_consistency(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size))
    place = data.draw(st.integers(0, old - 1))
    leaves = LEAVES[:size]
    edited = {
        "edit": [*leaves[:place], b"other", *leaves[place + 1 :]],
        "delete": leaves[:place] + leaves[place + 1 :],
        "insert": [*leaves[:place], b"new", *leaves[place:]],
        "swap": [*leaves[:place], *leaves[place : place + 2][::-1], *leaves[place + 2 :]],
    }[data.draw(st.sampled_from(["edit", "delete", "insert", "swap"]))]
    if edited[:old] == leaves[:old]:
        return
    flat = merkle.leaf_hashes(edited)
    with pytest.raises(NotProven):
        path = merkle.prove_consistency(merkle.FlatTree(flat), old, len(edited))
        merkle.check_consistency(old, merkle.root(FLAT[: 32 * old]), len(edited), merkle.root(flat), path)


@pytest.mark.parametrize("steps", [(1,), (255, 1, 1), (256,), (70_000,), (300, 65_500, 4_736)])
def test_tiles_on_disk_give_the_same_tree(steps: tuple[int, ...], tmp_path: Path) -> None:
    signer = Signer.generate("o.example")
    log = Log.open(tmp_path, origin="o.example")
    entries = [b"%d" % n for n in range(sum(steps))]
    done = 0
    for step in steps:
        with log.grow(signer) as growth:
            growth.add(entries[done : done + step // 3])
            growth.add(entries[done + step // 3 : done + step])
            growth.publish()
        done += step
    flat = merkle.leaf_hashes(entries)
    reader = log.reader()
    assert log.head is not None
    assert log.head.root == merkle.root(flat) == reader.subtree(0, len(entries))
    for index in {0, len(entries) // 2, len(entries) - 1}:
        assert reader.entry(index) == entries[index]
        path = merkle.prove_inclusion(reader, index, len(entries))
        assert path == merkle.prove_inclusion(merkle.FlatTree(flat), index, len(entries))
    for old in {1, len(entries) // 2, len(entries)}:
        assert merkle.prove_consistency(reader, old, len(entries)) == merkle.prove_consistency(
            merkle.FlatTree(flat), old, len(entries)
        )
    assert not list(tmp_path.rglob("*.staging*"))


def test_a_bundle_cut_short_and_an_entry_too_long_are_refused() -> None:
    bundle = tiles.format_bundle([b"one", b"two"])
    assert tiles.parse_bundle(bundle) == [b"one", b"two"]
    for end in (1, 4, 6, 9):
        with pytest.raises(LedgerError):
            tiles.parse_bundle(bundle[:end])
    with pytest.raises(LedgerError):
        tiles.format_bundle([bytes(65_536)])
