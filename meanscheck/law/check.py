"""Is a formula part of the language, and do its types and dimensions fit?

`check_formula` parses Python expression syntax with the standard library's `ast`, walks a white list of node types and
returns the checked tree (`tree.Node`). Nothing is ever passed to ``eval``. Everything a formula may name comes from a
`Scope`. Errors name the place, the position and the mend.
"""

from __future__ import annotations

import ast
import difflib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from meanscheck.errors import PackError
from meanscheck.law.tree import AGGREGATES, Arg, Node
from meanscheck.law.types import BOOL, DATE, MONTH, NUMBER, PLAIN, TEXT, Dimension, Form, Type
from meanscheck.values.rounding import ROUNDING_MODES, ROUNDING_UNITS

MAX_LENGTH = 2000
MAX_DEPTH = 40
OUTCOME = Type("text", choices=frozenset({"eligible", "ineligible"}))
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_ARITHMETIC: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_RANK = {"const": 0, "household": 1, "member": 2, "supporter": 2, "row": 3}
WORDS = frozenset(
    {
        *AGGREGATES,
        *("least", "greatest", "round_to", "first_known", "age", "months_between", "within", "same_year"),
        *("outcome", "holds", "is_confirmed", "on", "reference_day", "members", "supporters", "household", "size"),
    }
)
"""Words of the language: no parameter, variable or programme may be called so."""


@dataclass(frozen=True, slots=True)
class ParameterSignature:
    """Type of a parameter and, where it is a table, how many keys it takes."""

    type: Type
    keys: int = 0


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


