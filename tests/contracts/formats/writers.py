"""The same rows in every format a department sends, and read back: what was accepted, in stored types."""

from __future__ import annotations

import csv
import io
import sqlite3
import zipfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from contracts.formats.legal import LAST_DAY, Legal, text_of
from meanscheck.contracts import Column
from meanscheck.contracts.cast import cast_rows
from meanscheck.contracts.cursor import read_cursor, read_records
from meanscheck.contracts.mapping import ColumnMapping, FileMapping, FileShape
from meanscheck.contracts.mapping_checks import check_mapping
from meanscheck.contracts.named import FileRows
from meanscheck.contracts.readers import read_rows

UNITS = {"yuan": "元", "m2": "平方米"}


def accepted(legal: Legal, file: FileRows) -> pl.DataFrame:
    """The accepted rows, after nothing was set aside."""
    assert file.broken.height == 0, file.broken.select("row_no", "field", "reason").rows()
    cast = cast_rows(legal.contract, file.rows, as_of=None, not_after=LAST_DAY, units=file.units)
    assert cast.quarantined.height == 0, cast.quarantined.select("row_no", "field", "reason").rows()
    return cast.accepted.drop("row_no")


def _texts(legal: Legal) -> list[list[str]]:
    return [[text_of(c, row[c.name]) for c in legal.columns] for row in legal.rows]


