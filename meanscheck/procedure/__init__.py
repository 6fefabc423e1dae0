"""The office's steps on a decision: from acceptance (受理) to confirmation (审核确认), in order and in time.

    law = Procedures.load("rules/cn").of("dibao", accepted_on)         which steps, in which order, by when
    record(ledger, book, index, step=…, on=…, by=…, body=…, procedure=law)      one step, as a signed entry of the log
    course(ledger, book, index, procedure=law).deadlines(calendar)     what was done, what is due, until when

| Module | Question |
|---|---|
| law | which steps and clocks does the law prescribe (rules/…/procedure.toml) |
| calendar | which days are working days; a table with a last day that it knows |
| course | may this step be taken now, and what is due |
| book | how a step is bound by the log while its body stays in the office |

Choices
    The ledger links steps and does not know what they mean; order and clocks are here, as data of the law. The decision
    that the steps are on is the advice of a run; confirmation and override are steps of the office, so both stand in
    the log side by side, and what a person answers for is told apart from what was computed.
    A declared near relative of an officer (近亲属备案), or a complaint, forces a visit by the organisation that
    decides. Where a town decides by delegation that is the town: no text was found that names another.
"""

from __future__ import annotations

from meanscheck.procedure.book import Body, Book, Recorded, chain_of, course, record
from meanscheck.procedure.calendar import Calendar
from meanscheck.procedure.course import Course, Deadline, Forced, Taken
from meanscheck.procedure.law import Procedure, Procedures

__all__ = [
    "Body",
    "Book",
    "Calendar",
    "Course",
    "Deadline",
    "Forced",
    "Procedure",
    "Procedures",
    "Recorded",
    "Taken",
    "chain_of",
    "course",
    "record",
]
