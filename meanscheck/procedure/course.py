"""May this step be taken now, and what is due? A case's course under one procedure: steps taken, checked one by one.

course = Course(procedure)
course.take(Taken("acceptance", on=…, by="440703001"))
course.take(Taken("publication", …))          # InputError: opinion must come first
course.due                                    # steps that must follow before the case can end
course.deadlines(calendar)                    # each clock that runs: until when, kept or not
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from meanscheck.errors import InputError
from meanscheck.procedure.calendar import Calendar
from meanscheck.procedure.law import Clock, Procedure, StepRule

OBJECTION, SPECIAL = "objection", "special"


@dataclass(frozen=True, slots=True)
class Taken:
    """A step taken.

    Attributes:
        step: its id in the procedure.
        on: day.
        by: code of the organisation.
        officers: how many officers are named.
        said: what was said of it, by name (``relation``, ``verdict``); kept out of the repr.
    """

    step: str
    on: date
    by: str
    officers: int = 0
    said: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Deadline:
    """A clock that runs. `met_on` is the day of the step that it waited for, or None."""

    clock: Clock
    since: date
    until: date
    met_on: date | None

    @property
    def is_kept(self) -> bool | None:
        """Whether the step came in time; None while it has not come."""
        return None if self.met_on is None else self.met_on <= self.until


@dataclass(frozen=True, slots=True)
class Forced:
    """A step that the organisation which decides must take itself, because of another step; who took it since."""

    step: str
    cause: str
    taken_by: tuple[str, ...]


class Course:
    """Steps taken under a procedure, in the order in which they were entered."""

    def __init__(self, procedure: Procedure) -> None:
        self.procedure = procedure
        self.taken: list[Taken] = []
        self._due: list[str] = []
        self._due_of_decider: list[tuple[str, int, str]] = []

    @property
    def has_ended(self) -> bool:
        """Whether the office has decided."""
        return any(self.procedure.rule(t.step).ends for t in self.taken)

    @property
    def due(self) -> tuple[str, ...]:
        """Steps that must still be taken before one that ends the case, whoever has to."""
        forced = [forced.step for forced in self.forced if not forced.taken_by]
        return tuple(dict.fromkeys([*self._due, *forced]))

    @property
    def forced(self) -> tuple[Forced, ...]:
        """What the organisation that decides must do itself. Which that is, the step that ends the case tells."""
        return tuple(
            Forced(name, cause, tuple(sorted(self._since(name, place)))) for name, place, cause in self._due_of_decider
        )

    def allowed(self, step: str) -> bool:
        """Whether a step of that kind may come next, day and contents apart."""
        return not self._out_of_order(self.procedure.rule(step))

    def take(self, new: Taken) -> None:
        """Add a step; InputError says what stands against it."""
        rule = self.procedure.rule(new.step)
        where = f"step {new.step}"
        if why := self._out_of_order(rule):
            raise InputError(why, where=where, remedy="`meanscheck steps` shows what was done")
        if self.taken and new.on < self.taken[-1].on:
            raise InputError("its day is before that of the step entered last", where=where)
        for wait in self.procedure.wait:
            begun = [t.on for t in self.taken if t.step == wait.after] if new.step in wait.before else []
            if begun and new.on < begun[-1] + timedelta(days=wait.days):
                raise InputError(f"{wait.days} days must pass after {wait.after} ({', '.join(wait.cite)})", where=where)
        if new.officers < rule.officers:
            cited = ", ".join(rule.cite)
            raise InputError(f"at least {rule.officers} officers must be named ({cited})", where=where)
        for name in rule.states:
            if not new.said.get(name):
                raise InputError(f"its {name} must be stated", where=where)
            if name in rule.choices and new.said[name] not in rule.choices[name]:
                raise InputError(f"its {name} must be one of {', '.join(rule.choices[name])}", where=where)
        for forced in self.forced if rule.ends else ():
            if new.by not in forced.taken_by:
                cited = ", ".join(self.procedure.rule(forced.cause).cite)
                why = f"{forced.cause} asks for a {forced.step} by the organisation that decides ({cited})"
                raise InputError(why, where=where)
        self._add(new, rule)

    def deadlines(self, calendar: Calendar, *, conditions: Collection[str] = ()) -> list[Deadline]:
        """The clocks that run or ran, in the procedure's order.

        Args:
            calendar: InputError for a day that it does not know.
            conditions: those of ``special``, ``town_decides``, ``refused`` that hold; an objection is seen in the steps
                and is a special case.
        """
        holding = {*conditions}
        if any(t.step == OBJECTION for t in self.taken):
            holding |= {OBJECTION, SPECIAL}
        found: list[Deadline] = []
        for clock in self.procedure.clock:
            start = self._start(clock)
            if start is None or not holding.issuperset(clock.when) or holding & {*clock.unless}:
                continue
            since = self.taken[start].on + timedelta(days=clock.after_days)
            met = [t.on for t in self.taken[start:] if t.step in clock.until]
            found.append(Deadline(clock, since, calendar.after(since, clock.working_days), met[0] if met else None))
        return found

    def _start(self, clock: Clock) -> int | None:
        """Place of the step from which a clock runs: the last, but none after the step that it waited for has come.

        A second visit after the appraisal does not ask for another appraisal; a second objection does ask for another
        recheck, which is then due.
        """
        begun = [place for place, taken in enumerate(self.taken) if taken.step in clock.after]
        met = [
            place for place, taken in enumerate(self.taken) if taken.step in clock.until and begun and place > begun[0]
        ]
        if met and not {*clock.until} & {*self._due}:
            begun = [place for place in begun if place < met[-1]]
        return begun[-1] if begun else None

    def _out_of_order(self, rule: StepRule) -> str:
        done = {t.step for t in self.taken}
        if rule.after_end != self.has_ended:
            return "the office has decided already" if self.has_ended else "it can only follow the decision"
        if not rule.after_end and not rule.needs and self.taken:
            return "it can only be the first step, and there is one"
        if missing := [name for name in rule.needs if name not in done]:
            return f"{missing[0]} must come first"
        if holding := [name for name in rule.held_up_by if name in self._due]:
            return f"{holding[0]} is due before it"
        if rule.ends and self._due:
            return f"{self._due[0]} is due before it"
        return ""

    def _since(self, step: str, place: int) -> set[str]:
        """Organisations that took a step after that place."""
        return {t.by for t in self.taken[place + 1 :] if t.step == step}

    def _add(self, new: Taken, rule: StepRule) -> None:
        place = len(self.taken)
        self.taken.append(new)
        self._due = [name for name in self._due if name != new.step]
        self._due += [name for name in rule.due if name not in self._due]
        self._due_of_decider += [(name, place, new.step) for name in rule.due_of_decider]
