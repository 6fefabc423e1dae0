"""What do the exported tables and their columns mean? The data dictionary (数据字典), in Chinese.

Columns of feeds are told by their contracts, all others here: a line a column, with its Chinese name, type and
sensitivity. Types: 整数, 文本, 日期, 是否, 摘要 (hexadecimal). Amounts are in 分 as the column's name says (`_fen`),
areas in 平方厘米 (`_cm2`), ratios in millionths (`_e6`). Sensitivity is as in the contracts: 公开 (public), 内部
(internal), 个人信息 (personal), 敏感个人信息 (sensitive).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from meanscheck.contracts import all_feeds
from meanscheck.contracts.model import STORED_UNIT, Column
from meanscheck.evidence.tables import stored_columns

SENSITIVITY: Mapping[str, str] = {
    "public": "公开",
    "internal": "内部",
    "personal": "个人信息",
    "sensitive": "敏感个人信息",
}
_UNITS = {"fen": "分", "cm2": "平方厘米", "e6": "百万分之一"}
_KINDS = {
    "money": "整数",
    "area": "整数",
    "ratio": "整数",
    "number": "整数",
    "bool": "是否",
    "date": "日期",
    "month": "日期",
    "choice": "文本",
    "text": "文本",
    "person": "文本",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One column of a table."""

    name: str
    zh: str
    type: str
    unit: str
    sensitivity: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the export: its Chinese name, where it comes from, and its columns in order."""

    name: str
    zh: str
    source: str
    columns: tuple[Entry, ...]


LOG, VAULT, STORE, REPLAY = "日志", "保管库", "证据库", "重算"

_TOLD = """
log_entries 日志条目 日志
  index 条目号 整数 公开
  kind 种类 文本 公开
  batch 批次 文本 公开
  position 批次内序号 整数 公开
  token 户代号 文本 内部
  commitment 承诺 摘要 公开

log_batches 批次 日志
  batch 批次 文本 公开
  open_index 开启条目号 整数 公开
  first 首个决定条目号 整数 公开
  decisions 决定数 整数 公开
  close_index 关闭条目号 整数 公开
  root 批次根 摘要 公开
  on 认定日期 日期 公开
  known_by 法律公布截至 日期 公开
  law 法律摘要 摘要 公开
  snapshot 证据快照 摘要 公开
  engine 程序 文本 公开

decisions 决定 保管库
  index 条目号 整数 公开
  batch 批次 文本 公开
  position 批次内序号 整数 公开
  token 户代号 文本 内部
  case_id 户编号 文本 个人信息
  application_no 申请编号 文本 个人信息
  accepting_place 受理地 文本 个人信息
  division 区划代码 文本 内部
  residence 城乡 文本 内部
  applied_on 申请日期 日期 个人信息
  reference_day 核对基准日 日期 内部
  size 家庭人口 整数 个人信息
  members 申请成员数 整数 个人信息
  law 法律摘要 摘要 公开
  snapshot 证据快照 摘要 公开
  supersedes 取代的条目号 整数 公开
  input_digest 输入摘要 摘要 个人信息
  verdict 重算结论 文本 公开
  classes 差异类别 文本 公开

outcomes 认定结果 保管库
  index 条目号 整数 公开
  case_id 户编号 文本 个人信息
  programme 救助项目 文本 公开
  programme_zh 项目名称 文本 公开
  member 成员 文本 个人信息
  outcome 结果 文本 敏感个人信息
  award_fen 救助金额 整数 敏感个人信息
  causes 转人工原因 文本 敏感个人信息

tests 条件 保管库
  index 条目号 整数 公开
  case_id 户编号 文本 个人信息
  programme 救助项目 文本 公开
  member 成员 文本 个人信息
  test 条件 文本 公开
  test_zh 条件名称 文本 公开
  holds 是否成立 是否 敏感个人信息
  value 数值 整数 敏感个人信息
  limit 限值 整数 敏感个人信息
  margin 差距 整数 敏感个人信息
  cite 依据 文本 公开

