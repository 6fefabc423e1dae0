"""Each format: what is written is read back, and nothing else is read."""

from __future__ import annotations

import json

import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import Policy, Signer, VerifierKey, canonical, checkpoint, note, proof, receipts
from meanscheck.ledger.commitment import Leaf
from meanscheck.ledger.verdict import parse_opening

from .builders import ORIGIN, Folder, cosign, witness_key

NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=6)
TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_canonical_json_equals_rfc_8785(value: canonical.Json) -> None:
    written = canonical.format(value)
    assert written == rfc8785.dumps(value)
    assert canonical.parse(written) == value


@given(VALUES)
def test_other_spellings_of_the_same_value_are_refused(value: canonical.Json) -> None:
    for spelling in (json.dumps(value), json.dumps(value, indent=1), json.dumps(value, separators=(",", ":")) + " "):
        data = spelling.encode()
        if data != canonical.format(value):
            with pytest.raises(canonical.NotCanonical):
                canonical.parse(data)


@pytest.mark.parametrize(
    "text",
    ["1.0", "1e3", "-0", "NaN", "Infinity", "[" * 100_000, "9" * 6000, '"\\ud800"', '{"é":1}', "\ufeff1", "", "[1,]"],
)
def test_values_without_a_canonical_form_are_refused(text: str) -> None:
    with pytest.raises(canonical.NotCanonical):
        canonical.parse(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("value", [1.5, 2**53, {1: 2}, {"é": 1}, "\ud800", b"x", {"a": [{"b": 0.1}]}])
def test_values_that_have_no_canonical_form_are_not_written(value: object) -> None:
    with pytest.raises(canonical.NotCanonical):
        canonical.format(value)  # type: ignore[arg-type]


def test_a_note_opens_for_a_known_key_and_tells_of_unknown_lines() -> None:
    first, second = Signer.from_seed("a.example", seed=bytes(32)), Signer.from_seed("b.example", seed=b"b" * 32)
    signed = note.sign("text\n\nmore\n", [first, second])
    opened = note.open(signed, [first.key])
    assert opened.text == "text\n\nmore\n"
    assert [line.name for line in opened.unknown] == ["b.example"]
    with pytest.raises(NotProven, match="no known key"):
        note.open(signed, [VerifierKey("c.example", note.ED25519, first.key.public)])


def test_a_key_that_signed_twice_is_refused() -> None:
    signer = Signer.from_seed("a.example", seed=bytes(32))
    with pytest.raises(NotProven, match="twice"):
        note.open(note.sign("text\n", [signer, signer]), [signer.key])


def test_the_cosignature_of_the_specification_verifies_by_its_words() -> None:
    text = checkpoint.format(checkpoint.Checkpoint(ORIGIN, 3, bytes(32)))
    opened = note.open(f"{text}\n{cosign(text, 1_679_315_147)}", [witness_key()])
    assert opened.signatures[0].time == 1_679_315_147
    with pytest.raises(NotProven):
        note.open(f"{text}\n{cosign('other' + text, 1_679_315_147)}", [witness_key()])


@pytest.mark.parametrize(
    "name",
    ["", "a b", "a+b", "a\u2003b", "a\nb", "a\x00"],
    ids=["empty", "space", "plus", "em-space", "newline", "nul"],
)
def test_names_that_signature_lines_cannot_carry_are_refused(name: str) -> None:
    with pytest.raises(NotProven):
        VerifierKey(name, note.ED25519, bytes(32))


@pytest.mark.parametrize(
    "text",
    [
        "o\n1\n",
        "o\n1\nAA==\n",
        "o\n-1\n" + "A" * 43 + "=\n",
        "o\n٣\n" + "A" * 43 + "=\n",
        "o\n1\n" + "A" * 43 + "=\nx\n",
    ],
)
def test_faulty_checkpoints_are_refused(text: str) -> None:
    with pytest.raises(NotProven):
        checkpoint.parse(text)


LOG = str(Signer.from_seed(ORIGIN, seed=bytes(32)).key)
W1, W2, W3 = (str(witness_key(bytes([i]) * 32, f"w{i}.example")) for i in (1, 2, 3))


def test_a_policy_with_groups_reads_and_counts() -> None:
    policy = Policy.parse(
        f"# comment\n\n log {LOG}\thttps://log.example/\nwitness a {W1}\nwitness b {W2} https://b/\nwitness c {W3}\n"
        "group two 2 a b\ngroup all-of-us any two c\nquorum all-of-us\n"
    )
    a, b, c = policy.witness_keys
    assert [policy.is_quorum(keys) for keys in ([], [a], [b], [a, b], [c])] == [False, False, False, True, True]
    assert Policy.parse(policy.format()) == policy


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "newline"),
        (f"log {LOG}\n", "one quorum"),
        (f"log {LOG}\nquorum none\nquorum none\n", "one quorum"),
        (f"log {LOG}\nlog {LOG}\nquorum none\n", "listed twice"),
        (f"log {W1}\nquorum none\n", "type 1"),
        (f"witness a {LOG}\nquorum a\n", "type 4"),
        (f"witness a {W1}\nwitness a {W2}\nquorum a\n", "line 2: its name is already taken"),
        (f"witness none {W1}\nquorum none\n", "taken"),
        ("quorum a\n", "not defined"),
        (f"witness a {W1}\ngroup g 2 a\nquorum g\n", "threshold"),
        (f"witness a {W1}\ngroup g 01 a\nquorum g\n", "threshold"),
        (f"witness a {W1}\ngroup g all a a\nquorum g\n", "more than one group"),
        ("group g all g\nquorum g\n", "earlier line"),
        (f"log {LOG}\r\nquorum none\n", "carriage return"),
        (f"log {LOG[:-1]}A\nquorum none\n", "line 1"),
        ("trust everyone\nquorum none\n", "line 1"),
    ],
)
def test_faulty_policies_are_refused_with_their_line(text: str, why: str) -> None:
    with pytest.raises(NotProven, match=why) as caught:
        Policy.parse(text)
    assert caught.value.step == "policy"


