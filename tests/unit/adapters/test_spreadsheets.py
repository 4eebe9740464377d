"""Reading tables as agencies keep them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from khien.adapters.spreadsheets import read_sheets
from khien.errors import InputError

TEXT = "Tên máy;Địa chỉ IP;Đơn vị\nmáy 1;198.18.0.1;Sở Y tế\n"
ROWS = [("Tên máy", "Địa chỉ IP", "Đơn vị"), ("máy 1", "198.18.0.1", "Sở Y tế")]


def rows_of(path: Path) -> list[tuple[str, ...]]:
    (sheet,) = read_sheets(path)
    return [row.cells for row in sheet.rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_text_is_decoded_by_what_it_is(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(TEXT.encode(encoding))

    assert rows_of(path) == ROWS


def test_the_old_vietnamese_encoding_is_put_together_again(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    # windows-1258 writes the tone as a letter of its own after the vowel: "ở" is ơ and a hook.
    path.write_bytes("S\u01a1\u0309 Y t\u00ea\u0301;198.18.0.1\n".encode("cp1258"))

    assert rows_of(path) == [("Sở Y tế", "198.18.0.1")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found_although_cells_hold_others(delimiter: str, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(delimiter.join(["a", '"b, c; d"', "e"]) + "\n" + delimiter.join("xyz") + "\n")

    assert rows_of(path) == [("a", "b, c; d", "e"), ("x", "y", "z")]


def test_a_row_is_numbered_by_the_line_where_it_begins(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text('sep=;\n\na;"two\nlines"\n;;\nb;c\n')

    (sheet,) = read_sheets(path)

    assert [(row.number, row.cells) for row in sheet.rows] == [(3, ("a", "two\nlines")), (6, ("b", "c"))]


def test_a_workbook_gives_every_sheet_and_every_value_as_text(tmp_path: Path) -> None:
    book = Workbook()
    first = book.active
    assert first is not None
    first.title = "Máy chủ"
    first.append(["DANH SÁCH", None, None])
    first.merge_cells("A1:C1")
    first.append(["Đơn vị", "Tên", "Cấp độ"])
    first.append(["Sở Y tế", "web1", 3.0])
    first.append([None, "web2", "=1+2"])
    first.merge_cells("A3:A4")
    book.create_sheet("Trống")
    book.save(tmp_path / "list.xlsx")

    sheets = read_sheets(tmp_path / "list.xlsx")

    assert [sheet.name for sheet in sheets] == ["Máy chủ", "Trống"]
    assert [(row.number, row.cells) for row in sheets[0].rows] == [
        (1, ("DANH SÁCH", "", "")),
        (2, ("Đơn vị", "Tên", "Cấp độ")),
        (3, ("Sở Y tế", "web1", "3")),
        (4, ("Sở Y tế", "web2", "")),
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "old Excel"),
        (b"PK\x03\x04 nothing of a workbook", "no Excel workbook"),
        (b"a,b\n\x81\x8d\xd2\n", "no encoding"),
    ],
)
def test_what_is_no_table_is_named(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(content)

    with pytest.raises(InputError, match=says):
        read_sheets(path)


def test_an_archive_that_unpacks_to_gigabytes_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/workbook.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(510):
            part.write(b"\0" * 1_000_000)

    with pytest.raises(InputError, match="too large"):
        read_sheets(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        read_sheets(tmp_path / "nowhere.csv")