variables 变量 保管库
  index 条目号 整数 公开
  case_id 户编号 文本 个人信息
  entity 对象 文本 公开
  person 人员 文本 个人信息
  variable 变量 文本 公开
  variable_zh 变量名称 文本 公开
  unit 单位 文本 公开
  value 值 文本 敏感个人信息

differences 重算差异 重算
  index 条目号 整数 公开
  case_id 户编号 文本 个人信息
  verdict 结论 文本 公开
  class 类别 文本 公开
  class_zh 类别名称 文本 公开
  path 字段 文本 内部
  basis_zh 依据（中文） 文本 内部
  basis_en 依据（英文） 文本 内部

requests 核对委托 证据库
  request_no 委托编号 文本 个人信息
  application_no 申请编号 文本 个人信息
  case_id 户编号 文本 个人信息
  accepting_place 受理地 文本 个人信息
  applied_on 申请日期 日期 个人信息
  reference_day 核对基准日 日期 内部
  purpose 用途 文本 内部
  residence 城乡 文本 内部
  division 区划代码 文本 内部
  requested 申请项目 文本 个人信息
  load 入库序号 整数 公开
  superseded_by 被取代的入库序号 整数 公开
  file 文件 文本 内部
  line 行号 整数 公开

request_persons 委托人员 证据库
  request_no 委托编号 文本 个人信息
  case_id 户编号 文本 个人信息
  position 次序 整数 内部
  role 身份 文本 内部
  id 人员 文本 个人信息
  person 人员序号 整数 内部
  id_type 证件类型 文本 个人信息
  id_number 证件号码 文本 敏感个人信息
  name 姓名 文本 个人信息
  supports 赡养抚养对象 文本 个人信息
  relation 与户主关系 文本 个人信息
  sex 性别 文本 个人信息
  born_on 出生日期 日期 个人信息
  lives_together 是否共同生活 是否 个人信息
  lives_together_since 共同生活起始 日期 个人信息
  can_live_independently 能否独立生活 是否 个人信息
  hukou_division 户籍区划 文本 个人信息
  cares_for 照料对象 文本 个人信息
  guardian 监护人 文本 个人信息
  is_excused_from_work 是否有不就业正当理由 是否 个人信息

consents 授权书 证据库
  consent_no 授权编号 文本 个人信息
  person 人员序号 整数 内部
  feeds 信息类别 文本 内部
  purpose 用途 文本 内部
  from 有效期起 日期 内部
  to 有效期止 日期 内部
  withdrawn_on 撤回日期 日期 个人信息
  signed_by 签署 文本 个人信息
  form_digest 授权书摘要 摘要 内部
  signature_ref 电子签名编号 文本 个人信息
  signed_on 签署日期 日期 个人信息
  request_no 所签委托编号 文本 个人信息
  signer_id_type 签署人证件类型 文本 个人信息
  signer_id_number 签署人证件号码 文本 敏感个人信息
  signer_member 签署人（成员） 文本 个人信息
  signer_basis 代签依据 文本 个人信息
  load 入库序号 整数 公开
  superseded_by 被取代的入库序号 整数 公开

identity_links 身份关联 证据库
  link_no 关联编号 文本 内部
  from_person 原人员序号 整数 内部
  to_person 现人员序号 整数 内部
  reason 关联原因 文本 个人信息
  source 依据 文本 个人信息
  on 关联日期 日期 个人信息
  ended_on 解除日期 日期 个人信息
  load 入库序号 整数 公开
  superseded_by 被取代的入库序号 整数 公开

consent_rules 重新签署规则 证据库
  in_force_on 施行日期 日期 公开
  on_members 成员变化时 是否 公开
  on_application 重新申请时 是否 公开
  source 依据 文本 公开
  load 入库序号 整数 公开

