"""Findings as a workbook: a summary whose figures have their denominators, the findings, the hosts."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from khien.application.exchange import Exchange, ExchangeHost
from khien.i18n import _
from khien.reports.csv_export import COLUMNS, rows
from khien.reports.exchange_words import cell, utc

_ROWS_OF_A_SHEET = 1_000_000
"""A little less than a sheet can hold; more findings go on in another one."""
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(<)")
_HOST_COLUMNS = (
    "host", "agency", "agency_name", "site", "role", "level", "in_inventory", "os",
    "freshness", "verified_at", "age_seconds", "compliant",
    "passed", "failed", "waived", "unknown", "applicable", "not_applicable",
    "security_updates_pending", "reboot_needed", "generated_at",
)  # fmt: skip
_WIDTHS = {"host": 30, "agency_name": 26, "control": 30, "title": 44, "detail": 60, "verified_at": 21}

Row = Iterable[object]


def render_xlsx(exchange: Exchange) -> bytes:
    """Return the workbook; equal values give equal bytes."""
    book = Workbook(write_only=True)
    book.properties.creator = "Khiên"
    book.properties.created = exchange.generated_at.astimezone(UTC).replace(tzinfo=None)
    _sheet(book, "summary", (_("Figure"), _("Number"), _("Of"), _("Meaning")), _summary(exchange))
    _findings(book, exchange)
    _sheet(book, "hosts", _HOST_COLUMNS, (_host(host, utc(exchange.generated_at)) for host in exchange.hosts))
    written = io.BytesIO()
    book.save(written)
    return _without_clock(written.getvalue(), exchange)


def _findings(book: Workbook, exchange: Exchange) -> None:
    everything = rows(exchange)
    number = 1
    row = next(everything, None)
    while row is not None or number == 1:
        part: list[Row] = []
        sheet = _sheet(book, "findings" if number == 1 else f"findings {number}", COLUMNS, part)
        for _count in range(_ROWS_OF_A_SHEET):
            if row is None:
                break
            sheet.append([cell(value) for value in row])
            row = next(everything, None)
        number += 1


def _sheet(book: Workbook, title: str, headings: Iterable[str], content: Iterable[Row]):  # type: ignore[no-untyped-def]  # noqa: ANN202 - openpyxl's stubs know no write-only sheet
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    names = tuple(headings)
    for number, name in enumerate(names, 1):
        sheet.column_dimensions[get_column_letter(number)].width = _WIDTHS.get(name, 16)
    cells = [WriteOnlyCell(sheet, cell(name)) for name in names]
    for one in cells:
        one.font = Font(bold=True)
    sheet.append(cells)
    for row in content:
        sheet.append([cell(value) for value in row])
    return sheet


def _summary(exchange: Exchange) -> Iterator[Row]:
    t = exchange.totals
    v = t.verdicts
    hosts = t.hosts
    yield _("Generated at"), utc(exchange.generated_at), "", _("All ages are counted back from this moment.")
    yield _("Scope"), exchange.scope or _("all hosts"), "", ""
    stale = int(exchange.stale_after.total_seconds() // 3600)
    yield _("Stale after, hours"), stale, "", _("A verification that is older counts as stale.")
    yield _("Hosts"), hosts, hosts, _("Every host of the scope, verified or not.")
    yield _("Hosts verified lately"), t.fresh, hosts, ""
    yield _("Hosts stale"), t.stale, hosts, _("Verified too long ago to say how they are now.")
    yield _("Hosts never verified"), t.never_verified, hosts, _("Never compliant: nothing is known of them.")
    yield _("Hosts compliant"), t.compliant, hosts, _("Verified lately, none failed, none unknown.")
    said = _("Summed over the {n} hosts that were ever verified.").format(n=t.verified)
    yield _("Controls passed"), v.passed, v.applicable, said
    yield _("Controls failed"), v.failed, v.applicable, ""
    yield _("Controls waived"), v.waived, v.applicable, _("Excused, and never counted as passed.")
    yield _("Controls unknown"), v.unknown, v.applicable, _("No answer, and never counted as passed.")
    total = v.applicable + v.not_applicable
    yield _("Controls not applicable"), v.not_applicable, total, _("Not part of the figures above.")
    yield (
        _("Hosts with security updates pending"),
        t.updates_hosts,
        t.updates_known,
        _("Of those where it is known."),
    )
    yield _("Hosts to be restarted"), t.reboot_hosts, t.reboot_known, _("Of those where it is known.")


def _host(host: ExchangeHost, made: str) -> Row:
    status, words, counts = host.report.status, host.host, host.report.counts
    seen = host.verified_at is not None
    numbers = (
        counts.passed, counts.failed, counts.waived, counts.unknown, counts.applicable, counts.not_applicable
    )  # fmt: skip
    return (
        words.name,
        words.agency,
        words.agency_name,
        words.site,
        words.role.value,
        words.level,
        "yes" if status.in_inventory else "no",
        (status.facts.os_name or status.facts.os_id) if status.facts else "",
        host.report.freshness.value,
        utc(host.verified_at),
        host.age_seconds,
        "yes" if host.report.is_compliant else "no",
        # An empty cell, not a zero: nothing was counted.
        *(numbers if seen else (None,) * len(numbers)),
        status.pending_security,
        {True: "yes", False: "no", None: ""}[status.reboot_needed],
        made,
    )


def _without_clock(data: bytes, exchange: Exchange) -> bytes:
    """Write the archive anew: the library puts the present moment into it, in two places."""
    stamp = utc(exchange.generated_at).encode()
    moment = exchange.generated_at.astimezone(UTC)
    made = (max(moment.year, 1980), moment.month, moment.day, moment.hour, moment.minute, moment.second)
    clean = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(clean, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = _MODIFIED.sub(rb"\g<1>" + stamp + rb"\g<2>", content)
            info = zipfile.ZipInfo(name, made)
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, content)
    return clean.getvalue()
