"""Findings as JUnit XML: a suite a host, a case a control.

A failed control is a failure, an unknown one an error, a waived and a not applicable one is skipped with
words that say which. Each suite has a case of its own for the verification itself, an error when there was
none or it is stale: a host that nobody looked at is never green.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from khien.application.exchange import NEVER_VERIFIED, Exchange, ExchangeHost, severity_of, title_of, why
from khien.application.report import Freshness, Judged
from khien.domain.finding import Verdict
from khien.domain.text import safe_text
from khien.i18n import _, current_language
from khien.reports import words
from khien.reports.exchange_words import stable_id, utc, verification_id

VERIFICATION_CASE = "khien_verification"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_COUNTED = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def render_junit(exchange: Exchange) -> str:
    """Return the findings as JUnit XML."""
    root = ET.Element("testsuites", name="khien")
    totals: Counter[str] = Counter()
    language = current_language()
    for host in exchange.hosts:
        suite = _suite(host, exchange, language)
        totals.update({key: int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")})
        root.append(suite)
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(totals[key]))
    root.set("timestamp", utc(exchange.generated_at))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(host: ExchangeHost, exchange: Exchange, language: str) -> ET.Element:
    cases = [_verification(host), *(_case(host, judged, language) for judged in host.judged)]
    outcomes = Counter(_COUNTED[child.tag] for case in cases for child in case if child.tag in _COUNTED)
    suite = ET.Element(
        "testsuite",
        name=_xml(host.host.name),
        tests=str(len(cases)),
        failures=str(outcomes["failures"]),
        errors=str(outcomes["errors"]),
        skipped=str(outcomes["skipped"]),
        timestamp=utc(host.verified_at or exchange.generated_at),
        id=stable_id("junit", host.host.name, verification_id(host)),
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(host, exchange):
        ET.SubElement(properties, "property", name=name, value=_xml(value))
    suite.extend(cases)
    return suite


def _properties(host: ExchangeHost, exchange: Exchange) -> Iterator[tuple[str, str]]:
    counts = host.report.counts
    yield "generated_at", utc(exchange.generated_at)
    yield "agency", host.host.agency
    yield "freshness", host.report.freshness.value
    yield "verified_at", utc(host.verified_at) or NEVER_VERIFIED
    if host.age_seconds is not None:
        yield "age_seconds", str(host.age_seconds)
        yield "passed", str(counts.passed)
        yield "applicable", str(counts.applicable)
        yield "not_applicable", str(counts.not_applicable)
    if host.run:
        yield "run", host.run


def _verification(host: ExchangeHost) -> ET.Element:
    case = ET.Element("testcase", classname=_xml(host.host.name), name=VERIFICATION_CASE, time="0")
    match host.report.freshness:
        case Freshness.NEVER:
            ET.SubElement(case, "error", type=NEVER_VERIFIED, message=_("This host was never verified."))
        case Freshness.STALE:
            said = _("This host was verified {age}; what is said of it is stale.").format(
                age=words.age(host.report.age)
            )
            ET.SubElement(case, "error", type="stale", message=said)
        case Freshness.FRESH:
            said = _("Verified {age}.").format(age=words.age(host.report.age))
            ET.SubElement(case, "system-out").text = _xml(said)
    return case


def _case(host: ExchangeHost, judged: Judged, language: str) -> ET.Element:
    finding = judged.finding
    case = ET.Element("testcase", classname=_xml(host.host.name), name=_xml(finding.control_id), time="0")
    said = _xml(why(finding))
    match finding.verdict:
        case Verdict.PASS:
            pass
        case Verdict.FAIL:
            failed = ET.SubElement(case, "failure", type=_xml(finding.reason), message=said)
            severity = severity_of(judged)
            failed.text = _xml(title_of(judged, language) + (f" [{severity}]" if severity else ""))
        case Verdict.UNKNOWN:
            ET.SubElement(case, "error", type=_xml(finding.reason), message=said)
        case Verdict.WAIVED:
            ET.SubElement(case, "skipped", message=_xml(_("Waived: {why}").format(why=said)))
        case Verdict.NOT_APPLICABLE:
            ET.SubElement(case, "skipped", message=_xml(_("Not applicable: {why}").format(why=said)))
    return case


def _xml(text: str) -> str:
    """Return plain text without what no XML document may hold."""
    return _NOT_XML.sub("", safe_text(text))
