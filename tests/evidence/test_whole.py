"""Equal evidence has equal ids, blocks and digests; nothing is stored that may not be; nothing is half stored."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from meanscheck.contracts.units import CaseBlock, units_of
from meanscheck.errors import FeedError, StoreError
from meanscheck.evidence import Snapshot, Store

from .inboxes import BANKS, OUTSIDER, A, B, Inbox, consent, deposit, member, request, resident, wage

ON = date(2020, 6, 30)
WANTED = {
    "bank_deposits": ["balance", "account_kind", "as_of"],
    "tax_income": ["amount", "item", "month"],
    "deaths": ["died_on"],
    "supporters": ["relation", "household_size"],
}


def assert_blocks_equal(one: CaseBlock, other: CaseBlock, *, but: tuple[str, ...] = ()) -> None:
    assert_frame_equal(one.households.drop(but), other.households.drop(but))
    assert_frame_equal(one.persons.drop("person", *but), other.persons.drop("person", *but))
    assert_frame_equal(one.supporters.drop(but), other.supporters.drop(but))
    assert one.feeds.keys() == other.feeds.keys()
    for feed in one.feeds:
        assert_frame_equal(one.feeds[feed], other.feeds[feed])


def county(inbox: Inbox, seed: int, cases: int = 6) -> None:
    """A few households in shuffled files: several rows each, some without consent, some wrong."""
    rng = random.Random(seed)
    content = random.Random(7)
    people = [resident(n) for n in range(10, 10 + 2 * cases)]
    requests = []
    for n in range(cases):
        first, second = people[2 * n], people[2 * n + 1]
        supporter = {"id": "S", "id_number": people[(2 * n + 2) % len(people)], "supports": ["A"]}
        members = [member("A", first), member("B", second)]
        requests.append(request(f"U-{n}", members=members, supporters=[supporter] if n % 2 else []))
    consents = [consent(p, consent_no=f"C{i}") for i, p in enumerate(people) if i % 5]
    wages = [wage(p, f"2020-{m:02d}", f"{content.randrange(10**6) / 100:.2f}") for p in people for m in (1, 2, 3)]
    wages += [
        wage(people[3], "2020-04", "x"),
        wages[0],
        wage(people[4], "2020-05", "5"),
        wage(people[4], "2020-05", "6"),
    ]
    for items in (requests, consents, wages):
        rng.shuffle(items)
    inbox.requests(*requests)
    inbox.consents(*consents)
    inbox.tax(wages)
    for bank in BANKS:
        rows = [deposit(p, bank, f"{content.randrange(10**5)}.00", f"T{i}") for p in people for i in range(2)]
        rng.shuffle(rows)
        inbox.bank(bank, rows)


def everything(store: Store, folder: Path) -> tuple[list[str], Snapshot, CaseBlock]:
    reports = store.ingest_inbox(folder)
    snapshot = store.snapshot()
    projection = store.project(snapshot, on=ON)
    return [r.batch_id for r in reports], snapshot, projection.block(WANTED, first=0, after=projection.units)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(1, 10**6))
def test_shuffled_files_give_the_same_ids_digests_and_blocks(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    found = []
    for at in (0, seed):
        inbox = Inbox(tmp_path_factory.mktemp("county"))
        county(inbox, at)
        with inbox.store() as store:
            found.append(everything(store, inbox.folder))
    (ids, snapshot, block), (other_ids, other_snapshot, other_block) = found
    assert ids == other_ids
    assert snapshot.id == other_snapshot.id
    assert_blocks_equal(block, other_block)


def test_files_in_another_order_give_the_same_snapshot_and_blocks(tmp_path: Path) -> None:
    found = []
    for backwards in (False, True):
        folder = tmp_path / str(backwards)
        folder.mkdir()
        inbox = Inbox(folder)
        county(inbox, 0)
        with inbox.store() as store:
            store.requests(folder / "requests.jsonl")
            store.consents(folder / "consents.jsonl")
            for path in sorted(folder.glob("*.csv"), reverse=backwards):
                store.ingest(path.stem.split("-")[0], path)
            snapshot = store.snapshot()
            found.append((snapshot.id, store.project(snapshot, on=ON).block(WANTED, first=0, after=6)))
    assert found[0][0] == found[1][0]
    assert_blocks_equal(found[0][1], found[1][1])


def test_case_blocks_equal_the_projection_unit_by_unit_and_in_blocks_of_any_size(inbox: Inbox) -> None:
    county(inbox, 0)
    with inbox.store() as store:
        _, snapshot, whole = everything(store, inbox.folder)
        cases = whole.households["case_id"].to_list()
        assert cases == sorted(cases)
        assert_blocks_equal(whole, store.case_block(cases, WANTED, on=ON))
        projection = store.project(snapshot, on=ON)
        for at, case in enumerate(cases):
            block = projection.block(WANTED, first=at, after=at + 1)
            assert_blocks_equal(block, store.case_block(case, WANTED, on=ON), but=("unit",))
        pieces = list(projection.blocks(WANTED, block_units=4))
        assert [b.units for b in pieces] == [4, 2]
        assert pl.concat([b.persons for b in pieces]).equals(whole.persons)
        assert len([p for b in pieces for u in units_of(b) for p in u.persons]) == whole.persons.height


def test_counts_place_rows_with_their_persons(inbox: Inbox) -> None:
    county(inbox, 0)
    with inbox.store() as store:
        _, _, block = everything(store, inbox.folder)
        for unit in units_of(block):
            for person in unit.persons:
                months = [row["month"] for row in person.feed("tax_income").rows]
                assert len(set(months)) == len(months) <= 3


def test_an_edited_row_changes_the_input_digest_of_its_case_only(inbox: Inbox) -> None:
    county(inbox, 0)
    with inbox.store() as store:
        _, _, before = everything(store, inbox.folder)
        case = store.value(
            "select u.case_id from units u join unit_persons p using (request) join feed_tax_income f using (person) "
            "where p.role = 'member' order by f.digest limit 1"
        )
        store.run(
            "update feed_tax_income set amount_fen = amount_fen + 1 "
            "where digest = (select min(digest) from feed_tax_income)"
        )
        after = store.case_block(before.households["case_id"].to_list(), WANTED, on=ON)
        changed = before.households.filter(before.households["input_digest"] != after.households["input_digest"])
        assert case in changed["case_id"].to_list()
        assert changed.height <= 2  # the household, and one that the person supports


def test_ingesting_everything_again_changes_nothing(inbox: Inbox) -> None:
    county(inbox, 0)
    with inbox.store() as store:
        _, snapshot, _ = everything(store, inbox.folder)
        assert all(report.already_known for report in store.ingest_inbox(inbox.folder))
        assert store.snapshot() == snapshot


def test_rows_without_consent_or_request_are_counted_and_leave_no_trace(inbox: Inbox) -> None:
    inbox.requests()
    inbox.consents(consent(A))
    planted = [wage(B, payer="PLANTEDPAYER"), wage(OUTSIDER, payer="PLANTEDPAYER"), wage(B, amount="PLANTEDAMOUNT")]
    inbox.tax([wage(A), *planted])
    with inbox.store() as store:
        report = store.ingest_inbox(inbox.folder)[0]
        assert (report.accepted, report.not_covered, report.not_requested, report.quarantined) == (1, 1, 1, 1)
        everything(store, inbox.folder)
        store.run("checkpoint")
    for path in inbox.folder.rglob("*"):
        if path.is_file() and path.suffix in (".duckdb", ".projection", ".wal"):
            content = path.read_bytes()
            assert b"PLANTED" not in content
            assert OUTSIDER.encode() not in content
    with duckdb.connect(str(inbox.folder / "county.duckdb"), read_only=True) as raw:
        tables = [name for (name,) in raw.execute("select table_name from duckdb_tables()").fetchall()]
        for table in tables:
            planted_rows = raw.execute(f"select 1 from {table} t where t::varchar like '%PLANTED%'").fetchall()
            assert planted_rows == []


def test_quarantined_text_is_kept_where_consent_allows(inbox: Inbox) -> None:
    inbox.requests()
    inbox.consents()
    inbox.tax([wage(A, amount="-5"), wage(A, month="2031-01"), wage(B)])
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        found = store.fetch(
            "select row_no, file, field, reason, raw is not null as kept from quarantine order by row_no"
        )
        assert found.rows() == [
            (2, "tax_income.csv", "amount", "negative_not_allowed", True),
            (3, "tax_income.csv", "month", "future_date", True),
        ]


def test_repeated_rows_are_told_apart_and_harmless(inbox: Inbox) -> None:
    inbox.requests()
    inbox.consents()
    inbox.tax([wage(A), wage(A), wage(B)])
    with inbox.store() as store:
        report = store.ingest_inbox(inbox.folder)[0]
        assert (report.accepted, report.repeated, report.quarantined) == (2, 1, 0)
        assert store.case_block("U-1", WANTED, on=ON).persons["s:tax_income"].to_list() == [0, 0]


def test_a_failed_ingest_leaves_the_store_as_it_was(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox.requests()
    inbox.consents()
    path = inbox.tax([wage(A)])
    with inbox.store() as store:
        store.requests(inbox.folder / "requests.jsonl")
        store.consents(inbox.folder / "consents.jsonl")
        before = store.snapshot()
        monkeypatch.setattr("meanscheck.evidence.ingest._record", lambda *a, **k: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            store.ingest("tax_income", path)
        monkeypatch.undo()
        assert store.value("select count(*) from feed_tax_income") == 0
        assert store.snapshot() == before
        assert store.ingest("tax_income", path).accepted == 1


def test_a_projection_that_was_not_finished_is_not_used(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    county(inbox, 0)
    with inbox.store() as store:
        _, snapshot, whole = everything(store, inbox.folder)
        (file,) = inbox.folder.glob("*.projection")
        store.run("detach projection")
        store.run(f"attach '{file}' as projection")
        store.run("drop table projection.main.mark")
    with inbox.store() as store:
        projection = store.project(snapshot, on=ON)
        assert_blocks_equal(projection.block(WANTED, first=0, after=6), whole)
        monkeypatch.setattr("meanscheck.evidence.projection.edges", lambda *a, **k: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            store.project(snapshot, on=date(2020, 7, 1))
        monkeypatch.undo()
        with pytest.raises(StoreError, match="project again"):
            projection.block(WANTED, first=0, after=1)
        assert store.project(snapshot, on=ON).units == 6


def test_a_projection_whose_name_is_refused_leaves_nothing_and_is_made_again(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when another program holds the file of the day before (Windows), or the folder's rights have changed."""
    county(inbox, 0)
    with inbox.store() as store:
        _, snapshot, whole = everything(store, inbox.folder)

        def refused(part: Path, target: Path) -> Path:
            assert part.name.endswith(".projection.part") and target.name.endswith(".projection")
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "replace", refused)
        with pytest.raises(StoreError, match=r"\.projection cannot be written \(Permission denied\): look at space"):
            store.project(snapshot, on=date(2020, 7, 1))
        monkeypatch.undo()
        assert not [file.name for file in inbox.folder.iterdir() if ".projection" in file.name]
        assert_blocks_equal(store.project(snapshot, on=ON).block(WANTED, first=0, after=6), whole)


