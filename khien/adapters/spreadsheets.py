"""Reads tables as agencies keep them: CSV in any encoding and with any delimiter, and Excel workbooks."""

from __future__ import annotations

import csv
import io
import unicodedata
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from khien.application.import_inventory import Row, Sheet
from khien.errors import InputError
from khien.i18n import _

_MOST_BYTES = 50_000_000
_MOST_UNPACKED_BYTES = 500_000_000
_DELIMITERS = (",", ";", "\t")
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"


def read_sheets(path: Path) -> tuple[Sheet, ...]:
    """Return the tables of a file; every cell is text and nothing in it is calculated.

    Raises:
        InputError: the file cannot be read, is too large, or is no table.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(_("The file is too large for a list of hosts."), path=path)
        data = path.read_bytes()
    except OSError as exc:
        reason = _("The file cannot be read: {reason}.").format(reason=exc.strerror)
        raise InputError(reason, path=path) from exc
    if data.startswith(_OLD_EXCEL):
        raise InputError(_("This is an old Excel file: save it as .xlsx or as CSV."), path=path)
    if data.startswith(b"PK"):
        return tuple(_workbook(data, path))
    return (Sheet("", _csv_rows(_decoded(data, path), path)),)


def _workbook(data: bytes, path: Path) -> Iterator[Sheet]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
        if unpacked > _MOST_UNPACKED_BYTES:
            raise InputError(_("The file is too large for a list of hosts."), path=path)
        # data_only: of a formula, the value that Excel last saw; nothing is calculated here.
        with warnings.catch_warnings(action="ignore"):  # parts that openpyxl does not know are of no interest
            book = load_workbook(io.BytesIO(data), data_only=True, keep_links=False)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError) as exc:
        raise InputError(_("This is no Excel workbook that can be read."), path=path) from exc
    for sheet in book.worksheets:
        yield Sheet(sheet.title, _sheet_rows(sheet))


def _sheet_rows(sheet: Worksheet) -> tuple[Row, ...]:
    below: dict[tuple[int, int], object] = {}
    for merged in sheet.merged_cells.ranges:
        # A cell merged downwards means "the same for all these rows"; one merged sideways is a title.
        if merged.min_col == merged.max_col:
            value = sheet.cell(merged.min_row, merged.min_col).value
            below.update(((row, merged.min_col), value) for row in range(merged.min_row, merged.max_row + 1))
    rows = []
    for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
        texts = tuple(_text(below.get((number, column), cell)) for column, cell in enumerate(cells, start=1))
        if any(texts):
            rows.append(Row(number, texts))
    return tuple(rows)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, date):
        value = value.isoformat()
    return unicodedata.normalize("NFC", str(value)).strip()


def _decoded(data: bytes, path: Path) -> str:
    """Decode by what the bytes are; Vietnamese Excel still writes windows-1258."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif b"\0" in data[:200]:
        encodings = ["utf-16-le" if data[1:2] == b"\0" else "utf-16-be"]
    else:
        encodings = ["utf-8-sig", "cp1258"]
    for encoding in encodings:
        try:
            return unicodedata.normalize("NFC", data.decode(encoding))
        except UnicodeDecodeError:
            continue
    raise InputError(_("The text is in no encoding that is known here: save it as UTF-8."), path=path)


def _csv_rows(text: str, path: Path) -> tuple[Row, ...]:
    lines = text.splitlines()
    announced = lines[0].strip() if lines else ""
    is_announced = announced.lower().startswith("sep=") and len(announced) == 5
    delimiter = announced[4] if is_announced else _likeliest_delimiter(lines)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows, start = [], 1
    try:
        for cells in reader:
            texts = tuple(_text(cell) for cell in cells)
            if any(texts) and not (start == 1 and is_announced):
                rows.append(Row(start, texts))
            start = reader.line_num + 1
    except csv.Error as exc:
        raise InputError(_("This is no table: {reason}.").format(reason=exc), path=path, line=start) from exc
    return tuple(rows)


def _likeliest_delimiter(lines: list[str]) -> str:
    """Return the delimiter on which most lines agree."""
    votes: dict[str, int] = {}
    for line in lines[:200]:
        counts = {candidate: line.count(candidate) for candidate in _DELIMITERS}
        best = max(counts, key=lambda candidate: counts[candidate])
        if counts[best]:
            votes[best] = votes.get(best, 0) + 1
    return max(votes, key=lambda candidate: votes[candidate]) if votes else ","
