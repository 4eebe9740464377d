"""A symbol and a tone for each state; the word stands beside them, so colour is never the only signal."""

from __future__ import annotations

from collections.abc import Mapping

from khien.application.labels import host_state_label, run_state_label, severity_label, verdict_label
from khien.domain.control import Severity
from khien.domain.finding import Verdict
from khien.domain.run import HostState, RunState
from tui.presenters.cell import Cell, Piece, Tone

_HOST: Mapping[HostState, tuple[str, Tone]] = {
    HostState.WAITING: ("·", Tone.DIM),
    HostState.RUNNING: ("▸", Tone.ACCENT),
    HostState.OK: ("✓", Tone.GOOD),
    HostState.CHANGED: ("±", Tone.GOOD),
    HostState.FAILED: ("✗", Tone.BAD),
    HostState.UNREACHABLE: ("⊘", Tone.BAD),
    HostState.NOT_STARTED: ("○", Tone.WARN),
    HostState.SKIPPED: ("–", Tone.DIM),
    HostState.UNKNOWN: ("?", Tone.WARN),
}
_RUN: Mapping[RunState, tuple[str, Tone]] = {
    RunState.CREATED: ("·", Tone.DIM),
    RunState.RUNNING: ("▸", Tone.ACCENT),
    RunState.CANCELLING: ("◂", Tone.WARN),
    RunState.FINISHED: ("✓", Tone.GOOD),
    RunState.CANCELLED: ("○", Tone.WARN),
    RunState.INTERRUPTED: ("?", Tone.BAD),
    RunState.BROKEN: ("✗", Tone.BAD),
}
_VERDICT: Mapping[Verdict, tuple[str, Tone]] = {
    Verdict.PASS: ("✓", Tone.GOOD),
    Verdict.FAIL: ("✗", Tone.BAD),
    Verdict.WAIVED: ("~", Tone.WARN),
    Verdict.NOT_APPLICABLE: ("–", Tone.DIM),
    Verdict.UNKNOWN: ("?", Tone.WARN),
}
_SEVERITY: Mapping[Severity | None, tuple[str, Tone]] = {
    Severity.HIGH: ("▲", Tone.BAD),
    Severity.MEDIUM: ("●", Tone.WARN),
    Severity.LOW: ("▽", Tone.DIM),
    None: ("-", Tone.DIM),
}


def _mark(mark: tuple[str, Tone], word: str) -> Cell:
    symbol, tone = mark
    return (Piece(f"{symbol} {word}", tone),)


def host_state(state: HostState) -> Cell:
    """Show what became of a host."""
    return _mark(_HOST[state], host_state_label(state))


def host_state_count(state: HostState, count: str) -> Cell:
    """Show how many hosts are in a state."""
    symbol, tone = _HOST[state]
    return (Piece(f"{symbol} {count} ", tone), Piece(host_state_label(state), Tone.DIM))


def run_state(state: RunState) -> Cell:
    """Show where a run stands."""
    return _mark(_RUN[state], run_state_label(state))


def verdict(judged: Verdict) -> Cell:
    """Show a verdict."""
    return _mark(_VERDICT[judged], verdict_label(judged))


def severity(weight: Severity | None) -> Cell:
    """Show how much a control matters."""
    return _mark(_SEVERITY[weight], severity_label(weight))


def verdict_symbol(judged: Verdict | None) -> Piece:
    """Show a verdict as its symbol alone, where a column is narrow; none is a host not held to it."""
    symbol, tone = _VERDICT[judged] if judged is not None else ("·", Tone.DIM)
    return Piece(symbol, tone)