READS = """
import sys
from pathlib import Path
from meanscheck.evidence import ProjectionFile
with ProjectionFile(Path(sys.argv[1]), sys.argv[2], ("bank_deposits",)).open() as reader:
    print(*reader.tokens(first=1, after=4)[0], reader.block({}, first=0, after=6).units)
"""


def test_a_projection_is_read_by_others_while_the_store_is_open(inbox: Inbox) -> None:
    county(inbox, 0)
    with inbox.store() as store:
        _, snapshot, _ = everything(store, inbox.folder)
        file = store.project(snapshot, on=ON).file
        for key in (file.key, "another"):
            call = [sys.executable, "-c", READS, str(file.path), key]
            run = subprocess.run(call, capture_output=True, text=True, check=False)
            if key == file.key:
                assert run.stdout.split() == [*store.subjects()[0]["token"].to_list()[1:4], "6"], run.stderr
            else:
                assert "replaced by another" in run.stderr


def test_a_token_that_is_forgotten_leaves_the_projection(inbox: Inbox) -> None:
    county(inbox, 0)
    with inbox.store() as store:
        _, snapshot, _ = everything(store, inbox.folder)
        projection = store.project(snapshot, on=ON)
        store.run("delete from subjects where case_id is not null")
        again = store.project(snapshot, on=ON)
        assert again.key != projection.key
        after = again.reader().tokens(first=0, after=6)[0]
        assert after.null_count() == 0
        assert after.to_list() == store.subjects()[0]["token"].to_list()


