"""Is this the number of an identity document of its kind, and by which number does the person go for good?

Five kinds, by their published shapes. A number that fits no form of its kind is refused; nothing is mended by a guess.

    resident_id                 居民身份证: 18 characters (or 15, brought to 18); GB 11643-1999, see `identity`
    hk_macao_tw_permit          港澳居民来往内地通行证: H or M and 8 digits; the form of 1999 has two digits more, the
                                count of renewals, and its first 9 characters are the holder's for life
                                台湾居民来往大陆通行证: 8 digits; the booklet had 10 digits and a letter
                                港澳台居民居住证: a number of GB 11643 whose place is 810000, 820000 or 830000
    foreign_permanent_resident  外国人永久居留身份证: of 2023, 18 characters that begin with 9; before, 3 letters and 12
                                digits
    passport                    护照: up to 9 letters and digits
    none                        无证件: no number; who it is, is said by the household (see `unnumbered`)

A number of GB 11643 names its kind itself: a place of 81, 82 or 83 and four zeros is a residence permit, a first digit
of 9 a foreigner's. So it counts as that kind, whatever kind the sender wrote, and is one person, not two.

Two forms of the question, as in `identity`: plain Python for one number, and Polars for columns.

>>> normal("hk_macao_tw_permit", "H1234567801"), normal("resident_id", "810000199408230021")
(Document(…), Document(…))
>>> normal("passport", "E1"), normal("hk_macao_tw_permit", "810000199408230020")
('bad_identity', 'bad_check_digit')
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from meanscheck.values.identity import IdentityFault, fault_of, faultless

RESIDENT, PERMIT, FOREIGN, PASSPORT, NONE = (
    "resident_id",
    "hk_macao_tw_permit",
    "foreign_permanent_resident",
    "passport",
    "none",
)


@dataclass(frozen=True, slots=True)
class Form:
    """One published shape of one kind of document.

    `pattern` is of the whole number. Of it the first `keeps` characters name the holder (all if None). With
    `is_checked` the number also has the birthday and check character of GB 11643. `is_sure` says whether `source` is
    the issuer's own rule; a form that is not sure is accepted, and only its shape is relied on.
    """

    id_type: str
    zh: str
    pattern: str
    source: str
    is_sure: bool = True
    keeps: int | None = None
    is_checked: bool = False


_GB = "GB 11643-1999"
FORMS: tuple[Form, ...] = (
    Form(RESIDENT, "居民身份证", r"[1-8][0-9]{16}[0-9X]", _GB, is_checked=True),
    Form(
        PERMIT,
        "港澳台居民居住证",
        r"8[123]0000[0-9]{11}[0-9X]",
        "国办发〔2018〕81号: a number of GB 11643 with 810000, 820000 or 830000",
        is_checked=True,
    ),
    Form(
        PERMIT,
        "港澳居民来往内地通行证（1999）",
        r"[HM][0-9]{10}",
        "公安部 港澳居民来往内地通行证号码规则: H or M, 8 digits for life, 2 digits that count renewals",
        keeps=9,
    ),
    Form(PERMIT, "港澳居民来往内地通行证", r"[HM][0-9]{8}", "the same rule: the 9 characters that never change"),
    Form(PERMIT, "台湾居民来往大陆通行证", r"[0-9]{8}", "as sectoral code has it; no rule found", is_sure=False),
    Form(
        PERMIT,
        "台湾居民来往大陆通行证（本式）",
        r"[0-9]{10}[A-Z]?",
        "as sectoral code has it; no rule found",
        is_sure=False,
    ),
    Form(
        FOREIGN,
        "外国人永久居留身份证（2023）",
        r"9[0-9]{16}[0-9X]",
        "国家移民管理局 2023版机读信息规则: first digit 9, last character as GB 11643 (MOD 11-2)",
        is_checked=True,
    ),
    Form(
        FOREIGN,
        "外国人永久居留身份证（2004、2017）",
        r"[A-Z]{3}[0-9]{12}",
        "国家移民管理局 2023版机读信息规则, on the number before: 3 letters and 12 digits",
    ),
    Form(
        PASSPORT,
        "护照",
        r"[A-Z0-9]{5,9}",
        "ICAO Doc 9303: at most 9 letters and digits; at least 5 is our reading",
        is_sure=False,
    ),
)
_BY_KIND = {
    kind: tuple(form for form in FORMS if form.id_type == kind)
    for kind in dict.fromkeys(form.id_type for form in FORMS)
}
_RESIDENCE, _FOREIGN_FIRST = r"8[123]0000", "9"
_NAMES_ITS_KIND = rf"^(?:{_RESIDENCE}|{_FOREIGN_FIRST})[0-9]*[0-9X]$"
_PLAIN_GB = re.compile(r"[0-9]{17}[0-9X]")


@dataclass(frozen=True, slots=True, repr=False)
class Document:
    """A normalised number: its kind, and the characters by which its holder goes."""

    id_type: str
    id_number: str

    def __repr__(self) -> str:
        return "Document(…)"


def normal(id_type: str, number: str) -> Document | IdentityFault:
    """The document that a number (upper case, half-width, no spaces or brackets) names, or what is wrong with it."""
    kind = kind_of(id_type, number)
    for form in _BY_KIND.get(kind, ()):
        if re.fullmatch(form.pattern, number, re.ASCII) is None:
            continue
        fault = fault_of(number) if form.is_checked else None
        return fault if fault is not None else Document(kind, number[: form.keeps])
    return "bad_identity"


def kind_of(id_type: str, number: str) -> str:
    """The kind that a number of GB 11643 names itself; of other numbers, the kind it is said to be.

    A passport is not renamed: 18 characters are none.
    """
    if id_type not in (RESIDENT, PERMIT, FOREIGN) or _PLAIN_GB.fullmatch(number) is None:
        return id_type
    if number[0] == _FOREIGN_FIRST:
        return FOREIGN
    if re.match(_RESIDENCE, number) is not None:
        return PERMIT
    return id_type


def normal_columns(id_types: pl.Series, numbers: pl.Series) -> pl.DataFrame:
    """`normal` for columns (String): `id_type`, `id_number` (null where there is a fault or no number), `is_sound`.

    A number that needs tidying first (case, width, spaces, 15 digits) is not sound here; see `contracts.cells`.
    """
    sound_gb = faultless(numbers).fill_null(value=False)
    telling = sound_gb & numbers.str.contains(_NAMES_ITS_KIND).fill_null(value=False)
    kinds = id_types
    if telling.any():
        told = telling & id_types.is_in([RESIDENT, PERMIT, FOREIGN])
        own = numbers.str.starts_with(_FOREIGN_FIRST).replace_strict({True: FOREIGN, False: PERMIT})
        kinds = own.zip_with(told, id_types)
    is_sound = sound_gb & (kinds == RESIDENT).fill_null(value=False)
    result = numbers
    for form in FORMS if not is_sound.all() else ():
        of_kind = (kinds == form.id_type).fill_null(value=False)
        if form.id_type == RESIDENT or not of_kind.any():
            continue
        fits = of_kind & numbers.str.contains(rf"^(?:{form.pattern})$").fill_null(value=False)
        if form.is_checked:
            fits &= sound_gb
        if form.keeps is not None and fits.any():
            result = numbers.str.slice(0, form.keeps).zip_with(fits, result)
        is_sound |= fits
    empty = pl.Series([None], dtype=pl.String)
    return pl.DataFrame({"id_type": kinds, "id_number": result.zip_with(is_sound, empty), "is_sound": is_sound})


def unnumbered(case_id: str, member: str) -> str:
    """The name, in place of a number, of a person without a document: his household and his id within it.

    Such a person exists for the office alone: no department can be asked about him by number.
    """
    return f"{case_id}/{member}"
