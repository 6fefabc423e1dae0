"""Is this receipt true? `verify` answers with the receipt and a policy only: no network, no office, no database.

Every check has a name, which `NotProven.step` carries when it fails:

| Step | What is checked |
|---|---|
| policy | the policy file can be read |
| form | the receipt is written in its one canonical form |
| signature | every line is by a key of the policy and verifies; a log of the policy signed, by one of its keys |
| witnesses | the policy's quorum cosigned |
| inclusion | the entry leads to the signed root |
| leaf | the entry is a canonical decision entry |
| disclosure | the shown groups, with the siblings, give the entry's commitment |
| opening | the batch-open entry lies in the log just before the batch, and its digest is the one the entry pins |

What no offline check can show stands at the end of `Proven.report`. `tests/ledger` changes every byte of a receipt and
expects a refusal each time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from meanscheck.errors import InputError, NotProven
from meanscheck.ledger import canonical, checkpoint, commitment, merkle, note, receipts
from meanscheck.ledger.policy import Policy

Language = Literal["zh", "en", "both"]

MAX_FILE = 16 << 20


@dataclass(frozen=True, slots=True)
class Step:
    """One check that held (or, `held` false, had nothing to check), in words for the auditor."""

    name: str
    zh: str
    en: str
    held: bool = True


@dataclass(frozen=True, slots=True)
class Proven:
    """What a receipt proves. Contents of shown groups are kept out of its repr.

    Attributes:
        origin: the log.
        index: place of the entry in the log, from 0.
        size: leaves of the log at the checkpoint.
        root: the signed root, hex.
        leaf: the entry.
        leaf_hash: its RFC 6962 hash, hex.
        groups: shown groups, parsed.
        shown: shown groups, as the bytes that were hashed.
        salts: salts of the shown groups.
        opening: content of the batch-open entry (what was pinned before the run), or None if not attached.
        signed_by: labels of the log keys that signed.
        witnessed: label of each witness key and its time in POSIX seconds; 0 where it states none.
        steps: every check, in order.
    """

    origin: str
    index: int
    size: int
    root: str
    leaf: commitment.Leaf
    leaf_hash: str
    groups: Mapping[str, Any] = field(repr=False)
    shown: Mapping[str, bytes] = field(repr=False)
    salts: Mapping[str, bytes] = field(repr=False)
    opening: Mapping[str, Any] | None = field(repr=False)
    signed_by: tuple[str, ...]
    witnessed: tuple[tuple[str, int], ...]
    steps: tuple[Step, ...] = field(repr=False)

    def report(self, language: Language = "both") -> tuple[str, ...]:
        """Lines for a reader: each check apart, then what remains open. No content of any group is in them."""
        lines: list[str] = []
        if language in ("zh", "both"):
            lines += ["验证结果：收据成立。"]
            lines += [f"  {'✓' if step.held else '–'} {step.zh}" for step in self.steps]
            lines += ["仅凭本收据不能证明："] + [f"  · {text}" for text, _ in self._open_questions()]
        if language in ("en", "both"):
            lines += ["Result: the receipt holds."]
            lines += [f"  {'✓' if step.held else '–'} {step.en}" for step in self.steps]
            lines += ["This receipt alone cannot show:"] + [f"  · {text}" for _, text in self._open_questions()]
        return tuple(lines)

    def _open_questions(self) -> list[tuple[str, str]]:
        questions = [
            (
                "该决定是否仍为最新：须取得更新的检查点、一致性证明，并查找其后的更正条目；",
                "that the decision is still the latest: ask for a newer checkpoint, a consistency proof, and later "
                "corrections;",
            ),
            (
                "各部门提供的数据是否真实：只证明当时以这些数据计算；",
                "that the departments' data were true: only that these data were used;",
            ),
            (
                "法律是否适用正确：须凭证据库重新计算（replay）；",
                "that the law was applied rightly: replay against the evidence store shows that;",
            ),
        ]
        if not self.witnessed:
            questions.append(
                (
                    "日志是否向他人出示过另一套历史：没有见证人签名，无法排除分叉。",
                    "that nobody else was shown another history: without witnesses a fork cannot be excluded.",
                )
            )
        return questions


def verify(receipt: Path | str | bytes, *, policy: Path | str | bytes | Policy) -> Proven:
    """Verify a receipt offline.

    Args:
        receipt: a path, or the bytes of the text themselves.
        policy: a path, the bytes of the text, or a policy already read.

    Raises:
        InputError: a file cannot be read.
        NotProven: something does not hold; `.step` and `.why` say what.
    """
    trusted = policy if isinstance(policy, Policy) else Policy.parse(_bytes(policy))
    try:
        text = _bytes(receipt).decode("utf-8")
    except UnicodeDecodeError:
        raise NotProven("form", "the receipt is not UTF-8 text") from None
    return verify_receipt(receipts.parse(text), trusted)


def open_receipt(receipt: Path | str | bytes) -> Mapping[str, Any]:
    """Shown groups of a receipt whose inclusion, leaf and commitment hold in themselves: no signature is checked.

    For one who compares a receipt with evidence and not with a trusted log (a replay); it does not say whose log it is.

    Raises:
        InputError: the file cannot be read.
        NotProven: something does not hold.
    """
    try:
        text = _bytes(receipt).decode("utf-8")
    except UnicodeDecodeError:
        raise NotProven("form", "the receipt is not UTF-8 text") from None
    parsed = receipts.parse(text)
    steps: list[Step] = []
    head = checkpoint.parse(note.parse(parsed.checkpoint)[0])
    return MappingProxyType(_disclosed(parsed, _included(parsed, head, steps), steps))


def verify_receipt(receipt: receipts.Receipt, policy: Policy) -> Proven:
    """Steps after `form`, for a receipt already taken apart."""
    steps = [
        Step(
            "form", "格式：收据为唯一规范写法，逐字节一致。", "Form: written in the one canonical form, byte for byte."
        )
    ]
    head, signed, witnessed = _signatures(receipt.checkpoint, policy, steps)
    leaf = _included(receipt, head, steps)
    groups = _disclosed(receipt, leaf, steps)
    opening = _opened(receipt, head, leaf, steps)
    return Proven(
        origin=head.origin,
        index=receipt.index,
        size=head.size,
        root=head.root.hex(),
        leaf=leaf,
        leaf_hash=merkle.leaf_hash(receipt.leaf).hex(),
        groups=MappingProxyType(groups),
        shown=MappingProxyType({group: text for group, (text, _) in receipt.shown.items()}),
        salts=MappingProxyType({group: salt for group, (_, salt) in receipt.shown.items()}),
        opening=None if opening is None else MappingProxyType(opening),
        signed_by=signed,
        witnessed=witnessed,
        steps=tuple(steps),
    )


def _signatures(
    text: str, policy: Policy, steps: list[Step]
) -> tuple[checkpoint.Checkpoint, tuple[str, ...], tuple[tuple[str, int], ...]]:
    opened = note.open(text, policy.log_keys + policy.witness_keys)
    if opened.unknown:
        raise NotProven(
            "signature", f"{len(opened.unknown)} signature line(s) are by a key that the policy does not list"
        )
    head = checkpoint.parse(opened.text)
    own = [s for s in opened.signatures if s.key in policy.log_keys]
    if not own or any(s.key.name != head.origin for s in own):
        raise NotProven("signature", "the checkpoint is not signed by the policy's key of the log it names")
    signed = tuple(s.key.label for s in own)
    keys = ", ".join(signed)
    steps.append(
        Step(
            "signature",
            f"日志身份：检查点由策略信任的日志 {head.origin} 签名（密钥 {keys}）。",
            f"Log: the checkpoint is signed by {head.origin}, which the policy trusts (key {keys}).",
        )
    )
    cosigned = [s for s in opened.signatures if s.key in policy.witness_keys]
    if not policy.is_quorum([s.key for s in cosigned]):
        raise NotProven("witnesses", "too few of the policy's witnesses cosigned the checkpoint")
    witnessed = tuple((s.key.label, s.time or 0) for s in cosigned)
    if witnessed:
        zh = "；".join(f"{name}，{_when(time, '未载明时间')}" for name, time in witnessed)
        en = "; ".join(f"{name}, {_when(time, 'no time stated')}" for name, time in witnessed)
        steps.append(
            Step("witnesses", f"见证：达到策略要求（{zh}）。", f"Witnesses: the policy's quorum is met ({en}).")
        )
    else:
        steps.append(
            Step(
                "witnesses",
                "见证：策略未要求见证人，也没有见证签名。",
                "Witnesses: none required, none attached.",
                False,
            )
        )
    return head, signed, witnessed


def _included(receipt: receipts.Receipt, head: checkpoint.Checkpoint, steps: list[Step]) -> commitment.Leaf:
    merkle.check_inclusion(merkle.leaf_hash(receipt.leaf), receipt.index, head.size, receipt.path, head.root)
    steps.append(
        Step(
            "inclusion",
            f"收录：本决定是日志第 {receipt.index} 条（从 0 起，共 {head.size} 条），路径通向已签名的根。",
            f"Inclusion: entry {receipt.index} (from 0) of {head.size}; its path leads to the signed root.",
        )
    )
    leaf = commitment.Leaf.parse(receipt.leaf)
    steps.append(
        Step(
            "leaf",
            f"条目：批次 {leaf.batch} 中第 {leaf.position} 个决定（从 0 起），写法规范。",
            f"Entry: decision {leaf.position} (from 0) of batch {leaf.batch}, canonical.",
        )
    )
    return leaf


def _disclosed(receipt: receipts.Receipt, leaf: commitment.Leaf, steps: list[Step]) -> dict[str, Any]:
    groups = {}
    for group, (text, _) in receipt.shown.items():
        try:
            groups[group] = canonical.parse(text)
        except canonical.NotCanonical as error:
            raise NotProven("disclosure", f"group {group}: {error}") from None
    if commitment.reveal(receipt.shown, receipt.siblings, form=leaf.form).hex() != leaf.commitment:
        raise NotProven("disclosure", "the shown groups do not give the entry's commitment")
    subject = groups.get("subject")
    if isinstance(subject, dict) and subject.get("household", leaf.token) != leaf.token:
        raise NotProven("disclosure", "the subject group names another household token than the entry")
    shown = [group for group in commitment.GROUPS if group in groups]
    hidden = [group for group in commitment.GROUPS if group not in groups]
    steps.append(
        Step(
            "disclosure",
            f"内容：所出示的组（{'、'.join(shown) or '无'}）与条目的承诺一致；未出示：{'、'.join(hidden) or '无'}。",
            f"Content: the shown groups ({', '.join(shown) or 'none'}) fit the entry's commitment; "
            f"not shown: {', '.join(hidden) or 'none'}.",
        )
    )
    return groups


def _opened(
    receipt: receipts.Receipt, head: checkpoint.Checkpoint, leaf: commitment.Leaf, steps: list[Step]
) -> dict[str, Any] | None:
    opening = receipt.opening
    if opening is None:
        zh, en = (
            "规则：收据未附批次开启条目，未核对所固定的规则与数据。",
            "Rules: no batch-open entry attached; not checked.",
        )
        steps.append(Step("opening", zh, en, False))
        return None
    if hashlib.sha256(opening.entry).hexdigest() != leaf.opening:
        raise NotProven("opening", "the batch-open entry is not the one that the decision's entry pins")
    if opening.index != receipt.index - 1 - leaf.position:
        raise NotProven("opening", "the batch-open entry does not stand just before the batch's first decision")
    try:
        merkle.check_inclusion(merkle.leaf_hash(opening.entry), opening.index, head.size, opening.path, head.root)
    except NotProven as error:
        raise NotProven("opening", f"the batch-open entry is not in the log: {error.why}") from None
    content = parse_opening(opening.entry, batch_id=leaf.batch)
    pinned = ", ".join(f"{name}={_brief(value)}" for name, value in sorted(content.items()))
    steps.append(
        Step(
            "opening",
            f"规则：批次开启条目（第 {opening.index} 条）先于决定写入日志，固定了：{pinned or '无'}。",
            f"Rules: the batch-open entry ({opening.index}) precedes the decisions and pins: {pinned or 'none'}.",
        )
    )
    return content


def parse_opening(entry: bytes, *, batch_id: str) -> dict[str, Any]:
    """Content of a batch-open entry; NotProven (step ``opening``) unless it is the canonical one of this batch."""
    try:
        members = canonical.parse(entry)
    except canonical.NotCanonical as error:
        raise NotProven("opening", f"the batch-open entry is {error}") from None
    fixed = {"b": batch_id, "k": "batch-open", "v": commitment.VERSION}
    if not isinstance(members, dict) or members.keys() != {*fixed, "opening"}:
        raise NotProven("opening", "the batch-open entry has other members than b, k, opening, v")
    if any(type(members[name]) is not type(value) or members[name] != value for name, value in fixed.items()):
        raise NotProven("opening", "the batch-open entry is of another batch, kind or version")
    if not isinstance(members["opening"], dict):
        raise NotProven("opening", "the batch-open entry pins nothing")
    return members["opening"]


def _bytes(source: Path | str | bytes) -> bytes:
    if isinstance(source, bytes):
        return source
    path = Path(source)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise InputError(
            f"cannot be read ({error.strerror or type(error).__name__})", where=path.name, remedy="Check the path."
        ) from None
    if len(data) > MAX_FILE:
        raise NotProven("form", "the file is too long to be a receipt or a policy")
    return data


def _brief(value: Any) -> str:
    text = canonical.format(value).decode()
    text = text[1:-1] if isinstance(value, str) else text
    return text if len(text) <= 80 else f"{text[:77]}..."


def _when(time: int, unstated: str) -> str:
    if not time:
        return unstated
    try:
        return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return f"{time} s"
