"""What does the law of a day say? Plain data for people and programs: tests, formulas, figures, each with its source.

`law_of(law)` gives nested plain values (text, numbers as text, lists), for ``rules show --json`` and its tables:

    pack {code, name, on, known_by, accepted, digest}
    programmes [{id, label, label_zh, for, tests [{id, label, label_zh, formula, quote, review, cite}],
                 award {unit, formula, cite}, yields_to [{programme, when}]}]
    parameters [{id, label, label_zh, unit, by, value, status, unknown, cite}], and `places` {code: figures} where a
               formula asks about other places
    variables  [{id, label, label_zh, for, unit, formula, cite}]

A citation is {instrument, place, title, number}: ``cn-57-2021#13`` is article 13 of that instrument.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from meanscheck.law.law import Law, Parameter, Programme, figure_text
from meanscheck.law.tables import key_text, rows_of


def law_of(law: Law) -> dict[str, Any]:
    """The law as nested plain values. Copies of variables made for reviewed tests (``id~feed``) are left out."""
    return {
        "pack": {
            "code": law.code,
            "name": law.name,
            "on": law.on.isoformat(),
            "known_by": law.known_by.isoformat(),
            "accepted": list(law.accepted),
            "digest": law.digest,
        },
        "programmes": [_programme(law, p) for p in law.programmes],
        "parameters": [_parameter(law, p) for p in law.parameters.values()],
        "variables": [
            {
                "id": v.id,
                "label": v.label,
                "label_zh": v.label_zh,
                "for": v.entity,
                "unit": v.unit,
                "formula": _folded(v.formula),
                "cite": citations(law, v.cite),
            }
            for v in law.variables.values()
            if "~" not in v.id
        ],
    }


def citations(law: Law, cite: Iterable[str]) -> list[dict[str, str]]:
    """Citations with the title and number of their instruments."""
    result: list[dict[str, str]] = []
    for text in cite:
        name, _, place = text.partition("#")
        instrument = law.instruments.get(name)
        title, number = (instrument.title, instrument.number) if instrument else ("", "")
        result.append({"instrument": name, "place": place, "title": title, "number": number})
    return result


def citation_text(citation: dict[str, str]) -> str:
    """One citation in a line, such as ``《最低生活保障审核确认办法》 民发〔2021〕57号 art. 13``."""
    parts = [f"《{citation['title']}》" if citation["title"] else citation["instrument"], citation["number"]]
    if citation["place"]:
        parts.append(f"art. {citation['place']}" if citation["place"][0].isdigit() else citation["place"])
    return " ".join(p for p in parts if p)


def value_text(parameter: Parameter) -> str:
    """A parameter's figures in a line: ``900.00``, ``850.00 rural · 900.00 urban``, or why there is none."""
    if parameter.unknown:
        return parameter.unknown
    by_figure: dict[str, list[str]] = {}
    for keys, figure in rows_of(parameter):
        by_figure.setdefault(figure_text(figure, parameter.unit), []).append(key_text(keys, parameter.by))
    parts = []
    for text, keys_of in by_figure.items():
        names = ", ".join(keys_of) if len(keys_of) <= 4 else f"{len(keys_of)} keys from {keys_of[0]} to {keys_of[-1]}"
        parts.append(f"{text} {names}".strip())
    return " · ".join(parts)


def _programme(law: Law, programme: Programme) -> dict[str, Any]:
    award = programme.award
    return {
        "id": programme.id,
        "label": programme.label,
        "label_zh": programme.label_zh,
        "for": programme.entity,
        "tests": [
            {
                "id": t.id,
                "label": t.label,
                "label_zh": t.label_zh,
                "formula": _folded(t.formula),
                "quote": t.quote,
                "review": list(t.review),
                "cite": citations(law, t.cite),
            }
            for t in programme.tests
        ],
        "award": None
        if award is None
        else {"unit": award.unit, "formula": _folded(award.formula), "cite": citations(law, award.cite)},
        "yields_to": [{"programme": y.programme, "when": y.when} for y in programme.yields_to],
    }


def _parameter(law: Law, p: Parameter) -> dict[str, Any]:
    table = {" ".join(keys): figure_text(figure, p.unit) for keys, figure in rows_of(p)}
    places = {code: value_text(there) for code, there in law.places.get(p.id, {}).items()}
    return {
        "id": p.id,
        "label": p.label,
        "label_zh": p.label_zh,
        "unit": p.unit,
        "by": list(p.by),
        "value": None if p.unknown else table if p.by else table.get(""),
        "status": p.status,
        "unknown": p.unknown,
        "cite": citations(law, p.cite),
        **({"places": places} if places else {}),
    }


def _folded(formula: str) -> str:
    """A formula on one line."""
    return " ".join(formula.split())
