"""`khien undo RUN`: take a hardening run back."""

from __future__ import annotations

from typing import Annotated

import typer

from khien.cli.context import InventoryOption, JsonOption, LimitOption, services
from khien.cli.launch import (
    AskBecomeOption,
    AskPassOption,
    CheckOption,
    DetachOption,
    ForksOption,
    VaultOption,
    YesOption,
    ask_first,
    ask_secrets,
    run_options,
    run_plan,
)
from khien.i18n import _

UndoneArgument = Annotated[
    str, typer.Argument(metavar="RUN", help=_("Id of the run to take back, or a beginning of it."))
]
ForceOption = Annotated[
    bool, typer.Option("--force", help=_("Put back even what somebody changed since the run."))
]


def undo(
    context: typer.Context,
    run_id: UndoneArgument,
    inventory: InventoryOption = [],  # noqa: B006 - typer's way to declare a list
    limit: LimitOption = "",
    forks: ForksOption = None,
    *,
    check: CheckOption = False,
    force: ForceOption = False,
    yes: YesOption = False,
    detach: DetachOption = False,
    ask_become: AskBecomeOption = False,
    ask_pass: AskPassOption = False,
    vault: VaultOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a hardening run back, as far as nobody changed the same things since."""
    console = services(context).console
    options = run_options(inventory, limit, forks, [], check=check, force=force)
    plan = console.make_undo_plan(run_id, options)
    if plan.changes_hosts and not yes:
        ask_first(plan.hosts)
    secrets = ask_secrets(ask_become=ask_become, ask_pass=ask_pass, vault=vault)
    run_plan(console, plan, secrets, detach=detach, as_json=as_json)
