"""How is an explanation told in plain text? One line a node, indented; a programme with its tests as a block.

`depth` counts the levels below a programme: 1 its tests, 2 what each rests on, and so on; None tells all.
"""

from __future__ import annotations

from collections.abc import Iterator

from meanscheck.decisions.explaining.outline import outlined
from meanscheck.decisions.explaining.tree import INELIGIBLE, Explanation, Language
from meanscheck.decisions.explaining.words import (
    MARK,
    WORDS,
    bounds_text,
    causes_text,
    citations_text,
    conflict_text,
    figures_text,
    heading,
    label_of,
    margin_text,
    open_text,
    place_text,
    value_of,
    with_unit,
)
from meanscheck.law.law import Law
from meanscheck.law.tree import IS_MEMBER


def text(tree: Explanation, law: Law, language: Language = "zh", *, depth: int | None = None) -> str:
    """A tree of a decision, or one programme of it, in full.

    Args:
        tree: from `explained` or `ruling_tree`.
        law: the law of the decision, for the labels of causes.
        language: ``zh`` or ``en``.
        depth: levels below a programme.
    """
    told = outlined(tree)
    if tree.kind != "decision":
        return "\n".join(_block(told, law, language, depth))
    words = WORDS[language]
    blocks: list[list[str]] = []
    for kind, head in (("member", words["members"]), ("conflict", words["conflicts"])):
        lines = [line for c in told.children if c.kind == kind for line in _lines(c, law, language, 1, depth)]
        blocks.append([f"{head}:", *lines] if lines else [])
    programmes = [_block(c, law, language, depth) for c in told.children if c.kind == "programme"]
    told_blocks = ["\n".join(b) for b in (blocks[0], *programmes, blocks[1]) if b]
    if tree.holds is not None:
        told_blocks.append(words["agrees" if tree.holds else "differs"])
    return "\n\n".join(told_blocks)


def figure_text(tree: Explanation, law: Law, language: Language = "zh", *, is_full: bool = False) -> str:
    """A figure with the way to it, as `traced` gives it; `is_full`: also noughts, conditions and every operation."""
    told = tree if is_full else outlined(tree)
    return "\n".join(_lines(told, law, language, 0, None))


def _block(programme: Explanation, law: Law, language: Language, depth: int | None) -> list[str]:
    lines = [heading(programme, language)]
    for child in programme.children:
        lines += _lines(child, law, language, 1, depth)
    return lines


def _lines(node: Explanation, law: Law, language: Language, level: int, depth: int | None) -> Iterator[str]:
    if depth is not None and level > depth:
        return
    yield "  " * level + line(node, law, language)
    words = WORDS[language]
    if node.kind != "conflict" and not node.is_repeated:
        for child in node.children:
            yield from _lines(child, law, language, level + 1, depth)
    is_deeper = depth is None or level < depth
    if node.left_out and is_deeper:
        yield "  " * (level + 1) + words["people" if node.kind == "people" else "rows"].format(node.left_out)


def line(node: Explanation, law: Law, language: Language) -> str:
    """One node in one line, without its place in the tree."""
    words, label = WORDS[language], label_of(node, language)
    if node.kind == "test":
        parts = [f"{words[node.holds]} {label}", figures_text(node, language), margin_text(node, language)]
        parts.append(bounds_text(node, language))
        return " · ".join(filter(None, [*parts, citations_text(node, language)]))
    if node.kind == "member":
        verdict = words[{True: "counts", False: "not", None: "open"}[node.holds]]
        told = (value_of(node, language) if isinstance(node.value, str) else "") if node.name == IS_MEMBER else label
        reason = f"（{told}）" if told else ""
        parts = [f"{MARK[node.holds]} {node.who} {verdict}{reason}", causes_text(node, law, language)]
        return " · ".join(filter(None, [*parts, citations_text(node, language)]))
    if node.kind in ("cause", "yields"):
        return f"{words['because']}: {open_text(node, law, language)}"
    if node.kind == "conflict":
        return conflict_text(node, language)
    if node.kind == "change":
        return " · ".join([f"⇄ {label}", citations_text(node, language)])
    if node.kind == "row":
        doubt = f" {words['doubt']}" if node.holds is None else ""
        value = "" if isinstance(node.value, bool) else f"{value_of(node, language):>14}"
        return f"{value}{doubt}  {place_text(node, language)}".strip("\n")
    return _figure_line(node, law, language)


def _figure_line(node: Explanation, law: Law, language: Language) -> str:
    words, label = WORDS[language], label_of(node, language)
    # In English by its name as well, so that it is found in the pack.
    is_named = language == "en" and node.kind in ("variable", "figure") and node.name != label
    named = f"{label} {node.name}" if is_named else label
    who = f" [{node.who}]" if node.who and node.kind in ("variable", "rows", "fact", "condition") else ""
    again = f" {words['again']}" if node.is_repeated else ""
    because = causes_text(node, law, language)
    tail = again + (f"  ({because})" if because else "")
    if node.counts == "not":
        tail += f" {words['aside']}"
    if node.kind == "condition" or node.unit == "bool":
        figures = figures_text(node, language)
        if not figures and node.unit == "text" and node.value is not None and node.holds is not True:
            figures = f"{words['value']} {value_of(node, language)}"
        return f"{MARK[node.holds]} {named}{who}" + (f" · {figures}" if figures else "") + tail
    sign = "−" if node.counts == "minus" else ""
    is_none = node.value is None and any(c.startswith(f"{INELIGIBLE}:") for c in node.causes)
    is_code = language == "zh" and node.value_zh
    amount = node.value_zh if is_code else with_unit(node.value, node.unit, language)
    if is_none:
        amount = words["no award"]
    if node.kind == "award":
        named = words["award"]
    cite = f" · {citations_text(node, language)}" if node.kind in ("figure", "award") and node.cite else ""
    return f"{sign}{named}{who} = {amount}{tail}{cite}"
