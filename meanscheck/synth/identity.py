"""Which numbers and names do made-up people and firms carry? Ones that pass every published check and belong to
nobody here.

GB 11643-1999: 17 digits (six of the place, eight of the birthday, three of order, odd for men) and a check character
(weights 2^(17-i) mod 11). GB 32100-2015: 17 characters and a check character (weights 3^i mod 31), of which nine are an
organisation code with its own check (GB 11714).

Orders are given out per place and birthday by a count that runs through the whole county, so no number repeats. They
stay below 996: 996 to 999 were kept for the hundred-year-old, whose 15-digit form means another century.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from meanscheck.synth.chance import Chance, Ints

REGIONS = (440703, 440704, 440705, 440781, 440783, 440784, 440785)
"""GB/T 2260 codes of Jiangmen's districts and county-level cities."""
STRANGERS_REGION = 441202
"""Where the people in no request come from, so that they are nobody's double."""

_WEIGHTS = tuple(2 ** (17 - i) % 11 for i in range(17))
_CHECK = "10X98765432"
_CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_FIRST_DAY = -25_567  # 1900-01-01
_DAYS = 47_500
_ORDERS = 498  # per sex: 0 … 995 in steps of two

SURNAMES = "陈李黄张梁林吴谭刘区余何周冯邓罗谢叶苏卢赵杨伍麦关司徒容甄阮汤冼简施岑钟赖曾莫朱许郑潘温胡唐龙钱甘"
GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国志文辉红"
    "梅春生海燕健雄仪婷嘉欣俊豪子晴永康锦荣惠珍美玲少彬耀庭家宝月娥顺安"
)


class Numbers:
    """Hands out identity numbers, each once; keeps the count per place, birthday and sex."""

    def __init__(self) -> None:
        self._used = np.zeros((len(REGIONS) + 1) * 2 * _DAYS, dtype=np.int64)

    def draw(self, region: Ints, born: Ints, female: Ints) -> Ints:
        """17-digit bodies.

        Args:
            region: index into `REGIONS`; ``len(REGIONS)`` is the strangers' place.
            born: days since 1970-01-01, from 1900 on.
            female: 1 for women.
        """
        cell = (region * 2 + female) * _DAYS + (born - _FIRST_DAY)
        order = np.argsort(cell, kind="stable")
        ordered = cell[order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else np.zeros(0, np.int64)
        lengths = np.diff(np.r_[starts, len(ordered)])
        rank = np.empty(len(cell), dtype=np.int64)
        rank[order] = np.arange(len(ordered)) - np.repeat(starts, lengths)
        taken = self._used[cell] + rank
        np.add.at(self._used, cell, 1)
        step = (taken + cell * 7919) % _ORDERS  # a different first order for each birthday
        codes = np.array([*REGIONS, STRANGERS_REGION], dtype=np.int64)
        return np.asarray(codes[region] * 10**11 + civil(born) * 1000 + step * 2 + (1 - female))


def civil(days: Ints) -> Ints:
    """Days since 1970-01-01 as numbers like 20200630."""
    as_days = days.astype("datetime64[D]")
    months = as_days.astype("datetime64[M]")
    number = months.astype(np.int64)
    day_of_month = (as_days - months.astype("datetime64[D]")).astype(np.int64) + 1
    return np.asarray((1970 + number // 12) * 10_000 + (number % 12 + 1) * 100 + day_of_month, dtype=np.int64)


def checked(body: Ints) -> pl.Series:
    """18-character resident identity numbers from 17-digit bodies (GB 11643)."""
    rest, total = body.copy(), np.zeros(len(body), dtype=np.int64)
    for weight in reversed(_WEIGHTS):
        total += rest % 10 * weight
        rest //= 10
    return pl.Series(body).cast(pl.String) + pl.Series(list(_CHECK)).gather(pl.Series(total % 11))


def names(chance: Chance, n: int) -> pl.Series:
    """n names of two or three characters."""
    given = pl.Series(["", *GIVEN])
    first = chance.between(0, len(SURNAMES) - 1, n=n)
    second = chance.between(1, len(GIVEN), n=n)
    third = np.where(chance.happens(750, n=n), chance.between(1, len(GIVEN), n=n), 0)
    return pl.Series(list(SURNAMES)).gather(first) + given.gather(second) + given.gather(third)


def credit_codes(number: Ints, region: Ints) -> pl.Series:
    """Unified social credit codes (GB 32100) from numbers below 10^8 that are unique in the county.

    Args:
        number: the organisation's body.
        region: index into `REGIONS`.
    """
    place = np.array(REGIONS, dtype=np.int64)[region]
    characters = [np.full(len(number), 9), np.full(len(number), 2)]  # market regulation, individual business
    characters += [place // 10 ** (5 - i) % 10 for i in range(6)]
    body = [number // 10 ** (7 - i) % 10 for i in range(8)]
    organisation = (11 - sum(d * w for d, w in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11) % 11
    check = np.where(organisation == 10, _CREDIT.index("X"), organisation)
    characters += [*body, check]
    weights = [pow(3, i, 31) for i in range(17)]
    final = (31 - sum(c * w for c, w in zip(characters, weights, strict=True)) % 31) % 31
    letters = pl.Series(list(_CREDIT))
    out = letters.gather(characters[0])
    for values in [*characters[1:], final]:
        out = out + letters.gather(values)
    return out
