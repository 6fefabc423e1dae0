"""What may a formula name, and what type has the name? The leaves of a formula, for the checker.

Everything that may be named comes from a `Scope`; errors name the place, the position and the mend.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from meanscheck.errors import PackError
from meanscheck.law.check_dimensions import SIDES, mend
from meanscheck.law.tables import MONTH_KEY, band_type
from meanscheck.law.tree import Arg, Node
from meanscheck.law.types import BOOL, DATE, MONTH, NUMBER, PLAIN, TEXT, Dimension, Form, Type

_RANK = {"const": 0, "household": 1, "member": 2, "supporter": 2, "row": 3}


@dataclass(frozen=True, slots=True)
class ParameterSignature:
    """Type of a parameter and, where it is a table, how many keys it takes and what each is (`tables`)."""

    type: Type
    keys: int = 0
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VariableSignature:
    """Entity and type of a variable."""

    entity: str
    type: Type


@dataclass(frozen=True, slots=True)
class Scope:
    """All that formulas may name."""

    feeds: Mapping[str, Mapping[str, Type]]
    attributes: Mapping[str, Mapping[str, Type]]
    parameters: Mapping[str, ParameterSignature]
    variables: Mapping[str, VariableSignature]
    programmes: Mapping[str, str]


class Leaves:
    """Walks one expression. `loops` maps a loop variable to what it ranges over."""

    def __init__(self, entity: str, scope: Scope, where: str, lines: Sequence[str]) -> None:
        self.entity, self.scope, self.where, self.lines = entity, scope, where, lines
        self.loops: dict[str, str] = {}

    def fail(self, at: ast.AST, what: str, remedy: str = "") -> PackError:
        number, offset = getattr(at, "lineno", 1), getattr(at, "col_offset", 0)
        # Python counts bytes, people count characters.
        column = len(self.lines[number - 1].encode()[:offset].decode(errors="ignore")) + 1
        line = f", line {number}" if len(self.lines) > 1 else ""
        return PackError(what, where=f"{self.where}{line}, column {column}", remedy=remedy)

    def node(self, e: ast.expr) -> Node:
        method: Callable[[ast.expr], Node] | None = getattr(self, f"_{type(e).__name__.lower()}", None)
        if method is None:
            raise self.fail(e, f"{type(e).__name__} is not part of the language")
        return method(e)

    def make(self, op: str, args: Sequence[Arg], t: Type, level: str | None = None) -> Node:
        if level is None:
            levels = [a.level for a in args if isinstance(a, Node)]
            level = max(levels, key=_RANK.__getitem__, default="const")
        return Node(op, tuple(args), t, level)

    # ---- leaves

    def _constant(self, e: ast.Constant) -> Node:
        if type(e.value) is int and e.value in (0, 1, 2):
            return self.make("int", (e.value,), Type("num", zero=e.value == 0))
        if type(e.value) is bool:
            return self.make("int", (int(e.value),), BOOL)
        if type(e.value) is str:
            if not e.value.isprintable():
                raise self.fail(e, "a text holds printable characters only")
            return self.make("text", (e.value,), Type("text", choices=frozenset({e.value})))
        if type(e.value) is float:
            raise self.fail(e, "a float is not part of the language", "Make it a parameter, written as text")
        raise self.fail(
            e, "only 0, 1, 2 and texts are literals", "A number with legal meaning is a parameter with a citation"
        )

    def _name(self, e: ast.Name) -> Node:
        name = e.id
        if self.loops.get(name) == "months":
            return self.make("month", (), DATE)
        if name in self.loops:
            raise self.fail(e, f"{name} is a row, not a value", f"Name a column: {name}.…")
        if name == "on" or name == "reference_day":
            return self.make(name, (), DATE, "const" if name == "on" else "household")
        if name == "size":
            return self.make("var", ("size",), NUMBER, "household")
        found = self.entity_name(name, self.entity, e) or self.parameter(name, e)
        if found is None and self.entity != "household":
            found = self.entity_name(name, "household", e)
        return found or self.unknown(e, name)

    def entity_name(self, name: str, entity: str, e: ast.AST) -> Node | None:
        """A variable or attribute of `entity`, if it has one by that name."""
        signature = self.scope.variables.get(name)
        if signature is not None and signature.entity == entity:
            return self.make("var", (name,), signature.type, entity)
        t = self.scope.attributes[entity].get(name)
        return None if t is None else self.make("attr", (entity, name), t, entity)

    def parameter(self, name: str, e: ast.AST) -> Node | None:
        signature = self.scope.parameters.get(name)
        if signature is None:
            return None
        if signature.keys:
            raise self.fail(e, f"parameter {name} is a table", f"Index it: {name}[…]")
        return self.make("param", (name,), signature.type)

    def unknown(self, e: ast.AST, name: str) -> Node:
        entity_of = self.scope.variables.get(name)
        if entity_of is not None:
            raise self.fail(e, f"{name} belongs to a {entity_of.entity}, this formula to a {self.entity}")
        names = [*self.scope.variables, *self.scope.parameters, *self.scope.attributes[self.entity], *self.scope.feeds]
        near = difflib.get_close_matches(name, names, 1)
        raise self.fail(e, f"unknown name {name}", f"Did you mean {near[0]}?" if near else "")

    def dotted(self, e: ast.expr) -> str | None:
        if isinstance(e, ast.Name):
            return e.id
        if isinstance(e, ast.Attribute):
            head = self.dotted(e.value)
            return None if head is None else f"{head}.{e.attr}"
        return None

    def _attribute(self, e: ast.Attribute) -> Node:
        name = self.dotted(e)
        if name is None:
            raise self.fail(e, "only dotted names may be named")
        head, _, rest = name.partition(".")
        if head in self.loops:
            return self.loop_field(e, self.loops[head], rest)
        if head == "household":
            found = self.make("var", ("size",), NUMBER, "household") if rest == "size" else None
            found = found or self.entity_name(rest, "household", e)
            return found or self.unknown(e, rest)
        return self.parameter(name, e) or self.unknown(e, name)

    def loop_field(self, e: ast.AST, domain: str, name: str) -> Node:
        if domain == "months":
            raise self.fail(e, "a month has no columns", f"It is a day itself, as in price.cpi[{name}]")
        if domain in ("members", "supporters"):
            found = self.entity_name(name, domain.removesuffix("s"), e)
            if found is None:
                raise self.fail(e, f"{domain} have nothing called {name}")
            return found
        t = self.scope.feeds[domain].get(name)
        if t is None:
            near = difflib.get_close_matches(name, self.scope.feeds[domain], 1)
            raise self.fail(e, f"feed {domain} has no column {name}", f"Did you mean {near[0]}?" if near else "")
        return self.make("col", (domain, name), t, "row")

    def _subscript(self, e: ast.Subscript) -> Node:
        name = self.dotted(e.value)
        if name in self.loops and isinstance(e.slice, ast.Constant) and isinstance(e.slice.value, str):
            return self.loop_field(e, self.loops[str(name)], e.slice.value)
        signature = self.scope.parameters.get(name or "")
        if name is None or signature is None:
            raise self.fail(e, f"{name or 'this'} is not a parameter", "Only a parameter can be indexed")
        return self.make("index", (name, *self.keys(e, name, signature)), signature.type)

    def keys(self, e: ast.Subscript, name: str, signature: ParameterSignature, *, but: int = 0) -> list[Node]:
        """What a table is indexed by, each key fit for its place; the last `but` keys are not given."""
        keys = [self.node(k) for k in (e.slice.elts if isinstance(e.slice, ast.Tuple) else [e.slice])]
        if len(keys) != signature.keys - but:
            raise self.fail(e, f"parameter {name} takes {signature.keys - but} keys, not {len(keys)}")
        for key, by in zip(keys, signature.by or ("",) * len(keys), strict=False):
            self.key(e, name, key, by)
        return keys

    def key(self, e: ast.AST, name: str, key: Node, by: str) -> None:
        """PackError unless a value can be looked up by this key."""
        t = band_type(by)
        if t is not None:
            if key.type.kind != "num" or (key.type.dimension != t.dimension and not key.type.zero):
                raise self.fail(e, f"{name} is a table by {by}, looked up by {t}, not {key.type}")
        elif by == MONTH_KEY:
            if key.type.kind != "date":
                raise self.fail(
                    e, f"{name} is a table by month, not by {key.type}", f"Write {name}[month_back(on, 1)] or a day"
                )
        elif key.type.kind not in ("text", "num") or key.type.form != "int":
            raise self.fail(e, f"a key of {name} must be a text or a whole number, not {key.type}")

    # ---- types

    def number(self, e: ast.expr) -> Node:
        n = self.node(e)
        if n.type.kind != "num":
            raise self.fail(e, f"a number is wanted here, not {n.type}")
        return n

    def truth(self, e: ast.expr) -> Node:
        n = self.node(e)
        if n.type.kind != "bool":
            raise self.fail(e, f"a yes/no is wanted here, not {n.type}")
        return n

    def same(self, e: ast.AST, nodes: Sequence[Node], what: str) -> Type:
        """The common type of numbers that are added, compared or chosen between: equal dimensions, the widest form."""
        dims = {n.type.dimension for n in nodes if not n.type.zero}
        if len(dims) > 1:
            raise self.fail(e, f"{what} of {' and '.join(str(n.type) for n in nodes)}", self.mend(nodes))
        dimension: Dimension = next(iter(dims), PLAIN)
        forms = {n.type.form for n in nodes if n.op != "int"}
        form: Form = "exact" if "exact" in forms else "micro" if "micro" in forms else "int"
        if form == "micro" and any(n.type.form == "int" and n.op != "int" for n in nodes):
            form = "exact"
        return Type("num", dimension, form)

    def mend(self, nodes: Sequence[Node]) -> str:
        """Which of numbers that do not fit each other to change."""
        counted = [(i, n.type.dimension) for i, n in enumerate(nodes, 1) if not n.type.zero]
        place, first = counted[0]
        other, second = next((i, d) for i, d in counted if d != first)
        months = [
            name for name, p in self.scope.parameters.items() if p.type.dimension == MONTH.dimension and not p.keys
        ]
        sides = SIDES if len(nodes) == 2 else (f"value {place}", f"value {other}")
        return mend(first, second, sides=sides, months=months)

    def known_text(self, at: ast.AST, a: Node, b: Node) -> None:
        for one, other in ((a, b), (b, a)):
            if other.op == "text" and one.type.choices is not None and one.op != "text":
                word = str(other.args[0])
                if word not in one.type.choices:
                    near = difflib.get_close_matches(word, one.type.choices, 1)
                    remedy = (
                        f"Did you mean {near[0]!r}?" if near else f"Use one of {', '.join(sorted(one.type.choices))}"
                    )
                    raise self.fail(at, f"{word!r} is not one of the declared words", remedy)

    def joined(self, e: ast.AST, nodes: Sequence[Node]) -> Type:
        """The type of a value that is one of several."""
        kinds = {n.type.kind for n in nodes}
        if len(kinds) > 1:
            raise self.fail(e, f"the alternatives differ: {', '.join(str(n.type) for n in nodes)}")
        if kinds == {"num"}:
            return self.same(e, nodes, "choice")
        if kinds == {"text"}:
            sets = [n.type.choices for n in nodes]
            return (
                TEXT if None in sets else Type("text", choices=frozenset().union(*(s for s in sets if s is not None)))
            )
        return nodes[0].type
