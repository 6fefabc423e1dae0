"""Which functions may a formula call, and how do aggregates loop? The calls of a formula, for the checker."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable

from meanscheck.law.check_tables import TABLE_WORDS, TableCalls
from meanscheck.law.tree import AGGREGATES, Node
from meanscheck.law.types import BOOL, DATE, MONTH, NUMBER, Type
from meanscheck.values.rounding import ROUNDING_MODES, ROUNDING_UNITS

OUTCOME = Type("text", choices=frozenset({"eligible", "ineligible"}))
WORDS = frozenset(
    {
        *AGGREGATES,
        *TABLE_WORDS,
        *("least", "greatest", "round_to", "first_known", "age", "months_between", "within", "same_year"),
        *("outcome", "holds", "is_confirmed", "on", "reference_day", "members", "supporters", "household", "size"),
    }
)
"""Words of the language: no parameter, variable or programme may be called so."""


class Calls(TableCalls):
    """The calls of one expression."""

    def _call(self, e: ast.Call) -> Node:
        if not isinstance(e.func, ast.Name):
            raise self.fail(e, "only the functions of the language may be called")
        name = e.func.id
        method: Callable[[ast.Call], Node] | None = getattr(self, f"call_{name}", None)
        if name in AGGREGATES:
            return self.aggregate(name, e)
        if method is None:
            near = difflib.get_close_matches(name, WORDS, 1)
            raise self.fail(e, f"no function {name}", f"Did you mean {near[0]}?" if near else "")
        if e.keywords and name != "within":
            raise self.fail(e, f"{name} takes no named arguments")
        return method(e)

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
            if domain == "months":
                raise self.fail(
                    clause.iter, f"{function} does not loop over months", "Write streak((… for m in months), n)"
                )
            near = difflib.get_close_matches(domain, [*self.scope.feeds, "members", "supporters"], 1)
            raise self.fail(clause.iter, f"no feed {domain}", f"Did you mean {near[0]}?" if near else "")
        inner = type(self)(self.aggregate_entity(domain, e), self.scope, self.where, self.lines)
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

    def by_clause(self, function: str, e: ast.Call, inner: Calls) -> Node | None:
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
