"""The face that the command line and the terminal UI share: everything a person can see and ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from khien.application.ports import LogLine, PreflightResult
from khien.domain.control import Control
from khien.domain.finding import VerdictCounts
from khien.domain.fleet import HostDetail, HostStatus
from khien.domain.hardening import HostHardening, UndoReport
from khien.domain.host import Host
from khien.domain.packages import PatchReport
from khien.domain.plan import Plan
from khien.domain.prediction import Approval, StoredPlan
from khien.domain.proof import ControlResult
from khien.domain.run import HostOutcome, HostState, Run, RunId, RunOptions, Verb


class Console(Protocol):
    """Queries read the store; launching starts a detached run. Blocking: call from a worker thread."""

    def fleet(self) -> tuple[HostStatus, ...]:
        """Return every host of the inventory and of the store, by name."""
        ...

    def host(self, name: str) -> HostDetail:
        """Return all that is known of one host."""
        ...

    def controls(self) -> Mapping[str, Control]:
        """Return all controls by id."""
        ...

    def runs(self, limit: int = 50) -> tuple[Run, ...]:
        """Return runs, newest first; runs whose process died are shown as interrupted."""
        ...

    def run(self, run_id: str) -> Run:
        """Return one run by id or unique prefix."""
        ...

    def outcomes(self, run_id: RunId) -> tuple[HostOutcome, ...]:
        """Return what became of each host of a run."""
        ...

    def log(self, run_id: RunId, *, host: str | None = None, after: int = 0) -> tuple[LogLine, ...]:
        """Return what happened in a run, of all hosts or of one, after a sequence number."""
        ...

    def verdicts(self, run_id: RunId) -> Mapping[str, VerdictCounts]:
        """Return how each host that a run verified was judged."""
        ...

    def patch_reports(self, run_id: RunId) -> Mapping[str, PatchReport]:
        """Return what each host said about its updates in a run."""
        ...

    def hardening(self, run_id: RunId) -> Mapping[str, HostHardening]:
        """Return what each host would change or changed in a hardening run."""
        ...

    def proofs(self, run_id: RunId) -> Mapping[str, tuple[ControlResult, ...]]:
        """Return what a hardening run did for each control of each host: was, is, as predicted, why not."""
        ...

    def undo_reports(self, run_id: RunId) -> Mapping[str, UndoReport]:
        """Return what each host put back, or refused to, in a run that undoes."""
        ...

    def plans(self, limit: int = 50) -> tuple[StoredPlan, ...]:
        """Return the predictions among the last runs, newest first, with their approval."""
        ...

    def stored_plan(self, run_id: str) -> StoredPlan:
        """Return what a check-mode hardening run predicted, by id or unique prefix."""
        ...

    def preflight(self, hosts: Sequence[Host]) -> tuple[PreflightResult, ...]:
        """Look at many hosts' doors at once."""
        ...

    def make_plan(self, verb: Verb, options: RunOptions) -> Plan:
        """Work out what a run would do; nothing is started."""
        ...

    def make_retry_plan(self, run_id: RunId, states: frozenset[HostState]) -> Plan:
        """Work out a run for the hosts of an earlier one that ended in the given states."""
        ...

    def make_undo_plan(self, run_id: str, options: RunOptions) -> Plan:
        """Work out a run that takes a hardening run back on those of its hosts that the options name."""
        ...

    def approve_plan(self, run_id: str, expected_hash: str = "") -> Approval:
        """Approve what a check-mode hardening run predicted; refused when its hash begins otherwise."""
        ...

    def make_approved_plan(self, run_id: str) -> Plan:
        """Work out the run that applies an approved prediction; refused when it is not approved."""
        ...

    def launch(self, plan: Plan, secrets: Mapping[str, str] | None = None) -> RunId:
        """Record the run and start its process; it goes on when the caller ends."""
        ...

    def cancel(self, run_id: RunId) -> None:
        """Ask a run to stop."""
        ...
