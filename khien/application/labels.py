"""The names of verdicts, severities and states, in the language chosen for this process."""

from __future__ import annotations

from collections.abc import Mapping

from khien.domain.control import Severity
from khien.domain.finding import Verdict
from khien.domain.run import HostState, Run, RunState, Verb
from khien.domain.standing import DriftKind
from khien.domain.waiver import ScopeKind
from khien.i18n import _, pgettext


def verdict_label(verdict: Verdict) -> str:
    """Name a verdict."""
    names: Mapping[Verdict, str] = {
        Verdict.PASS: _("passed"),
        Verdict.FAIL: _("failed"),
        Verdict.WAIVED: _("waived"),
        Verdict.NOT_APPLICABLE: _("not applicable"),
        Verdict.UNKNOWN: _("unknown"),
    }
    return names[verdict]


def severity_label(severity: Severity | None) -> str:
    """Name a severity; none is that of a control which left the catalogue."""
    names: Mapping[Severity | None, str] = {
        Severity.HIGH: _("high"),
        Severity.MEDIUM: _("medium"),
        Severity.LOW: _("low"),
        None: _("retired"),
    }
    return names[severity]


def area_label(area: str) -> str:
    """Name an area of the baseline; one that is not known is shown as it is written."""
    names: Mapping[str, str] = {
        "access": _("access"),
        "accounts": _("accounts"),
        "backup": _("backup"),
        "logging": _("logging"),
        "malware": _("malware"),
        "network": _("network"),
        "patching": _("updates"),
        "system": _("system"),
        "": _("retired"),
    }
    return names.get(area, area)


def scope_label(kind: ScopeKind, name: str) -> str:
    """Say what a waiver is for."""
    texts: Mapping[ScopeKind, str] = {
        ScopeKind.HOST: _("host {name}"),
        ScopeKind.GROUP: _("group {name}"),
        ScopeKind.AGENCY: _("agency {name}"),
    }
    return texts[kind].format(name=name)


def drift_label(kind: DriftKind) -> str:
    """Name what a change of verdict means."""
    names: Mapping[DriftKind, str] = {
        DriftKind.WORSE: _("worse"),
        DriftKind.BETTER: _("better"),
        DriftKind.UNSEEN: _("out of sight"),
        DriftKind.EXCUSED: _("waived"),
        DriftKind.SCOPE: _("other scope"),
    }
    return names[kind]


def host_state_label(state: HostState) -> str:
    """Name what became of a host in a run."""
    names: Mapping[HostState, str] = {
        HostState.WAITING: _("waiting"),
        HostState.RUNNING: _("running"),
        HostState.OK: pgettext("host", "ok"),
        HostState.CHANGED: _("changed"),
        HostState.FAILED: pgettext("host", "failed"),
        HostState.UNREACHABLE: _("unreachable"),
        HostState.NOT_STARTED: _("not started"),
        HostState.SKIPPED: _("skipped"),
        HostState.UNKNOWN: _("unknown"),
    }
    return names[state]


def run_state_label(state: RunState) -> str:
    """Name where a run stands."""
    names: Mapping[RunState, str] = {
        RunState.CREATED: _("created"),
        RunState.RUNNING: _("running"),
        RunState.CANCELLING: _("being cancelled"),
        RunState.FINISHED: _("finished"),
        RunState.CANCELLED: _("cancelled"),
        RunState.INTERRUPTED: _("interrupted"),
        RunState.BROKEN: _("broken"),
    }
    return names[state]


def run_label(run: Run) -> str:
    """Name what a run does; a run that only predicts says so."""
    names: Mapping[Verb, str] = {
        Verb.VERIFY: _("verify"),
        Verb.PATCH: _("patch"),
        Verb.HARDEN: _("harden"),
        Verb.UNDO: _("undo"),
    }
    name = names[run.verb]
    if run.is_check and run.verb.changes_hosts:
        return _("{verb} (check only)").format(verb=name)
    return name
