"""Is this the latest decision of that household? A proof that holds against the checkpoint alone, without the entries.

It goes backward from the end of the log to the decision:

1. *Tail*: every entry from the last batch-close or tally on, and the nodes to their left; together they give the signed
   root. So these are all, and none of them is a decision.
2. *Hops*: that tally, or batch-close, names the batch-close before which decisions can stand; it names the one before
   it, and so on. Each is in the tree, and the one page of its token root (`tokens.py`) where the household would have
   to stand shows that its batch did not decide it.
3. The last hop is the decision's own batch, where the household stands once.

    meanscheck/latest@v1
    {"decision":{…},"hops":[{…},…],"tail":{…},"v":1}

    <checkpoint>

What is proven: the tail, absolutely. What the log's signature answers for: that token roots and `before` are true. An
office that lies there has put the lie into its log for ever; `history.check_entries` finds it in the entries, and the
household's own later receipt contradicts it for anybody. A proof says what was so at its checkpoint, not what is now:
ask for a fresh one, whose witnesses give the time.

>>> import tempfile
>>> from meanscheck.ledger.batches import Ledger
>>> from meanscheck.ledger.signer import Signer
>>> class Two:
...     opening, closing = {}, {}
...     def __init__(self, batch_id, households):
...         self.batch_id, self.tokens = batch_id, [household * 16 for household in households]
...         self.groups = [[b"{}"] * len(households)] * 7
...     def sealed(self, seal):
...         block = seal(0, tokens=self.tokens, groups=self.groups)
...         self.leaves = block.leaves
...         yield block
>>> folder = tempfile.TemporaryDirectory()
>>> ledger = Ledger.open(folder.name, signer=Signer.generate("county.example/relief"))
>>> spring, autumn = Two("spring", ["aa", "bb"]), Two("autumn", ["bb", "cc"])
>>> first = ledger.append(spring).first_index
>>> _ = ledger.append(autumn)
>>> verify(ledger.prove_latest(first, spring.leaves[0]), policy=ledger.policy()).batches
('autumn', 'spring')
>>> ledger.prove_latest(first + 1, spring.leaves[1])
Traceback (most recent call last):
meanscheck.errors.NotProven: latest: batch autumn, closed by entry 7, decided the household again
>>> folder.cleanup()
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import canonical, entries, history, merkle, proof, shown, tokens
from meanscheck.ledger.checkpoint import Checkpoint
from meanscheck.ledger.closing import Closing
from meanscheck.ledger.commitment import Leaf
from meanscheck.ledger.policy import Policy
from meanscheck.ledger.tiles import TileReader
from meanscheck.ledger.verdict import Language, Step, open_head

HEADER: Final = "meanscheck/latest@v1"
VERSION: Final = 1
MAX_TEXT: Final = 32 << 20
MAX_HOPS: Final = 4096
KEPT: Final = 8


@dataclass(frozen=True, slots=True)
class Hop:
    """A batch-close, its path to the signed root, the page of the household, and the page's path to the token root."""

    entry: bytes
    path: tuple[bytes, ...]
    page: bytes = field(repr=False)
    page_path: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof taken apart, nothing in it checked yet. `left`: nodes left of the tail, the lowest first."""

    index: int
    leaf: bytes
    path: tuple[bytes, ...]
    tail: tuple[bytes, ...]
    left: tuple[bytes, ...]
    hops: tuple[Hop, ...]
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Latest:
    """A decision that was the latest of its household when the checkpoint was signed.

    Attributes:
        head: the signed tree head.
        index: the decision's place in the log.
        leaf: its entry.
        batches: ids of the batches looked through, from the newest to the decision's own.
        signed_by: labels of the log keys that signed.
        witnessed: label of each witness and its time in POSIX seconds.
        steps: every check, in order.
    """

    head: Checkpoint
    index: int
    leaf: Leaf
    batches: tuple[str, ...]
    signed_by: tuple[str, ...]
    witnessed: tuple[tuple[str, int], ...]
    steps: tuple[Step, ...] = field(repr=False)

    def report(self, language: Language = "both") -> tuple[str, ...]:
        """Lines for a reader: each check apart, then what remains open."""
        zh = ["验证结果：截至该检查点，本决定是该家庭在本日志中的最新决定。"]
        en = ["Result: at this checkpoint the decision was the household's latest in this log."]
        zh += [f"  {'✓' if step.held else '–'} {step.zh}" for step in self.steps]
        en += [f"  {'✓' if step.held else '–'} {step.en}" for step in self.steps]
        zh += [
            "不能证明：",
            "  · 检查点之后的情况，须索取新的证明；",
            "  · 各批次的家庭清单属实：由日志签名担保，审计方凭全部条目可以核对。",
        ]
        en += [
            "This cannot show:",
            "  · what came after the checkpoint: ask for a fresh proof;",
            "  · that each batch lists its households truly: the log's signature answers for it, and an auditor with "
            "all entries can reckon it again.",
        ]
        return tuple({"zh": zh, "en": en, "both": [*zh, *en]}[language])


class Pages:
    """Pages of a log's batches, kept for the next proof: the last few that were asked for."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, list[bytes]] = OrderedDict()

    def of(self, log: TileReader, at: int, closing: Closing) -> list[bytes]:
        """Pages of the batch that entry `at` closes."""
        if at not in self._kept:
            decided = tokens.Tokens()
            first = closing.first or 0
            decided.extend([log.entry(index) for index in range(first, first + closing.count)])
            self._kept[at] = list(decided.pages())
        self._kept.move_to_end(at)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return self._kept[at]


