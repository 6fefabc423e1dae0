"""Where keys come from, who may read them, and how the key file stands what happens to files."""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import tempfile
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import meanscheck.vault
from meanscheck.errors import StoreError
from meanscheck.vault import ENVIRONMENT, DeploymentKey, HouseholdKeys, RestrictedNote, Safe, files, key_index
from meanscheck.vault.household_keys import ROW

KEY = DeploymentKey(bytes(range(32)))
TOKENS = [f"{n:032x}" for n in range(1, 60)]
CASES = [f"U-{n}" for n in range(1, 60)]
MODULES = [m.name for m in pkgutil.iter_modules([str(Path(meanscheck.vault.__file__).parent)])]
TOLD_WITHOUT_EXAMPLES = {"batch", "files", "safe"}


@pytest.fixture(autouse=True)
def _no_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)


@pytest.mark.parametrize("name", MODULES)
def test_docstrings_are_true(name: str) -> None:
    result = doctest.testmod(importlib.import_module(f"meanscheck.vault.{name}"))
    assert result.failed == 0
    assert result.attempted > 0 or name in TOLD_WITHOUT_EXAMPLES


# ---- the deployment's key


def test_a_key_file_has_one_text_and_is_its_owner_s(tmp_path: Path) -> None:
    file = KEY.save(tmp_path / "keys" / "v.key")
    assert file.read_text() == f"meanscheck/vault-key/v1 {bytes(range(32)).hex()}\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert DeploymentKey.load(file).text == KEY.text
    with pytest.raises(StoreError, match="never overwritten"):
        KEY.save(file)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610])
def test_a_key_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    file = KEY.save(tmp_path / "v.key")
    file.chmod(mode)
    with pytest.raises(StoreError, match="chmod 600"):
        DeploymentKey.load(file)


GOOD = f"meanscheck/vault-key/v1 {'ab' * 32}"


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"{GOOD}\n\n",
        f"{GOOD} \n",
        f" {GOOD}\n",
        f"{GOOD}\r\n",
        f"{GOOD.upper()}\n",
        f"{GOOD}ab\n",
        f"{GOOD[:-2]}\n",
        f"{GOOD[:-1]}g\n",
        GOOD.replace("v1", "v2") + "\n",
        "\n",
        "",
        "é" * 44 + "\n",
    ],
)
def test_what_save_would_not_write_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "v.key"
    file.write_bytes(text.encode("latin-1"))
    file.chmod(0o600)
    with pytest.raises(StoreError, match=r"v\.key is not a vault key") as refused:
        DeploymentKey.load(file)
    assert "ab" * 8 not in str(refused.value)


def test_a_key_comes_from_environment_or_callable_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert DeploymentKey.from_environment() is None
    monkeypatch.setenv(ENVIRONMENT, KEY.text)
    found = DeploymentKey.from_environment()
    assert found is not None and found.text == KEY.text
    assert DeploymentKey.ask(lambda: bytes(range(32))).text == KEY.text
    monkeypatch.setenv(ENVIRONMENT, "hunter2")
    with pytest.raises(StoreError, match="MEANSCHECK_VAULT_KEY is not a vault key") as refused:
        DeploymentKey.from_environment()
    assert "hunter2" not in str(refused.value)
    with pytest.raises(StoreError, match="32 bytes"):
        DeploymentKey.ask(lambda: b"short")


def test_two_made_keys_differ() -> None:
    assert DeploymentKey.generate().text != DeploymentKey.generate().text


# ---- where they lie


def test_a_new_vault_gets_its_keys_beside_and_never_inside(tmp_path: Path) -> None:
    safe = Safe.open(tmp_path / "county.vault", make=True)
    safe.keys.take(TOKENS[:1], CASES[:1])
    assert sorted(str(f.relative_to(tmp_path)) for f in tmp_path.rglob("*") if f.is_file()) == [
        "county.household-keys",
        "county.household-keys.lock",
        "keys/county.vault.key",
    ]
    again = Safe.open(tmp_path / "county.vault")
    assert again.keys.give(TOKENS[:1]) == safe.keys.give(TOKENS[:1]) != [None]