def _csv(rows: list[list[str]], delimiter: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n", delimiter=delimiter).writerows(rows)
    return out.getvalue()


def as_csv(folder: Path, legal: Legal, encoding: str = "utf-8") -> FileRows:
    """Chinese headers, a unit where there is one."""
    path = folder / "x.csv"
    path.write_bytes(_csv([[c.title_zh for c in legal.columns], *_texts(legal)]).encode(encoding))
    return read_rows(legal.contract, path)


def as_gb18030(folder: Path, legal: Legal) -> FileRows:
    """The same in GB 18030, with a title and a signature."""
    path = folder / "x.csv"
    text = "查询结果\r\n" + _csv([[c.title_zh for c in legal.columns], *_texts(legal)])
    path.write_bytes((text + "制表人：甲\r\n").encode("gb18030"))
    file = read_rows(legal.contract, path)
    assert (file.encoding, file.passed["kind"].to_list()) == ("gb18030", ["note"])
    return file


def as_office_sheet(folder: Path, legal: Legal) -> FileRows:
    """A sheet as an office makes it: title, unit, header over two rows, numbering, serial days, total, signatures."""
    book = xlsxwriter.Workbook(str(folder / "x.xlsx"))
    book.add_worksheet("说明").write_row(0, 0, ["本表由", "单位：某某局", "导出"])
    sheet = book.add_worksheet("明细")
    width = len(legal.columns) + 1
    sheet.merge_range(0, 0, 0, width - 1, "核对查询结果")
    sheet.write(1, 0, "单位：元")
    sheet.merge_range(2, 0, 3, 0, "序号")
    sheet.merge_range(2, 1, 3, 1, legal.columns[0].title_zh)
    sheet.merge_range(2, 2, 2, width - 1, "查询信息")
    for place, column in enumerate(legal.columns[1:], 2):
        sheet.write(3, place, column.title_zh)
    sheet.write_row(4, 0, [str(place + 1) for place in range(width)])
    for at, row in enumerate(legal.rows):
        sheet.write(at + 5, 0, at + 1)
        for place, column in enumerate(legal.columns, 1):
            _write(book, sheet, at, place, column, row[column.name])
    end = len(legal.rows) + 5
    sheet.write(end, 0, "合 计")
    for place, column in enumerate(legal.columns, 1):
        if column.kind == "money" and all(row[column.name] is not None for row in legal.rows):
            sheet.write_string(end, place, text_of(column, sum(row[column.name] for row in legal.rows)))
    sheet.write_row(end + 1, 0, ["制表人：", "甲", "", "审核人：", "乙"])
    sheet.write(end + 2, 0, "注：以上数据截至查询日。")
    book.close()
    file = read_rows(legal.contract, folder / "x.xlsx")
    assert file.passed["kind"].to_list() == ["numbering", "total", "note", "note"], file.passed.rows()
    return file


def _write(book: Any, sheet: Any, at: int, place: int, column: Column, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, date) and column.kind == "date":
        if at % 2:
            sheet.write_number(at + 5, place, (value - date(1899, 12, 30)).days)
        else:
            day = datetime(value.year, value.month, value.day)
            sheet.write_datetime(at + 5, place, day, book.add_format({"num_format": "yyyy/m/d"}))
    elif column.kind == "money" and at % 2:
        sheet.write_number(at + 5, place, value / 100)
    else:
        sheet.write_string(at + 5, place, text_of(column, value))


def as_fixed(folder: Path, legal: Legal, encoding: str = "gb18030") -> FileRows:
    """Bytes in places: amounts in yuan with the point implied, numbers to the right, days without marks."""
    columns: dict[str, ColumnMapping] = {}
    places: list[tuple[int, bool]] = []
    cells: list[list[str]] = []
    for column in legal.columns:
        texts = [_fixed(column, row[column.name]) for row in legal.rows]
        length = max(1, *(len(text.encode(encoding)) for text in texts))
        start = sum(width + 1 for width, _ in places) + 1
        is_right = column.kind == "money"
        columns[column.name] = ColumnMapping(
            start=start,
            length=length,
            align="right" if is_right else "left",
            decimals=2 if is_right else None,
            unit="yuan" if is_right else None,
            form="YYYYMMDD" if column.kind == "date" else None,
        )
        places.append((length, is_right))
        cells.append(texts)
    lines = [b"HEAD"]
    for texts_ in zip(*cells, strict=True):
        padded = []
        for text, (length, is_right) in zip(texts_, places, strict=True):
            blank = b" " * (length - len(text.encode(encoding)))
            padded.append(blank + text.encode(encoding) if is_right else text.encode(encoding) + blank)
        lines.append(b" ".join(padded))
    path = folder / "x.txt"
    path.write_bytes(b"\r\n".join([*lines, b"TAIL", b""]))
    assert encoding in ("gb18030", "utf-8")
    shape = FileShape(format="fixed", encoding=encoding, skip_first=1, skip_last=1)  # type: ignore[arg-type]
    return _mapped(legal, path, FileMapping(feed=legal.contract.name, sender="S", file=shape, columns=columns))


def _fixed(column: Column, value: Any) -> str:
    if value is None:
        return ""
    if column.kind == "money":
        return f"{value:05d}"
    return f"{value:%Y%m%d}" if column.kind == "date" else text_of(column, value)


def as_zip(folder: Path, legal: Legal) -> FileRows:
    """Two members with the same header, under names of GB 18030 without the mark of UTF-8."""
    path = folder / "x.zip"
    texts = _texts(legal)
    half = len(texts) // 2
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, part in enumerate((texts[:half], texts[half:]), 1):
            info = zipfile.ZipInfo(f"明细/数据{number}.csv".encode("gb18030").decode("cp437"))
            archive.writestr(info, _csv([[c.title_zh for c in legal.columns], *part]).encode("gb18030"))
        archive.writestr("readme.pdf", b"%PDF")
    return read_rows(legal.contract, path)


def as_sqlite(folder: Path, legal: Legal) -> FileRows:
    """A table of a database: stored units as whole numbers under stored names."""
    with sqlite3.connect(":memory:") as database:
        names = ", ".join(f'"{c.stored_name}"' for c in legal.columns)
        database.execute(f"create table t ({names})")
        for row in legal.rows:
            cells = [
                row[c.name] if c.kind in ("money", "area", "ratio", "number") else text_of(c, row[c.name])
                for c in legal.columns
            ]
            database.execute(f"insert into t values ({', '.join('?' * len(cells))})", cells)
        file = read_cursor(legal.contract, database.execute("select * from t order by rowid"), batch_size=2)
    database.close()
    return file


def as_records(folder: Path, legal: Legal) -> FileRows:
    """Rows of a driver that knows decimals, days and yes and no."""

    def typed(column: Column, value: Any) -> Any:
        if value is None or column.kind in ("bool", "date", "month"):
            return value
        if column.kind in ("money", "area", "ratio"):
            return Decimal(text_of(column, value))
        return value

    rows = [[typed(c, row[c.name]) for c in legal.columns] for row in legal.rows]
    return read_records(legal.contract, [c.title_zh for c in legal.columns], rows)


def as_mapped(folder: Path, legal: Legal) -> FileRows:
    """Headers, codes, units and forms of days of the sender's own, in GB 18030 with bars between."""
    columns: dict[str, ColumnMapping] = {"id_type": ColumnMapping(value="居民身份证")}
    cells: list[list[str]] = []
    for place, column in enumerate(legal.columns):
        facts: dict[str, Any] = {"source": f"F{place:02d}"}
        given = [row[column.name] for row in legal.rows]
        texts = [text_of(column, value) for value in given]
        if column.kind == "money":
            facts["unit"] = ("fen", "wan_yuan")[place % 2]
            texts = ["" if v is None else text_of(column, v, unit=facts["unit"]) for v in given]
        elif column.kind == "date":
            facts["form"] = "DD/MM/YYYY"
            texts = ["" if v is None else f"{v:%d/%m/%Y}" for v in given]
        elif column.kind == "month":
            facts["form"] = "MM.YYYY"
            texts = ["" if v is None else f"{v:%m.%Y}" for v in given]
        elif column.kind == "choice":
            facts["codes"] = {f"0{at}": choice for at, choice in enumerate(column.choices)}
            texts = ["" if v is None else f"0{column.choices.index(v)}" for v in given]
        elif column.kind == "bool":
            facts["codes"] = {"J": "true", "F": "false"}
            texts = ["" if v is None else "FJ"[v] for v in given]
        columns[column.name] = ColumnMapping(**facts)
        cells.append([facts["source"], *texts])
    path = folder / "x.csv"
    path.write_bytes(_csv([list(row) for row in zip(*cells, strict=True)], "|").encode("gb18030"))
    shape = FileShape(encoding="gb18030", delimiter="|", header_line=1)
    return _mapped(legal, path, FileMapping(feed=legal.contract.name, sender="S", file=shape, columns=columns))


def _mapped(legal: Legal, path: Path, mapping: FileMapping) -> FileRows:
    assert check_mapping(legal.contract, mapping) == ()
    return read_rows(legal.contract, path, mapping=mapping)


WRITERS = {
    "csv": as_csv,
    "gb18030": as_gb18030,
    "office sheet": as_office_sheet,
    "fixed gb18030": as_fixed,
    "fixed utf-8": lambda folder, legal: as_fixed(folder, legal, "utf-8"),
    "zip": as_zip,
    "sqlite": as_sqlite,
    "records": as_records,
    "mapped": as_mapped,
}
