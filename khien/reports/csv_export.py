"""Findings as CSV: one row a host and control, and one row for a host that was never verified."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from khien.application.exchange import NEVER_VERIFIED, Exchange, ExchangeHost, severity_of, title_of, why
from khien.application.report import Judged
from khien.i18n import current_language
from khien.reports.exchange_words import cell, utc, verification_id

BOM = "\ufeff"
COLUMNS = (
    "host", "agency", "agency_name", "role", "level", "in_inventory",
    "freshness", "verified_at", "age_seconds", "run",
    "control", "title", "severity", "area", "verdict", "reason", "detail",
    "generated_at",
)  # fmt: skip
"""Codes, not words: what reads the file finds them in every language."""

Row = tuple[object, ...]


def render_csv(exchange: Exchange, *, bom: bool = False) -> str:
    """Return the findings as CSV.

    Args:
        exchange: what is exported.
        bom: whether to begin with a byte order mark, which some spreadsheets need to see UTF-8.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows(exchange):
        writer.writerow([cell(value) for value in row])
    return (BOM if bom else "") + text.getvalue()


def rows(exchange: Exchange) -> Iterator[Row]:
    """Return one row a finding, in the order of COLUMNS."""
    language = current_language()
    made = utc(exchange.generated_at)
    for host in exchange.hosts:
        if not host.judged:
            yield (*_host(host), "", "", "", "", NEVER_VERIFIED, "", "", made)
        for judged in host.judged:
            yield (*_host(host), *_finding(judged, language), made)


def _host(host: ExchangeHost) -> Row:
    words = host.host
    status = host.report.status
    return (
        words.name,
        words.agency,
        words.agency_name,
        words.role.value,
        words.level if words.level is not None else "",
        "yes" if status.in_inventory else "no",
        host.report.freshness.value,
        utc(host.verified_at),
        host.age_seconds if host.age_seconds is not None else "",
        verification_id(host) if host.run else "",
    )


def _finding(judged: Judged, language: str) -> Row:
    finding, control = judged.finding, judged.control
    return (
        finding.control_id,
        title_of(judged, language),
        severity_of(judged),
        control.area if control else "",
        finding.verdict.value,
        finding.reason,
        why(finding),
    )
