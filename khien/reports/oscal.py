"""Findings as OSCAL assessment results, version 1.1.3: one result a verified host.

Each finding is an observation; pass, fail, waived and unknown ones are OSCAL findings, too. OSCAL knows only
`satisfied` and `not-satisfied`: unknown and waived are `not-satisfied` with the reason `other` and say what
they are in a property. A waived control is a risk whose deviation is approved, a failed one an open risk.
What is not applicable is an observation only. Hosts never verified stand together in a result of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from khien import __version__
from khien.application.exchange import (
    NEVER_VERIFIED,
    Exchange,
    ExchangeHost,
    severity_of,
    title_of,
    why,
)
from khien.application.report import Judged
from khien.domain.finding import Verdict
from khien.domain.text import safe_text
from khien.i18n import _, current_language
from khien.reports.exchange_words import stable_id, utc, verification_id

OSCAL_VERSION = "1.1.3"
_NAMESPACE = "https://khien.example/ns/oscal"
"""A name and no address: nothing is fetched from it."""
_REASONS = {Verdict.PASS: "pass", Verdict.FAIL: "fail", Verdict.WAIVED: "other", Verdict.UNKNOWN: "other"}
_RISKS = {Verdict.FAIL: "open", Verdict.WAIVED: "deviation-approved"}

Document = dict[str, object]


def render_oscal(exchange: Exchange) -> str:
    """Return the findings as OSCAL JSON."""
    return json.dumps(oscal_document(exchange), ensure_ascii=False, indent=1) + "\n"


def oscal_document(exchange: Exchange) -> Document:
    """Return the assessment results as JSON values."""
    made = utc(exchange.generated_at)
    scope = safe_text(exchange.scope) or "all"
    totals = exchange.totals
    plan = stable_id("oscal-plan", __version__)
    never = [host for host in exchange.hosts if not host.judged]
    results = [_result(host) for host in exchange.hosts if host.judged]
    if never or not results:
        results.append(_nothing_known(never, exchange))
    return {
        "assessment-results": {
            "uuid": stable_id("oscal", scope, made, *(_mark(host) for host in exchange.hosts)),
            "metadata": {
                "title": _("Baseline verification by Khiên"),
                "last-modified": made,
                "version": made,
                "oscal-version": OSCAL_VERSION,
                "props": _props(
                    ("generated-at", made),
                    ("scope", scope),
                    ("stale-after-seconds", int(exchange.stale_after.total_seconds())),
                    ("hosts-total", totals.hosts),
                    ("hosts-fresh", totals.fresh),
                    ("hosts-stale", totals.stale),
                    ("hosts-never-verified", totals.never_verified),
                ),
            },
            "import-ap": {"href": f"#{plan}"},
            "results": results,
            "back-matter": {
                "resources": [
                    {
                        "uuid": plan,
                        "title": _("Khiên's baseline"),
                        "description": _("The controls and checks of Khiên {version}.").format(
                            version=__version__
                        ),
                    }
                ]
            },
        }
    }


def _mark(host: ExchangeHost) -> str:
    return f"{host.host.name} {verification_id(host)}"


def _result(host: ExchangeHost) -> Document:
    language = current_language()
    name = safe_text(host.host.name)
    counts = host.report.counts
    judged = host.judged
    risks = [_risk(host, one, language) for one in judged if one.finding.verdict in _RISKS]
    found = [_finding(host, one, language) for one in judged if one.finding.verdict in _REASONS]
    result: Document = {
        "uuid": stable_id("oscal-result", host.host.name, verification_id(host)),
        "title": name,
        "description": _("What was found on {host}.").format(host=name),
        "start": utc(host.verified_at),
        "end": utc(host.verified_at),
        "props": _props(
            ("freshness", host.report.freshness.value),
            ("age-seconds", host.age_seconds),
            ("run", host.run),
            ("passed", counts.passed),
            ("failed", counts.failed),
            ("waived", counts.waived),
            ("unknown", counts.unknown),
            ("applicable", counts.applicable),
            ("not-applicable", counts.not_applicable),
        ),
        "local-definitions": {"inventory-items": [_item(host)]},
        "reviewed-controls": _reviewed(one.finding.control_id for one in judged),
        "observations": [_observation(host, one, language) for one in judged],
    }
    # The format has no empty lists.
    return result | {key: value for key, value in (("risks", risks), ("findings", found)) if value}


def _reviewed(control_ids: Iterable[str]) -> Document:
    ids = [{"control-id": safe_text(name)} for name in control_ids]
    return {"control-selections": [{"include-controls": ids} if ids else {"include-all": {}}]}


def _item(host: ExchangeHost) -> Document:
    status, words = host.report.status, host.host
    facts = status.facts
    return {
        "uuid": _item_id(host),
        "description": safe_text(words.name),
        "props": _props(
            ("host", words.name),
            ("agency", words.agency),
            ("agency-name", words.agency_name),
            ("role", words.role.value),
            ("level", words.level),
            ("system", (facts.os_name or facts.os_id) if facts else ""),
            ("in-inventory", "yes" if status.in_inventory else "no"),
        ),
    }


def _item_id(host: ExchangeHost) -> str:
    return stable_id("host", host.host.name)


def _id(kind: str, host: ExchangeHost, judged: Judged) -> str:
    return stable_id(f"oscal-{kind}", host.host.name, judged.finding.control_id, verification_id(host))


def _observation(host: ExchangeHost, judged: Judged, language: str) -> Document:
    finding = judged.finding
    document: Document = {
        "uuid": _id("observation", host, judged),
        "title": title_of(judged, language),
        "description": why(finding) or title_of(judged, language),
        "props": _props(
            ("control", finding.control_id),
            ("verdict", finding.verdict.value),
            ("reason", finding.reason),
            ("severity", severity_of(judged)),
        ),
        "methods": ["TEST"],
        "subjects": [_subject(host)],
        "collected": utc(host.verified_at),
    }
    if finding.verdict is Verdict.NOT_APPLICABLE:
        document["remarks"] = _("The control does not apply to this host.")
    return document


def _subject(host: ExchangeHost) -> Document:
    return {"subject-uuid": _item_id(host), "type": "inventory-item", "title": safe_text(host.host.name)}


def _finding(host: ExchangeHost, judged: Judged, language: str) -> Document:
    finding = judged.finding
    state = "satisfied" if finding.verdict is Verdict.PASS else "not-satisfied"
    status: Document = {"state": state, "reason": _REASONS[finding.verdict]}
    if finding.verdict is Verdict.UNKNOWN:
        status["remarks"] = _("It is not known: {why}").format(why=why(finding))
    if finding.verdict is Verdict.WAIVED:
        status["remarks"] = _("Waived: {why}").format(why=why(finding))
    document: Document = {
        "uuid": _id("finding", host, judged),
        "title": title_of(judged, language),
        "description": why(finding) or title_of(judged, language),
        "props": _props(("verdict", finding.verdict.value)),
        "target": {
            "type": "objective-id",
            "target-id": safe_text(finding.control_id),
            "status": status,
        },
        "related-observations": [{"observation-uuid": _id("observation", host, judged)}],
    }
    if finding.verdict in _RISKS:
        document["related-risks"] = [{"risk-uuid": _id("risk", host, judged)}]
    return document


def _risk(host: ExchangeHost, judged: Judged, language: str) -> Document:
    control = judged.control
    finding = judged.finding
    title = title_of(judged, language)
    statement = safe_text(control.rationale.in_language(language)) if control else title
    return {
        "uuid": _id("risk", host, judged),
        "title": title,
        "description": why(finding) or title,
        "statement": statement,
        "props": _props(("severity", severity_of(judged)), ("verdict", finding.verdict.value)),
        "status": _RISKS[finding.verdict],
        "related-observations": [{"observation-uuid": _id("observation", host, judged)}],
    }


def _nothing_known(hosts: list[ExchangeHost], exchange: Exchange) -> Document:
    made = utc(exchange.generated_at)
    result: Document = {
        "uuid": stable_id("oscal-never", made, *(host.host.name for host in hosts)),
        "title": _("Hosts never verified"),
        "description": _("Nothing was ever judged on these hosts, so nothing is known of them."),
        "start": made,
        "props": _props(("hosts", len(hosts))),
        "reviewed-controls": _reviewed(()),
    }
    if hosts:
        result["local-definitions"] = {"inventory-items": [_item(host) for host in hosts]}
        result["observations"] = [_never(host, made) for host in hosts]
    return result


def _never(host: ExchangeHost, made: str) -> Document:
    return {
        "uuid": stable_id("oscal-observation", host.host.name, NEVER_VERIFIED),
        "description": _("{host} was never verified: nothing is known of it.").format(
            host=safe_text(host.host.name)
        ),
        "props": _props(("verdict", NEVER_VERIFIED)),
        "methods": ["UNKNOWN"],
        "subjects": [_subject(host)],
        "collected": made,
    }


def _props(*pairs: tuple[str, object]) -> list[Document]:
    """Return properties of our own; one without a value is left out, as the format has no empty ones."""
    return list(_all_props(pairs))


def _all_props(pairs: Iterable[tuple[str, object]]) -> Iterator[Document]:
    for name, value in pairs:
        text = safe_text("" if value is None else value)
        if text:
            yield {"name": name, "ns": _NAMESPACE, "value": text}
