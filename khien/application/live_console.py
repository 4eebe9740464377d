"""The console over the real store, inventory and run processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from khien.application.plan_run import plan_retry, plan_run
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
from khien.application.reconcile_runs import reconcile_runs
from khien.application.settings import Settings
from khien.application.start_run import start_run
from khien.domain.control import Control
from khien.domain.finding import VerdictCounts
from khien.domain.fleet import HostDetail, HostStatus
from khien.domain.host import Host
from khien.domain.packages import PatchReport
from khien.domain.plan import Plan
from khien.domain.run import HostOutcome, HostState, Run, RunId, RunOptions, Verb
from khien.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveConsole:
    """The Console protocol; every query of runs first notices those whose process died."""

    runs_store: RunStore
    fleet_store: FleetStore
    inventory: InventorySource
    catalogue: ControlCatalogue
    preflight_port: Preflight
    processes: ProcessTable
    launcher: RunLauncher
    clock: Clock
    settings: Settings
    person: str
    """Who asks."""

    def fleet(self) -> tuple[HostStatus, ...]:
        """Return every host of the inventory and of the store, by name."""
        seen = {status.host.name: status for status in self.fleet_store.fleet()}
        listed = {host.name: host for host in self.inventory.hosts(self.settings.inventory)}
        merged = {name: replace(status, in_inventory=name in listed) for name, status in seen.items()}
        for name, host in listed.items():
            merged[name] = replace(merged[name], host=host) if name in merged else HostStatus(host)
        return tuple(merged[name] for name in sorted(merged))

    def host(self, name: str) -> HostDetail:
        """Return all that is known of one host."""
        try:
            return self.fleet_store.host(name)
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
        if run.state.is_final:
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

    def preflight(self, hosts: Sequence[Host]) -> tuple[PreflightResult, ...]:
        """Look at many hosts' doors at once."""
        return self.preflight_port.check(hosts, deadline_seconds=self.settings.preflight_deadline_seconds)

    def make_plan(self, verb: Verb, options: RunOptions) -> Plan:
        """Work out what a run would do; nothing is started."""
        if not options.inventory:
            options = replace(options, inventory=self.settings.inventory)
        return plan_run(
            verb, options, inventory=self.inventory, clock=self.clock, read_only=self.settings.read_only
        )

    def make_retry_plan(self, run_id: RunId, states: frozenset[HostState]) -> Plan:
        """Work out a run for the hosts of an earlier one that ended in the given states."""
        self._notice_dead_runs()
        return plan_retry(
            run_id, states, runs=self.runs_store, clock=self.clock, read_only=self.settings.read_only
        )

    def launch(self, plan: Plan, secrets: Mapping[str, str] | None = None) -> RunId:
        """Record the run and start its process; it goes on when the caller ends."""
        self._notice_dead_runs()
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

    def _notice_dead_runs(self) -> None:
        reconcile_runs(
            runs=self.runs_store, processes=self.processes, launcher=self.launcher, clock=self.clock
        )
