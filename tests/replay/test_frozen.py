"""Decisions of every release come out again, byte for byte, from its files: by both executors, and for ever."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from meanscheck.decisions import assess
from meanscheck.decisions.record import canonical
from meanscheck.evidence import Store
from meanscheck.law.law import Law
from meanscheck.ledger import GROUPS, Proven
from meanscheck.replay import replay, replay_records

from .corpus import FROZEN, Corpus, corpora
from .freeze import OUTCOMES, PROGRAMMES

RELEASES = corpora()


@pytest.fixture(scope="module", params=RELEASES, ids=lambda corpus: corpus.folder.name)
def corpus(request: pytest.FixtureRequest) -> Corpus:
    given = request.param
    assert isinstance(given, Corpus)
    return given


@pytest.fixture(scope="module")
def proven(corpus: Corpus) -> dict[str, Proven]:
    """File → what its receipt proves: reading it verifies it."""
    return dict(zip((f.name for f in corpus.receipts), corpus.proven(), strict=True))


@pytest.fixture(scope="module")
def store(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with corpus.restore(tmp_path_factory.mktemp("frozen") / "county.duckdb") as store:
        yield store


def test_the_release_of_now_or_an_earlier_one_is_frozen() -> None:
    assert RELEASES


def test_every_outcome_of_every_programme_is_among_the_receipts(proven: dict[str, Proven]) -> None:
    found: set[tuple[str, str]] = set()
    for one in proven.values():
        result = one.groups["result"]
        for o in (*result["household"], *(o for m in result["members"] for o in m["outcomes"])):
            found.add((o["programme"], o["outcome"]))
    assert {(p, o) for p in PROGRAMMES for o in OUTCOMES} <= found


def test_its_receipts_verify_and_show_all(proven: dict[str, Proven]) -> None:
    assert len(proven) >= 12
    assert all(set(one.groups) == set(GROUPS) and one.opening for one in proven.values())


def test_its_laws_have_their_digests(corpus: Corpus) -> None:
    assert len(corpus.laws()) == 2
    for digest, text in corpus.laws().items():
        law = Law.from_json(text)
        assert law.digest == digest and law.canonical.decode() == text


def test_its_files_give_the_same_snapshot(corpus: Corpus, store: Store) -> None:
    assert store.snapshot().id == corpus.facts["snapshot"]


def test_every_decision_comes_out_again(corpus: Corpus, proven: dict[str, Proven], store: Store) -> None:
    found = list(replay_records([one.groups for one in proven.values()], store=store))
    assert [r.text() for r in found if not r.is_equal] == []
    assert {r.groups for r in found} == {GROUPS}
    assert replay(corpus.receipts[0], store=store, policy=corpus.folder / "county.policy").is_equal


def test_the_bulk_executor_writes_the_same_bytes(
    corpus: Corpus, proven: dict[str, Proven], store: Store, tmp_path: Path
) -> None:
    runs = {}
    for digest, text in corpus.laws().items():
        runs[digest] = assess(store, Law.from_json(text), vault=tmp_path / digest[-8:] / "county.vault").run()
    for name, one in proven.items():
        held = runs[one.groups["provenance"]["law"]].held(one.groups["subject"]["case"])
        assert dict(held.groups) == dict(one.shown), name
        assert all(canonical(one.groups[group]) == one.shown[group] for group in GROUPS), name


def test_a_corpus_is_small() -> None:
    for corpus in RELEASES:
        assert sum(f.stat().st_size for f in corpus.folder.rglob("*") if f.is_file()) < 1_000_000
    assert {f.name for f in FROZEN.iterdir()} == {c.folder.name for c in RELEASES}
