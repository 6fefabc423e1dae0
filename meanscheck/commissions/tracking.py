"""What is out, what came back, for whom not, and how late? Bank by bank, for every request.

A letter is due so many working days after it was sent: by the rule of its purpose (`check.toml`) where the law sets a
limit, else by the deployment's own `limit`. Working days come from a table that the office keeps (`Calendar`); without
one they are not known, and nothing is reckoned from weekdays. A day outside of the table is an error there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.commissions.answered import answered
from meanscheck.procedure.checking import CheckRules, Limit

if TYPE_CHECKING:
    from meanscheck.evidence import Store
    from meanscheck.procedure import Calendar

STATES = ("not_sent", "waiting", "partial", "answered")
DUE = ("not_sent", "no_limit", "no_calendar", "known")
_DAY = timedelta(days=1)


def tracking(
    store: Store,
    *,
    on: date,
    rules: CheckRules,
    calendar: Calendar | None = None,
    limit: Limit | None = None,
) -> pl.DataFrame:
    """Every open need of every request, as of the end of a day.

    Args:
        store: the evidence store.
        on: the day; what was sent or answered later does not count.
        rules: limits of the law.
        calendar: working days; None: not known.
        limit: the deployment's limit for answers, where the law sets none.

    Returns:
        the columns of `answered`, without `request`, and
        state String (`STATES`; partial: an answer came that leaves somebody out) · send_by Date (by when it had to be
        sent, where the law says so) · due Enum(`DUE`) · due_on Date · late_days, overdue_days Int32: working days after
        `send_by` until sent, and after `due_on` until answered for everybody, or until `on`; 0 in time, null not known.

    Raises:
        InputError: a day is asked for that the calendar does not know.
    """
    frame = answered(store, on=on).drop("request")
    left_out = pl.col("not_answered").list.len() + pl.col("quarantined").list.len()
    state = (
        pl.when(pl.col("answered") == pl.col("persons"))
        .then(pl.lit("answered"))
        .when((pl.col("answered") > 0) | (left_out > 0))
        .then(pl.lit("partial"))
        .when(pl.col("exported_on").is_not_null())
        .then(pl.lit("waiting"))
        .otherwise(pl.lit("not_sent"))
    )
    frame = frame.with_columns(state=state)
    made = _limits(frame, "made_on", lambda purpose, day: _start(rules, purpose, day))
    sent = _limits(frame, "exported_on", lambda purpose, day: _answer(rules, purpose, day) or limit)
    frame = frame.join(made, on=["purpose", "made_on"], how="left", nulls_equal=False, maintain_order="left")
    frame = frame.join(sent, on=["purpose", "exported_on"], how="left", nulls_equal=False, maintain_order="left")
    send_by = _after(frame, "made_on", "made_on:days", calendar)
    due_on = _after(frame, "exported_on", "exported_on:days", calendar)
    known = pl.col("exported_on:days").is_not_null()
    due = (
        pl.when(pl.col("exported_on").is_null())
        .then(pl.lit("not_sent"))
        .when(~known)
        .then(pl.lit("no_limit"))
        .otherwise(pl.lit("no_calendar" if calendar is None else "known"))
        .cast(pl.Enum(DUE))
    )
    frame = frame.with_columns(due=due, send_by=send_by, due_on=due_on)
    until_sent = pl.coalesce("exported_on", pl.lit(on, pl.Date))
    until_answered = pl.coalesce("answered_on", pl.lit(on, pl.Date))
    return frame.with_columns(
        late_days=_between(frame.select(first="send_by", last=until_sent), calendar),
        overdue_days=_between(frame.select(first="due_on", last=until_answered), calendar),
    ).drop("made_on:days", "exported_on:days")


def _start(rules: CheckRules, purpose: str, day: date) -> Limit | None:
    rule = rules.of(purpose, day)
    return None if rule is None else rule.start


def _answer(rules: CheckRules, purpose: str, day: date) -> Limit | None:
    rule = rules.of(purpose, day)
    return None if rule is None else rule.answer


def _limits(frame: pl.DataFrame, column: str, limit: Callable[[str, date], Limit | None]) -> pl.DataFrame:
    """purpose, the day, and how many working days run from it; one row for each that occurs."""
    pairs = frame.select("purpose", column).drop_nulls().unique(maintain_order=True)
    found = [limit(purpose, day) for purpose, day in pairs.iter_rows()]
    days = pl.Series(f"{column}:days", [None if one is None else one.working_days for one in found], dtype=pl.Int32)
    return pairs.with_columns(days)


def _after(frame: pl.DataFrame, column: str, days: str, calendar: Calendar | None) -> pl.Series:
    """The last working day of each clock; reckoned once for each day and length that occurs."""
    if calendar is None:
        return pl.Series([None] * frame.height, dtype=pl.Date)
    pairs = frame.select(column, days).drop_nulls().unique(maintain_order=True)
    ends = [calendar.after(day, length) for day, length in pairs.iter_rows()]
    found = pairs.with_columns(end=pl.Series(ends, dtype=pl.Date))
    return frame.select(column, days).join(found, on=[column, days], how="left", maintain_order="left")["end"]


def _between(days: pl.DataFrame, calendar: Calendar | None) -> pl.Series:
    """Working days after `first` up to and with `last`; 0 if `last` is not later, null if `first` is not known."""
    if calendar is None:
        return pl.Series([None] * days.height, dtype=pl.Int32)
    pairs = days.drop_nulls().unique(maintain_order=True)
    counts = [sum(map(calendar.is_working, _days(first, last))) for first, last in pairs.iter_rows()]
    found = pairs.with_columns(n=pl.Series(counts, dtype=pl.Int32))
    return days.join(found, on=["first", "last"], how="left", maintain_order="left")["n"]


def _days(first: date, last: date) -> Iterable[date]:
    return (first + _DAY * n for n in range(1, (last - first).days + 1))
