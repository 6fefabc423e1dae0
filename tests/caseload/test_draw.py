"""The draw: as its specification says, the same for the same root and nonce, and without favour."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanscheck.caseload.draw import draw, seed
from meanscheck.errors import InputError

ROOT = hashlib.sha256(b"root").digest()


def by_the_text(root: bytes, stratum: str, population: int, nonce: tuple[str, ...]) -> list[int]:
    """The whole order of a stratum, reckoned once more from the words of the specification, over a plain list."""
    text = b"meanscheck/sample/v1\0" + root + population.to_bytes(8, "big")
    text += len(stratum.encode()).to_bytes(2, "big") + stratum.encode() + len(nonce).to_bytes(2, "big")
    for part in nonce:
        text += len(part.encode()).to_bytes(2, "big") + part.encode()
    key = hashlib.sha256(text).digest()
    order, block = list(range(population)), 0
    for j in range(population):
        room = population - j
        while True:
            number = int.from_bytes(hashlib.sha256(key + block.to_bytes(8, "big")).digest()[:8], "big")
            block += 1
            if number < 2**64 - 2**64 % room:
                break
        k = j + number % room
        order[j], order[k] = order[k], order[j]
    return order


@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.text("abc/", min_size=1),
    st.lists(st.text("甲乙1", min_size=1), min_size=1),
)
def test_it_is_as_the_specification_says(population: int, size: int, stratum: str, nonce: list[str]) -> None:
    expected = by_the_text(ROOT, stratum, population, tuple(nonce))
    assert draw(ROOT, stratum, population=population, size=size, nonce=nonce) == expected[:size]


def test_every_part_of_what_determines_it_changes_it() -> None:
    def order(**changes: object) -> list[int]:
        given_: dict[str, object] = {"root": ROOT, "stratum": "dibao/ordinary", "population": 40, "nonce": ("a", "b")}
        given_ |= changes
        root, stratum, nonce = given_["root"], given_["stratum"], given_["nonce"]
        assert isinstance(root, bytes) and isinstance(stratum, str) and isinstance(nonce, tuple)
        return draw(root, stratum, population=40, size=40, nonce=nonce)

    first = order()
    assert order() == first and sorted(first) == list(range(40))
    others = [
        order(root=hashlib.sha256(b"other").digest()),
        order(stratum="dibao/referred"),
        order(nonce=("a", "c")),
        order(nonce=("b", "a")),
        order(nonce=("ab",)),
    ]
    assert len({tuple(o) for o in [first, *others]}) == 6
    assert seed(ROOT, "x", population=1, nonce=("a",)) != seed(ROOT, "x", population=2, nonce=("a",))


def test_parts_cannot_be_moved_into_each_other() -> None:
    assert seed(ROOT, "ab", population=9, nonce=("c",)) != seed(ROOT, "a", population=9, nonce=("bc",))


def test_no_place_is_favoured() -> None:
    """Chi-square over 3000 nonces, 3 of 10 each: 9 degrees of freedom, 27.9 at one in a thousand."""
    nonces, counts = 3000, [0] * 10
    firsts = [0] * 10
    for n in range(nonces):
        drawn = draw(ROOT, "dibao/ordinary", population=10, size=3, nonce=(str(n),))
        firsts[drawn[0]] += 1
        for place in drawn:
            counts[place] += 1
    expected = nonces // 10
    assert sum((c - expected) ** 2 / expected for c in firsts) < 27.9
    # Drawn without being put back, so the counts vary less than independent ones would: the bound is generous.
    assert sum((c - 3 * expected) ** 2 / (3 * expected) for c in counts) < 27.9


@pytest.mark.parametrize("nonce", [(), ("",), (" a",), ("a\n",), ("a\tb",), ("a", "b\u200b"), ("a\u2028b",)])
def test_a_nonce_with_more_than_one_spelling_is_refused(nonce: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="nonce"):
        draw(ROOT, "dibao/ordinary", population=3, size=1, nonce=nonce)


def test_a_root_is_a_hash() -> None:
    with pytest.raises(InputError, match="32 bytes"):
        seed(b"short", "x", population=1, nonce=("a",))
