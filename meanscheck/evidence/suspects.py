"""Which persons of live requests may be one person under two numbers? For a person to decide, never merged by likeness.

    why · case_a, member_a · case_b, member_b   (locators; what is alike is not repeated)

    name_birthday_sex   same name (width and spaces aside), birthday and sex
    register_line       same household number, relation, sex and birthday in the household register (twins too)
    near_number         same place, birthday and sex in the number, and order numbers that differ in one digit

Persons linked already are left out. Register rows are read as a rule would read them: only where consent allows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.contracts import all_feeds
from meanscheck.evidence.coverage import make_states
from meanscheck.evidence.people import drop_people, make_people
from meanscheck.evidence.rows import feeds_present, rows_sql
from meanscheck.evidence.signing import birthdays
from meanscheck.evidence.snapshot import take_snapshot

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store

REGISTER = "household_register"
_LINE = ("household_no", "relation", "sex", "born_on")
_SHOWN = {name: pl.String() for name in ("why", "case_a", "member_a", "case_b", "member_b")}


def suspects(store: Store, *, on: date) -> pl.DataFrame:
    """Pairs of persons who may be one, as of a day; columns as in the module's docstring, all String."""
    mark = take_snapshot(store).load
    try:
        make_people(store, mark=mark, on=on)
        people = store.fetch(
            "select p.place, p.person, coalesce(m.main, p.person) as main, u.case_id, p.id as member, up.name, p.sex, "
            "p.born_on, i.id_type, i.id_number from p_people p join p_units u using (unit) "
            "join unit_persons up on up.request = u.request and up.position = p.position "
            "join persons i on i.person = p.person "
            "left join (select person, min(other) as main from p_same group by person) m on m.person = p.person"
        )
        register = _register(store, mark, on) if REGISTER in feeds_present(store, mark=mark) else None
    finally:
        drop_people(store)
    pairs = [_SHOWN_FRAME, *_pairs(_facts(people), register)]
    return pl.concat(pairs).unique().sort(pl.all())


_SHOWN_FRAME = pl.DataFrame(schema=_SHOWN)


def _facts(people: pl.DataFrame) -> pl.DataFrame:
    """Each person once (his first place), with what two of them may have alike."""
    number = pl.col("id_number")
    is_resident = (pl.col("id_type") == "resident_id") & (number.str.len_chars() == 18)
    by_number = number.str.slice(16, 1).cast(pl.Int64, strict=False) % 2
    sex = pl.when(is_resident).then(by_number.replace_strict({1: "male", 0: "female"}, default=None))
    return (
        people.sort("place")
        .unique("person", keep="first", maintain_order=True)
        .with_columns(
            name=pl.col("name").str.normalize("NFKC").str.replace_all(r"[\s·]", ""),
            born=pl.coalesce(birthdays("id_type", "id_number"), "born_on"),
            gender=pl.coalesce(sex, "sex"),
            head=pl.when(is_resident).then(number.str.slice(0, 14)),
            order=pl.when(is_resident).then(number.str.slice(14, 3)),
        )
    )


def _pairs(people: pl.DataFrame, register: pl.DataFrame | None) -> Iterator[pl.DataFrame]:
    yield _alike(people, ["name", "born", "gender"], "name_birthday_sex")
    near = [pl.col("order").str.slice(at, 1) == pl.col("order_right").str.slice(at, 1) for at in range(3)]
    yield _alike(people, ["head", "gender"], "near_number", where=pl.sum_horizontal(near) == 2)
    if register is not None:
        yield _alike(
            people.join(register, on="place", how="inner", maintain_order="left"),
            [f"line_{name}" for name in _LINE],
            "register_line",
        )


def _alike(people: pl.DataFrame, keys: list[str], why: str, *, where: pl.Expr | None = None) -> pl.DataFrame:
    whole = people.drop_nulls(keys)
    pairs = whole.join(whole, on=keys, how="inner", maintain_order="left_right").filter(
        (pl.col("place") < pl.col("place_right")) & (pl.col("main") != pl.col("main_right"))
    )
    if where is not None:
        pairs = pairs.filter(where)
    return pairs.select(
        why=pl.lit(why), case_a="case_id", member_a="member", case_b="case_id_right", member_b="member_right"
    )


def _register(store: Store, mark: int, on: date) -> pl.DataFrame:
    make_states(store, [REGISTER], mark=mark, on=on)
    query = rows_sql(all_feeds()[REGISTER], mark=mark, reviewed=(), columns=_LINE)
    names = ", ".join(f"q.{name}::varchar as line_{name}" for name in _LINE)
    return store.fetch(f"select distinct q.place, {names} from ({query}) q order by all")
