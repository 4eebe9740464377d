"""Hardening as a plan: predicted by a check-mode run, approved by somebody, applied as approved."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from khien.application.hardening_store import HardeningStore
from khien.application.plan_run import allowed
from khien.application.ports import Clock, InventorySource, RunStore
from khien.domain.control import Control
from khien.domain.host import Host
from khien.domain.plan import ApprovedPlan, LeftOut, Plan
from khien.domain.prediction import Approval, StoredPlan, prediction_hash
from khien.domain.reason import ReasonCode
from khien.domain.run import HostState, Reason, Run, RunId, RunOptions, Verb
from khien.domain.selection import Demands, Selection, restrict, select
from khien.errors import RefusedError, UsageError
from khien.i18n import _

_PREDICTED = frozenset({HostState.OK, HostState.CHANGED})


@dataclass(frozen=True, slots=True)
class HardeningPlanner:
    """All that planning a hardening needs from the outside."""

    runs: RunStore
    hardening: HardeningStore
    inventory: InventorySource
    controls: Mapping[str, Control]
    demands: Demands
    clock: Clock
    read_only: bool = False

    def plan(self, options: RunOptions) -> Plan:
        """Plan to harden the hosts that the options name; in check mode it becomes a prediction.

        Raises:
            UsageError: no host matches, or a control that was asked for cannot be fixed.
            RefusedError: this installation is read-only and the run would change hosts.
        """
        self._require_fixable(options.controls)
        hosts = self.inventory.hosts(options.inventory, options.limit)
        selection = self._select(hosts, options)
        chosen = {name for one in selection for name in one.hosts}
        nothing = Reason(ReasonCode.NOTHING_SELECTED)
        plan = Plan(
            verb=Verb.HARDEN,
            options=options,
            hosts=tuple(host.name for host in hosts if host.name in chosen),
            created_at=self.clock.now(),
            left_out=tuple(LeftOut(host.name, nothing) for host in hosts if host.name not in chosen),
            selection=selection,
        )
        return allowed(plan, read_only=self.read_only)

    def stored(self, run_id: RunId) -> StoredPlan:
        """Return what a check-mode run predicted.

        Raises:
            UsageError: the run is no prediction of hardening, or is not over yet.
        """
        run = self.runs.run(run_id)
        if run.verb is not Verb.HARDEN or not run.is_check:
            raise UsageError(
                _("Run {run} is no plan: plans are made by `khien harden --plan`.").format(run=run.id)
            )
        if not run.state.is_final:
            raise UsageError(_("Plan {run} is still being made; wait for it to end.").format(run=run.id))
        reports = self.hardening.hardening(run.id)
        predicted = {outcome.host for outcome in self.runs.outcomes(run.id, _PREDICTED)}
        return StoredPlan(
            run=run,
            hash=prediction_hash(self.runs.plan(run.id), reports),
            predictions={host: report for host, report in reports.items() if host in predicted},
            approval=self.hardening.approval(run.id),
        )

    def all_stored(self, limit: int) -> tuple[StoredPlan, ...]:
        """Return the plans of the last runs, newest first."""
        return tuple(self.stored(run.id) for run in self.runs.runs(limit=limit) if is_prediction(run))

    def approve(self, run_id: RunId, by: str, expected_hash: str = "") -> Approval:
        """Fix what a plan predicted as what may be done.

        Args:
            run_id: the check-mode run.
            by: who approves.
            expected_hash: a beginning of the hash of what was looked at; empty: whatever the plan predicts.

        Raises:
            UsageError: there is nothing to approve.
            RefusedError: the plan is not what was looked at.
        """
        plan = self.stored(run_id)
        if not plan.changes:
            raise UsageError(
                _("Plan {run} changes nothing, so there is nothing to approve.").format(run=plan.run.id)
            )
        if not plan.hash.startswith(expected_hash):
            raise RefusedError(
                _("Plan {run} has the hash {hash}, not {expected}; nothing was approved.").format(
                    run=plan.run.id, hash=plan.hash[:12], expected=expected_hash
                )
            )
        approval = Approval(plan.run.id, plan.hash, by, self.clock.now())
        self.hardening.approve(approval)
        return approval

    def approved(self, run_id: RunId) -> Plan:
        """Return the plan that applies an approved prediction to the hosts that could be predicted.

        Raises:
            UsageError: the run is no prediction.
            RefusedError: it is not approved, is not what was approved, or this installation is read-only.
        """
        stored = self.stored(run_id)
        name = stored.run.id
        if stored.approval is None:
            raise RefusedError(
                _("Plan {run} is not approved: `khien plan approve {run}` does it.").format(run=name)
            )
        if not stored.is_approved:
            raise RefusedError(_("Plan {run} is not what was approved; make a new one.").format(run=name))
        predicted = self.runs.plan(name)
        outcomes = self.runs.outcomes(name)
        hosts = tuple(outcome.host for outcome in outcomes if outcome.state in _PREDICTED)
        self._require_same_demands(name, predicted, hosts)
        not_predicted = Reason(ReasonCode.NOT_PREDICTED, {"run": name})
        plan = replace(
            predicted,
            options=replace(predicted.options, check=False),
            hosts=hosts,
            created_at=self.clock.now(),
            left_out=tuple(
                LeftOut(o.host, o.reason if o.state is HostState.SKIPPED else not_predicted)
                for o in outcomes
                if o.state not in _PREDICTED
            ),
            selection=restrict(predicted.selection, hosts),
            approved=ApprovedPlan(name, stored.hash),
            parent=None,
        )
        return allowed(plan, read_only=self.read_only)

    def _require_same_demands(self, run_id: RunId, plan: Plan, names: Collection[str]) -> None:
        """Refuse what is no longer demanded: a level that changed, a waiver that was given since."""
        hosts = [host for host in self.inventory.hosts(plan.options.inventory) if host.name in set(names)]
        gone = sorted(set(names) - {host.name for host in hosts})
        if gone:
            raise RefusedError(
                _("Hosts of plan {run} are no longer in the inventory: {names}. Make a new plan.").format(
                    run=run_id, names=", ".join(gone)
                )
            )
        if self._select(hosts, plan.options) != restrict(plan.selection, names):
            raise RefusedError(
                _("What is demanded of the hosts of plan {run} is not what it was. Make a new plan.").format(
                    run=run_id
                )
            )

    def _select(self, hosts: Iterable[Host], options: RunOptions) -> tuple[Selection, ...]:
        return select(
            hosts,
            self.controls.values(),
            self.demands,
            level=options.level,
            only=frozenset(options.controls),
        )

    def _require_fixable(self, wanted: Iterable[str]) -> None:
        for name in wanted:
            control = self.controls.get(name)
            if control is None:
                raise UsageError(_("There is no control {control}.").format(control=name))
            if control.fix_variable is None:
                raise UsageError(
                    _("Control {control} is report only: no role changes what it asks about.").format(
                        control=name
                    )
                )


def is_prediction(run: Run) -> bool:
    """Whether a run predicted a hardening and is over."""
    return run.verb is Verb.HARDEN and run.is_check and run.state.is_final