def test_a_person_in_two_applications_is_refused_with_both_places(inbox: Inbox) -> None:
    inbox.requests(request("U-1"), request("U-2", members=[member("A", OUTSIDER), member("B", A)]))
    with inbox.store() as store:
        with pytest.raises(
            FeedError, match=r"requests.jsonl:1 members\[0\] and requests.jsonl:2 members\[1\]"
        ) as caught:
            store.requests(inbox.folder / "requests.jsonl")
        assert A not in str(caught.value)
        assert store.value("select count(*) from requests") == 0
        store.requests(inbox.requests(request("U-1")))
        with pytest.raises(FeedError, match="two live applications"):
            store.requests(inbox.requests(request("U-2", members=[member("B", A)])))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (request(members=[member("A", A[:17] + ("0" if A[17] != "0" else "1"))]), r"members\[0\] id_number: bad_check"),
        (request(applied_on="soon"), "applied_on: not_date"),
        (request(colour="red"), "not known here"),
        (request(members=[]), "members"),
        ({**request(), "case_id": None}, "case_id"),
        (request(feeds=[{"feed": "horoscope"}]), "does not exist"),
        (request(members=[member("A", A), member("A", B)]), "same id"),
        (request(supporters=[member("S", OUTSIDER, supports=["Z"])]), "not a member"),
        (request(members=[member("A", A), member("B", A)]), "twice among the members"),
    ],
)
def test_faulty_requests_are_refused_with_their_place_and_without_values(
    inbox: Inbox, line: dict[str, object], said: str
) -> None:
    good = request("U-9", members=[member("A", OUTSIDER)])
    with inbox.store() as store:
        with pytest.raises(FeedError, match=said) as caught:
            store.requests(inbox.requests(good, line))
        assert ":2" in str(caught.value)
        assert A[:17] not in str(caught.value)
        assert store.value("select count(*) from requests") == 0


