"""Records a planned run and starts the process that executes it."""

from __future__ import annotations

import secrets as random
from collections.abc import Mapping

from khien.application.ports import Clock, FleetStore, InventorySource, RunLauncher, RunStore
from khien.domain.plan import Plan
from khien.domain.run import Run, RunId, RunState

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def start_run(
    plan: Plan,
    requested_by: str,
    secrets: Mapping[str, str],
    *,
    runs: RunStore,
    fleet: FleetStore,
    inventory: InventorySource,
    launcher: RunLauncher,
    clock: Clock,
) -> RunId:
    """Record the run, start its process, and return its id at once."""
    now = clock.now()
    run_id = RunId(f"{now:%Y%m%d-%H%M%S}-" + "".join(random.choice(_LETTERS) for _ in range(4)))
    wanted = set(plan.hosts)
    hosts = inventory.hosts(plan.options.inventory, plan.options.limit)
    fleet.remember_hosts([host for host in hosts if host.name in wanted])
    run = Run(
        id=run_id,
        verb=plan.verb,
        state=RunState.CREATED,
        options=plan.options,
        requested_by=requested_by,
        created_at=now,
        plan_hash=plan.hash,
        parent=plan.parent,
    )
    runs.create_run(run, plan)
    runs.expect(run_id, launcher.launch(run_id, secrets))
    return run_id
