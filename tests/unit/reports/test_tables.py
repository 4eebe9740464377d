"""CSV and XLSX: every host and finding, nothing that a spreadsheet would execute."""

from __future__ import annotations

import csv
import io
import re
import zipfile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khien.reports.csv_export import COLUMNS, render_csv
from khien.reports.exchange_words import cell
from khien.reports.xlsx_export import render_xlsx
from tests.unit.reports.exchanges import make_exchange, never_verified, verdicts


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def sheets(data: bytes) -> dict[str, list[tuple[object, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(data))
    return {sheet.title: [tuple(row) for row in sheet.iter_rows(values_only=True)] for sheet in book}


def test_the_csv_holds_every_finding_and_every_host_without_one() -> None:
    exchange = make_exchange()
    rows = read_csv(render_csv(exchange))

    judged = {(row["host"], row["control"]): row["verdict"] for row in rows if row["control"]}
    assert judged == {key: verdict.value for key, verdict in verdicts(exchange).items()}
    bare = {row["host"]: row for row in rows if not row["control"]}
    assert set(bare) == never_verified(exchange)
    assert {row["verdict"] for row in bare.values()} == {"never_verified"}
    assert {row["age_seconds"] for row in bare.values()} == {""}
    assert all(int(row["age_seconds"]) > 0 for row in rows if row["control"])


def test_the_mark_of_utf_8_is_there_when_it_is_asked_for() -> None:
    exchange = make_exchange(3)

    assert render_csv(exchange, bom=True) == "\ufeff" + render_csv(exchange)


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =cmd|' /C calc'!A0", "\x00=1", "\u200b=1"]
)
def test_what_begins_like_a_formula_is_kept_as_text(text: str) -> None:
    assert str(cell(text)).startswith("'")


@given(st.text())
def test_no_text_becomes_a_formula_or_breaks_its_row(text: str) -> None:
    shown = str(cell(text))

    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert not any(ord(c) < 32 for c in shown)


def test_numbers_stay_numbers() -> None:
    assert (cell(-1), cell(0), cell(None)) == (-1, 0, None)


def test_no_cell_of_the_csv_begins_like_a_formula() -> None:
    for row in csv.reader(io.StringIO(render_csv(make_exchange()), newline="")):
        assert not [value for value in row if value[:1] in ("=", "+", "-", "@", "\t", "\r")]


def test_the_workbook_has_the_findings_of_the_csv_and_a_row_for_each_host() -> None:
    exchange = make_exchange()
    read = sheets(render_xlsx(exchange))

    assert list(read) == ["summary", "findings", "hosts"]
    assert read["findings"][0] == COLUMNS
    assert len(read["findings"]) == len(read_csv(render_csv(exchange))) + 1
    assert len(read["hosts"]) == 43
    header = read["hosts"][0]
    never = next(row for row in read["hosts"] if row[header.index("freshness")] == "never")
    assert never[header.index("passed")] is None
    assert never[header.index("compliant")] == "no"


def test_each_figure_of_the_summary_has_its_denominator() -> None:
    exchange = make_exchange()
    totals = exchange.totals
    summary = {row[0]: row[1:3] for row in sheets(render_xlsx(exchange))["summary"]}

    assert summary["Hosts never verified"] == (totals.never_verified, 42)
    assert summary["Controls passed"] == (totals.verdicts.passed, totals.verdicts.applicable)
    assert summary["Hosts compliant"] == (totals.compliant, 42)
    assert summary["Hosts with security updates pending"] == (totals.updates_hosts, totals.updates_known)


def test_no_cell_of_the_workbook_is_a_formula() -> None:
    book = openpyxl.load_workbook(io.BytesIO(render_xlsx(make_exchange())))

    assert not [c for sheet in book for row in sheet.iter_rows() for c in row if c.data_type == "f"]


def test_equal_values_give_equal_bytes_whatever_the_clock_says() -> None:
    data = render_xlsx(make_exchange(5))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        dates = {info.date_time for info in archive.infolist()}
        properties = archive.read("docProps/core.xml").decode()

    assert render_xlsx(make_exchange(5)) == data
    assert dates == {(2026, 11, 23, 1, 15, 0)}
    assert re.findall(r"\d{4}-\d\d-\d\dT[^<]*", properties) == ["2026-11-23T01:15:00Z"] * 2


def test_an_empty_scope_is_still_a_workbook() -> None:
    assert [len(rows) for rows in sheets(render_xlsx(make_exchange(0))).values()][1:] == [1, 1]
