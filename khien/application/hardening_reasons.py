"""Why a host did not become what hardening or undo wanted, as reasons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from khien.domain.hardening import Change, GuardState, HardenReport, UndoReport
from khien.domain.prediction import Drift, find_drift
from khien.domain.reason import ReasonCode
from khien.domain.run import Reason

_NAMED = 10
_GUARD_CODES = {
    GuardState.REVERTED: ReasonCode.GUARD_REVERTED,
    GuardState.LOST: ReasonCode.GUARD_LOST,
}


def harden_reason(report: HardenReport) -> Reason | None:
    """Return why an area failed on a host; None when it did not."""
    code = _GUARD_CODES.get(report.guard.state, report.problem)
    if code in _GUARD_CODES.values():
        things = names([change.thing for change in report.changes])
        detail = report.problem_detail or report.guard.detail
        return Reason(code, {"area": report.area, "things": things, "detail": detail})
    if report.problem:
        return Reason(report.problem, {"area": report.area, "detail": report.problem_detail})
    return None


def undo_reason(report: UndoReport) -> Reason | None:
    """Return why an undo is not complete on a host; None when it is."""
    if report.problem:
        return Reason(report.problem, {"area": "undo", "detail": report.problem_detail})
    if report.refused:
        things = names([refused.thing for refused in report.refused])
        return Reason(ReasonCode.UNDO_REFUSED, {"number": len(report.refused), "things": things})
    return None


def drift_reason(drift: Drift) -> Reason:
    """Return the reason of a host that is not what it was when its plan was made."""
    gone, new = {(c.kind, c.thing): c for c in drift.gone}, {(c.kind, c.thing): c for c in drift.new}
    key = next(iter(sorted(gone.keys() & new.keys()) or sorted(gone.keys() | new.keys())))
    before, now = gone.get(key), new.get(key)
    # A thing that is in both: what it was then and is now. Else only one of the plans would change it.
    arguments: dict[str, str | int | float] = {"number": len(gone.keys() | new.keys()), "thing": key[1]}
    if before is not None:
        arguments["expected"] = f"{before.before} → {before.after}"
    if now is not None:
        arguments["seen"] = f"{now.before} → {now.after}"
    return Reason(ReasonCode.DRIFTED_SINCE_PLAN, arguments)


def surprise_reason(predicted: Iterable[Change], actual: Iterable[Change]) -> Reason:
    """Return the reason of a host where something else was changed than predicted; empty when all went so."""
    drift = find_drift(predicted, actual)
    things = [change.thing for change in (*drift.gone, *drift.new)]
    if not things:
        return Reason()
    return Reason(ReasonCode.NOT_AS_PREDICTED, {"number": len(set(things)), "things": names(things)})


def names(things: Sequence[str]) -> str:
    """Return names in a row, not too many."""
    shown = list(dict.fromkeys(things))
    return ", ".join(shown[:_NAMED]) + (f" … (+{len(shown) - _NAMED})" if len(shown) > _NAMED else "")