def test_the_same_request_again_changes_nothing_and_a_changed_one_needs_its_own_number(inbox: Inbox) -> None:
    with inbox.store() as store:
        assert store.requests(inbox.requests()).added == 1
        again = store.requests(inbox.requests())
        assert (again.added, again.known) == (0, 1)
        with pytest.raises(FeedError, match="used before with other content"):
            store.requests(inbox.requests(request(division="440704")))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"from": "1 May"}, "from"),
        ({"to": "2020-04-30"}, "to"),
        ({"feeds": []}, "feeds"),
        ({"feeds": ["horoscope"]}, "feeds"),
        ({"signed_by": "neighbour"}, "signed_by"),
        ({"id_number": None}, "id_number"),
        ({"id_number": "123"}, "id_number"),
    ],
)
def test_faulty_consents_are_refused_with_their_place(inbox: Inbox, changes: dict[str, object], said: str) -> None:
    with inbox.store() as store, pytest.raises(FeedError, match=f"consents.jsonl:2 {said}"):
        store.consents(inbox.consents(consent(B), consent(A, **changes)))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"{\n", "not a JSON object"),
        (b'{"request_no": "\xff"}\n', "UTF-8"),
        (b"[1]\n", "not a JSON object"),
        (b"\n\n", "empty"),
    ],
)
def test_unreadable_request_files_are_refused(inbox: Inbox, content: bytes, said: str) -> None:
    path = inbox.folder / "requests.jsonl"
    path.write_bytes(content)
    with inbox.store() as store, pytest.raises(FeedError, match=said):
        store.requests(path)


def test_answers_need_a_manifest_of_their_feed(inbox: Inbox) -> None:
    inbox.requests()
    inbox.consents()
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        with pytest.raises(FeedError, match="no manifest"):
            store.ingest("tax_income", inbox.feed("tax_income", [wage(A)]))
        path = inbox.tax([wage(A)])
        with pytest.raises(FeedError, match="of feed tax_income, not of deaths"):
            store.ingest("deaths", path, manifest=inbox.folder / "tax_income.manifest.json")
        (inbox.folder / "tax_income.manifest.json").write_text('{"feed": "tax_income", "sender": "x"}', "utf-8")
        with pytest.raises(FeedError, match="answered_on"):
            store.ingest("tax_income", path)
        path.write_bytes(b"")
        inbox.tax([wage(A)]).write_bytes(b"")
        with pytest.raises(FeedError, match="empty"):
            store.ingest("tax_income", path)
        wrong = inbox.tax([])
        wrong.write_text(inbox.bank("ICBC", [deposit(A, "ICBC")]).read_text("utf-8"), "utf-8")
        with pytest.raises(FeedError, match="bank_deposits"):
            store.ingest("tax_income", wrong)
        assert store.value("select count(*) from batches") == 0


