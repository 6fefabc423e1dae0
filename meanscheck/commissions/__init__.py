"""Check requests (核对委托) as a process: what may be asked, of whom, in which files, and what came back.

    made = make(store, "U-1", request_no="R-2", on=day, law=law, rules=rules)   who may be asked; why not the rest
    take_in(store, made)                                                        the request is in the store
    export(store, folder, on=day, law=law, rules=rules)                         the files that departments receive
    tracking(store, on=day, rules=rules, calendar=calendar)                     what is out, back, in part, overdue
    stale_answers(store, law, on=day), validity(store, law)                     what is too old, what still holds

| Module | Question |
|---|---|
| making | who of a household may be asked in which feed, and what does the request then say |
| household | who is in the household: as the store knows it, or as a changed application says |
| letters | who stands in which list, for which department |
| exporting | which files does a department receive |
| cover | what does the note to the department say |
| tracking | what was answered, for whom not, how late |
| answered | by which day was each request answered, by whom not |
| aging | which answers are too old on a day, and until when do reports hold |

Choices
    A re-query about one person (birth, return, marriage, release) repeats what the household's request asks and limits
    what is *sent* to that person (`asked_of`): evidence states follow from what the latest request asks for everybody,
    so a request that named less would make the others' answers count for nothing.
    Exports are kept beside the evidence and not in it: they do not change a snapshot's id.
    An answer is matched to a letter by feed, institution, division and request, as evidence is, and not by file name.
"""

from __future__ import annotations

from meanscheck.commissions.aging import stale_answers, validity
from meanscheck.commissions.exporting import Letter, export
from meanscheck.commissions.household import application_of
from meanscheck.commissions.making import Made, make, take_in
from meanscheck.commissions.tracking import tracking

__all__ = [
    "Letter",
    "Made",
    "application_of",
    "export",
    "make",
    "stale_answers",
    "take_in",
    "tracking",
    "validity",
]
