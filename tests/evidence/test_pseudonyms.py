"""Two agencies find whom they have in common, and nobody else learns anything."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pytest

from meanscheck.errors import InputError, StoreError
from meanscheck.evidence.pseudonyms import PseudonymKey, matched, pseudonyms

from .inboxes import OUTSIDER, A, B, Inbox, consent, member, request

KEY = PseudonymKey(bytes(range(32)))


def test_a_pseudonym_is_the_hmac_that_its_docstring_says() -> None:
    text = f"meanscheck/pseudonym/v1\x1fdibao\x1fresident_id\x1f{A}".encode()
    expected = hmac.new(bytes(range(32)), text, hashlib.sha256).hexdigest()[:32]
    assert KEY.pseudonym(A, purpose="dibao") == expected


def test_only_members_who_consented_to_the_purpose_are_handed_over_and_found(inbox: Inbox) -> None:
    inbox.requests(request("U-1"), request("U-2", members=[member("M", OUTSIDER)]))
    inbox.consents(consent(A), consent(B, withdrawn_on="2020-06-01"), consent(OUTSIDER, purpose="medical_relief"))
    with inbox.store() as store:
        store.requests(inbox.folder / "requests.jsonl")
        store.consents(inbox.folder / "consents.jsonl")
        ours = pseudonyms(store, KEY, purpose="dibao")["pseudonym"].to_list()
        assert ours == [KEY.pseudonym(A, purpose="dibao")]
        theirs = [KEY.pseudonym(n, purpose="dibao") for n in (A, B, OUTSIDER)]
        assert matched(store, KEY, theirs, purpose="dibao").select("case_id", "member").rows() == [("U-1", "A")]
        other = [PseudonymKey.generate().pseudonym(A, purpose="dibao"), KEY.pseudonym(A, purpose="housing")]
        assert matched(store, KEY, other, purpose="dibao").is_empty()
        with pytest.raises(InputError, match="1 lines are no pseudonyms") as told:
            matched(store, KEY, [A], purpose="dibao")
        assert A not in str(told.value)


def test_a_key_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = KEY.save(tmp_path / "shared.key")
    assert PseudonymKey.load(path).pseudonym(A, purpose="x") == KEY.pseudonym(A, purpose="x")
    path.chmod(0o644)
    with pytest.raises(StoreError, match="chmod 600"):
        PseudonymKey.load(path)
    with pytest.raises(StoreError, match="never overwritten"):
        KEY.save(path)
