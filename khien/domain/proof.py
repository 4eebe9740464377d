"""What a hardening run did for each control of a host: was, is, as predicted or not, and why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from khien.domain.control import Control
from khien.domain.finding import Finding, Verdict
from khien.domain.hardening import Change, HostHardening, SkippedChange
from khien.domain.reason import ReasonCode
from khien.domain.run import HostOutcome, HostState

_NOT_DONE = frozenset(
    {HostState.FAILED, HostState.UNREACHABLE, HostState.NOT_STARTED, HostState.SKIPPED, HostState.UNKNOWN}
)


@dataclass(frozen=True, slots=True)
class ControlResult:
    """One control of one host in one hardening run."""

    control_id: str
    was: Verdict | None = None
    """Judged before; None when the host was not asked."""
    now: Verdict | None = None
    """Judged after; None when the run only predicted, or the host was not asked."""
    predicted: tuple[Change, ...] = ()
    actual: tuple[Change, ...] = ()
    as_predicted: bool | None = None
    """Whether exactly what was predicted was done; None when nothing was applied."""
    why_not: str = ""
    """Why it does not pass, or is not changed: a code of khien.domain.reason; empty when all is well."""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class VerificationPair:
    """The first and the last verification of a host in one run."""

    before: tuple[Finding, ...] = ()
    after: tuple[Finding, ...] = ()
    """Empty when there was only one."""


def prove(
    outcome: HostOutcome,
    hardening: HostHardening,
    verifications: VerificationPair,
    controls: Mapping[str, Control],
    selected: Iterable[str],
) -> tuple[ControlResult, ...]:
    """Return what the run did for each control of a host, by id; those not meant for the host are left out.

    Args:
        outcome: what became of the host.
        hardening: what it said.
        verifications: how it was judged before and after.
        controls: the catalogue.
        selected: the controls it was hardened for.
    """
    before = {finding.control_id: finding for finding in verifications.before}
    after = {finding.control_id: finding for finding in verifications.after}
    predicted, actual = _by_control(hardening.predicted_changes), _by_control(hardening.actual_changes)
    skipped = {skip.control: skip for skip in reversed(hardening.skipped)}
    chosen = frozenset(selected)
    results: list[ControlResult] = []
    for name in sorted({*before, *after, *predicted, *actual, *skipped}):
        finding = after.get(name) or before.get(name)
        touched = name in predicted or name in actual or name in skipped
        if finding is not None and finding.verdict is Verdict.NOT_APPLICABLE and not touched:
            continue
        why, detail = _why_not(
            name, finding, outcome, hardening, controls.get(name), skipped.get(name), chosen,
            is_judged_after=name in after, would_change=name in predicted,
        )  # fmt: skip
        results.append(
            ControlResult(
                name,
                was=before[name].verdict if name in before else None,
                now=after[name].verdict if name in after else None,
                predicted=predicted.get(name, ()),
                actual=actual.get(name, ()),
                as_predicted=predicted.get(name, ()) == actual.get(name, ()) if hardening.actual else None,
                why_not=why,
                detail=detail,
            )
        )
    return tuple(results)


def _by_control(changes: Sequence[Change]) -> dict[str, tuple[Change, ...]]:
    found: dict[str, tuple[Change, ...]] = {}
    for change in changes:
        found[change.control] = (*found.get(change.control, ()), change)
    return found


def _why_not(
    name: str,
    finding: Finding | None,
    outcome: HostOutcome,
    hardening: HostHardening,
    control: Control | None,
    skip: SkippedChange | None,
    selected: frozenset[str],
    *,
    is_judged_after: bool,
    would_change: bool,
) -> tuple[str, str]:
    """Return why a control does not pass, most telling first; nothing when it passes or will be changed."""
    if finding is not None and finding.verdict is Verdict.PASS:
        return "", ""
    if finding is not None and finding.verdict in (Verdict.WAIVED, Verdict.NOT_APPLICABLE):
        return str(finding.reason), finding.detail
    if control is not None and control.fix_variable is None:
        return ReasonCode.REPORT_ONLY, ""
    if name not in selected:
        return ReasonCode.NOT_SELECTED, ""
    for report in (*hardening.actual, *hardening.predicted):
        if report.problem and control is not None and report.area == control.role:
            return report.problem, report.problem_detail
    if skip is not None:
        return skip.why, ": ".join(part for part in (skip.thing, skip.detail) if part)
    if outcome.state in _NOT_DONE:
        return outcome.reason.code, ""
    if would_change and not is_judged_after:
        return "", ""
    return (str(finding.reason), finding.detail) if finding is not None else ("", "")
