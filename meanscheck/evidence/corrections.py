"""What happens to an earlier answer when its sender corrects or withdraws it?

A manifest may say `corrects`, which names an earlier answer of the feed (its `answer_no`, or 16 characters or more of
its batch id), and `how`:

    replace    this answer takes the place of that one, as a whole: its rows no longer count, and it no longer answers
    amend      rows of this file take the place of that answer's rows with the same natural key; the others stay
    withdraw   that answer's rows which stand in this file no longer count; with no row in it, the whole answer

Corrections of a correction mean the answer that it corrects. Nothing is written over: a row, an answer or an exception
keeps the load number that ended it (`superseded_by`), so the evidence of every earlier load can still be read. Every
answer vouches for all the rows it had, whichever answer brought them first; a row ends when nobody vouches for it any
more. An amendment also ends "a row of his could not be read" of the answer that it amends. An amendment and a
withdrawal answer for nobody by themselves.

    repeats   batch, row_no · of_batch, of_row_no: this row of an answer is that one, which was stored before
    dropped   batch · of_batch, of_row_no · load: since then this answer no longer vouches for that row
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from meanscheck.contracts import FeedContract
from meanscheck.contracts.model import PERSON
from meanscheck.errors import FeedError
from meanscheck.evidence.manifest import Manifest
from meanscheck.evidence.staging import Staged, make_bad
from meanscheck.evidence.tables import same_key_sql
from meanscheck.values.sql import quoted

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store

_SHORTEST = 16
NOTHING_WITHDRAWN = "withdraws_nothing"


@dataclass(frozen=True, slots=True)
class Corrected:
    """The answer that is corrected: its file id, its live batches (with supplements and amendments), and how."""

    how: str
    file_id: str
    batches: tuple[int, ...]

    @property
    def listed(self) -> str:
        """The batches as an SQL list."""
        return f"({', '.join(map(str, self.batches))})"


def corrected_by(
    store: Store, contract: FeedContract, answer: Manifest | None, where: str, *, again: bool
) -> Corrected | None:
    """What an answer corrects; None if it corrects nothing, or comes `again` and nothing of it is left to correct.

    Raises:
        FeedError: the answer named is not in the store, its place was taken before, or the feed has no natural key.
    """
    if answer is None or answer.corrects is None or answer.how is None:
        return None
    if answer.how == "amend" and not contract.key:
        raise FeedError(
            "rows of this feed have no natural key, so none can be told to take another's place",
            where=where,
            remedy='Send the whole answer anew with "how": "replace"',
        )
    named = store.fetch(
        "select distinct coalesce(of_file, file_id) as file_id from batches where feed = ? and superseded_by is null "
        "and how is distinct from 'withdraw' and ((answer_no = ? and sender = ?) "
        f"or (length(?) >= {_SHORTEST} and starts_with(batch_id, lower(?))))",
        [contract.name, answer.corrects, answer.sender, answer.corrects, answer.corrects],
    )
    if again and named.is_empty():
        return None
    if named.height != 1:
        what = "names several answers" if named.height else "is not in the store, or its place was taken before"
        raise FeedError(
            f"the answer that this corrects {what}",
            where=where,
            remedy="Take that answer in first; `corrects` is its answer_no, or its batch as `meanscheck ingest` shows",
        )
    file_id = str(named["file_id"][0])
    batches = store.fetch(
        "select batch from batches where feed = ? and superseded_by is null and how is distinct from 'withdraw' "
        "and (file_id = ? or of_file = ?) order by batch",
        [contract.name, file_id, file_id],
    )
    return Corrected(answer.how, file_id, tuple(batches["batch"].to_list()))


def supersede(store: Store, contract: FeedContract, corrected: Corrected, batch: int, staged: Staged) -> int:
    """End what no longer counts from load `batch` on; reads the staged ``i_rows`` (see `staging`).

    Rows of a withdrawal that the answer did not contain go to quarantine: what was said of that person is not known.

    Returns:
        How many stored rows no longer count.
    """
    is_whole = corrected.how == "replace" or (corrected.how == "withdraw" and not (staged.rows or staged.bad))
    said = "true" if is_whole else _SAID[corrected.how](contract)
    store.run(
        f"""create or replace temp table e_said as
        select v.batch, r.batch as of_batch, r.row_no as of_row_no, r.digest from feed_{contract.name} r join (
          select batch, batch as of_batch, row_no as of_row_no from feed_{contract.name}
          where batch in {corrected.listed} and superseded_by is null
          union all select batch, of_batch, of_row_no from repeats where batch in {corrected.listed}) v
        on v.of_batch = r.batch and v.of_row_no = r.row_no
        where r.superseded_by is null and {said}"""
    )
    if corrected.how == "withdraw" and not is_whole:
        make_bad(store)
        store.run(
            f"insert into i_bad select row_no, '', '{NOTHING_WITHDRAWN}', null, person from i_rows "
            "where is_covered and digest not in (select digest from e_said)"
        )
    if is_whole:
        store.run(f"update batches set superseded_by = {batch} where batch in {corrected.listed}")
    else:
        store.run(f"insert into dropped select batch, of_batch, of_row_no, {batch} from e_said")
    store.run(
        """create or replace temp table e_gone as
        with vouched as (
          select batch, of_batch, of_row_no from repeats semi join e_said using (of_batch, of_row_no)
          union all select of_batch, of_batch, of_row_no from e_said),
        standing as (
          select v.of_batch, v.of_row_no from vouched v
          join batches b on b.batch = v.batch and b.superseded_by is null
          anti join dropped d on d.batch = v.batch and d.of_batch = v.of_batch and d.of_row_no = v.of_row_no)
        select distinct of_batch, of_row_no from e_said anti join standing using (of_batch, of_row_no)"""
    )
    store.run(
        f"update feed_{contract.name} set superseded_by = {batch} from e_gone g "
        f"where feed_{contract.name}.batch = g.of_batch and feed_{contract.name}.row_no = g.of_row_no"
    )
    _end_conflicts(store, contract, batch)
    ended = int(store.value("select count(*) from e_gone"))
    store.run("drop table e_said; drop table e_gone")
    return ended


def _amended(contract: FeedContract) -> str:
    """SQL: the file has a row of the same person and natural key as `r`, and it says something else."""
    same = same_key_sql(contract, "n", "r")
    return f"exists (select 1 from i_rows n where n.is_covered and n.person = r.person and n.digest <> r.digest{same})"


def _withdrawn(contract: FeedContract) -> str:
    """SQL: the row `r` stands in the file."""
    return "r.digest in (select digest from i_rows)"


_SAID: Mapping[str, Callable[[FeedContract], str]] = {"amend": _amended, "withdraw": _withdrawn}


def without_dropped(store: Store, contract: FeedContract, batches: Sequence[int], staged: Staged) -> Staged:
    """Take out of ``i_rows`` what these batches of the same file dropped since: it must not come in again with it."""
    listed = f"({', '.join(map(str, batches))})"
    dropped = (
        f"select r.digest from dropped d join feed_{contract.name} r "
        f"on r.batch = d.of_batch and r.row_no = d.of_row_no where d.batch in {listed}"
    )
    if not store.value(f"select count(*) from dropped where batch in {listed}"):
        return staged
    staged.laid.take_out(store, f"digest in ({dropped})")
    return replace(staged, rows=int(store.value("select count(*) from i_rows")))


def note_repeats(store: Store, batch: int) -> None:
    """Remember which rows of this batch were stored before (``i_known``): each answer vouches for all it said."""
    store.run(f"insert into repeats select {batch}, row_no, of_batch, of_row_no from i_known")


def answers_again(store: Store, corrected: Corrected, batch: int) -> None:
    """After an amendment or withdrawal of rows: whose unreadable row is mended, and for whom nothing is known now.

    An exception holds for every batch of the answer: any one left would go on answering for the person.
    """
    if corrected.how == "amend":
        store.run(
            f"update not_answered set superseded_by = {batch} where batch in {corrected.listed} and "
            "reason = 'quarantined' and superseded_by is null and "
            "person in (select person from i_rows where is_covered)"
        )
    store.run(
        f"insert into not_answered (batch, person, reason, load) select t.batch, n.person, n.reason, {batch} "
        f"from (select distinct person, reason from not_answered where batch = {batch}) n, "
        f"(select unnest({list(corrected.batches)}) as batch) t"
    )


def _end_conflicts(store: Store, contract: FeedContract, batch: int) -> None:
    """End contradictions that are none any more, because a row of theirs ended."""
    open_ones = store.fetch(
        "select distinct person from conflicts where feed = ? and superseded_by is null", [contract.name]
    )
    if open_ones.is_empty() or not contract.key:
        return
    key = [contract.column(name).stored_name for name in contract.key if name != PERSON]
    columns = ", ".join(["person", *map(quoted, key)])
    filled = "".join(
        f" and {quoted(contract.column(name).stored_name)} is not null"
        for name in contract.key
        if name not in (PERSON, "as_of")
    )
    with store.frame("contradicted", open_ones):
        store.run(
            f"update conflicts set superseded_by = {batch} where feed = ? and superseded_by is null and person not in "
            f"(select person from feed_{contract.name} semi join contradicted using (person) "
            f"where superseded_by is null{filled} group by {columns} having min(digest) <> max(digest))",
            [contract.name],
        )