def prove(log: TileReader, index: int, signed: str, *, kept: Pages) -> str:
    """The proof that the decision at an index is the latest, as text, against the checkpoint of the log's size.

    Raises:
        NotProven: the entry is no decision (step ``leaf``), or a later batch decided the household (step ``latest``).
    """
    text = log.entry(index)
    leaf = Leaf.parse(text)
    mark = history.last_mark(log)
    hops: list[Hop] = []
    for at, closing in history.closings(log):
        own = closing.first is not None and closing.first <= index
        pages = kept.of(log, at, closing)
        number = tokens.page_of(leaf.token, closing.count)
        page = pages[number]
        path = tuple(tokens.prove_page(pages, number))
        times = tokens.check_page(
            leaf.token, count=closing.count, page=page, path=path, root=bytes.fromhex(closing.tokens)
        )
        if times > own:
            raise NotProven("latest", f"batch {closing.batch}, closed by entry {at}, decided the household again")
        hops.append(Hop(log.entry(at), tuple(merkle.prove_inclusion(log, at, log.size)), page, path))
        if own:
            break
    if mark is None or not hops:
        raise LedgerError("the log has no closed batch")
    left = tuple(log.node(level, (mark >> level) - 1) for level in range(mark.bit_length()) if mark >> level & 1)
    tail = tuple(log.entry(at) for at in range(mark, log.size))
    path = tuple(merkle.prove_inclusion(log, index, log.size))
    return format(Proof(index, text, path, tail, left, tuple(hops), signed))


def verify(text: str, *, policy: Policy) -> Latest:
    """Check a proof offline.

    Raises:
        NotProven: steps ``form``, ``signature``, ``witnesses``, ``inclusion`` and ``leaf`` as of a receipt; ``tail``:
            the end of the log is not shown, or there is a decision in it; ``closing``: a batch-close is not the one
            that has to be there; ``tokens``: the wrong page is shown; ``latest``: there is a later decision.
    """
    parts = parse(text)
    steps: list[Step] = []
    head, signed_by, witnessed = open_head(parts.checkpoint, policy, steps)
    merkle.check_inclusion(merkle.leaf_hash(parts.leaf), parts.index, head.size, parts.path, head.root)
    leaf = Leaf.parse(parts.leaf)
    steps.append(
        Step(
            "inclusion",
            f"收录：本决定是日志第 {parts.index} 条（从 0 起，共 {head.size} 条）。",
            f"Inclusion: the decision is entry {parts.index} (from 0) of {head.size}.",
        )
    )
    at = _check_tail(parts, head)
    count = len(parts.tail)
    steps.append(
        Step(
            "tail",
            f"末尾：日志最后 {count} 条均已出示，其中没有决定。",
            f"Tail: the last {count} entries of the log are shown; none is a decision.",
        )
    )
    batches: list[str] = []
    own = False
    for hop in parts.hops:
        if own or at is None:
            raise NotProven("closing", "more batches are shown than the log leads to")
        closing, own = _check_hop(hop, at, parts.index, leaf, head)
        batches.append(closing.batch)
        at = closing.before
    if not own:
        raise NotProven("closing", "the batches shown do not lead to the decision's own")
    later = len(batches) - 1
    steps.append(
        Step(
            "latest",
            f"其后 {later} 个批次均未再对该家庭作出决定；在其所属批次 {leaf.batch} 中仅有一次。",
            f"Latest: the {later} later batches did not decide the household; its own batch, {leaf.batch}, did once.",
        )
    )
    return Latest(head, parts.index, leaf, tuple(batches), signed_by, witnessed, tuple(steps))


def _check_tail(parts: Proof, head: Checkpoint) -> int | None:
    """Index of the newest batch-close, by the tail's first entry."""
    start = head.size - len(parts.tail)
    if not parts.tail or start < 0 or start.bit_count() != len(parts.left):
        raise NotProven("tail", "the entries and nodes shown do not fill the log")
    nodes = iter(parts.left)
    edge = [next(nodes) if start >> level & 1 else None for level in range(start.bit_length())]
    frontier = merkle.Frontier(start, edge)
    frontier.extend(merkle.leaf_hashes(parts.tail))
    if frontier.root() != head.root:
        raise NotProven("tail", "the entries shown are not those at the end of the log")
    for text in parts.tail[1:]:
        if entries.kind_of(text) in ("decision", "batch-close", "tally"):
            raise NotProven("tail", "a decision, or the end of a batch, stands among the last entries")
    kind = entries.kind_of(parts.tail[0])
    if kind == "batch-close":
        return start
    tally = entries.parse(parts.tail[0]) if kind == "tally" else None
    if not isinstance(tally, entries.Tally):
        raise NotProven("tail", "the entries shown do not begin with a batch-close or a tally")
    return tally.before


