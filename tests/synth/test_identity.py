"""Do made-up numbers pass the published checks? The checks are written here once more, digit by digit."""

from __future__ import annotations

import json

import numpy as np
import polars as pl

from meanscheck.synth import County
from meanscheck.synth.chance import Chance
from meanscheck.synth.identity import REGIONS, Numbers, checked, credit_codes, names


def passes_gb_11643(number: str) -> bool:
    total = sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(number[:17]))
    return number[17] == "10X98765432"[total % 11]


def passes_gb_32100(code: str) -> bool:
    letters = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    total = sum(letters.index(letter) * 3**place for place, letter in enumerate(code[:17]))
    body = sum(letters.index(c) * w for c, w in zip(code[8:16], (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    organisation = {10: "X", 11: "0"}.get(11 - body % 11, str(11 - body % 11))
    return code[17] == letters[(31 - total % 31) % 31] and code[16] == organisation


def test_identity_numbers_are_valid_unique_and_agree_with_the_person(clean: County) -> None:
    lines = (clean.inbox / "requests.jsonl").read_text(encoding="utf-8").splitlines()
    members = [member for line in lines for member in json.loads(line)["members"]]
    numbers = [member["id_number"] for member in members]
    assert len(set(numbers)) == len(numbers)
    for member in members:
        number = member["id_number"]
        assert passes_gb_11643(number)
        assert number[6:14] == member["born_on"].replace("-", "")
        assert (int(number[16]) % 2 == 1) == (member["sex"] == "male")
        assert int(number[:6]) in REGIONS


def test_numbers_stay_unique_over_many_draws_on_few_birthdays() -> None:
    numbers, chance = Numbers(), Chance(1, part=0)
    drawn = [
        checked(numbers.draw(chance.between(0, 1, n=400), chance.between(-3, 3, n=400), chance.between(0, 1, n=400)))
        for _ in range(5)
    ]
    assert pl.concat(drawn).n_unique() == 2000


def test_credit_codes_are_valid() -> None:
    codes = credit_codes(np.arange(500, dtype=np.int64) * 199_933 % 10**8, np.arange(500, dtype=np.int64) % 7)
    assert all(passes_gb_32100(code) for code in codes)
    assert codes.n_unique() == 500


def test_names_have_two_or_three_characters() -> None:
    assert set(names(Chance(1, part=0), 200).str.len_chars().unique()) == {2, 3}
