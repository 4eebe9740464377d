"""The JSON of hardening: plans, what a run did for each control, what an undo put back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from khien.application.wording import describe
from khien.cli.documents import Document, moment, run_document
from khien.domain.hardening import Change, GuardState, HostHardening, SkippedChange, UndoReport
from khien.domain.prediction import StoredPlan
from khien.domain.proof import ControlResult
from khien.domain.run import Reason


def stored_plan_document(plan: StoredPlan) -> Document:
    """Return a prediction with its approval."""
    approval = plan.approval
    return {
        "id": plan.run.id,
        "hash": plan.hash,
        "run": run_document(plan.run),
        "changes_total": plan.changes,
        "approved": plan.is_approved,
        "approval": {"hash": approval.hash, "by": approval.by, "at": moment(approval.at)}
        if approval
        else None,
        "predictions": {host: _prediction(one) for host, one in plan.predictions.items()},
    }


def _prediction(one: HostHardening) -> Document:
    return {
        "changes": [asdict(change) for change in one.predicted_changes],
        "skipped": [_skip(skip) for skip in one.skipped],
    }


def _skip(skip: SkippedChange) -> Document:
    return {**asdict(skip), "text": describe(Reason(skip.why))}


def hardening_documents(
    reports: Mapping[str, HostHardening], proofs: Mapping[str, tuple[ControlResult, ...]]
) -> Mapping[str, Document]:
    """Return by host what a hardening run did: the key `hardening` of an item of `hosts`."""
    return {
        host: {"hardening": _hardening(reports.get(host, HostHardening()), results)}
        for host, results in proofs.items()
    }


def _hardening(reports: HostHardening, results: tuple[ControlResult, ...]) -> Document:
    applied = bool(reports.actual)
    return {
        "changes_predicted": len(reports.predicted_changes),
        "changes_applied": len(reports.actual_changes) if applied else None,
        "as_predicted": reports.predicted_changes == reports.actual_changes if applied else None,
        "skipped": [_skip(skip) for skip in reports.skipped],
        "guards": [
            {"area": report.area, **asdict(report.guard)}
            for report in reports.actual
            if report.guard.state is not GuardState.NONE
        ],
        "controls": [_control(result) for result in results],
    }


def _control(result: ControlResult) -> Document:
    return {
        "control": result.control_id,
        "was": result.was.value if result.was else None,
        "is": result.now.value if result.now else None,
        "predicted": [_change(change) for change in result.predicted],
        "applied": [_change(change) for change in result.actual],
        "as_predicted": result.as_predicted,
        "why_not": {"code": result.why_not, "text": describe(Reason(result.why_not)), "detail": result.detail}
        if result.why_not
        else None,
    }


def _change(change: Change) -> Document:
    return {"kind": change.kind, "thing": change.thing, "before": change.before, "after": change.after}


def undo_documents(reports: Mapping[str, UndoReport]) -> Mapping[str, Document]:
    """Return by host what an undo put back: the key `undo` of an item of `hosts`."""
    return {
        host: {
            "undo": {
                "stage": report.stage.value,
                "restored": [asdict(one) for one in report.restored],
                "refused": [{**asdict(one), "text": describe(Reason(one.why))} for one in report.refused],
                "guard": asdict(report.guard),
                "problem": report.problem,
                "problem_detail": report.problem_detail,
            }
        }
        for host, report in reports.items()
    }