class _Checker:
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
        method = getattr(self, f"_{type(e).__name__.lower()}", None)
        if method is None:
            raise self.fail(e, f"{type(e).__name__} is not part of the language")
        result: Node = method(e)
        return result

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
        keys = [self.node(k) for k in (e.slice.elts if isinstance(e.slice, ast.Tuple) else [e.slice])]
        if len(keys) != signature.keys:
            raise self.fail(e, f"parameter {name} takes {signature.keys} keys, not {len(keys)}")
        for key in keys:
            if key.type.kind not in ("text", "num") or key.type.form != "int":
                raise self.fail(e, f"a key of {name} must be a text or a whole number, not {key.type}")
        return self.make("index", (name, *keys), signature.type)

    # ---- operators

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
            raise self.fail(
                e, f"{what} of {' and '.join(str(n.type) for n in nodes)}", "Bring both to the same unit first"
            )
        dimension: Dimension = next(iter(dims), PLAIN)
        forms = {n.type.form for n in nodes if n.op != "int"}
        form: Form = "exact" if "exact" in forms else "micro" if "micro" in forms else "int"
        if form == "micro" and any(n.type.form == "int" and n.op != "int" for n in nodes):
            form = "exact"
        return Type("num", dimension, form)

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

    # ---- calls

    def _call(self, e: ast.Call) -> Node:
        if not isinstance(e.func, ast.Name):
            raise self.fail(e, "only the functions of the language may be called")
        name = e.func.id
        method = getattr(self, f"call_{name}", None)
        if name in AGGREGATES:
            return self.aggregate(name, e)
        if method is None:
            near = difflib.get_close_matches(name, WORDS, 1)
            raise self.fail(e, f"no function {name}", f"Did you mean {near[0]}?" if near else "")
        if e.keywords and name != "within":
            raise self.fail(e, f"{name} takes no named arguments")
        result: Node = method(e)
        return result

    def arity(self, e: ast.Call, count: int, form: str) -> list[ast.expr]:
        if len(e.args) != count:
            raise self.fail(e, f"wrong number of arguments, {len(e.args)}", f"Write {form}")
        return e.args

    def day(self, e: ast.expr) -> Node:
        n = self.node(e)
        if n.type.kind != "date":
            raise self.fail(e, f"a day or month is wanted here, not {n.type}")
        return n

    def call_round_to(self, e: ast.Call) -> Node:
        x, unit, mode = self.arity(e, 3, 'round_to(x, "fen", "half_up")')
        n = self.number(x)
        words = [w.value if isinstance(w, ast.Constant) else None for w in (unit, mode)]
        if words[0] not in ROUNDING_UNITS or words[1] not in ROUNDING_MODES:
            remedy = f"Units: {', '.join(ROUNDING_UNITS)}; modes: {', '.join(ROUNDING_MODES)}"
            raise self.fail(e, "unknown rounding unit or mode", remedy)
        if n.type.dimension[0] != 1 and not n.type.zero:
            raise self.fail(e, f"only amounts are rounded, not {n.type}")
        return self.make("round", (n, str(words[0]), str(words[1])), Type("num", n.type.dimension), n.level)

    def extreme(self, e: ast.Call, op: str) -> Node:
        if len(e.args) < 2:
            raise self.fail(e, f"{op} wants at least two values")
        nodes = [self.number(a) for a in e.args]
        return self.make(op, nodes, self.same(e, nodes, op))

    def call_least(self, e: ast.Call) -> Node:
        return self.extreme(e, "least")

    def call_greatest(self, e: ast.Call) -> Node:
        return self.extreme(e, "greatest")

    def call_first_known(self, e: ast.Call) -> Node:
        if len(e.args) < 3 or not (isinstance(e.args[-1], ast.Constant) and isinstance(e.args[-1].value, str)):
            raise self.fail(
                e, "first_known wants values and a citation", 'Write first_known(a, b, "instrument#article")'
            )
        nodes = [self.node(a) for a in e.args[:-1]]
        return self.make("first_known", (e.args[-1].value, *nodes), self.joined(e, nodes))

    def call_age(self, e: ast.Call) -> Node:
        return self.make("age", (self.day(self.arity(e, 1, "age(born_on)")[0]),), NUMBER)

    def call_months_between(self, e: ast.Call) -> Node:
        a, b = self.arity(e, 2, "months_between(earlier, later)")
        return self.make("months_between", (self.day(a), self.day(b)), MONTH)

    def call_within(self, e: ast.Call) -> Node:
        form = "within(t.month, income.window_months, before=household.applied_on)"
        d, n = self.arity(e, 2, form)
        if [k.arg for k in e.keywords] != ["before"]:
            raise self.fail(e, "within wants `before`", f"Write {form}")
        months = self.number(n)
        if months.type.dimension != MONTH.dimension or months.op != "param":
            raise self.fail(n, "the length of a window is a parameter in months")
        return self.make("within", (self.day(d), months, self.day(e.keywords[0].value)), BOOL)

    def call_same_year(self, e: ast.Call) -> Node:
        a, b = self.arity(e, 2, "same_year(m.settled_on, on)")
        one, other = self.day(a), self.day(b)
        # The day of the row comes first: it is what the answer of a feed must cover.
        days = (other, one) if other.level == "row" and one.level != "row" else (one, other)
        return self.make("same_year", days, BOOL)

    def call_outcome(self, e: ast.Call) -> Node:
        (which,) = self.arity(e, 1, "outcome(dibao)")
        name = which.id if isinstance(which, ast.Name) else ""
        entity = self.scope.programmes.get(name)
        if entity is None:
            near = difflib.get_close_matches(name, self.scope.programmes, 1)
            raise self.fail(e, "no such programme", f"Did you mean {near[0]}?" if near else "")
        if entity == "member" and self.entity != "member":
            raise self.fail(e, f"{name} decides members; this formula belongs to a {self.entity}")
        return self.make("outcome", (name,), OUTCOME, entity)

    def call_is_confirmed(self, e: ast.Call) -> Node:
        (which,) = self.arity(e, 1, "is_confirmed(r)")
        feed = self.loops.get(which.id, "") if isinstance(which, ast.Name) else ""
        if feed not in self.scope.feeds:
            raise self.fail(
                e, "is_confirmed asks about a row of a feed", "Write is_confirmed(r) inside … for r in feed"
            )
        return self.make("confirmed", (feed,), BOOL, "row")

    def call_holds(self, e: ast.Call) -> Node:
        which, day = self.arity(e, 2, 'holds("dibao", on)')
        if self.loops:
            raise self.fail(e, "holds looks through a feed, and aggregates do not nest", "Make it a variable")
        n = self.node(which)
        if self.entity == "household" or n.op != "text":
            raise self.fail(e, "holds asks about a member or supporter and a named programme")
        col = self.scope.feeds["relief_status"]
        programme = self.make("col", ("relief_status", "programme"), col["programme"], "row")
        self.known_text(which, programme, n)
        since = self.make("col", ("relief_status", "from"), DATE, "row")
        until = self.make("col", ("relief_status", "until"), DATE, "row")
        d = self.day(day)
        condition = self.make(
            "and",
            (
                self.make("==", (programme, n), BOOL),
                self.make("<=", (since, d), BOOL),
                self.make(">=", (until, d), BOOL),
            ),
            BOOL,
        )
        return self.make("agg", ("any", "relief_status", condition, None, None, False), BOOL, self.entity)

    # ---- aggregates

    def aggregate(self, function: str, e: ast.Call) -> Node:
        if len(e.args) != 1 or not isinstance(e.args[0], ast.GeneratorExp):
            raise self.fail(e, f"{function} wants one generator", f"Write {function}(x.… for x in feed if …)")
        loop = e.args[0]
        if len(loop.generators) != 1 or self.loops:
            raise self.fail(e, "aggregates do not nest", "Make the inner one a variable")
        clause = loop.generators[0]
        if not isinstance(clause.target, ast.Name) or not isinstance(clause.iter, ast.Name) or clause.is_async:
            raise self.fail(e, "an aggregate loops over a feed, `members` or `supporters`")
        domain, name = clause.iter.id, clause.target.id
        if domain not in ("members", "supporters") and domain not in self.scope.feeds:
            near = difflib.get_close_matches(domain, [*self.scope.feeds, "members", "supporters"], 1)
            raise self.fail(clause.iter, f"no feed {domain}", f"Did you mean {near[0]}?" if near else "")
        inner = _Checker(self.aggregate_entity(domain, e), self.scope, self.where, self.lines)
        inner.loops = {name: domain}
        element = None
        if not (isinstance(loop.elt, ast.Name) and loop.elt.id == name):
            element = inner.node(loop.elt)
        elif function != "count":
            raise self.fail(e, f"{function} wants a value of the row", f"Write {function}({name}.… for …)")
        conditions = [inner.truth(c) for c in clause.ifs]
        condition = None
        if conditions:
            condition = conditions[0] if len(conditions) == 1 else inner.make("and", conditions, BOOL)
        by = self.by_clause(function, e, inner)
        t = self.aggregate_type(function, element, e)
        if domain in ("members", "supporters"):
            if function == "latest":
                raise self.fail(e, "latest is over a feed")
            level = "household" if domain == "members" or self.entity != "member" else "member"
            return self.make(domain, (function, element, condition), t, level)
        if self.entity != "household":
            return self.make("agg", (function, domain, element, condition, by, False), t, self.entity)
        if function in ("lowest", "highest", "latest"):
            raise self.fail(e, f"{function} over a feed belongs to a person", "Make it a member variable first")
        person = self.make("agg", (function, domain, element, condition, by, False), t, "member")
        return self.make("members", ("sum" if function == "count" else function, person, None), t, "household")

    def aggregate_entity(self, domain: str, e: ast.AST) -> str:
        """Whose names are bare inside the loop: the household's over people, the owner's over a feed."""
        if domain == "supporters" and self.entity == "supporter":
            raise self.fail(e, "supporters of supporters are not considered")
        return self.entity if domain not in ("members", "supporters") else "household"

    def by_clause(self, function: str, e: ast.Call, inner: _Checker) -> Node | None:
        if function != "latest":
            if e.keywords:
                raise self.fail(e, f"{function} takes no named arguments")
            return None
        if [k.arg for k in e.keywords] != ["by"]:
            raise self.fail(e, "latest wants `by`", "Write latest((r.… for r in feed), by=r.…)")
        by = inner.day(e.keywords[0].value)
        if by.level != "row":
            raise self.fail(e, "`by` is a day of the row")
        return by

    def aggregate_type(self, function: str, element: Node | None, e: ast.AST) -> Type:
        if function == "count":
            if element is not None:
                raise self.fail(e, "count counts rows", "Put the condition behind `if`")
            return NUMBER
        if element is None:
            raise self.fail(e, f"{function} wants a value")
        if function in ("any", "all"):
            if element.type.kind != "bool":
                raise self.fail(e, f"{function} wants a yes/no, not {element.type}")
            return BOOL
        if element.type.form == "exact":
            raise self.fail(e, "an exact quotient cannot be aggregated", "Round each one first: round_to(…)")
        if function == "latest":
            return Type(element.type.kind, element.type.dimension, element.type.form, element.type.choices)
        if function in ("lowest", "highest") and element.type.kind == "date":
            return DATE
        if element.type.kind != "num":
            raise self.fail(e, f"{function} wants a number, not {element.type}")
        return Type("num", element.type.dimension, element.type.form)