answers 部门答复 证据库
  batch 入库序号 整数 公开
  batch_id 答复摘要 摘要 公开
  feed 信息类别 文本 公开
  sender 来源部门 文本 公开
  answered_on 答复日期 日期 公开
  covers_from 期间起 日期 公开
  covers_to 期间止 日期 公开
  as_of 时点 日期 公开
  file 文件 文本 内部
  accepted 入库行数 整数 公开
  quarantined 隔离行数 整数 公开
  not_covered 无授权行数 整数 公开
  not_requested 未请求行数 整数 公开
  repeated 重复行数 整数 公开

not_answered 未答复人员 证据库
  batch 入库序号 整数 公开
  person 人员序号 整数 内部
  reason 原因 文本 内部

conflicts 相互矛盾的答复 证据库
  feed 信息类别 文本 公开
  person 人员序号 整数 内部
  batch 入库序号 整数 公开

quarantine 隔离行 证据库
  batch 入库序号 整数 公开
  feed 信息类别 文本 公开
  file 文件 文本 内部
  row_no 行号 整数 公开
  field 字段 文本 公开
  reason 原因 文本 公开
  raw 原文 文本 敏感个人信息
  person 人员序号 整数 内部

dictionary 数据字典 本工具
  table 表 文本 公开
  table_zh 表名 文本 公开
  column 列 文本 公开
  column_zh 中文名 文本 公开
  type 类型 文本 公开
  unit 单位 文本 公开
  source 来源 文本 公开
  sensitivity 敏感程度 文本 公开
"""


def fixed_tables() -> dict[str, Table]:
    """Tables that are told here, by name."""
    tables: dict[str, Table] = {}
    for part in _TOLD.strip().split("\n\n"):
        head, *lines = part.splitlines()
        name, zh, source = head.split()
        tables[name] = Table(name, zh, source, tuple(map(_entry, lines)))
    return tables


def feed_table(feed: str) -> Table:
    """The table of a feed, as its contract tells it."""
    contract = all_feeds()[feed]
    own = [
        Entry("person", "人员序号", "整数", "", SENSITIVITY["internal"]),
        Entry("batch", "答复的入库序号", "整数", "", SENSITIVITY["public"]),
        Entry("row_no", "文件行号", "整数", "", SENSITIVITY["public"]),
        Entry("digest", "行摘要", "摘要", "", SENSITIVITY["personal"]),
    ]
    columns = (*own, *(_of_contract(column) for column in stored_columns(contract)))
    return Table(f"feed_{feed}", contract.title_zh, f"{STORE}：{'、'.join(contract.senders)}", columns)


def all_tables() -> dict[str, Table]:
    """Every table of an export."""
    feeds = {f"feed_{name}": feed_table(name) for name in all_feeds()}
    return {**fixed_tables(), **feeds}


def dictionary_frame(tables: Mapping[str, Table]) -> pl.DataFrame:
    """The dictionary as a table, a row a column."""
    return pl.DataFrame(
        [
            (t.name, t.zh, c.name, c.zh, c.type, c.unit, t.source, c.sensitivity)
            for t in tables.values()
            for c in t.columns
        ],
        schema=[c.name for c in tables["dictionary"].columns],
        orient="row",
    )


def _entry(line: str) -> Entry:
    name, zh, kind, sensitivity = line.split()
    unit = next((_UNITS[u] for u in _UNITS if name.endswith(f"_{u}")), "")
    return Entry(name, zh, kind, unit, sensitivity)


def _of_contract(column: Column) -> Entry:
    unit = _UNITS.get(STORED_UNIT.get(column.kind, ""), "")
    return Entry(column.stored_name, column.title_zh, _KINDS[column.kind], unit, SENSITIVITY[column.sensitivity])


def names_of(table: Table) -> Iterator[str]:
    """Names of a table's columns."""
    return (c.name for c in table.columns)
