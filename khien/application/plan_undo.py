"""Works out which hosts' hardening a run takes back."""

from __future__ import annotations

from dataclasses import replace

from khien.application.hardening_store import HardeningStore
from khien.application.plan_run import allowed
from khien.application.ports import Clock, InventorySource, RunStore
from khien.domain.hardening import HostHardening
from khien.domain.plan import LeftOut, Plan
from khien.domain.reason import ReasonCode
from khien.domain.run import HostOutcome, HostState, Reason, RunId, RunOptions, Verb
from khien.errors import RefusedError, UsageError
from khien.i18n import _

_NOBODY_KNOWS = frozenset({HostState.UNREACHABLE, HostState.UNKNOWN})


def plan_undo(
    run_id: RunId,
    options: RunOptions,
    *,
    runs: RunStore,
    hardening: HardeningStore,
    inventory: InventorySource,
    clock: Clock,
    read_only: bool = False,
) -> Plan:
    """Plan to take a run's changes back on those of its hosts that the options name.

    Raises:
        UsageError: the run changed nothing that undo could take back, or no host of it matches.
        RefusedError: the run goes on, or this installation is read-only and the run would change hosts.
    """
    run = runs.run(run_id)
    if run.verb not in (Verb.HARDEN, Verb.UNDO) or run.is_check:
        raise UsageError(
            _(
                "Run {run} cannot be undone: only a run that hardened, or an undo, leaves a checkpoint."
            ).format(run=run.id)
        )
    if not run.state.is_final:
        raise RefusedError(_("Run {run} goes on; cancel it or wait before undoing it.").format(run=run.id))
    options = replace(options, inventory=options.inventory or run.options.inventory)
    named = {host.name for host in inventory.hosts(options.inventory, options.limit)}
    outcomes = [outcome for outcome in runs.outcomes(run.id) if outcome.host in named]
    if not outcomes:
        raise UsageError(_("No host of run {run} matches.").format(run=run.id))
    reports = hardening.hardening(run.id)
    touched = [outcome.host for outcome in outcomes if _was_touched(outcome, reports.get(outcome.host))]
    if not touched:
        raise UsageError(_("Run {run} changed nothing on these hosts.").format(run=run.id))
    nothing = Reason(ReasonCode.NOTHING_TO_DO)
    plan = Plan(
        verb=Verb.UNDO,
        options=options,
        hosts=tuple(touched),
        created_at=clock.now(),
        left_out=tuple(LeftOut(o.host, nothing) for o in outcomes if o.host not in touched),
        undoes=run.id,
    )
    return allowed(plan, read_only=read_only)


def _was_touched(outcome: HostOutcome, reports: HostHardening | None) -> bool:
    """Whether the host may keep a checkpoint of the run: it changed, or nobody knows how far it came."""
    if reports is not None and reports.actual_changes:
        return True
    return outcome.changed_tasks > 0 or outcome.state in _NOBODY_KNOWS
