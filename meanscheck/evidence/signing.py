"""Who signed for whom, and may he? What a consent's line says of its signature.

By 民法典 (in force 2021-01-01; 民法总则 said the same from 2017-10-01): who is under 18 is a minor (art. 17); under 8
without civil capacity (art. 20), from 8 limited (art. 19), from 16 in full if he lives on his own work (art. 18); so
are adults who cannot, or cannot fully, tell what they do (art. 21, 22); their guardian acts for them (art. 23), who is
named by art. 27 to 32. Data of who is under 14 need the consent of a parent or guardian (个人信息保护法 art. 31).

Refused with the file, because the line itself shows it: a person under 14 who signed for himself; a guardian who is
the person himself, or is under 18. Kept and flagged (`consents due`), because a fact or the law's answer is missing:

    minor_signed_self   14 to 17, signed for himself: valid if suited to his age (art. 19) or he lives on his work
    guardian_not_named  signed by a guardian of whom the line does not say who he is, as older lines do not
    guardian_not_known  the guardian is neither in the person's application nor stated there as his guardian
    guardian_of_adult   an adult signed for by another, and the line states no ground (`signer_basis`)
    guardian_age_unknown  it is not known whether the guardian is an adult
    no_form             neither the digest of the signed paper nor the reference of an electronic signature

Ages are taken on the day of signing (`signed_on`, else `from`); without either nobody's age is judged at loading.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from meanscheck.contracts.cells import parse_document
from meanscheck.errors import FeedError
from meanscheck.values.documents import Document
from meanscheck.values.identity import birthday_of

BASES = ("parent", "grandparent", "sibling", "spouse", "child", "relative", "appointed", "agreed", "organisation")
"""Ground of guardianship, 民法典 art. 27, 28 (kin, or other near relatives), 31 (appointed), 30 (agreed), 32."""
ADULT, DATA_ADULT = 18, 14
FORM_DIGEST = r"(?i)^(?:sha256:)?[0-9a-f]{64}$"
SIGNATURE_SHAPE: dict[str, pl.DataType] = {
    name: pl.String()
    for name in (
        "signature_ref",
        "signed_on",
        "request_no",
        "signer_id_type",
        "signer_id_number",
        "signer_member",
        "signer_basis",
    )
}
"""Optional fields of a consent's line. Who signed is named by number, or as a member of the person's application."""


def age_on(born: date, day: date) -> int:
    """Whole years on a day; who is born on 29 February is a year older on 1 March."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def signatures(lines: pl.DataFrame, name: str) -> pl.DataFrame:
    """Check what lines of consents say of their signatures, and normalise the signer's number.

    Args:
        lines: line Int64 · id_type, id_number (normalised), signed_by, form_digest and `SIGNATURE_SHAPE` String ·
            signed_at Date, the day of signing.
        name: the file's name, for messages.

    Returns:
        line · signer_id_type, signer_id_number String (normalised).

    Raises:
        FeedError: a line shows that the signature is none; the message names line and field.
    """
    for field, is_wrong, remedy in (
        (
            "form_digest",
            ~pl.col("form_digest").str.contains(FORM_DIGEST),
            "Write the SHA-256 of the scanned form, 64 hexadecimal characters",
        ),
        ("signature_ref", pl.col("signature_ref").str.len_chars() > 200, "At most 200 characters"),
        ("signer_basis", ~pl.col("signer_basis").is_in(BASES), f"Write one of {', '.join(BASES)}"),
        (
            "signer_member",
            pl.col("signer_member").is_not_null() & pl.col("signer_id_number").is_not_null(),
            "Name the signer by number or as a member, not both",
        ),
    ):
        wrong = lines.filter(is_wrong)
        if wrong.height:
            raise FeedError("missing or not usable", where=f"{name}:{wrong['line'][0]} {field}", remedy=remedy)
    _refuse_children(lines.filter(pl.col("signed_by") == "self"), name)
    rows = [
        (line["line"], signer.id_type, signer.id_number)
        for line in lines.filter(pl.col("signer_id_number").is_not_null()).iter_rows(named=True)
        if (signer := _signer(line, name)) is not None
    ]
    schema = {"line": pl.Int64, "signer_id_type": pl.String, "signer_id_number": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def birthdays(id_type: str, id_number: str) -> pl.Expr:
    """The birthday (Date) that a normalised number states, by the names of its columns; null if it states none."""
    number = pl.col(id_number)
    says = number.str.contains(r"^[0-9]{17}[0-9X]$") & pl.col(id_type).is_in(
        ["resident_id", "hk_macao_tw_permit", "foreign_permanent_resident"]
    )
    return pl.when(says).then(number.str.slice(6, 8).str.to_date("%Y%m%d", strict=False))


def years_before(day: str, years: int) -> pl.Expr:
    """The day on which somebody is born who is `years` old on the day of a column."""
    return pl.col(day).dt.offset_by(f"-{years}y")


def _refuse_children(own: pl.DataFrame, name: str) -> None:
    child = own.filter(birthdays("id_type", "id_number") > years_before("signed_at", DATA_ADULT))
    if child.height:
        raise FeedError(
            "a person under 14 has signed for himself",
            where=f"{name}:{child['line'][0]} signed_by",
            remedy="A parent or guardian signs (个人信息保护法 art. 31, 民法典 art. 19, 20); write guardian, and who",
        )


def _signer(line: dict[str, object], name: str) -> Document | None:
    at = f"{name}:{line['line']}"
    kind = str(line["signer_id_type"] or "resident_id")
    found = parse_document(kind, str(line["signer_id_number"]))
    if not isinstance(found, Document):
        reason = "missing" if found is None else found.reason
        raise FeedError(reason, where=f"{at} signer_id_number", remedy="Mend the signer's identity")
    is_self = (found.id_type, found.id_number) == (line["id_type"], line["id_number"])
    if line["signed_by"] == "guardian" and is_self:
        raise FeedError(
            "the guardian is the person himself",
            where=f"{at} signer_id_number",
            remedy="Name who signed, or write self",
        )
    if line["signed_by"] == "self" and not is_self:
        raise FeedError(
            "signed by the person himself, but another is named as signer",
            where=f"{at} signer_id_number",
            remedy="Write guardian, or leave the signer out",
        )
    born, day = birthday_of(found.id_number), line["signed_at"]
    if line["signed_by"] == "guardian" and born is not None and isinstance(day, date) and age_on(born, day) < ADULT:
        raise FeedError(
            "the guardian is under 18",
            where=f"{at} signer_id_number",
            remedy="A guardian has full civil capacity (民法典 art. 17, 18, 23); somebody else signs",
        )
    return found
