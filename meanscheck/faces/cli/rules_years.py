"""For which years can the packs decide? The Markdown tables of `rules check --by-year` and `--by-place`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meanscheck.law.audit import Audit, Period

SIGNS = {"decides": "●", "in part": "◐", "refers": "○"}


def year_table(report: Audit) -> str:
    """Years and programmes of one pack as a Markdown table; years that are alike share a line."""
    from meanscheck.law.audit import answers_by_year

    programmes = list(dict.fromkeys(p.programme for p in report.periods))
    cells = {name: answers_by_year(report, name) for name in programmes}
    years = sorted({year for of_programme in cells.values() for year in of_programme})
    lines: list[tuple[list[int], list[str]]] = []
    for year in years:
        row = [_year_cell(cells[name].get(year, ()), year) for name in programmes]
        if lines and lines[-1][1] == row:
            lines[-1][0].append(year)
        else:
            lines.append(([year], row))
    head = [f"`{report.place}` {report.name}", *(f"`{name}`" for name in programmes)]
    rows = [[_span(of, last=years[-1]), *row] for of, row in lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def _year_cell(periods: Sequence[Period], year: int) -> str:
    """The signs of a year in order, with the day each later one begins; in brackets: with unsure figures accepted."""
    signs: list[str] = []
    for p in periods:
        sign = SIGNS[p.answer] + (f" ({SIGNS[p.accepting[0]]})" if p.accepting else "")
        if p is periods[0] and p.since.year == year and p.since != date(year, 1, 1):
            sign = f"{sign} from {p.since:%m-%d}"
        if not signs:
            signs.append(sign)
        elif signs[-1].split(" from ")[0] != sign:
            signs.append(f"{sign} from {p.since:%m-%d}")
    if periods and periods[-1].until and periods[-1].until < date(year, 12, 31):
        signs[-1] += f" until {periods[-1].until:%m-%d}"
    return ", ".join(signs) or "–"


def _span(years: Sequence[int], last: int) -> str:
    first, end = years[0], years[-1]
    if end == last:
        return f"from {first}"
    return str(first) if first == end else f"{first}–{end}"


# ---- by place

_HEADS = ("place", "every case whose evidence is complete", "some cases", "with figures accepted that are unsure")


def place_table(reports: Sequence[Audit]) -> str:
    """One row for each place where somebody can be found eligible; the others are named below."""
    rows: list[str] = []
    silent: list[str] = []
    for report in reports:
        plain = {a: [p for p in report.periods if p.answer == a] for a in ("decides", "in part")}
        better = [p for p in report.periods if p.accepting]
        cells = [_spans(plain["decides"]), _spans(plain["in part"]), _spans(better, accepting=True)]
        if any(cells):
            rows.append(f"| `{report.place}` {report.name} | " + " | ".join(cell or "–" for cell in cells) + " |")
        else:
            silent.append(f"`{report.place}`")
    head = f"| {' | '.join(_HEADS)} |\n|{' --- |' * len(_HEADS)}"
    below = f"\n\nNobody can be found eligible by {', '.join(silent)} alone." if silent else ""
    return "\n".join([head, *rows]) + below


def _spans(periods: Iterable[Period], *, accepting: bool = False) -> str:
    """Programmes with their days, those of the same days together; ● where accepting makes it every case."""
    days: dict[str, list[str]] = {}
    for name, own in groupby(periods, key=lambda p: p.programme):
        every = ", ".join(
            _days(p) + ("" if not accepting or p.accepting is None or p.accepting[0] != "decides" else " ●")
            for p in _joined(own, accepting=accepting)
        )
        days.setdefault(every, []).append(f"`{name}`")
    return "; ".join(f"{', '.join(names)} {every}" for every, names in days.items())


def _joined(periods: Iterable[Period], *, accepting: bool) -> Iterator[Period]:
    """Adjoining periods with the same answer as one."""
    last: Period | None = None
    for p in periods:
        same = last is not None and (not accepting or (last.accepting or ("",))[0] == (p.accepting or ("",))[0])
        if last is not None and same and last.until == p.since - timedelta(days=1):
            last = replace(last, until=p.until)
            continue
        if last is not None:
            yield last
        last = p
    if last is not None:
        yield last


def _days(period: Period) -> str:
    """Days of a period, whole years as years."""
    first, last = period.since, period.until
    start = str(first.year) if (first.month, first.day) == (1, 1) else first.isoformat()
    if last is None:
        return f"from {start}"
    end = str(last.year) if (last.month, last.day) == (12, 31) else last.isoformat()
    return start if start == end else f"{start} to {end}"
