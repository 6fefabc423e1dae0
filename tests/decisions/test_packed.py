"""Records packed before they are sealed: the same when they come back, a fraction of the bytes, and nobody in the
dictionary."""

from __future__ import annotations

from importlib import import_module

import polars as pl
import pytest

from meanscheck.decisions import assess
from meanscheck.decisions.made_up import dictionaries_of
from meanscheck.errors import StoreError
from meanscheck.law import RulePack
from meanscheck.vault import Vault
from meanscheck.vault.packing import NAME, dictionary_in, in_metadata

from .office import DAY, PACK, Office

ASSESSING = import_module("meanscheck.decisions.assess")
BLOCK = 100


@pytest.fixture(scope="module")
def packed(messy: Office, tmp_path_factory: pytest.TempPathFactory) -> Vault:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ASSESSING, "PACKED_FROM", 0)
        result = assess(messy.store, messy.law, vault=tmp_path_factory.mktemp("packed") / "v", block_units=BLOCK).run()
    assert result.records_root == messy.result.records_root
    return result.vault


def sealed_bytes(vault: Vault, kind: str) -> int:
    return sum(int(pl.read_parquet(file)["sealed"].bin.size().sum()) for file in vault.folder.glob(f"{kind}-*"))


def test_what_was_packed_comes_back(messy: Office, packed: Vault) -> None:
    plain = messy.result.vault
    drop = ("token", "position")
    assert pl.concat(packed.blocks()).drop(drop).equals(pl.concat(plain.blocks()).drop(drop))
    assert packed.outcomes().collect(engine="in-memory").equals(plain.outcomes().collect(engine="in-memory"))
    case = next(iter(plain.blocks()))["case_id"][3]
    assert packed.find(case).groups == plain.find(case).groups


def test_it_takes_a_fraction(messy: Office, packed: Vault) -> None:
    for kind, fraction in (("records", 6), ("outcomes", 3)):
        assert sealed_bytes(packed, kind) * fraction < sealed_bytes(messy.result.vault, kind)


def test_small_caseloads_are_not_packed(messy: Office) -> None:
    files = sorted(messy.result.vault.folder.glob("*.parquet"))
    assert files and all(NAME not in pl.read_parquet_metadata(file) for file in files)


def test_the_dictionary_hangs_on_the_law_alone(packed: Vault) -> None:
    again = dictionaries_of(RulePack.load(PACK).on(DAY))
    for kind in ("records", "outcomes"):
        files = sorted(packed.folder.glob(f"{kind}-*.parquet"))
        assert len(files) == 3
        assert {dictionary_in(pl.read_parquet_metadata(file)) for file in files} == {again[kind]}


@pytest.mark.parametrize("change", [{}, {NAME: "?"}, None])
def test_another_dictionary_opens_nothing(packed: Vault, change: dict[str, str] | None) -> None:
    file = packed.folder / "records-00000.parquet"
    kept, dictionary = file.read_bytes(), dictionary_in(pl.read_parquet_metadata(file))
    assert dictionary is not None
    # One byte that hardly any record uses; a text that is none; none at all.
    other = in_metadata(dictionary[:-1] + b"?") if change is None else change
    pl.read_parquet(file).write_parquet(file, metadata=other, row_group_size=512)
    try:
        with pytest.raises(StoreError, match="changed or moved"):
            next(packed.blocks())
    finally:
        file.write_bytes(kept)
