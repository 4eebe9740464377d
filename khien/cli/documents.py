"""The JSON documents of the command line; docs/json.md describes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime

from khien.application.wording import describe
from khien.domain.finding import Excuse, Finding, VerdictCounts
from khien.domain.fleet import HostDetail, HostStatus
from khien.domain.packages import PatchReport
from khien.domain.plan import Plan
from khien.domain.run import HostOutcome, HostState, Reason, Run

Document = dict[str, object]


def moment(at: datetime | None) -> str | None:
    """Return a moment as ISO 8601 in UTC."""
    return at.isoformat().replace("+00:00", "Z") if at else None


def reason_document(reason: Reason) -> Document | None:
    """Return a reason with its words, or None when there is none."""
    if not reason.code:
        return None
    return {"code": str(reason.code), "arguments": dict(reason.arguments), "text": describe(reason)}


def run_document(run: Run) -> Document:
    """Return a run as the value of `run` or an item of `runs`."""
    return {
        "id": run.id,
        "verb": run.verb.value,
        "check": run.is_check,
        "state": run.state.value,
        "reason": reason_document(run.reason),
        "requested_by": run.requested_by,
        "created_at": moment(run.created_at),
        "started_at": moment(run.started_at),
        "ended_at": moment(run.ended_at),
        "parent": run.parent,
        "plan_hash": run.plan_hash,
        "limit": run.options.limit,
        "hosts": {state.value: run.counts.get(state, 0) for state in HostState},
        "hosts_total": run.total,
    }


def outcome_document(
    outcome: HostOutcome, verdicts: VerdictCounts | None = None, report: PatchReport | None = None
) -> Document:
    """Return what became of one host of a run."""
    document: Document = {
        "host": outcome.host,
        "state": outcome.state.value,
        "reason": reason_document(outcome.reason),
        "task": outcome.task,
        "changed_tasks": outcome.changed_tasks,
        "started_at": moment(outcome.started_at),
        "ended_at": moment(outcome.ended_at),
    }
    if verdicts is not None:
        document["verdicts"] = verdicts_document(verdicts)
    if report is not None:
        document["updates"] = asdict(report)
    return document


def verdicts_document(counts: VerdictCounts) -> Document:
    """Return verdict counts with their denominator."""
    return {
        "passed": counts.passed,
        "failed": counts.failed,
        "waived": counts.waived,
        "not_applicable": counts.not_applicable,
        "unknown": counts.unknown,
        "applicable": counts.applicable,
    }


def plan_document(plan: Plan) -> Document:
    """Return a plan; schema khien.plan/1."""
    return {
        "schema": plan.schema,
        "hash": plan.hash,
        "verb": plan.verb.value,
        "check": plan.options.check,
        "created_at": moment(plan.created_at),
        "parent": plan.parent,
        "options": asdict(plan.options),
        "hosts": list(plan.hosts),
        "left_out": [{"host": left.host, "reason": reason_document(left.reason)} for left in plan.left_out],
        "selection": [asdict(one) for one in plan.selection],
        "approved": asdict(plan.approved) if plan.approved else None,
        "undoes": plan.undoes,
    }


def run_with_hosts(
    run: Run,
    outcomes: Iterable[HostOutcome],
    verdicts: Mapping[str, VerdictCounts],
    reports: Mapping[str, PatchReport],
    more: Mapping[str, Document] | None = None,
) -> Document:
    """Return a run with all its hosts; schema khien.run/1.

    Args:
        run: the run.
        outcomes: what became of its hosts.
        verdicts: how they were judged, by host.
        reports: what they said about their updates, by host.
        more: further keys of the hosts, by host.
    """
    more = more or {}
    return {
        "schema": "khien.run/1",
        "run": run_document(run),
        "hosts": [
            outcome_document(o, verdicts.get(o.host), reports.get(o.host)) | more.get(o.host, {})
            for o in outcomes
        ],
    }


def status_document(status: HostStatus) -> Document:
    """Return a host as an item of khien.hosts/1."""
    host = status.host
    return {
        "name": host.name,
        "agency": host.agency,
        "agency_name": host.agency_name,
        "site": host.site,
        "role": host.role.value,
        "level": host.level,
        "owner": host.owner,
        "address": host.address,
        "in_inventory": status.in_inventory,
        "facts": asdict(status.facts) if status.facts else None,
        "verdicts": verdicts_document(status.counts) if status.counts else None,
        "judgement_outdated": status.is_outdated if status.counts else None,
        "verified_at": moment(status.verified_at),
        "seen_at": moment(status.seen_at),
        "pending_security": status.pending_security,
        "reboot_needed": status.reboot_needed,
        "last_run": status.last_run,
        "last_state": status.last_state.value if status.last_state else None,
        "last_reason": reason_document(status.last_reason),
    }


def waiver_document(excuse: Excuse | None) -> Document | None:
    """Return the waiver that a finding stands under, or that expired over it."""
    if excuse is None:
        return None
    return {
        "id": excuse.waiver,
        "reason": excuse.reason,
        "approver": excuse.approver,
        "expires": excuse.expires.isoformat(),
    }


def finding_document(finding: Finding) -> Document:
    """Return a finding with its evidence."""
    return {
        "control": finding.control_id,
        "verdict": finding.verdict.value,
        "reason": finding.reason,
        "detail": finding.detail,
        "waiver": waiver_document(finding.excuse),
        "evidence": [asdict(observation) for observation in finding.evidence],
    }


def host_document(detail: HostDetail) -> Document:
    """Return all that is known of one host; schema khien.host/1."""
    return {
        "schema": "khien.host/1",
        "host": status_document(detail.status),
        "findings": [finding_document(finding) for finding in detail.findings],
        "pending": [asdict(change) for change in detail.pending],
        "held": list(detail.held),
        "history": [
            {
                "run": entry.run,
                "verb": entry.verb.value,
                "check": entry.check,
                "state": entry.state.value,
                "reason": reason_document(entry.reason),
                "at": moment(entry.at),
                "verdicts": verdicts_document(entry.counts) if entry.counts else None,
                "changes": [asdict(change) for change in entry.changes],
            }
            for entry in detail.history
        ],
    }
