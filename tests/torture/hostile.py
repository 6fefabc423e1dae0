"""How is a valid feed file made hostile? By bytes, by cells, by the format's own structure, and by its manifest.

Every change takes a chance and a sample and gives a sample; `made_hostile` applies one to three of them. The same seed
and sample give the same file.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random

import polars as pl

from meanscheck.contracts.readers import FORMATS
from meanscheck.values.parquet import Unreadable, opened

from .samples import Sample

Change = Callable[[Random, Sample, Sequence[Sample]], Sample]
HUGE = 300_000
"""Characters of a huge cell, and the depth of deep JSON. Bombs are larger by themselves."""
LARGE = 1 << 28
"""Characters of rows that are repeated: 3 000 rows of a huge cell were 2.7 GB, which took 20 GB to make."""

_NASTY_CELLS = (
    "", " ", "0", "-0", "-", "+", ".", "1e309", "1e-309", "NaN", "inf", "-inf", "9" * 25, "-" + "9" * 19,
    "9223372036854775807", "9223372036854775808", "-9223372036854775809", "99999999999.99", "0.001", "1,234.50",
    "１２３．４５", "12元", "1万元", "0x10", "1_000", "١٢٣", "=1+1", "=cmd|' /C calc'!A0", "@SUM(A1)", "+1", "-1",
    "\t=1", "2020-02-30", "0000-00-00", "9999-12-31", "10000-01-01", "20201301", "2020年13月", "1900-02-29", "60",
    "43831.5", "null", "NULL", "None", "true", "是", "\ufeff", "\u200b", "\u202e", "\x07", "\x1f", "\x1e", "\ud7ff",
    "\U0010ffff", "\ufffd", "a\nb", 'a"b', '"', "''", "'", "\\", "\\N", "{}", "[]", "a|b;c", "%s%n", "../../etc/passwd",
    "'; drop table persons; --", "甲" * 300, "é", "e\u0301", "𠮷", "44070319500101001", "440703195001010019",
    "4.40703195001010E+17", "440703500101001", "44070319500101001x",
)  # fmt: skip


def made_hostile(chance: Random, samples: Sequence[Sample]) -> Sample:
    """One hostile file. Rarely it is not harmed at all."""
    ending = chance.choice(sorted({sample.ending for sample in samples}))
    sample = chance.choice([sample for sample in samples if sample.ending == ending])
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        changes = [*ANY, *OF_FORM.get(sample.form, ()), *OF_FORM.get(sample.form, ())]
        change = chance.choice(changes)
        try:
            sample = change(chance, sample, samples)
        except BaseException as fault:  # a change that reads the file meets what an earlier one did to it
            if isinstance(fault, KeyboardInterrupt | SystemExit | MemoryError):
                raise
    return sample


# -- bytes -----------------------------------------------------------------------------------------------------------


def flipped(chance: Random, sample: Sample, others: Sequence[Sample]) -> Sample:
    """Some bytes are others."""
    data = bytearray(sample.data)
    for _ in range(chance.choice((1, 1, 2, 8, 64))):
        if data:
            data[chance.randrange(len(data))] = chance.randrange(256)
    return replace(sample, data=bytes(data))


def cut(chance: Random, sample: Sample, others: Sequence[Sample]) -> Sample:
    """A piece is missing: at the end, the beginning or within."""
    data = sample.data
    one, other = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    return replace(sample, data=chance.choice((data[:one], data[one:], data[:one] + data[other:])))


def spliced(chance: Random, sample: Sample, others: Sequence[Sample]) -> Sample:
    """A piece of another file stands within."""
    other = chance.choice(others).data
    one, two = sorted(chance.randrange(len(other) + 1) for _ in range(2))
    at = chance.randrange(len(sample.data) + 1)
    return replace(sample, data=sample.data[:at] + other[one:two] + sample.data[at:])


def repeated(chance: Random, sample: Sample, others: Sequence[Sample]) -> Sample:
    """The whole file, or a piece, several times."""
    one, two = sorted(chance.randrange(len(sample.data) + 1) for _ in range(2))
    times = chance.choice((1, 2, 50))
    return replace(sample, data=chance.choice((sample.data, sample.data[:two] + sample.data[one:two])) * times)


def strange_bytes(chance: Random, sample: Sample, others: Sequence[Sample]) -> Sample:
    """NUL, marks of other encodings, halves of characters, at some places."""
    data = sample.data
    for _ in range(chance.choice((1, 1, 3))):
        at = chance.choice((0, len(data), chance.randrange(len(data) + 1)))
        piece = chance.choice(
            (b"\0", b"\0" * 70_000, b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xff\xfe\0\0", b"\x84\x31\x95\x33",
             b"\xc4", b"\x81", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"\r", b"\n", b"\r\n\r\n", b"\x1a",
             b"\x01", b'"', b'""', b",", b"\t", "张".encode("gb18030"), "张".encode(), "张".encode("utf-16"))
        )  # fmt: skip
        data = data[:at] + piece + data[at:]
    return replace(sample, data=data)


def other_encoding(chance: Random, sample: Sample, others: Sequence[Sample]) -> Sample:
    """Written again in another encoding, wholly or from some byte on."""
    encoding = chance.choice(("utf-16", "utf-16-le", "utf-32", "gb18030", "gbk", "big5", "shift_jis", "utf-7", "utf-8"))
    at = chance.choice((0, chance.randrange(len(sample.data) + 1)))
    text = sample.data[at:].decode("utf-8", "replace")
    return replace(sample, data=sample.data[:at] + text.encode(encoding, "replace"))


def other_ending(chance: Random, sample: Sample, others: Sequence[Sample]) -> Sample:
    """The same bytes under another format's ending, or another feed's name."""
    if chance.random() < 0.5:
        return replace(sample, ending=chance.choice(sorted(FORMATS)))
    return replace(sample, feed=chance.choice(others).feed)


def nothing(chance: Random, sample: Sample, others: Sequence[Sample]) -> Sample:
    """No byte, or hardly one."""
    return replace(sample, data=chance.choice((b"", b"\n", b" ", b"\0", b"PK", b"PAR1", b"{", b",")))


# -- lines and cells of text -----------------------------------------------------------------------------------------


def _decoded(data: bytes) -> tuple[str, str]:
    for encoding in ("utf-8", "gb18030"):
        try:
            return data.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1"), "latin-1"


def _cells(chance: Random, sample: Sample, change: Callable[[list[list[str]], str], None]) -> Sample:
    text, encoding = _decoded(sample.data)
    separator = "\t" if sample.ending == ".tsv" else ","
    rows = [line.split(separator) for line in text.split("\n")]
    change(rows, separator)
    text = "\n".join(separator.join(row) for row in rows)
    return replace(sample, data=text.encode(encoding, "replace"))


def nasty_cells(chance: Random, sample: Sample, others: Sequence[Sample]) -> Sample:
    """Cells hold what nobody means."""

    def change(rows: list[list[str]], separator: str) -> None:
        for _ in range(chance.choice((1, 2, 5, 20))):
            row = chance.choice(rows)
            row[chance.randrange(len(row))] = chance.choice(_NASTY_CELLS)

    return _cells(chance, sample, change)


def huge_cell(chance: Random, sample: Sample, others: Sequence[Sample]) -> Sample:
    """One cell is huge."""

    def change(rows: list[list[str]], separator: str) -> None:
        row = chance.choice(rows)
        at = chance.randrange(len(row))
        row[at] = chance.choice(("9", "x", "甲", '"', "0", "1e9", "- ")) * HUGE

    return _cells(chance, sample, change)


def moved_columns(chance: Random, sample: Sample, others: Sequence[Sample]) -> Sample:
    """Columns are moved, doubled, renamed, dropped or many."""
    kind = chance.choice(("shuffle", "double", "rename", "drop", "header only", "many", "swap headers", "unit"))

    def change(rows: list[list[str]], separator: str) -> None:
        width = len(rows[0])
        order = list(range(width))
        if kind == "shuffle":
            chance.shuffle(order)
        elif kind == "double":
            order += [chance.randrange(width)]
        elif kind == "drop":
            order.remove(chance.randrange(width))
        elif kind == "many":
            order = order * 60
        if kind in ("shuffle", "double", "drop", "many"):
            for row in rows:
                row[:] = [row[at] for at in order if at < len(row)]
        elif kind == "swap headers":
            chance.shuffle(rows[0])
        elif kind == "header only":
            rows[0].append(chance.choice(("", "身份证号", "备注", rows[0][0])))
        elif kind == "unit":
            rows[0][:] = [cell + chance.choice(("（万元）", "(分)", "(%)", "(亩)", "", "")) for cell in rows[0]]
        else:
            rows[0][chance.randrange(width)] = chance.choice(_NASTY_CELLS)

    return _cells(chance, sample, change)


def moved_rows(chance: Random, sample: Sample, others: Sequence[Sample]) -> Sample:
    """Rows are repeated, shuffled, cut, doubled with another amount, or stand before the header."""
    kind = chance.choice(("repeat", "shuffle", "short", "long", "preamble", "blank", "header again", "contradict"))

    def change(rows: list[list[str]], separator: str) -> None:
        row = chance.choice(rows)
        if kind == "repeat":
            times = chance.choice((1, 3, 3000))
            rows += [list(row) for _ in range(min(times, LARGE // (sum(map(len, row)) + 1)))]
        elif kind == "shuffle":
            chance.shuffle(rows)
        elif kind == "short":
            row.pop()
        elif kind == "long":
            row.append(chance.choice(_NASTY_CELLS))
        elif kind == "preamble":
            rows[:0] = [[chance.choice(_NASTY_CELLS)] for _ in range(chance.randrange(1, 15))]
        elif kind == "blank":
            rows.insert(chance.randrange(len(rows)), [])
        elif kind == "header again":
            rows.insert(chance.randrange(len(rows)), list(rows[0]))
        else:
            other = list(row)
            other[-1] = other[-1] + "1"
            rows.append(other)

    return _cells(chance, sample, change)


def nasty_text(chance: Random, sample: Sample, others: Sequence[Sample]) -> Sample:
    """Quotes and line ends where they do not belong."""
    text, encoding = _decoded(sample.data)
    places = [match.start() for match in re.finditer(r"[,\t\n]", text)] or [0]
    for _ in range(chance.choice((1, 1, 2, 4))):
        at = chance.choice(places) + chance.choice((0, 1))
        piece = chance.choice(('"', '""', "\r", "\n", "\r\n", "\x0b", "\x85", "\u2028", ",", '"a,b"', "\x00"))
        text = text[:at] + piece + text[at:]
    return replace(sample, data=text.encode(encoding, "replace"))


# -- JSON lines ------------------------------------------------------------------------------------------------------


def nasty_json(chance: Random, sample: Sample, others: Sequence[Sample]) -> Sample:
    """Values of other types, deep or huge, names twice, several objects a line."""
    lines = sample.data.split(b"\n")
    at = chance.randrange(len(lines))
    depth = chance.choice((10, 990, HUGE))
    value = chance.choice(
        (b"1e400", b"-0", b"1E+2", b"NaN", b"Infinity", b"null", b"true", b"[]", b"{}", b"[1]", b'["a","b"]', b"[null]",
         b'{"a":1}', b"[" * depth, b"[" * depth + b"]" * depth, b'{"a":' * depth, b'"' + b"x" * HUGE + b'"',
         b"9" * HUGE, b'"\\ud800"', b'"\\u0000"', b'"\\ud83d\\ude00"', b"0.1" + b"0" * HUGE, b'"\xff"', b"01", b"'a'")
    )  # fmt: skip
    key = re.findall(rb'"([a-z_]+)":', lines[at]) or [b"id_number"]
    name = chance.choice(key)
    found = re.compile(rb'"' + name + rb'": ?("[^"]*"|[^,}]*)')
    kind = chance.choice(("value", "value", "value", "more names", "twice", "bare", "two", "array", "unknown"))
    if kind == "value":
        lines[at] = found.sub(lambda _: b'"' + name + b'": ' + value, lines[at], count=1)
    elif kind == "more names":
        more = b",".join(b'"n%d":1' % n for n in range(2000))
        lines[at] = lines[at].replace(b"{", b"{" + more + b",", 1)
    elif kind == "twice":
        lines[at] = lines[at].replace(b"{", b'{"' + name + b'":' + value + b",", 1)
    elif kind == "bare":
        lines[at] = value
    elif kind == "two":
        lines[at] = lines[at] + lines[at]
    elif kind == "array":
        lines = [b"[" + b",".join(line for line in lines if line) + b"]"]
    else:
        lines[at] = lines[at].replace(b"{", b'{"' + chance.choice(_NASTY_CELLS).encode("utf-8", "replace") + b'":1,', 1)
    return replace(sample, data=b"\n".join(lines))


# -- workbooks and archives ------------------------------------------------------------------------------------------


def _members(sample: Sample) -> dict[str, bytes] | None:
    try:
        with zipfile.ZipFile(io.BytesIO(sample.data)) as archive:
            return {entry.filename: archive.read(entry)[:1_000_000] for entry in archive.infolist()[:50]}
    except Exception:  # a broken archive stays as it is
        return None


def _packed(members: Mapping[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def broken_member(chance: Random, sample: Sample, others: Sequence[Sample]) -> Sample:
    """One member of the archive is damaged, missing, empty, doubled, or another one."""
    members = _members(sample)
    if not members:
        return sample
    name = chance.choice(sorted(members))
    kind = chance.choice(("flip", "drop", "empty", "swap", "rename", "cut", "nest", "again"))
    if kind == "flip":
        members[name] = flipped(chance, replace(sample, data=members[name]), others).data
    elif kind == "drop":
        del members[name]
    elif kind == "empty":
        members[name] = b""
    elif kind == "swap":
        members[name] = chance.choice(others).data
    elif kind == "rename":
        members["../../" + name] = members.pop(name)
    elif kind == "cut":
        members[name] = cut(chance, replace(sample, data=members[name]), others).data
    elif kind == "nest":
        members[name] = sample.data
    else:
        members[name.upper()] = members[name]
    compression = chance.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    return replace(sample, data=_packed(members, compression=compression))


def lying_archive(chance: Random, sample: Sample, others: Sequence[Sample]) -> Sample:
    """The directory of the archive lies: sizes, checksums, methods, flags, offsets."""
    data = bytearray(sample.data)
    starts = [m.start() for m in re.finditer(rb"PK\x01\x02|PK\x03\x04|PK\x05\x06", data)]
    for _ in range(chance.choice((1, 1, 2))):
        if starts:
            at = chance.choice(starts) + 4 + chance.randrange(40)
            size = chance.choice((1, 2, 4))
            if at + size <= len(data):
                data[at : at + size] = chance.choice((b"\0", b"\xff", b"\x01", b"\x7f", b"\x80")) * size
    return replace(sample, data=bytes(data))


def bomb(chance: Random, sample: Sample, others: Sequence[Sample]) -> Sample:
    """A member unpacks to hundreds of megabytes."""
    members = _members(sample)
    if not members:
        return sample
    name = chance.choice(sorted(members))
    filler = chance.choice((b" ", b"\0", b"<row></row>", b"<c/>", b"1,1\n", b"0"))
    middle = len(members[name]) * 2 // 3
    megabytes = chance.choice((5, 5, 5, 5, 5, 5, 5, 20, 20, 20, 200, 600))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for other, data in members.items():
            if other != name:
                archive.writestr(other, data)
        with archive.open(name, "w", force_zip64=True) as out:
            out.write(members[name][:middle])
            piece = filler * ((1 << 20) // len(filler))
            for _ in range(megabytes):
                out.write(piece)
            out.write(members[name][middle:])
    return replace(sample, data=stream.getvalue())


_SHEET_EDITS: tuple[tuple[bytes, bytes], ...] = (
    (rb'r="A1"', b'r="XFD1048576"'),
    (rb'r="B2"', b'r="XFD1048576"'),
    (rb'r="A2"', b'r="A1048576"'),
    (rb'r="A2"', b'r="ZZZZ2"'),
    (rb'r="A2"', b'r="A99999999999"'),
    (rb'r="A2"', b'r=""'),
    (rb'r="A2"', b'r="2A"'),
    (rb'r="A2"', b'r="A0"'),
    (rb'r="A2"', b""),
    (rb'<row r="2"', b'<row r="1048576"'),
    (rb'<row r="2"', b'<row r="4294967297"'),
    (rb'<row r="2"', b'<row r="-1"'),
    (rb'<row r="3"', b'<row r="1"'),
    (rb"<sheetData>", b'<dimension ref="A1:XFD1048576"/><sheetData>'),
    (rb"<sheetData>", b'<dimension ref="A1:ZZZZZZ99999999999"/><sheetData>'),
    (rb"<sheetData>", b'<dimension ref=""/><sheetData>'),
    (rb'<row r="2">', b'<row r="2"><c r="A2" t="s"><v>4294967295</v></c>'),
    (rb'<row r="2">', b'<row r="2"><c r="A2" t="s"><v>-1</v></c>'),
    (rb'<row r="2">', b'<row r="2"><c r="A2" t="d"><v>x</v></c>'),
    (rb'<row r="2">', b'<row r="2"><c r="A2" t="e"><v>#REF!</v></c>'),
    (rb'<row r="2">', b'<row r="2"><c r="A2" s="99999"><v>43831</v></c>'),
    (rb'<row r="2">', b'<row r="2"><c r="A2"><v>1e400</v></c>'),
    (rb'<row r="2">', b'<row r="2"><c r="A2"><v>' + b"9" * 400 + b"</v></c>"),
    (rb'<row r="2">', b'<row r="2"><c r="A2"><f>' + b"A1+" * 9000 + b"A1</f><v>1</v></c>"),
    (rb"</sheetData>", b"</sheetData></sheetData>"),
    (rb"</sheetData>", b"<row>" * 50_000 + b"</sheetData>"),
    (rb"</sheetData>", b'</sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'),
    (rb'encoding="UTF-8"', b'encoding="GB18030"'),
    (rb'encoding="UTF-8"', b'encoding="UTF-16"'),
    (rb"<worksheet", b'<!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><worksheet'),
    (rb"<is><t", b"<is><r><t"),
    (rb"<t xml:space", b"<t>&amp;&lt;&#0;&#x10FFFF;&nope;</t><t xml:space"),
)


def edited_sheet(chance: Random, sample: Sample, others: Sequence[Sample]) -> Sample:
    """The XML of a workbook says what no office writes."""
    members = _members(sample)
    if not members:
        return sample
    sheets = [name for name in sorted(members) if "sheet" in name] or sorted(members)
    name = chance.choice(sheets)
    for _ in range(chance.choice((1, 1, 2))):
        old, new = chance.choice(_SHEET_EDITS)
        members[name] = members[name].replace(old, new, 1)
    if chance.random() < 0.2 and "xl/workbook.xml" in members:
        old, new = chance.choice(
            ((b'r:id="rId1"', b'r:id="rId9"'), (b'r:id="rId1"', b""), (b'name="Sheet1"', b'name="' + b"x" * 999 + b'"'),
             (b"<sheets>", b'<sheets><sheet name="a" sheetId="2" r:id="rId1"/>'), (b"<sheets>", b"<sheets><sheets>"))
        )  # fmt: skip
        members["xl/workbook.xml"] = members["xl/workbook.xml"].replace(old, new, 1)
    return replace(sample, data=_packed(members))


# -- Parquet ---------------------------------------------------------------------------------------------------------


def damaged_footer(chance: Random, sample: Sample, others: Sequence[Sample]) -> Sample:
    """The footer, its length or its marks are damaged; half of the damage lies in the footer."""
    data = bytearray(sample.data)
    if len(data) < 16:
        return sample
    kind = chance.choice(("length", "marks", "footer", "footer", "footer", "pages"))
    if kind == "length":
        data[-8:-4] = chance.choice((0, 1, 7, len(data), 2**31 - 1, 2**32 - 1)).to_bytes(4, "little")
    elif kind == "marks":
        data[:4] = chance.choice((b"PARE", b"PAR2", b"\0\0\0\0"))
    else:
        length = min(int.from_bytes(data[-8:-4], "little"), len(data) - 8)
        low, high = (len(data) - 8 - length, len(data) - 8) if kind == "footer" else (4, len(data) - 8 - length)
        for _ in range(chance.choice((1, 1, 2, 6))):
            if high > low:
                data[chance.randrange(low, high)] = chance.choice((0, 0xFF, 0x7F, 0x80, chance.randrange(256)))
    return replace(sample, data=bytes(data))


_TYPES: tuple[pl.DataType, ...] = (
    pl.Float64(), pl.Float32(), pl.Int8(), pl.UInt64(), pl.Boolean(), pl.Binary(), pl.Date(), pl.Time(),
    pl.Datetime("ns"), pl.Datetime("us", "Asia/Shanghai"), pl.Duration("us"), pl.Decimal(38, 2), pl.Decimal(38, 30),
    pl.List(pl.String()), pl.Struct({"a": pl.Int64()}), pl.Categorical(), pl.Null(), pl.Int128(),
    pl.Array(pl.Int64(), 2),
)  # fmt: skip


def other_types(chance: Random, sample: Sample, others: Sequence[Sample]) -> Sample:
    """Columns are of other types: floats, nested, times, null, decimals of all scales, with nulls and extremes."""
    try:
        # Not by Polars: other changes may have damaged the file, and it would end this process.
        with opened(sample.data) as file:
            frame = file.frame(["* exclude (file_row_number)"], 0, HUGE)
    except Unreadable:
        return sample
    for _ in range(chance.choice((1, 1, 3))):
        name, kind = chance.choice(frame.columns), chance.choice(_TYPES)
        rows = frame.height
        values = chance.choice(([None] * rows, [0] * rows, list(range(rows)), [2**62] * rows, ["1"] * rows))
        try:
            if kind.is_nested():
                value = [[1, 1]] * rows if not isinstance(kind, pl.Struct) else [{"a": 1}] * rows
                column = pl.Series(name, value).cast(kind, strict=False)
            else:
                column = pl.Series(name, values).cast(kind, strict=False)
            frame = frame.with_columns(column)
        except (pl.exceptions.PolarsError, TypeError, OverflowError):
            continue
    if chance.random() < 0.3:
        frame = frame.rename({chance.choice(frame.columns): chance.choice(("", "row_no", "c0", "甲", "a" * 3000))})
    stream = io.BytesIO()
    try:
        frame.write_parquet(stream, compression=chance.choice(("zstd", "snappy", "gzip", "lz4", "uncompressed")))
    except (pl.exceptions.PolarsError, ValueError):
        return sample
    return replace(sample, data=stream.getvalue())


# -- manifests -------------------------------------------------------------------------------------------------------


def nasty_manifest(chance: Random, sample: Sample, others: Sequence[Sample]) -> Sample:
    """The manifest is missing, of another feed, damaged, or says what no sender says."""
    given = sample.manifest
    if given is None:
        return replace(sample, manifest=chance.choice(others).manifest)
    kind = chance.choice(("none", "other", "flip", "cut", "value", "value", "value", "bytes"))
    if kind == "none":
        return replace(sample, manifest=None)
    if kind == "other":
        return replace(sample, manifest=chance.choice(others).manifest)
    if kind == "flip":
        return replace(sample, manifest=flipped(chance, replace(sample, data=given), others).data)
    if kind == "cut":
        return replace(sample, manifest=cut(chance, replace(sample, data=given), others).data)
    if kind == "bytes":
        more = chance.choice((b"\xef\xbb\xbf", b"\0", b"[" * HUGE, b"{}", b" " * HUGE, b"\xff\xfe"))
        return replace(sample, manifest=chance.choice((more + given, given + more)))
    secret = chance.choice(sorted(sample.secrets)) if sample.secrets else "440703195001010019"
    try:
        facts = json.loads(given)
    except (ValueError, RecursionError):  # it was made hostile before
        return sample
    if not isinstance(facts, dict):
        return sample
    value = chance.choice(
        (None, 1, 1.5, True, "", "x" * 500, secret, [], [secret], {}, {secret: 1}, "0001-01-01", "9999-12-31", -1,
         "2020-06-31", 1e300, [None], ["x"] * 5000, [{"id_number": secret}],
         [{"id_type": "passport", "id_number": secret}],
         [{"id_number": secret, secret: 1}], "\ud7ff\0", "2020-06-30T00:00:00", 1593475200)
    )  # fmt: skip
    name = chance.choice([*sorted(facts), secret, "unknown"])
    facts[name] = value
    return replace(sample, manifest=json.dumps(facts, ensure_ascii=chance.random() < 0.5).encode("utf-8", "replace"))


def packed_again(chance: Random, sample: Sample, others: Sequence[Sample]) -> Sample:
    """The file as something compressed."""
    return replace(sample, data=zlib.compress(sample.data))


ANY: tuple[Change, ...] = (
    flipped, cut, spliced, repeated, strange_bytes, other_encoding, other_ending, nothing, packed_again,
    nasty_manifest, nasty_manifest,
)  # fmt: skip
OF_FORM: Mapping[str, tuple[Change, ...]] = {
    "csv": (nasty_cells, nasty_cells, huge_cell, moved_columns, moved_columns, moved_rows, moved_rows, nasty_text),
    "jsonl": (nasty_json, nasty_json, nasty_cells, moved_rows),
    "excel": (broken_member, broken_member, lying_archive, lying_archive, bomb) + (edited_sheet,) * 6,
    "zip": (broken_member, broken_member, lying_archive, lying_archive, bomb),
    "parquet": (damaged_footer, damaged_footer, other_types, other_types),
}
"""Changes of any file, and those of a format. A format without its own gets those of `ANY`."""