def test_laws_and_tokens_are_kept(inbox: Inbox) -> None:
    inbox.requests()
    with inbox.store() as store:
        store.requests(inbox.folder / "requests.jsonl")
        store.record_law("d1", "text")
        store.record_law("d1", "text")
        with pytest.raises(StoreError, match="another text"):
            store.record_law("d1", "other")
        units, persons = store.subjects()
        assert units["token"].str.len_chars().to_list() == [32]
        assert persons["token"].n_unique() == 2
    with Store.open(inbox.folder / "county.duckdb", read_only=True) as store:
        assert store.law_text("d1") == "text"
        again = store.subjects(["U-1"])
        assert again[0].equals(units) and again[1].equals(persons)
        with pytest.raises(StoreError, match="no law"):
            store.law_text("d2")
        with pytest.raises(StoreError, match="read only"):
            store.record_law("d3", "text")


def test_a_store_open_to_read_only_still_gives_cases_and_projections(inbox: Inbox) -> None:
    county(inbox, 0)
    with inbox.store() as store:
        _, snapshot, whole = everything(store, inbox.folder)
    with Store.open(inbox.folder / "county.duckdb", read_only=True) as store:
        assert store.snapshot() == snapshot
        cases = whole.households["case_id"].to_list()
        assert_blocks_equal(whole, store.case_block(cases, WANTED, on=ON, snapshot=snapshot.id))
        assert_blocks_equal(whole, store.project(snapshot, on=ON).block(WANTED, first=0, after=6))


def test_what_is_not_a_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no evidence store"):
        Store.open(tmp_path / "none.duckdb", read_only=True)
    (tmp_path / "text.duckdb").write_text("not a database" * 1000)
    with pytest.raises(StoreError):
        Store.open(tmp_path / "text.duckdb")
    with duckdb.connect(str(tmp_path / "other.duckdb")) as raw:
        raw.execute("create table t (a integer)")
    with pytest.raises(StoreError, match="not an evidence store"):
        Store.open(tmp_path / "other.duckdb")
    with Store.open(tmp_path / "new.duckdb") as store:
        pass
    with pytest.raises(StoreError, match="closed"):
        store.snapshot()
    with Store.open(tmp_path / "new.duckdb") as store, pytest.raises(StoreError, match="not in the store"):
        store.case_block("U-404", WANTED, on=ON)


@pytest.mark.parametrize("ending", ["", "raise SystemExit(1)", "store.law_text('none')"])
def test_nothing_of_the_database_reaches_the_terminal_at_exit(tmp_path: Path, ending: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "from meanscheck.evidence import Store\n"
        "from meanscheck.errors import StoreError\n"
        "def main():\n"
        "    with Store.open(sys.argv[1]) as store:\n"
        "        rows = store.fetch('select * from meta')\n"
        "        store.snapshot()\n"
        f"        {ending or 'pass'}\n"
        "    return rows\n"
        "try:\n"
        "    kept = main()\n"
        "except StoreError as error:\n"
        "    sys.exit(2)\n"
    )
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "s.duckdb")], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_a_second_process_that_writes_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    with Store.open(path):
        code = f"from meanscheck.evidence import Store\nStore.open({str(path)!r})"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "another process has the store open" in done.stderr


@pytest.mark.parametrize(("first", "second"), [(False, False), (False, True), (True, False)])
def test_a_store_that_this_process_has_open_is_said_to_be_open_here(tmp_path: Path, first: bool, second: bool) -> None:
    path = tmp_path / "s.duckdb"
    Store.open(path).close()
    with Store.open(path, read_only=first) as store:
        with pytest.raises(StoreError, match=r"this process has the store open already.*Store\.beside\(\)"):
            Store.open(path, read_only=second)
        # What the message names does it, and the refusal harmed nothing.
        with store.beside() as beside:
            assert beside.value("select count(*) from meta") == store.value("select count(*) from meta")
    Store.open(path).close()


def test_a_store_takes_less_memory_for_a_while(tmp_path: Path) -> None:
    def bound(store: Store) -> str:
        return str(store.value("select current_setting('memory_limit')"))

    with Store.open(tmp_path / "county.duckdb", memory_limit="512MiB") as store:
        store.run("create temp table kept as select range as n, md5(range::varchar) as text from range(2_000_000)")
        with store.less_memory(2**26):
            assert float(bound(store).split()[0]) > 64  # beside what the table takes
        with store.less_memory(2**28, let_go=True):
            assert bound(store) == "256.0 MiB"
            used = store.value("select sum(memory_usage_bytes) from duckdb_memory()")
            assert used <= 2**28
            with store.less_memory(2**40):
                assert bound(store) == "256.0 MiB"
        assert bound(store) == "512.0 MiB"
        with store.less_memory(2**28, let_go=True):
            store.close()
