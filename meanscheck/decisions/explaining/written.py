"""How does a part of a rule read? The checked tree of a formula in words, with the labels of the law and the contracts.

Chinese takes labels (家庭收入 ÷ (核算期 × 人数) < 低保标准), English the names of the formula, so that a line of an
explanation can be found in the pack.
"""

from __future__ import annotations

from collections.abc import Mapping

from meanscheck.contracts import all_feeds
from meanscheck.decisions.explaining.choices import NONE, Labels, choice_text, labels_of
from meanscheck.law.keeping import kept_with_law
from meanscheck.law.law import Law
from meanscheck.law.names import DERIVED_ZH
from meanscheck.law.tree import COMPARISONS, Node

ATTRIBUTES_ZH: Mapping[str, str] = {
    "residence": "城乡类别",
    "division": "行政区划",
    "applied_on": "申请日",
    "reference_day": "核对基准日",
    "application_no": "申请编号",
    "accepting_place": "受理地",
    "id": "编号",
    "relation": "与户主关系",
    "sex": "性别",
    "born_on": "出生日期",
    "lives_together": "共同生活",
    "lives_together_since": "共同生活起始日",
    "can_live_independently": "能独立生活",
    "hukou_division": "户籍地",
    "cares_for": "照料对象",
    "guardian": "监护人",
    "is_excused_from_work": "免于就业要求",
    "members": "家庭成员",
}
"""Attributes of households and members; a supporter's own columns are those of feed `supporters`."""
_ZH = {
    "and": "且",
    "or": "或",
    "sum": "合计",
    "count": "数量",
    "any": "存在",
    "all": "全部",
    "lowest": "最低",
    "highest": "最高",
    "latest": "最近",
    "least": "取其小",
    "greatest": "取其大",
    "members": "家庭成员",
    "supporters": "赡养抚养扶养义务人",
}
_SIGNS_ZH = {"*": "×", "/": "÷", "<=": "≤", ">=": "≥", "==": "＝", "!=": "≠", "-": "−"}
_BINDS = {
    "if": 0,
    "or": 1,
    "and": 2,
    "not": 3,
    "in": 4,
    **dict.fromkeys(COMPARISONS, 4),
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
}
"""How closely an operation binds; what binds less closely than what stands around it is set in brackets."""


@kept_with_law
def words_of(law: Law) -> dict[Node, tuple[str, str]]:
    """What nodes are called in English and Chinese, for a teller to fill: a look-up a node instead of two."""
    return {}


@kept_with_law
def written(law: Law, node: Node, language: str) -> str:
    """The part of the formula that a node stands for."""
    return _Writer(law, zh=language == "zh").of(node)


