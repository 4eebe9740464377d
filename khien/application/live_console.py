"""The console over the real store, inventory and run processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from khien.application.hardening_store import HardeningStore
from khien.application.plan_hardening import HardeningPlanner
from khien.application.plan_run import plan_retry, plan_run
from khien.application.plan_undo import plan_undo
from khien.application.ports import (
    Clock,
    ControlCatalogue,
    FleetStore,
    InventorySource,
    LogLine,
    Preflight,
    PreflightResult,
    ProcessTable,
    RunLauncher,
    RunStore,
)
from khien.application.reconcile_runs import is_dead, reconcile_runs
from khien.application.settings import Settings
from khien.application.start_run import start_run
from khien.domain.control import Control
from khien.domain.finding import VerdictCounts
from khien.domain.fleet import HostDetail, HostStatus
from khien.domain.hardening import HostHardening, UndoReport
from khien.domain.host import Host
from khien.domain.judge import Judge
from khien.domain.packages import PatchReport
from khien.domain.plan import Plan
from khien.domain.prediction import Approval, StoredPlan
from khien.domain.proof import ControlResult, VerificationPair, prove
from khien.domain.run import HostOutcome, HostState, Run, RunId, RunOptions, Verb
from khien.domain.selection import Demands
from khien.errors import RefusedError, UsageError
from khien.i18n import _


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveConsole:
    """The Console protocol; every query of runs first notices those whose process died."""

    runs_store: RunStore
    fleet_store: FleetStore
    hardening_store: HardeningStore
    inventory: InventorySource
    catalogue: ControlCatalogue
    preflight_port: Preflight
    processes: ProcessTable
    launcher: RunLauncher
    clock: Clock
    rules: Callable[[], Judge]
    """What hosts are judged by at this moment."""
    settings: Settings
    person: str
    """Who asks."""
    demands: Callable[[], Demands]
    """Gives what is demanded of hosts by the rules of this moment."""

    def fleet(self) -> tuple[HostStatus, ...]:
        """Return every host of the inventory and of the store, by name."""
        seen = {status.host.name: status for status in self.fleet_store.fleet()}
        listed = {host.name: host for host in self.inventory.hosts(self.settings.inventory)}
        merged = {name: replace(status, in_inventory=name in listed) for name, status in seen.items()}
        for name, host in listed.items():
            merged[name] = replace(merged[name], host=host) if name in merged else HostStatus(host)
        return tuple(self._with_age_of_rules(merged[name]) for name in sorted(merged))

    def host(self, name: str) -> HostDetail:
        """Return all that is known of one host."""
        try:
            detail = self.fleet_store.host(name)
            return replace(detail, status=self._with_age_of_rules(detail.status))
        except UsageError:
            for host in self.inventory.hosts(self.settings.inventory):
                if host.name == name:
                    return HostDetail(HostStatus(host))
            raise

    def controls(self) -> Mapping[str, Control]:
        """Return all controls by id."""
        return {control.id: control for control in self.catalogue.controls()}

    def runs(self, limit: int = 50) -> tuple[Run, ...]:
        """Return runs, newest first."""
        self._notice_dead_runs()
        return self.runs_store.runs(limit=limit)

    def run(self, run_id: str) -> Run:
        """Return one run by id or unique prefix."""
        run = self.runs_store.run(RunId(run_id))
        if run.state.is_final or not is_dead(
            run, runs=self.runs_store, processes=self.processes, clock=self.clock
        ):
            return run
        self._notice_dead_runs()
        return self.runs_store.run(run.id)

    def outcomes(self, run_id: RunId) -> tuple[HostOutcome, ...]:
        """Return what became of each host of a run."""
        return self.runs_store.outcomes(run_id)

    def log(self, run_id: RunId, *, host: str | None = None, after: int = 0) -> tuple[LogLine, ...]:
        """Return what happened in a run after a sequence number."""
        return self.runs_store.log(run_id, host=host, after=after)

    def verdicts(self, run_id: RunId) -> Mapping[str, VerdictCounts]:
        """Return how each host that a run verified was judged."""
        return self.fleet_store.verdicts(run_id)

    def patch_reports(self, run_id: RunId) -> Mapping[str, PatchReport]:
        """Return what each host said about its updates in a run."""
        return self.fleet_store.patch_reports(run_id)

    def hardening(self, run_id: RunId) -> Mapping[str, HostHardening]:
        """Return what each host would change or changed in a hardening run."""
        return self.hardening_store.hardening(run_id)

    def proofs(self, run_id: RunId) -> Mapping[str, tuple[ControlResult, ...]]:
        """Return what a hardening run did for each control of each host."""
        reports, pairs = (
            self.hardening_store.hardening(run_id),
            self.hardening_store.verification_pairs(run_id),
        )
        plan, controls = self.runs_store.plan(run_id), self.controls()
        selected = {host: one.controls for one in plan.selection for host in one.hosts}
        return {
            outcome.host: prove(
                outcome,
                reports.get(outcome.host, HostHardening()),
                pairs.get(outcome.host, VerificationPair()),
                controls,
                selected.get(outcome.host, ()),
            )
            for outcome in self.runs_store.outcomes(run_id)
        }

    def undo_reports(self, run_id: RunId) -> Mapping[str, UndoReport]:
        """Return what each host put back, or refused to, in a run that undoes."""
        return self.hardening_store.undo_reports(run_id)

    def plans(self, limit: int = 50) -> tuple[StoredPlan, ...]:
        """Return the predictions among the last runs, newest first."""
        self._notice_dead_runs()
        return self._planner().all_stored(limit)

    def stored_plan(self, run_id: str) -> StoredPlan:
        """Return what a check-mode hardening run predicted."""
        return self._planner().stored(self.run(run_id).id)

    def preflight(self, hosts: Sequence[Host]) -> tuple[PreflightResult, ...]:
        """Look at many hosts' doors at once."""
        return self.preflight_port.check(hosts, deadline_seconds=self.settings.preflight_deadline_seconds)

    def make_plan(self, verb: Verb, options: RunOptions) -> Plan:
        """Work out what a run would do; nothing is started."""
        if not options.inventory:
            options = replace(options, inventory=self.settings.inventory)
        if verb is Verb.HARDEN:
            return self._planner().plan(options)
        return plan_run(
            verb, options, inventory=self.inventory, clock=self.clock, read_only=self.settings.read_only
        )

    def make_retry_plan(self, run_id: RunId, states: frozenset[HostState]) -> Plan:
        """Work out a run for the hosts of an earlier one that ended in the given states."""
        self._notice_dead_runs()
        return plan_retry(
            run_id, states, runs=self.runs_store, clock=self.clock, read_only=self.settings.read_only
        )

    def make_undo_plan(self, run_id: str, options: RunOptions) -> Plan:
        """Work out a run that takes a hardening run back."""
        return plan_undo(
            self.run(run_id).id,
            options,
            runs=self.runs_store,
            hardening=self.hardening_store,
            inventory=self.inventory,
            clock=self.clock,
            read_only=self.settings.read_only,
        )

    def approve_plan(self, run_id: str, expected_hash: str = "") -> Approval:
        """Approve what a check-mode hardening run predicted."""
        return self._planner().approve(self.run(run_id).id, self.person, expected_hash)

    def make_approved_plan(self, run_id: str) -> Plan:
        """Work out the run that applies an approved prediction."""
        return self._planner().approved(self.run(run_id).id)

    def launch(self, plan: Plan, secrets: Mapping[str, str] | None = None) -> RunId:
        """Record the run and start its process; it goes on when the caller ends."""
        self.rules()  # what is wrong with them is said here, and not by a run that dies of it
        self._notice_dead_runs()
        if plan.verb is Verb.HARDEN and plan.changes_hosts and plan.approved is None:
            raise RefusedError(_("Hardening needs an approved plan; nothing was started."))
        return start_run(
            plan,
            self.person,
            secrets or {},
            runs=self.runs_store,
            fleet=self.fleet_store,
            inventory=self.inventory,
            launcher=self.launcher,
            clock=self.clock,
        )

    def cancel(self, run_id: RunId) -> None:
        """Ask a run to stop."""
        self.runs_store.request_cancel(run_id, self.clock.now())
        self._notice_dead_runs()

    def _planner(self) -> HardeningPlanner:
        return HardeningPlanner(
            runs=self.runs_store,
            hardening=self.hardening_store,
            inventory=self.inventory,
            controls=self.controls(),
            demands=self.demands(),
            clock=self.clock,
            read_only=self.settings.read_only,
        )

    def _with_age_of_rules(self, status: HostStatus) -> HostStatus:
        """Say of a judgement whether the rules have changed since."""
        if status.counts is None:
            return status
        today = self.clock.now().astimezone().date()
        return replace(status, is_outdated=status.basis != self.rules().basis(status.host, today))

    def _notice_dead_runs(self) -> None:
        reconcile_runs(
            runs=self.runs_store, processes=self.processes, launcher=self.launcher, clock=self.clock
        )