def _check_hop(hop: Hop, at: int, index: int, leaf: Leaf, head: Checkpoint) -> tuple[Closing, bool]:
    """A batch-close and whether it ends the decision's own batch."""
    try:
        merkle.check_inclusion(merkle.leaf_hash(hop.entry), at, head.size, hop.path, head.root)
    except NotProven as error:
        raise NotProven("closing", f"the batch-close of entry {at} is not in the log: {error.why}") from None
    closing = Closing.parse(hop.entry)
    if closing.last not in (None, at - 1) or (closing.before is not None and closing.before >= at):
        raise NotProven("closing", f"the batch-close of entry {at} is not at the end of its batch")
    own = closing.first is not None and closing.first <= index < at
    if own and (closing.batch, closing.opening, closing.first) != (leaf.batch, leaf.opening, index - leaf.position):
        raise NotProven("closing", "the decision stands in another batch than it says")
    times = tokens.check_page(
        leaf.token, count=closing.count, page=hop.page, path=hop.page_path, root=bytes.fromhex(closing.tokens)
    )
    if own and times != 1:
        raise NotProven("latest", f"batch {closing.batch} decided the household {times} times")
    if not own and times:
        raise NotProven("latest", f"batch {closing.batch}, closed by entry {at}, decided the household again")
    return closing, own


# ---- the text


def format(parts: Proof) -> str:
    """The text of a proof."""
    body: dict[str, canonical.Json] = {
        "decision": {"index": parts.index, "leaf": parts.leaf.decode(), "path": _written(parts.path)},
        "hops": [
            {
                "closing": hop.entry.decode(),
                "page": hop.page.hex(),
                "page_path": _written(hop.page_path),
                "path": _written(hop.path),
            }
            for hop in parts.hops
        ],
        "tail": {"entries": [text.decode() for text in parts.tail], "left": _written(parts.left)},
        "v": VERSION,
    }
    return f"{HEADER}\n{canonical.format(body).decode()}\n\n{parts.checkpoint}"


def parse(text: str) -> Proof:
    """Take a proof apart; NotProven (step ``form``) for every text that `format` would not write."""
    if len(text) > MAX_TEXT:
        raise NotProven("form", f"longer than {MAX_TEXT} characters")
    head, separator, signed = text.partition("\n\n")
    first, _, body = head.partition("\n")
    if not separator or first != HEADER:
        raise NotProven("form", f"does not begin with {HEADER}, or has no empty line before the checkpoint")
    try:
        members = canonical.parse(body.encode())
    except (canonical.NotCanonical, UnicodeEncodeError) as error:
        raise NotProven("form", str(error) if isinstance(error, canonical.NotCanonical) else "not UTF-8") from None
    outer = _members(members, "decision", "hops", "tail", "v")
    decision = _members(outer["decision"], "index", "leaf", "path")
    tail = _members(outer["tail"], "entries", "left")
    if type(outer["v"]) is not int or outer["v"] != VERSION or type(decision["index"]) is not int:
        raise NotProven("form", "unknown version, or an index that is no whole number")
    hops = [_members(hop, "closing", "page", "page_path", "path") for hop in _list(outer["hops"], MAX_HOPS)]
    parts = Proof(
        decision["index"],
        _text(decision["leaf"]),
        _hashes(decision["path"]),
        tuple(_text(entry) for entry in _list(tail["entries"], MAX_HOPS)),
        _hashes(tail["left"]),
        tuple(
            Hop(_text(hop["closing"]), _hashes(hop["path"]), _hex(hop["page"]), _hashes(hop["page_path"]))
            for hop in hops
        ),
        signed,
    )
    shown.check_order(signed)
    if format(parts) != text:
        raise NotProven("form", "is not written in the one canonical form")
    return parts


def _written(nodes: Sequence[bytes]) -> list[str]:
    return [node.hex() for node in nodes]


def _members(value: Any, *names: str) -> dict[str, Any]:
    if not isinstance(value, dict) or value.keys() != set(names):
        raise NotProven("form", f"an object needs the members {', '.join(names)} and no others")
    return value


def _list(value: Any, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise NotProven("form", "a list of bounded length expected")
    return value


def _text(value: Any) -> bytes:
    if not isinstance(value, str):
        raise NotProven("form", "text expected")
    return value.encode()


def _hex(value: Any) -> bytes:
    try:
        if isinstance(value, str) and value == value.lower():
            return bytes.fromhex(value)
    except ValueError:
        pass
    raise NotProven("form", "lower-case hex expected")


def _hashes(value: Any) -> tuple[bytes, ...]:
    nodes = tuple(_hex(node) for node in _list(value, proof.MAX_PATH))
    if any(len(node) != merkle.HASH for node in nodes):
        raise NotProven("form", "hashes of 32 bytes expected")
    return nodes
