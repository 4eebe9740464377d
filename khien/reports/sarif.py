"""Findings as SARIF 2.1.0: rules are our controls, hosts are logical locations.

fail is `fail` with a level; waived is the same with a suppression and its justification; unknown is `open`
(looked at, not enough known to decide) and not applicable `notApplicable`, never `pass`. A host that was
never verified has one `open` result of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from khien import __version__
from khien.application.exchange import NEVER_VERIFIED, Exchange, ExchangeHost, title_of, why
from khien.application.report import Freshness, Judged
from khien.domain.control import Control, Severity
from khien.domain.finding import Verdict
from khien.domain.text import safe_text
from khien.i18n import _, current_language
from khien.reports import words
from khien.reports.exchange_words import stable_id, utc, verification_id

SCHEMA_URI = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
STALE = "stale_verification"
_KINDS = {
    Verdict.PASS: "pass",
    Verdict.FAIL: "fail",
    Verdict.WAIVED: "fail",
    Verdict.UNKNOWN: "open",
    Verdict.NOT_APPLICABLE: "notApplicable",
}
_LEVELS = {Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note", None: "warning"}

Document = dict[str, object]


def render_sarif(exchange: Exchange) -> str:
    """Return the findings as a SARIF log."""
    return json.dumps(sarif_document(exchange), ensure_ascii=False, indent=1) + "\n"


def sarif_document(exchange: Exchange) -> Document:
    """Return the SARIF log as JSON values."""
    language = current_language()
    rules = [*_own_rules(), *(_rule(control, language) for control in exchange.controls)]
    known = {str(rule["id"]) for rule in rules}
    gone = sorted({j.finding.control_id for _host, j in exchange.findings()} - known)
    rules += [{"id": safe_text(name), "name": safe_text(name)} for name in gone]
    # By the id as it is in the store: two unsafe ids may look alike once they are plain.
    index = {str(rule["id"]): number for number, rule in enumerate(rules)} | {
        name: len(known) + number for number, name in enumerate(gone)
    }
    run = {
        "tool": {"driver": {"name": "Khiên", "version": __version__, "rules": rules}},
        "automationDetails": {"id": f"khien/{safe_text(exchange.scope) or 'all'}/"},
        "invocations": [
            {
                "executionSuccessful": True,
                "endTimeUtc": utc(exchange.generated_at),
                "properties": {
                    "generated_at": utc(exchange.generated_at),
                    "hosts_total": exchange.totals.hosts,
                    "hosts_fresh": exchange.totals.fresh,
                    "hosts_stale": exchange.totals.stale,
                    "hosts_never_verified": exchange.totals.never_verified,
                },
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": [result for host in exchange.hosts for result in _results(host, index, language)],
    }
    return {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run]}


def _own_rules() -> Iterator[Document]:
    yield {
        "id": NEVER_VERIFIED,
        "name": NEVER_VERIFIED,
        "shortDescription": {"text": _("The host was never verified.")},
    }
    yield {
        "id": STALE,
        "name": STALE,
        "shortDescription": {"text": _("The host was verified too long ago.")},
    }


def _rule(control: Control, language: str) -> Document:
    return {
        "id": control.id,
        "name": control.id,
        "shortDescription": {"text": safe_text(control.title.in_language(language))},
        "fullDescription": {"text": safe_text(control.rationale.in_language(language))},
        "help": {"text": safe_text(control.way_back.in_language(language))},
        "defaultConfiguration": {"level": _LEVELS[control.severity]},
        "properties": {
            "area": control.area,
            "severity": control.severity.value,
            "references": {name: list(ids) for name, ids in sorted(control.references.items())},
        },
    }


def _results(host: ExchangeHost, index: dict[str, int], language: str) -> Iterator[Document]:
    if host.report.freshness is Freshness.NEVER:
        said = _("{host} was never verified: nothing is known of it.")
        yield _about_host(host, NEVER_VERIFIED, index, said)
        return
    if host.report.freshness is Freshness.STALE:
        said = _("{host} was verified {age}; what is said of it is stale.")
        yield _about_host(host, STALE, index, said)
    for judged in host.judged:
        yield _result(host, judged, index, language)


def _about_host(host: ExchangeHost, rule: str, index: dict[str, int], said: str) -> Document:
    text = said.format(host=safe_text(host.host.name), age=words.age(host.report.age))
    return {
        "ruleId": rule,
        "ruleIndex": index[rule],
        "kind": "open",
        "level": "none",
        "message": {"text": text},
        **_place(host, rule),
        "properties": {"verdict": rule, **_age(host)},
    }


def _result(host: ExchangeHost, judged: Judged, index: dict[str, int], language: str) -> Document:
    finding = judged.finding
    kind = _KINDS[finding.verdict]
    said = ": ".join(part for part in (title_of(judged, language), why(finding)) if part)
    result: Document = {
        "ruleId": safe_text(finding.control_id),
        "ruleIndex": index[finding.control_id],
        "kind": kind,
        # The format allows a level for failures only.
        "level": _LEVELS[judged.severity] if kind == "fail" else "none",
        "message": {"text": safe_text(said)},
        **_place(host, finding.control_id),
        "properties": {
            "verdict": finding.verdict.value,
            "reason": safe_text(finding.reason),
            **_age(host),
        },
    }
    if finding.verdict is Verdict.WAIVED:
        result["suppressions"] = [{"kind": "external", "justification": why(finding) or _("Waived.")}]
    return result


def _place(host: ExchangeHost, rule: str) -> Document:
    name = safe_text(host.host.name)
    return {
        "guid": stable_id("sarif", host.host.name, rule, verification_id(host)),
        # The same host and control in every export: what lets a reader follow one finding through time.
        "partialFingerprints": {"hostAndControl/v1": stable_id("finding", host.host.name, rule)},
        "locations": [{"logicalLocations": [{"name": name, "fullyQualifiedName": name, "kind": "resource"}]}],
    }


def _age(host: ExchangeHost) -> Document:
    return {
        "freshness": host.report.freshness.value,
        "verified_at": utc(host.verified_at) or None,
        "age_seconds": host.age_seconds,
        "run": host.run,
    }
