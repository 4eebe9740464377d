"""The report as a JSON document, schema `khien.report/1`; docs/json.md describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from khien.application.report import ControlFigures, Figures, HostReport, Judged, Report
from khien.domain.finding import Excuse, VerdictCounts
from khien.domain.run import HostState, Run
from khien.domain.text import safe_text

SCHEMA = "khien.report/1"

Document = dict[str, object]


def report_document(report: Report) -> Document:
    """Return the report as JSON values; every text in it is plain."""
    document = {
        "schema": SCHEMA,
        "generated_at": _moment(report.generated_at),
        "scope": report.scope,
        "stale_after_seconds": int(report.stale_after.total_seconds()),
        "totals": _figures(report.totals),
        "agencies": [{"agency": a.agency, "name": a.name, **_figures(a.figures)} for a in report.agencies],
        "controls": [_control(figures) for figures in report.controls],
        "hosts": [_host(host) for host in report.hosts],
        "runs": [_run(run) for run in report.runs],
        "areas": [
            {
                "agency": one.agency,
                "hosts": one.hosts,
                "verified": one.verified,
                "stale": one.stale,
                "areas": {area: _verdicts(counts) for area, counts in one.areas.items()},
            }
            for one in report.standing
        ],
        "changes": [
            {
                "host": one.host,
                "control": one.control_id,
                "kind": one.kind.value,
                "was": one.was.value if one.was else None,
                "is": one.now.value if one.now else None,
            }
            for one in report.drifts
        ],
        "trend": [
            {"day": point.day.isoformat(), "verified": point.verified, "verdicts": _verdicts(point.counts)}
            for point in report.trend
        ],
    }
    return {key: _plain(value) for key, value in document.items()}


def _plain(value: object) -> object:
    match value:
        case str():
            return safe_text(value)
        case Mapping():
            return {safe_text(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return value


def _moment(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None


def _figures(figures: Figures) -> Document:
    return {
        "hosts": {
            "total": figures.hosts,
            "compliant": figures.compliant,
            "fresh": figures.fresh,
            "stale": figures.stale,
            "never_verified": figures.never_verified,
            "not_in_inventory": figures.remembered,
        },
        "verdicts": _verdicts(figures.verdicts),
        "security_updates": {
            "pending": figures.updates,
            "hosts_pending": figures.updates_hosts,
            "hosts_known": figures.updates_known,
            "hosts_total": figures.hosts,
        },
        "reboot": {
            "hosts_needed": figures.reboot_hosts,
            "hosts_known": figures.reboot_known,
            "hosts_total": figures.hosts,
        },
    }


def _verdicts(counts: VerdictCounts) -> Document:
    return {**asdict(counts), "applicable": counts.applicable}


def _control(figures: ControlFigures) -> Document:
    control = figures.control
    return {
        "id": figures.control_id,
        "title": asdict(control.title) if control else None,
        "severity": control.severity.value if control else None,
        "area": control.area if control else None,
        "references": control.references if control else {},
        "hosts": {**_verdicts(figures.verdicts), "judged": figures.judged},
    }


def _host(host: HostReport) -> Document:
    status = host.status
    return {
        "name": status.host.name,
        "agency": status.host.agency,
        "agency_name": status.host.agency_name,
        "site": status.host.site,
        "role": status.host.role.value,
        "level": status.host.level,
        "in_inventory": status.in_inventory,
        "facts": asdict(status.facts) if status.facts else None,
        "freshness": host.freshness.value,
        "compliant": host.is_compliant,
        "verified_at": _moment(status.verified_at),
        "seen_at": _moment(status.seen_at),
        "verdicts": _verdicts(host.counts) if host.age is not None else None,
        "failed": [_finding(judged) for judged in host.failed],
        "unknown": [_finding(judged) for judged in host.unknown],
        "waived": [_finding(judged) for judged in host.waived],
        "pending_security": status.pending_security,
        "pending": [asdict(change) for change in host.pending],
        "held": list(host.held),
        "reboot_needed": status.reboot_needed,
        "last_run": status.last_run,
        "last_state": status.last_state.value if status.last_state else None,
    }


def _finding(judged: Judged) -> Document:
    return {
        "control": judged.finding.control_id,
        "severity": judged.severity.value if judged.severity else None,
        "reason": str(judged.finding.reason),
        "detail": judged.finding.detail,
        "waiver": _waiver(judged.finding.excuse),
        "evidence": [asdict(observation) for observation in judged.finding.evidence],
    }


def _waiver(excuse: Excuse | None) -> Document | None:
    if excuse is None:
        return None
    return {
        "id": excuse.waiver,
        "reason": excuse.reason,
        "approver": excuse.approver,
        "expires": excuse.expires.isoformat(),
    }


def _run(run: Run) -> Document:
    return {
        "id": run.id,
        "verb": run.verb.value,
        "check": run.is_check,
        "state": run.state.value,
        "requested_by": run.requested_by,
        "created_at": _moment(run.created_at),
        "started_at": _moment(run.started_at),
        "ended_at": _moment(run.ended_at),
        "hosts": {state.value: run.counts.get(state, 0) for state in HostState},
        "hosts_total": run.total,
    }
