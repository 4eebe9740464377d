"""Works out what a run would do; nothing is started and no host is asked."""

from __future__ import annotations

from dataclasses import replace

from khien.application.ports import Clock, InventorySource, RunStore
from khien.domain.plan import Plan
from khien.domain.run import HostState, RunId, RunOptions, Verb
from khien.domain.selection import restrict
from khien.errors import RefusedError, UsageError
from khien.i18n import _


def plan_run(
    verb: Verb, options: RunOptions, *, inventory: InventorySource, clock: Clock, read_only: bool = False
) -> Plan:
    """Plan a run for the hosts that the options name.

    Raises:
        RefusedError: this installation is read-only and the run would change hosts.
        UsageError: no host matches.
    """
    hosts = inventory.hosts(options.inventory, options.limit)
    return allowed(
        Plan(
            verb=verb,
            options=options,
            hosts=tuple(host.name for host in hosts),
            created_at=clock.now(),
        ),
        read_only=read_only,
    )


def plan_retry(
    run_id: RunId, states: frozenset[HostState], *, runs: RunStore, clock: Clock, read_only: bool = False
) -> Plan:
    """Plan a run for the hosts of an earlier one that ended in the given states.

    Raises:
        UsageError: the earlier run goes on, or none of its hosts ended so.
        RefusedError: this installation is read-only and the run would change hosts.
    """
    run = runs.run(run_id)
    if not run.state.is_final:
        raise UsageError(_("Run {run} goes on; cancel it or wait before retrying.").format(run=run.id))
    earlier = runs.plan(run.id)
    hosts = tuple(outcome.host for outcome in runs.outcomes(run.id, states))
    if not hosts:
        raise UsageError(_("No host of run {run} is in one of these states.").format(run=run.id))
    plan = replace(
        earlier,
        hosts=hosts,
        left_out=(),
        created_at=clock.now(),
        parent=run.id,
        selection=restrict(earlier.selection, hosts),
    )
    return allowed(plan, read_only=read_only)


def allowed(plan: Plan, *, read_only: bool) -> Plan:
    """Return the plan when this installation may execute it.

    Raises:
        RefusedError: this installation is read-only and the run would change hosts.
    """
    if read_only and plan.changes_hosts:
        raise RefusedError(_("This installation is read-only: it verifies, predicts and changes no host."))
    return plan
