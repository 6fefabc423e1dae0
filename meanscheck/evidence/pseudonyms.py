"""How do two agencies find the people they have in common without showing each other whom they have?

Both hold one key for one purpose and exchange pseudonyms: HMAC-SHA-256 (RFC 2104) under that key, of a purpose, the
kind of document and its number, cut to 16 bytes. Whoever lacks the key cannot test a number against a pseudonym, as he
could with a plain hash: there are few enough numbers to try them all. Another purpose gives other pseudonyms, so lists
of two purposes cannot be joined. The key is a file or comes from a callable, like every key here.

>>> key = PseudonymKey(bytes(32))
>>> key
PseudonymKey(…)
>>> key.pseudonym("440703195002020011", purpose="medical") == key.pseudonym("440703195002020011", purpose="housing")
False
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.errors import InputError
from meanscheck.values.keyfile import KeyForm, Secret

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store

_BYTES = 16
_HEAD = "meanscheck/pseudonym/v1"


class PseudonymKey(Secret):
    """The key that two agencies share for one matching."""

    __slots__ = ()
    form = KeyForm("meanscheck/pseudonym-key/v1", "pseudonym key")

    def pseudonym(self, id_number: str, *, purpose: str, id_type: str = "resident_id") -> str:
        """32 hex characters for a normalised number."""
        text = "\x1f".join((_HEAD, purpose, id_type, id_number)).encode()
        return hmac.digest(self._secret, text, "sha256")[:_BYTES].hex()


def pseudonyms(store: Store, key: PseudonymKey, *, purpose: str) -> pl.DataFrame:
    """Pseudonyms of the members of all live requests that were made for a purpose.

    Only members whose live consent names that purpose or the general one are in it.

    Returns:
        pseudonym String, sorted: what may be handed over.
    """
    return _members(store, key, purpose).select(pl.col("pseudonym").unique().sort())


def matched(store: Store, key: PseudonymKey, theirs: Iterable[str], *, purpose: str) -> pl.DataFrame:
    """Who of our members is in another agency's list.

    Returns:
        case_id, member (id in the case), pseudonym String, by case_id and member.

    Raises:
        InputError: something in the list is no pseudonym.
    """
    given = pl.Series("pseudonym", list(theirs), dtype=pl.String).str.strip_chars().unique()
    wrong = int((~given.str.contains(r"^[0-9a-f]{32}$")).sum())
    if wrong:
        raise InputError(
            f"{wrong} lines are no pseudonyms (32 hex characters)", remedy="Ask the other agency for its list anew"
        )
    ours = _members(store, key, purpose)
    return ours.filter(pl.col("pseudonym").is_in(given.implode())).sort("case_id", "member")


def _members(store: Store, key: PseudonymKey, purpose: str) -> pl.DataFrame:
    found = store.fetch(
        """select distinct u.case_id, up.id as member, i.id_type, i.id_number from units u
        join unit_persons up on up.request = u.request and up.role = 'member' join persons i using (person)
        where exists (select 1 from consents c where c.person = up.person and c.superseded_by is null
          and c.withdrawn_on is null and c.purpose in (?, 'social_relief')) and i.id_type <> 'none'""",
        [purpose],
    )
    made = [
        key.pseudonym(number, purpose=purpose, id_type=kind)
        for kind, number in found.select("id_type", "id_number").iter_rows()
    ]
    names = pl.Series("pseudonym", made, dtype=pl.String)
    return found.select("case_id", "member").with_columns(names)