class _Writer:
    def __init__(self, law: Law, *, zh: bool) -> None:
        self.law, self.zh, self.language = law, zh, "zh" if zh else "en"

    def of(self, node: Node, labels: Labels = NONE) -> str:
        """`labels` are those of the choices that the node is held against."""
        op, args = node.op, node.args
        if op == "int":
            return str(args[0])
        if op == "text":
            return choice_text(str(args[0]), self.language, labels) if self.zh else f'"{args[0]}"'
        if op in ("var", "param", "index", "slices", "at"):
            return self._named(node)
        if op in ("attr", "col"):
            return self._stated(node)
        if op in ("agg", "members", "supporters"):
            return self._many(node)
        if op in COMPARISONS:
            known = labels_of(self.law, *node.nodes)
            a, b = (self._inner(n, op, known) for n in node.nodes)
            return f"{a} {_SIGNS_ZH.get(op, op) if self.zh else op} {b}"
        if op in ("+", "-", "*", "/"):
            # The right side of a minus or a quotient keeps its brackets.
            a, b = self._inner(node.nodes[0], op), self._inner(node.nodes[1], op, is_right=op in ("-", "/"))
            return f"{a} {_SIGNS_ZH.get(op, op) if self.zh else op} {b}"
        if op in ("and", "or"):
            word = _ZH[op] if self.zh else op
            return f" {word} ".join(self._inner(n, op) for n in node.nodes)
        if op == "in":
            known = labels_of(self.law, node.nodes[0])
            words = [choice_text(str(w), self.language, known) for w in args[1:]]
            first = self._inner(node.nodes[0], op)
            return f"{first} 为 {'、'.join(words)}" if self.zh else f"{first} in {{{', '.join(words)}}}"
        if op == "not":
            return f"并非（{self.of(node.nodes[0])}）" if self.zh else f"not ({self.of(node.nodes[0])})"
        if op == "neg":
            return f"−{self._inner(node.nodes[0], '*')}"
        if op == "if":
            c, (x, y) = self.of(node.nodes[0]), (self.of(n, labels) for n in node.nodes[1:])
            return f"如 {c} 则 {x}，否则 {y}" if self.zh else f"{x} if {c} else {y}"
        return self._called(node)

    def _inner(self, node: Node, around: str, labels: Labels = NONE, *, is_right: bool = False) -> str:
        text = self.of(node, labels)
        if _BINDS.get(node.op, 9) >= _BINDS[around] + is_right:
            return text
        return f"（{text}）" if self.zh else f"({text})"

    def _named(self, node: Node) -> str:
        name = str(node.args[0])
        if not self.zh:
            label = name.partition("~")[0]
        elif node.op == "var":
            label = self.law.variables[name].label_zh or name
        else:
            label = self.law.parameters[name].label_zh or name
        if node.op == "slices":
            return (
                f"{self.of(node.nodes[0])} 按{label}分段计算"
                if self.zh
                else f"slices({self.of(node.nodes[0])}, {label})"
            )
        if node.op == "at":
            place = self.of(node.nodes[0])
            label = f"{place}的{label}" if self.zh else f"{label} at {place}"
        nodes = node.nodes[1:] if node.op == "at" else node.nodes
        programmes = {p.id: p.label_zh for p in self.law.programmes}
        keys = ", ".join(self.of(n, programmes if n.op == "text" else NONE) for n in nodes)
        return f"{label}[{keys}]" if keys else label

    def _stated(self, node: Node) -> str:
        entity, name = str(node.args[0]), str(node.args[1])
        if not self.zh:
            return name if node.op == "col" or entity != "household" else f"household.{name}"
        if node.op == "attr" and (entity != "supporter" or name == "id"):
            return ATTRIBUTES_ZH.get(name, name)
        contract = all_feeds()["supporters" if node.op == "attr" else entity]
        derived = DERIVED_ZH.get((entity, name), name)
        return next((c.title_zh for c in contract.columns if c.name == name), derived)

    def _many(self, node: Node) -> str:
        function = str(node.args[0])
        element, condition = (node.args[2], node.args[3]) if node.op == "agg" else (node.args[1], node.args[2])
        what = self.of(element) if isinstance(element, Node) else ""
        where = self.of(condition) if isinstance(condition, Node) else ""
        if self.zh:
            source = all_feeds()[str(node.args[1])].title_zh if node.op == "agg" else _ZH[node.op]
            head = f"{source}{_ZH[function]}"
            head += f"：{what}" if what else ""
            return f"{head}（{where}）" if where else head
        source = str(node.args[1]) if node.op == "agg" else node.op
        return f"{function}({what or 'rows'} of {source}" + (f" if {where})" if where else ")")

    def _called(self, node: Node) -> str:
        op, args = node.op, node.args
        parts = [self.of(n) for n in node.nodes]
        inner = ", ".join(parts)
        if not self.zh:
            return f"{op}({inner})" if parts else " ".join([op, *map(str, args)])
        if op == "age":
            return f"年龄（{inner}）"
        if op == "within":
            return f"{parts[0]} 在 {parts[2]} 前 {parts[1]} 内"
        if op == "streak":
            return f"此前 {parts[1]} 个月连续：{parts[0]}"
        if op == "month_back":
            return f"{parts[0]} 前 {parts[1]} 个月"
        if op == "months_between":
            return f"{parts[0]} 至 {parts[1]} 的月数"
        if op == "same_year":
            return f"{parts[0]} 与 {parts[1]} 同年"
        if op == "round":
            return f"取整（{inner}）"
        if op in ("least", "greatest"):
            return f"{_ZH[op]}（{'，'.join(parts)}）"
        if op == "outcome":
            programme = next((p.label_zh for p in self.law.programmes if p.id == args[0]), str(args[0]))
            return f"{programme}的结论"
        words = {
            "on": "核定日",
            "reference_day": "核对基准日",
            "listed": "列入申请",
            "undisputed": "身份无争议",
            "month": "当月",
            "unknown": "未找到规定",
        }
        if op == "confirmed":
            return "已核实"
        if op == "first_known":
            return f"取首个已知值（{'，'.join(parts)}）"
        return words.get(op, f"{op}（{inner}）" if parts else op)
