"""What is a code called in Chinese? A choice of the application, of a feed's column, or of a variable of the law.

A column's own labels stand in its contract and come first (`labels_of`): ``none`` is 无民事行为能力 of one feed and 无
of another. What the application, the law's variables and its tables choose from has no label in the recorded law, whose
digest covers what is recorded, so their words stand here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from meanscheck.contracts import all_feeds
from meanscheck.law.law import Law
from meanscheck.law.plain_rows import Result
from meanscheck.law.tree import Node

Labels: TypeAlias = Mapping[str, str]
"""Code → label."""
NONE: Labels = {}

APPLICATION_ZH: Labels = {
    "urban": "城镇",
    "rural": "农村",
    "head": "户主",
    "spouse": "配偶",
    "child": "子女",
    "parent": "父母",
    "grandparent": "祖父母或外祖父母",
    "grandchild": "孙子女或外孙子女",
    "sibling": "兄弟姐妹",
    "child_in_law": "儿媳或女婿",
    "parent_in_law": "公婆或岳父母",
    "other": "其他",
    "male": "男",
    "female": "女",
}
"""Choices of attributes."""
OUTCOMES_ZH: Labels = {"eligible": "符合条件", "ineligible": "不符合条件", "refer": "转人工核查"}
LAW_ZH: Labels = {
    # Why a person counts as a member of the household, or does not.
    "minor_child": "未成年子女",
    "dependent_student": "在读子女",
    "lives_together_with_duty": "共同生活且有法定义务关系",
    "cannot_live_independently": "不能独立生活的成年子女",
    "dead": "已死亡",
    "prison": "服刑",
    "detox": "强制隔离戒毒",
    "missing": "失踪",
    "clergy": "出家",
    "soldier": "服役",
    "adult_child_elsewhere": "独立生活的成年子女",
    "lives_elsewhere": "不共同生活",
    "no_duty": "无法定义务关系",
    # Groups favoured with a supplement.
    "severely_disabled": "重度残疾人",
    "seriously_ill": "重病患者",
    "minor": "未成年人",
    "aged": "老年人",
    "student": "在读学生",
    "single_parent": "单亲家庭",
    "childless": "无子女老年人",
    "none": "无",
    # Grades of self-care, and ways of care.
    "self_caring": "具备生活自理能力",
    "partly_dependent": "部分丧失生活自理能力",
    "fully_dependent": "完全丧失生活自理能力",
    "home": "分散供养",
    "institution": "集中供养",
    # Kinds of care by which costs are shared.
    "inpatient": "住院",
    "special_outpatient": "门诊特定病种",
    "mixed": "住院和门诊",
    # By which means change, and how often a household is reviewed.
    "steady": "收入稳定",
    "short_term": "短期内变化不大",
    "unstable": "收入不稳定",
    "unstable_urban": "收入不稳定的城镇家庭",
    "unstable_rural": "收入不稳定的农村家庭",
    # Programmes by which a table is told on days when none of them is in force.
    "dibao": "最低生活保障",
    "tekun": "特困人员救助供养",
    "wubao": "农村五保供养",
    "margin": "低保边缘家庭",
    "dibao_margin": "低保边缘家庭",
    "rigid": "刚性支出困难家庭",
    "rigid_expenditure": "刚性支出困难家庭",
}
"""Choices of variables, and keys of tables."""
CHOICES_ZH: Labels = {**APPLICATION_ZH, **OUTCOMES_ZH, **LAW_ZH}


def choice_text(choice: str, language: str, labels: Labels = NONE) -> str:
    """A choice in words; of a feed's column `labels` are its own."""
    return labels.get(choice, CHOICES_ZH.get(choice, choice)) if language == "zh" else choice


def value_words(law: Law, node: Node, value: Result) -> str:
    """What a value of a node is called in Chinese, where it is a code or another text; empty where it is none."""
    return choice_text(value, "zh", labels_of(law, node)) if isinstance(value, str) else ""


def labels_of(law: Law, *nodes: Node) -> Labels:
    """The labels of what these parts of a formula may be: those of the first column that one of them names."""
    return next(filter(None, (_labels(law, node) for node in nodes)), NONE)


def _labels(law: Law, node: Node) -> Labels:
    if node.op == "agg":
        element = node.args[2]
        return labels_of(law, element) if isinstance(element, Node) else NONE
    if node.op == "var":
        return labels_of(law, law.variables[str(node.args[0])].tree)
    if node.op == "if":
        return labels_of(law, *node.nodes[1:])
    if node.op == "first_known":
        return labels_of(law, *node.nodes)
    if node.op == "col" or (node.op == "attr" and node.args[0] == "supporter"):
        contract = all_feeds()[str(node.args[0]) if node.op == "col" else "supporters"]
        return next((c.choice_labels for c in contract.columns if c.name == node.args[1]), NONE)
    return NONE