def test_the_environment_s_key_is_written_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, KEY.text)
    Safe.open(tmp_path / "county.vault", make=True).keys.take(TOKENS, CASES)
    assert not (tmp_path / "keys").exists()
    assert not any(bytes(range(32)) in f.read_bytes() for f in tmp_path.iterdir())


@pytest.mark.parametrize("where", ["key_file", "folder"])
def test_a_key_inside_the_vault_s_folder_is_refused(tmp_path: Path, where: str) -> None:
    with pytest.raises(StoreError, match="inside the vault's folder"):
        if where == "key_file":
            Safe.open(tmp_path / "v", key=KEY, key_file=tmp_path / "v" / "b" / "x", make=True)
        else:
            Safe.open(tmp_path / "keys", make=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("lost", ["county.household-keys", "keys/county.vault.key"])
def test_a_vault_that_lost_a_key_is_never_given_a_new_one(tmp_path: Path, lost: str) -> None:
    Safe.open(tmp_path / "county.vault", make=True)
    (tmp_path / "county.vault" / "batch").mkdir(parents=True)
    (tmp_path / "county.vault" / "batch" / "records-00000.parquet").touch()
    (tmp_path / lost).unlink()
    for make in (False, True):
        with pytest.raises(StoreError, match=r"missing|cannot be read"):
            Safe.open(tmp_path / "county.vault", make=make)
    assert not (tmp_path / lost).exists()


# ---- the key file


@pytest.fixture
def keys(tmp_path: Path) -> HouseholdKeys:
    """A key file with some households."""
    made = HouseholdKeys.open(tmp_path / "k", key=KEY, make=True)
    made.take(TOKENS[:20], CASES[:20])
    return made


def test_each_household_has_a_key_of_its_own_for_ever(keys: HouseholdKeys) -> None:
    first = keys.take(TOKENS, CASES)
    assert len(set(first)) == len(TOKENS) and {len(key) for key in first} == {32}
    assert keys.take(TOKENS[::-1], CASES[::-1]) == first[::-1]
    assert HouseholdKeys.open(keys.path, key=KEY).give(TOKENS) == first


def test_a_household_named_twice_gets_one_key_and_one_row(keys: HouseholdKeys) -> None:
    before = keys.path.stat().st_size
    twice = [TOKENS[20], TOKENS[0], TOKENS[21], TOKENS[20]]
    made = keys.take(twice, [CASES[20], CASES[0], CASES[21], CASES[20]])
    assert made[0] == made[3] and len(set(made)) == 3
    assert keys.path.stat().st_size == before + 2 * ROW
    for seen in (keys, HouseholdKeys.open(keys.path, key=KEY)):
        assert seen.give(twice) == made


def test_households_that_another_writer_took_meanwhile_keep_his_keys(
    keys: HouseholdKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the first look and the writer's turn another one adds some of the same households, and others."""
    other, turn = HouseholdKeys.open(keys.path, key=KEY), files.turn
    his: list[bytes] = []

    def after_another(path: Path) -> AbstractContextManager[None]:
        if not his:
            his.append(b"")  # His own turn comes through here as well.
            his[:] = other.take(TOKENS[22:26], CASES[22:26])
        return turn(path)

    monkeypatch.setattr(files, "turn", after_another)
    mine = keys.take(TOKENS[20:24], CASES[20:24])
    assert mine[2:] == his[:2] and len({*mine, *his}) == 6
    assert keys.take(TOKENS[24:26], CASES[24:26]) == his[2:]
    assert HouseholdKeys.open(keys.path, key=KEY).give(TOKENS[20:26]) == [*mine, *his[2:]]


def test_the_file_is_as_small_as_said_and_holds_no_key(keys: HouseholdKeys) -> None:
    head = len(b"".join(keys.path.read_bytes().split(b"\n", 2)[:2])) + 2
    assert keys.path.stat().st_size == head + 20 * ROW and ROW == 92
    data = keys.path.read_bytes()
    assert not any(key in data for key in keys.give(TOKENS[:20]) if key)
    assert not any(case.encode() in data for case in CASES[9:20])


def test_tokens_that_begin_alike_are_told_apart(keys: HouseholdKeys) -> None:
    alike = [f"{7:016x}{n:016x}" for n in range(5)]
    made = keys.take(alike, [f"A-{n}" for n in range(5)])
    assert len(set(made)) == 5
    assert HouseholdKeys.open(keys.path, key=KEY).give([*alike, f"{7:016x}{9:016x}"]) == [*made, None]


def test_another_deployment_s_key_opens_nothing(keys: HouseholdKeys) -> None:
    with pytest.raises(StoreError, match="another key"):
        HouseholdKeys.open(keys.path, key=DeploymentKey(bytes(32)))


def test_rows_of_two_households_cannot_be_exchanged(keys: HouseholdKeys) -> None:
    data = keys.path.read_bytes()
    start = len(data) - 20 * ROW
    rows = [data[at : at + ROW] for at in range(start, len(data), ROW)]
    mixed = [rows[0][:32] + rows[1][32:], rows[1][:32] + rows[0][32:], *rows[2:]]
    keys.path.write_bytes(data[:start] + b"".join(mixed))
    changed = HouseholdKeys.open(keys.path, key=KEY)
    assert changed.give(TOKENS[2:3]) != [None]
    with pytest.raises(StoreError, match="changed"):
        changed.give(TOKENS[:1])


@pytest.mark.parametrize(
    "harm",
    [
        lambda data: data.replace(b"2029", b"2027"),
        lambda data: data.replace(b'"stated":true', b'"stated":false'),
        lambda data: data.replace(b'"restricted":[{', b'"restricted": [{'),
        lambda data: data.replace(b"keys/v1", b"keys/v2"),
        lambda data: data[:30],
        lambda data: b"",
        lambda data: data.replace(b'{"erased"', b'["erased"', 1),
    ],
)
def test_notes_that_were_changed_do_not_open(keys: HouseholdKeys, harm: object) -> None:
    assert callable(harm)
    keys.restrict(RestrictedNote(TOKENS[0], "pipl-47-3", date(2026, 11, 3), until=date(2029, 1, 1)))
    keys.erase(TOKENS[1], basis="pipl-47-3", on=date(2026, 11, 3), batches=())
    keys.state(TOKENS[1])
    data = keys.path.read_bytes()
    changed = harm(data)
    assert changed != data
    keys.path.write_bytes(changed)
    with pytest.raises(StoreError, match=r"changed|damaged"):
        HouseholdKeys.open(keys.path, key=KEY)


def test_a_row_that_a_crash_left_unfinished_is_overwritten(keys: HouseholdKeys) -> None:
    with keys.path.open("ab") as file:
        file.write(os.urandom(ROW - 1))
    again = HouseholdKeys.open(keys.path, key=KEY)
    made = again.take(TOKENS[20:30], CASES[20:30])
    assert HouseholdKeys.open(keys.path, key=KEY).give(TOKENS[20:30]) == made
    assert (keys.path.stat().st_size - len(_head(keys.path))) % ROW == 0


def _head(path: Path) -> bytes:
    first, second, _ = path.read_bytes().split(b"\n", 2)
    return first + b"\n" + second + b"\n"


def test_two_writers_lose_nothing_of_each_other_s(keys: HouseholdKeys) -> None:
    one, two = keys, HouseholdKeys.open(keys.path, key=KEY)
    a = one.take(TOKENS[20:25], CASES[20:25])
    b = two.take(TOKENS[23:28], CASES[23:28])
    assert a[3:] == b[:2]
    two.erase(TOKENS[0], basis="pipl-47-3", on=date(2026, 11, 3), batches=())
    c = one.take(TOKENS[28:30], CASES[28:30])
    two.restrict(RestrictedNote(TOKENS[2], "pipl-47-3", date(2026, 11, 3), until=None))
    for seen in (one, two, HouseholdKeys.open(keys.path, key=KEY)):
        assert seen.give(TOKENS[:1]) == [None]
        assert seen.give(TOKENS[20:30]) == [*a, *b[2:], *c]
        assert set(seen.erased) == {TOKENS[0]} and set(seen.restricted) == {TOKENS[2]}
        assert seen.was_erased(CASES[0]) and not seen.was_erased(CASES[1])


@pytest.mark.parametrize("long", [key_index._LONG, 16])
def test_writers_who_take_turns_look_at_new_rows_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long: int
) -> None:
    """A process that finds the file grown by others must not look at all of it anew: their number is the national
    roll's divided by a block's, each as long as the roll so far."""
    monkeypatch.setattr(key_index, "_LONG", long)
    path, looked = tmp_path / "k", [0]
    writers = [HouseholdKeys.open(path, key=KEY, make=True) for _ in range(3)]
    heads = key_index._heads

    def counted(rows: NDArray[np.uint8]) -> NDArray[np.uint64]:
        looked[0] += len(rows)
        return heads(rows)

    monkeypatch.setattr(key_index, "_heads", counted)
    # Every third token begins like two others, of other turns.
    tokens = [f"{n % 200:08x}{n:024x}" for n in range(600)]
    made: list[bytes] = []
    for turn in range(60):
        part = slice(10 * turn, 10 * turn + 10)
        made += writers[turn * 7 % 3].take(tokens[part], tokens[part])
    # Those asked for, also where they are made, and each new row once a writer.
    assert looked[0] <= 600 + 3 * 600
    for seen in (*writers, HouseholdKeys.open(path, key=KEY)):
        assert seen.give([*tokens, "55" * 16]) == [*made, None]
        # Runs that are long enough are put away, not merged: that takes twice their memory.
        away = [len(run) for run, data in seen._index._long if data is not None]
        assert all(long <= n < 3 * long for n in away) and bool(away) == (long == 16)
        assert all(len(run) < long for run in seen._index._short)


def test_more_rows_than_the_index_can_tell_apart_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="another vault folder"):
        key_index.Index(tmp_path).add(np.zeros((2, key_index.TOKEN), np.uint8), first=key_index.ROWS - 1)


