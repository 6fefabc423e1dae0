"""Why was a row quarantined? One short code per reason, with its meaning and what to do, in English and Chinese.

A reason names a rule, never a value. Codes are stored with quarantined rows, so they are only ever added.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: code, what is wrong, what to do."""

    code: str
    en: str
    zh: str
    remedy_en: str
    remedy_zh: str


_ALL = (
    Reason("missing", "a required cell is empty", "必填项为空", "ask the sender for the value", "请发送单位补充"),
    Reason(
        "not_money",
        "not an amount",
        "不是金额",
        "write it like 1234.50, at most whole fen",
        "按 1234.50 填写，至多到分",
    ),
    Reason("not_area", "not an area", "不是面积", "write square metres with two decimals", "按平方米、两位小数填写"),
    Reason(
        "not_ratio",
        "not a share that six decimals hold exactly",
        "不是六位小数内可精确表示的份额",
        "write it like 0.5 or 50%",
        "按 0.5 或 50% 填写",
    ),
    Reason("not_number", "not a whole number", "不是整数", "write digits only", "只填数字"),
    Reason("beyond_bound", "beyond 10^13 in the stored unit", "超出上限", "check the unit of the column", "核对单位"),
    Reason("out_of_range", "outside the range of the contract", "超出约定范围", "see the contract", "见数据约定"),
    Reason("negative_not_allowed", "negative", "不得为负数", "ask the sender what is meant", "请发送单位说明"),
    Reason("not_date", "not a day", "不是日期", "write it like 2020-06-30", "按 2020-06-30 填写"),
    Reason("not_month", "not a month", "不是月份", "write it like 2020-06", "按 2020-06 填写"),
    Reason("future_date", "lies in the future", "日期在将来", "check the day", "核对日期"),
    Reason("not_bool", "neither yes nor no", "不是“是/否”", "write 是 or 否", "填写“是”或“否”"),
    Reason("not_choice", "not a word of the contract", "不在约定的取值中", "see the contract", "见数据约定"),
    Reason(
        "bad_identity", "not an identity number of its kind", "证件号码格式不符", "check the number", "核对证件号码"
    ),
    Reason("bad_check_digit", "wrong check digit", "身份证校验码错误", "check the number", "核对证件号码"),
    Reason(
        "rounded_number",
        "an identity number kept as a number, its last digits lost",
        "证件号码以数值保存，末位已丢失",
        "export the column as text",
        "将该列以文本导出",
    ),
    Reason("bad_form", "not of the form of the contract", "格式与约定不符", "see the contract", "见数据约定"),
    Reason("too_long", "longer than the contract allows", "超过约定长度", "shorten it", "缩短"),
    Reason(
        "control_character",
        "holds a control, invisible or replacement character",
        "含控制字符、不可见字符或乱码",
        "export the file again",
        "重新导出文件",
    ),
    Reason("formula", "a formula, not a value", "是公式而不是值", "save values only", "只保存数值"),
    Reason(
        "broken_row", "the row has too few or too many cells", "列数与表头不符", "export the file again", "重新导出文件"
    ),
    Reason(
        "broken_quotes",
        "quotes are not closed on the line",
        "引号未在本行闭合",
        "export the file again",
        "重新导出文件",
    ),
    Reason("not_flat", "a cell holds a list or an object", "单元格含列表或对象", "one value a cell", "每格一个值"),
    Reason("not_json", "the line is not a JSON object", "不是 JSON 对象", "one object a line", "每行一个对象"),
    Reason(
        "repeated_row",
        "repeats an earlier row",
        "与前面的行重复",
        "nothing: the first one counts",
        "无需处理，以首行为准",
    ),
    Reason(
        "withdraws_nothing",
        "the answer that is withdrawn from has no such row",
        "所撤回的答复中没有这一行",
        "ask the sender which row is meant",
        "请发送单位说明要撤回的是哪一行",
    ),
    Reason(
        "conflicting_key",
        "another row says something else under the same key",
        "同一主键有不同内容",
        "ask the sender which row holds",
        "请发送单位确认",
    ),
    Reason(
        "huge_cell",
        "a cell of more than 32 767 characters",
        "单元格超过 32767 个字符",
        "export the file again",
        "重新导出文件",
    ),
    Reason(
        "unmapped_code",
        "a code that the mapping does not name",
        "代码不在对照表中",
        "ask the sender what the code means and add it to the mapping",
        "请发送单位说明该代码，并补入对照表",
    ),
    Reason(
        "cut_character",
        "a cell begins or ends inside a character",
        "字段截断了汉字",
        "compare the layout in bytes with the sender's",
        "与发送单位核对按字节的字段位置",
    ),
    Reason("too_many_rows", "more than 100 000 rows of one person", "同一人超过十万行", "check the file", "核对文件"),
)

REASONS: Mapping[str, Reason] = MappingProxyType({reason.code: reason for reason in _ALL})
"""Every reason by its code."""
