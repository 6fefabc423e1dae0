"""Is a formula part of the language, and do its types and dimensions fit?

`check_formula` parses Python expression syntax with the standard library's `ast`, walks a white list of node types and
returns the checked tree (`tree.Node`). Nothing is ever passed to ``eval``. Names are looked up in `check_names`, calls
in `check_calls`; the operators are here. Errors name the place, the position and the mend.
"""

from __future__ import annotations

import ast
import warnings

from meanscheck.errors import PackError
from meanscheck.law.check_calls import WORDS, Calls
from meanscheck.law.check_names import ParameterSignature, Scope, VariableSignature
from meanscheck.law.tree import Node
from meanscheck.law.types import BOOL, Type

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "WORDS", "ParameterSignature", "Scope", "VariableSignature", "check_formula"]

MAX_LENGTH = 2000
MAX_DEPTH = 40
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_ARITHMETIC: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


def check_formula(text: str, *, entity: str, scope: Scope, where: str) -> Node:
    """The checked tree of a formula of `entity` (household, member or supporter); PackError otherwise."""
    source = text.strip()
    if len(source) > MAX_LENGTH:
        raise PackError(f"formula longer than {MAX_LENGTH} characters", where=where, remedy="Split it into variables")
    depth = deepest = 0
    for character in source:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    # Counted before parsing, since Python's parser has a limit of its own and other words for it.
    if deepest > MAX_DEPTH:
        raise PackError(f"formula nested deeper than {MAX_DEPTH}", where=where, remedy="Split it into variables")
    try:
        with warnings.catch_warnings():
            # What Python only warns of, such as an unknown escape or `2if`, is no part of the language.
            warnings.simplefilter("error")
            body = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError, Warning) as fault:
        column = getattr(fault, "offset", None)
        at = f"{where}, column {column}" if column else where
        remedy = "Write it in Python expression syntax"
        if "must be parenthesized" in str(fault):
            remedy = "A loop beside another argument stands in parentheses: streak((… for m in months), n)"
        raise PackError("formula is not an expression", where=at, remedy=remedy) from None
    if _ast_depth(body) > MAX_DEPTH:
        raise PackError(f"formula nested deeper than {MAX_DEPTH}", where=where, remedy="Split it into variables")
    return _Checker(entity, scope, where, source.replace("\r\n", "\n").replace("\r", "\n").split("\n")).node(body)


def _ast_depth(root: ast.AST) -> int:
    deepest, layer = 0, [root]
    while layer:
        deepest += 1
        layer = [c for n in layer for c in ast.iter_child_nodes(n) if isinstance(c, ast.expr | ast.comprehension)]
    return deepest


class _Checker(Calls):
    """The operators of one expression."""

    def _binop(self, e: ast.BinOp) -> Node:
        op = _ARITHMETIC.get(type(e.op))
        if op is None:
            raise self.fail(e, f"{type(e.op).__name__} is not part of the language", "Use + - * /")
        a, b = self.number(e.left), self.number(e.right)
        if op in "+-":
            return self.make(op, (a, b), self.same(e, (a, b), "sum" if op == "+" else "difference"))
        x, y, z = a.type.dimension
        i, j, k = b.type.dimension
        if op == "*":
            exact = a.type.form != "int" or b.type.form != "int"
            return self.make(op, (a, b), Type("num", (x + i, y + j, z + k), "exact" if exact else "int"))
        return self.make(op, (a, b), Type("num", (x - i, y - j, z - k), "exact"))

    def _unaryop(self, e: ast.UnaryOp) -> Node:
        if isinstance(e.op, ast.Not):
            return self.make("not", (self.truth(e.operand),), BOOL)
        if isinstance(e.op, ast.USub):
            a = self.number(e.operand)
            return self.make("neg", (a,), Type("num", a.type.dimension, a.type.form))
        raise self.fail(e, "this sign is not part of the language")

    def _boolop(self, e: ast.BoolOp) -> Node:
        return self.make("and" if isinstance(e.op, ast.And) else "or", [self.truth(v) for v in e.values], BOOL)

    def _compare(self, e: ast.Compare) -> Node:
        parts: list[Node] = []
        left, left_at = self.node(e.left), e.left
        for op, right_at in zip(e.ops, e.comparators, strict=True):
            if isinstance(op, ast.In):
                parts.append(self.membership(left, right_at))
                if len(e.ops) > 1:
                    raise self.fail(e, "`in` stands alone", "Join conditions with `and`")
                continue
            if type(op) not in _COMPARE:
                raise self.fail(e, f"{type(op).__name__} is not part of the language")
            right = self.node(right_at)
            parts.append(self.comparison(_COMPARE[type(op)], left, right, left_at))
            left, left_at = right, right_at
        return parts[0] if len(parts) == 1 else self.make("and", parts, BOOL)

    def comparison(self, op: str, a: Node, b: Node, at: ast.AST) -> Node:
        kinds = {a.type.kind, b.type.kind}
        if len(kinds) > 1:
            raise self.fail(at, f"cannot compare {a.type} with {b.type}")
        if kinds == {"num"}:
            self.same(at, (a, b), "comparison")
        elif kinds == {"bool"}:
            raise self.fail(at, "a yes/no is not compared", "Write the condition itself, or `not …`")
        elif kinds == {"text"}:
            if op not in ("==", "!="):
                raise self.fail(at, "texts have no order", "Compare them with == or !=")
            self.known_text(at, a, b)
        return self.make(op, (a, b), BOOL)

    def membership(self, a: Node, right: ast.expr) -> Node:
        if not isinstance(right, ast.Set) or a.type.kind != "text":
            raise self.fail(
                right, "`in` wants a text on the left and a set of texts on the right", 'Write x in {"a", "b"}'
            )
        words = [self.node(w) for w in right.elts]
        for w in words:
            if w.op != "text":
                raise self.fail(right, "a set holds texts only")
            self.known_text(right, a, w)
        return self.make("in", (a, *sorted({str(w.args[0]) for w in words})), BOOL, a.level)

    def _ifexp(self, e: ast.IfExp) -> Node:
        c, x, y = self.truth(e.test), self.node(e.body), self.node(e.orelse)
        return self.make("if", (c, x, y), self.joined(e, (x, y)))