def _mutations(data: str) -> st.SearchStrategy[str]:
    """Texts near a good one: cut, doubled, spliced, overwritten."""
    places = st.integers(0, len(data))
    pieces = st.text(max_size=6) | st.sampled_from(
        ["\n", "\n\n", " ", "=", "+", "0", "— ", "\r\n", "\ud800", '"', "{}"]
    )
    return st.builds(lambda a, b, piece: data[:a] + piece + data[b:], places, places, pieces) | st.text(max_size=60)


@pytest.fixture(scope="module")
def sound(folder: Folder) -> dict[str, str]:
    receipt = folder.receipt(10)
    parts = receipts.parse(receipt)
    assert parts.opening is not None
    return {
        "receipt": receipt,
        "proof": receipt,
        "note": parts.checkpoint,
        "checkpoint": note.parse(parts.checkpoint)[0],
        "policy": folder.policy.format(),
        "key": str(folder.signer.key),
        "leaf": parts.leaf.decode(),
        "opening": parts.opening.entry.decode(),
    }


def _round(kind: str, text: str) -> str:
    """Read and write again."""
    match kind:
        case "receipt":
            return receipts.format(receipts.parse(text))
        case "proof":
            return proof.format(proof.parse(text))
        case "note":
            return note.format(*note.parse(text))
        case "checkpoint":
            return checkpoint.format(checkpoint.parse(text))
        case "key":
            return str(VerifierKey.parse(text))
        case "leaf":
            return Leaf.parse(text.encode("utf-8", "surrogatepass")).format().decode()
        case "opening":
            parse_opening(text.encode("utf-8", "surrogatepass"), batch_id="2026-01")
            return text
        case _:
            Policy.parse(text)
            return text


@pytest.mark.parametrize("kind", ["receipt", "proof", "note", "checkpoint", "key", "leaf", "opening", "policy"])
def test_parsers_survive_anything_and_accept_only_what_they_would_write(kind: str, sound: dict[str, str]) -> None:
    assert _round(kind, sound[kind]) == sound[kind]

    @settings(max_examples=300, deadline=None)
    @given(_mutations(sound[kind]))
    @example("")
    @example("\n\n")
    def fuzz(text: str) -> None:
        try:
            again = _round(kind, text)
        except LedgerError:
            return
        assert again == text

    fuzz()
