"""How is a spreadsheet written? By hand (ECMA-376, inline strings, one sheet, fixed times): few lines, no dependency.

Every cell is text, so that a long number keeps its digits and nothing is run as a formula, unless the caller marks a
cell as one; every byte is fixed by the content.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import polars as pl

_PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" '
    'Target="worksheets/sheet1.xml"/></Relationships>',
}
_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def write_sheet(path: Path, frame: pl.DataFrame, formulas: frozenset[tuple[int, int]] = frozenset()) -> None:
    """Write text cells under their headers.

    Args:
        path: the file, ``.xlsx``.
        frame: String columns named by the headers.
        formulas: (row, column) from 0 of cells whose text is a formula.
    """
    rows = [_row(1, frame.columns, {})]
    for index, cells in enumerate(frame.iter_rows()):
        marked = {column: True for row, column in formulas if row == index} if formulas else {}
        rows.append(_row(index + 2, cells, marked))
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        + "".join(rows)
        + "</sheetData></worksheet>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (*_PARTS.items(), ("xl/worksheets/sheet1.xml", sheet)):
            entry = zipfile.ZipInfo(name, date_time=(2020, 6, 30, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, _DECLARATION + text)


def _row(number: int, cells: Sequence[str | None], formulas: dict[int, bool]) -> str:
    parts: list[str] = []
    for column, cell in enumerate(cells):
        if cell is None:
            continue
        place = f"{_letters(column)}{number}"
        if column in formulas:
            parts.append(f'<c r="{place}" t="str"><f>{escape(cell.removeprefix("="))}</f><v>0</v></c>')
        else:
            parts.append(f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>')
    return f'<row r="{number}">{"".join(parts)}</row>'


def _letters(column: int) -> str:
    return chr(65 + column) if column < 26 else chr(64 + column // 26) + chr(65 + column % 26)
