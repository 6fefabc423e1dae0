"""How is a checked tree written as a formula again, on one line?

For messages about a part of a formula, and about a formula that nobody wrote (a mutant). What is told is read by
people, and parsed again by nobody: a column is ``feed.column``, and a part that was put in by the language itself
(``holds``) is told by what it was written as.
"""

from __future__ import annotations

from collections.abc import Iterable

from meanscheck.law.tree import Node

_BINDS = {"if": 0, "or": 1, "and": 2, "not": 3, "==": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, "in": 4}
_BINDS |= {"+": 5, "-": 5, "*": 6, "/": 6, "neg": 7}
_TIGHTEST = 9


def text_of(node: Node) -> str:
    """A tree as a formula."""
    op = node.op
    if held := held_programme(node):
        return f'holds("{held[0]}", {text_of(held[1])})'
    if op in ("and", "or"):
        return f" {op} ".join(_inside(n, _BINDS[op] + 1) for n in node.nodes)
    if op in ("+", "-", "*", "/", "==", "!=", "<", "<=", ">", ">="):
        a, b = node.nodes
        return f"{_inside(a, _BINDS[op])} {op} {_inside(b, _BINDS[op] + 1)}"
    if op == "not":
        return f"not {_inside(node.nodes[0], _BINDS['not'])}"
    if op == "neg":
        return f"-{_inside(node.nodes[0], _BINDS['neg'])}"
    if op == "in":
        words = ", ".join(f'"{w}"' for w in node.args[1:])
        return f"{_inside(node.nodes[0], 5)} in {{{words}}}"
    if op == "if":
        c, x, y = node.nodes
        return f"{_inside(x, 1)} if {_inside(c, 1)} else {_inside(y, 0)}"
    if op in ("agg", "members", "supporters"):
        return _loop(node)
    return _leaf(node)


def shortened(text: str, most: int = 90) -> str:
    """A text of at most so many characters, cut in the middle."""
    half = (most - 3) // 2
    return text if len(text) <= most else f"{text[:half]} … {text[-half:]}"


def held_programme(node: Node) -> tuple[str, Node] | None:
    """Programme and day of a tree that `holds` was checked into; None for any other."""
    if node.op != "agg" or node.args[:2] != ("any", "relief_status") or node.args[3] is not None:
        return None
    element = node.nodes[0]
    if element.op != "and" or [n.op for n in element.nodes] != ["==", "<=", ">="]:
        return None
    programme, since, until = element.nodes
    columns = [str(n.nodes[0].args[-1]) for n in element.nodes if n.nodes[0].op == "col"]
    if columns != ["programme", "from", "until"] or since.nodes[1] != until.nodes[1]:
        return None
    return str(programme.nodes[1].args[0]), since.nodes[1]


def _inside(node: Node, binds: int) -> str:
    text = text_of(node)
    return f"({text})" if _BINDS.get(node.op, _TIGHTEST) < binds else text


def _loop(node: Node) -> str:
    if node.op == "agg":
        function, domain, element, condition, by = node.args[:5]
    else:
        (function, element, condition), domain, by = node.args[:3], node.op, None
    if node.op == "members" and condition is None and isinstance(element, Node) and element.op == "agg":
        # Over a feed of all members: the language made two loops of one.
        return text_of(element)
    value = text_of(element) if isinstance(element, Node) else "row"
    where = f" if {text_of(condition)}" if isinstance(condition, Node) else ""
    order = f", by={text_of(by)}" if isinstance(by, Node) else ""
    return f"{function}({value} for {domain}{where}{order})"


def _leaf(node: Node) -> str:
    op, args = node.op, node.args
    if op == "int":
        return str(args[0]) if node.type.kind != "bool" else str(bool(args[0]))
    if op == "text":
        return f'"{args[0]}"'
    if op == "var":
        return str(args[0]).partition("~")[0]
    if op == "attr":
        return f"household.{args[1]}" if args[0] == "household" else str(args[1])
    if op == "col":
        return f"{args[0]}.{args[1]}"
    if op in ("param", "unknown"):
        return str(args[0])
    if op == "index":
        return f"{args[0]}[{_list(node.nodes)}]"
    if op == "at":
        keys = f"[{_list(node.nodes[1:])}]" if node.nodes[1:] else ""
        return f"at({text_of(node.nodes[0])}, {args[0]}{keys})"
    if op == "slices":
        keys = f"[{_list(node.nodes[1:])}]" if node.nodes[1:] else ""
        return f"slices({text_of(node.nodes[0])}, {args[0]}{keys})"
    if op == "streak":
        return f"streak({text_of(node.nodes[0])} for months, {text_of(node.nodes[1])})"
    if op == "round":
        return f'round_to({text_of(node.nodes[0])}, "{args[1]}", "{args[2]}")'
    if op == "within":
        d, n, before = node.nodes
        return f"within({text_of(d)}, {text_of(n)}, before={text_of(before)})"
    if op == "first_known":
        return f'first_known({_list(node.nodes)}, "{args[0]}")'
    if not args:
        return op
    name = {"confirmed": "is_confirmed"}.get(op, op)
    words = [text_of(a) if isinstance(a, Node) else str(a) for a in args]
    return f"{name}({', '.join(words)})"


def _list(nodes: Iterable[Node]) -> str:
    return ", ".join(text_of(n) for n in nodes)
