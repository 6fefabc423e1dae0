"""Which days are working days (工作日)? Weekdays but for a table's holidays, and the weekend days it adds.

The State Council announces each year's holidays shortly before it begins; nobody can reckon them. So a deployment keeps
a table, and the table says from when until when it knows; a question outside is an error and not a guess. No table is
shipped.

    known_from = 2026-01-01
    known_until = 2026-12-31
    source = "…"
    holidays = [2026-01-01]            # weekdays on which nobody works
    workdays = [2026-01-04]            # Saturdays and Sundays on which everybody does (调休)
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from meanscheck.errors import InputError

_DAY = timedelta(days=1)
_SATURDAY = 5


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    known_from: date
    known_until: date
    source: str
    holidays: list[date]
    workdays: list[date]


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working days between two days, both included."""

    known_from: date
    known_until: date
    holidays: frozenset[date]
    workdays: frozenset[date]

    def __post_init__(self) -> None:
        for day in self.holidays | self.workdays:
            if not self.known_from <= day <= self.known_until:
                raise InputError(f"{day} is outside of what the table says it knows", where="working days")
        wrong = [d for d in self.holidays if d.weekday() >= _SATURDAY] + [
            d for d in self.workdays if d.weekday() < _SATURDAY
        ]
        if wrong:
            what = f"{min(wrong)} is a weekend day among the holidays, or a weekday among the working days made"
            raise InputError(what, where="working days", remedy="List weekdays off and weekend days on")

    @classmethod
    def load(cls, path: Path | str) -> Calendar:
        """Read a table; InputError if it is faulty."""
        path = Path(path)
        try:
            table = _Table.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except OSError as fault:
            raise InputError(f"cannot be read ({fault.strerror})", where=path.name, remedy="Check the path") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            raise InputError("not valid TOML in UTF-8", where=path.name) from None
        except ValidationError as fault:
            first = fault.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise InputError(f"{place}: {first['msg']}", where=path.name) from None
        return cls(table.known_from, table.known_until, frozenset(table.holidays), frozenset(table.workdays))

    def is_working(self, day: date) -> bool:
        """Whether a day is a working day; InputError for a day that the table does not know."""
        if not self.known_from <= day <= self.known_until:
            raise InputError(
                f"working days are known from {self.known_from} to {self.known_until}, and {day} was asked for",
                where="working days",
                remedy="Add the holidays that were announced since, with their source",
            )
        return day in self.workdays or (day.weekday() < _SATURDAY and day not in self.holidays)

    def after(self, day: date, working_days: int) -> date:
        """The last of so many working days after a day, which itself does not count."""
        while working_days:
            day += _DAY
            working_days -= self.is_working(day)
        return day