def test_a_folder_where_nothing_can_be_written_does_not_hide_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long runs of the index are put into a file; on a disk that is only read, or full, they stay in memory."""

    def refused(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(key_index, "_LONG", 16)
    monkeypatch.setattr(tempfile, "TemporaryFile", refused)
    tokens = [f"{n:016x}{n:016x}" for n in range(100)]
    keys = HouseholdKeys.open(tmp_path / "k", key=KEY, make=True)
    made = keys.take(tokens, tokens)
    assert HouseholdKeys.open(keys.path, key=KEY).give(tokens) == made
    assert [data for _, data in keys._index._long] == [None] * len(keys._index._long) != []


def test_a_key_file_that_was_written_over_in_place_is_looked_at_anew(tmp_path: Path) -> None:
    """As a backup is brought back: the same file, grown, with other rows first. A token that was not found would get a
    second key, and what the first has sealed would be lost."""
    tokens = [f"{n:016x}{n:016x}" for n in range(1, 60)]
    keys = HouseholdKeys.open(tmp_path / "k", key=KEY, make=True)
    keys.take(tokens[:20], tokens[:20])
    made = HouseholdKeys.open(keys.path, key=KEY).take(tokens, tokens)
    whole = keys.path.read_bytes()
    head, rows = whole[: -len(tokens) * ROW], whole[-len(tokens) * ROW :]
    turned = [rows[at : at + ROW] for at in range(0, len(rows), ROW)][::-1]
    keys.path.write_bytes(head + b"".join(turned))
    assert keys.give(tokens) == made


def test_erased_cases_cannot_be_joined_with_erased_tokens(keys: HouseholdKeys) -> None:
    """Tags of erased cases stand in their own order and are made of the tags that rows have, so none stands twice."""
    rows = keys.path.read_bytes()[-20 * ROW :]
    tags = {rows[at + 16 : at + 32].hex() for at in range(0, len(rows), ROW)}
    for token in TOKENS[:10]:
        keys.erase(token, basis="pipl-47-3", on=date(2026, 11, 3), batches=())
    head = _head(keys.path).decode()
    assert not any(tag in head for tag in tags)
    listed = head.split('"erased_cases":[')[1].split("]")[0].replace('"', "").split(",")
    assert len(listed) == 10 and listed == sorted(listed)
