"""`khien harden`: predict, show, ask, apply what was approved, prove."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

import typer

from khien.application.console import Console
from khien.cli.context import InventoryOption, JsonOption, LimitOption, services
from khien.cli.exit_codes import ExitCode
from khien.cli.follow import Detached, follow
from khien.cli.launch import (
    AskBecomeOption,
    AskPassOption,
    CheckOption,
    DetachOption,
    ExtraOption,
    ForksOption,
    VaultOption,
    YesOption,
    ask_first,
    ask_secrets,
    run_options,
    run_plan,
)
from khien.cli.plans import report_plan
from khien.domain.plan import Plan
from khien.domain.run import Run, RunState, Verb
from khien.i18n import _

PlanOption = Annotated[
    bool, typer.Option("--plan", help=_("Predict, store the plan for approval, and change nothing."))
]
LevelOption = Annotated[
    int | None,
    typer.Option("--level", min=1, max=5, help=_("Harden for this level instead of each host's own.")),
]
ControlOption = Annotated[
    list[str],
    typer.Option("-c", "--control", help=_("Only this control; can be given several times.")),
]


def harden(
    context: typer.Context,
    inventory: InventoryOption = [],  # noqa: B006 - typer's way to declare a list
    limit: LimitOption = "",
    level: LevelOption = None,
    control: ControlOption = [],  # noqa: B006
    forks: ForksOption = None,
    extra_vars: ExtraOption = [],  # noqa: B006
    *,
    check: CheckOption = False,
    plan_only: PlanOption = False,
    yes: YesOption = False,
    detach: DetachOption = False,
    ask_become: AskBecomeOption = False,
    ask_pass: AskPassOption = False,
    vault: VaultOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring hosts to what their level demands: plan, approve, run, prove."""
    predicts = check or plan_only
    options = run_options(inventory, limit, forks, extra_vars, check=predicts, level=level, controls=control)
    console = services(context).console
    # Made as what was asked for, so that a read-only installation refuses before anything is predicted.
    plan = console.make_plan(Verb.HARDEN, options)
    secrets = ask_secrets(ask_become=ask_become, ask_pass=ask_pass, vault=vault)
    prediction = replace(plan, options=replace(plan.options, check=True))
    if detach and predicts:
        run_plan(console, prediction, secrets, detach=True, as_json=as_json)
        return
    run = _predict(console, prediction, secrets)
    if predicts or run.state is not RunState.FINISHED:
        raise typer.Exit(report_plan(console, run, as_json=as_json))
    stored = console.stored_plan(run.id)
    if not stored.changes:
        raise typer.Exit(report_plan(console, run, as_json=as_json))
    if not as_json:
        report_plan(console, run, as_json=False)
    if not yes:
        ask_first(tuple(sorted(name for name, one in stored.predictions.items() if one.predicted_changes)))
    console.approve_plan(run.id, stored.hash)
    run_plan(console, console.make_approved_plan(run.id), secrets, detach=detach, as_json=as_json)


def _predict(console: Console, plan: Plan, secrets: Mapping[str, str]) -> Run:
    try:
        return follow(console, console.launch(plan, secrets))
    except Detached:
        raise typer.Exit(ExitCode.DETACHED) from None
