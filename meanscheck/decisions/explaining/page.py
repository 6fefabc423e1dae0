"""How is an explanation told as a page? An HTML fragment: semantic, escaped, without script and readable without style.

One ``<article>`` with a ``<section>`` for the people and one for each programme. What stands below a line is a
``<details>`` that opens with a click, without script: tests that are not met, and what is open, are open already.
Rows of files are tables. Classes (``met``, ``failed``, ``open``) are for whoever wants to style them.

Choices
    A fragment and no page: it goes into the office's own pages, and everything of the household is escaped. It needs
    no identifiers of its own, so several may stand on one page.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from html import escape

from meanscheck.contracts import all_feeds
from meanscheck.decisions.explaining.outline import outlined
from meanscheck.decisions.explaining.text import line
from meanscheck.decisions.explaining.tree import Explanation, Language
from meanscheck.decisions.explaining.words import WORDS, citation_line, heading, label_of, sender_of, shown, value_of
from meanscheck.law.law import Law

CLASSES = {True: "met", False: "failed", None: "open"}
_COLUMNS = {
    "zh": ("数值", "文件", "行", "来源", "答复日", "批次", "编号"),
    "en": ("value", "file", "line", "sender", "answered", "batch", "row"),
}
_CITING = ("test", "member", "figure", "award", "change")
_TITLES = {"zh": "决定说明", "en": "Why this was decided"}


def page(tree: Explanation, law: Law, language: Language = "zh", *, depth: int | None = None) -> str:
    """A tree of a decision, or one programme of it, as an HTML fragment.

    Args:
        tree: from `explained` or `ruling_tree`.
        law: the law of the decision.
        language: ``zh`` or ``en``.
        depth: levels below a programme; None tells all.
    """
    told, words = outlined(tree), WORDS[language]
    is_all = told.kind == "decision"
    parts = [f'<article class="explanation" lang="{language}">']
    if is_all:
        parts.append(f"<h1>{escape(_TITLES[language])} · {escape(told.name)}</h1>")
        day = shown(told.value, "date", language)
        parts.append(f'<p>{escape(label_of(told, language))} · <time datetime="{escape(day)}">{escape(day)}</time></p>')
    children = told.children if is_all else (told,)
    for kind, head in (("member", words["members"]), ("programme", ""), ("conflict", words["conflicts"])):
        own = [c for c in children if c.kind == kind]
        if kind == "programme":
            parts += [_programme(c, law, language, depth) for c in own]
        elif own:
            parts.append(f"<section>\n<h2>{escape(head)}</h2>\n{_list(own, law, language, 1, depth)}\n</section>")
    if told.holds is not None and is_all:
        parts.append(f"<p>{escape(words['agrees' if told.holds else 'differs'])}</p>")
    return "\n".join([*parts, "</article>", ""])


def _programme(node: Explanation, law: Law, language: Language, depth: int | None) -> str:
    head = f'<h2 class="{CLASSES[node.holds]}">{escape(heading(node, language))}</h2>'
    return f"<section>\n{head}\n{_list(node.children, law, language, 1, depth)}\n</section>"


def _list(nodes: Iterable[Explanation], law: Law, language: Language, level: int, depth: int | None) -> str:
    if depth is not None and level > depth:
        return ""
    items = "\n".join(_item(node, law, language, level, depth) for node in nodes if node.kind != "row")
    return f"<ul>\n{items}\n</ul>" if items else ""


def _item(node: Explanation, law: Law, language: Language, level: int, depth: int | None) -> str:
    words = WORDS[language]
    is_verdict = node.kind in ("test", "member", "condition", "cause") or node.unit == "bool"
    mark = f' class="{CLASSES[node.holds]}"' if is_verdict else ""
    # The line as text has it, but its citations, which are set as such.
    is_set = node.kind in _CITING
    head = escape(line(replace(node, cite=()) if is_set else node, law, language))
    cite = "; ".join(f"<cite>{escape(citation_line(c, language))}</cite>" for c in node.cite if is_set)
    if cite:
        head += f" <small>{escape(words['cite'])} {cite}</small>"
    below = "" if node.is_repeated or node.kind == "conflict" else _list(node.children, law, language, level + 1, depth)
    is_deeper = depth is None or level < depth
    if is_deeper and node.rows:
        below += _table(node, language)
    if is_deeper and node.left_out:
        below += f"<p>{escape(words['people' if node.kind == 'people' else 'rows'].format(node.left_out))}</p>"
    if not below:
        return f"<li{mark}>{head}</li>"
    is_open = level == 1 and node.kind == "test" and node.holds is not True
    return f"<li{mark}><details{' open' if is_open else ''}><summary>{head}</summary>\n{below}\n</details></li>"


def _table(node: Explanation, language: Language) -> str:
    """The rows right below a node."""
    feed = node.rows[0].place.feed if node.rows[0].place else ""
    caption = all_feeds()[feed].title_zh if language == "zh" and feed else feed or label_of(node, language)
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in _COLUMNS[language])
    lines = "\n".join(_row(row, language) for row in node.rows)
    return (
        f"<table>\n<caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{lines}\n</tbody>\n"
        "</table>"
    )


def _row(row: Explanation, language: Language) -> str:
    place = row.place
    value = value_of(row, language)
    if row.holds is None:
        value += f" {WORDS[language]['doubt']}"
    cells = [value]
    if place is not None:
        day = "" if place.answered_on is None else place.answered_on.isoformat()
        cells += [place.file, str(place.line), sender_of(place, language), day, place.batch, place.ref]
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
