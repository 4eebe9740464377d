"""`khien plan list|show|approve|run`: what hardening would change, who approved it, and doing it."""

from __future__ import annotations

from typing import Annotated

import typer

from khien.application.console import Console
from khien.cli.context import JsonOption, data_console, print_json, say, services
from khien.cli.documents import outcome_document
from khien.cli.exit_codes import ExitCode, of_run
from khien.cli.hardening_documents import stored_plan_document
from khien.cli.launch import (
    AskBecomeOption,
    AskPassOption,
    DetachOption,
    VaultOption,
    ask_secrets,
    run_plan,
)
from khien.cli.outcome import report_run
from khien.domain.prediction import StoredPlan
from khien.domain.run import Run
from khien.domain.text import safe_text
from khien.i18n import _, ngettext

app = typer.Typer(no_args_is_help=True, help=_("Look at what hardening would change, approve it, do it."))

PlanArgument = Annotated[
    str, typer.Argument(metavar="PLAN", help=_("Id of the plan, or a beginning of it that no other has."))
]
HashOption = Annotated[
    str, typer.Option("--hash", help=_("Approve only if the plan's hash begins so: what was looked at."))
]
_HASH_SHOWN = 12


@app.command("list", help=_("List plans, newest first."))
def list_plans(
    context: typer.Context,
    number: Annotated[int, typer.Option("-n", "--number", min=1, help=_("Among how many last runs."))] = 50,
    *,
    as_json: JsonOption = False,
) -> None:
    """List plans, newest first."""
    found = services(context).console.plans(number)
    if as_json:
        print_json({"schema": "khien.plans/1", "plans": [stored_plan_document(plan) for plan in found]})
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in (_("Plan"), _("Hash"), _("Hosts"), _("Changes"), _("Asked by"), _("Approved by")):
        table.add_column(heading)
    for plan in found:
        table.add_row(
            plan.run.id,
            plan.hash[:_HASH_SHOWN],
            f"{len(plan.predictions)}/{plan.run.total}",
            str(plan.changes),
            safe_text(plan.run.requested_by),
            _approved_text(plan),
        )
    data_console().print(table)


@app.command(help=_("Show what a plan would change, host by host and control by control."))
def show(context: typer.Context, plan_id: PlanArgument, *, as_json: JsonOption = False) -> None:
    """Show what a plan would change, host by host and control by control."""
    console = services(context).console
    report_plan(console, console.stored_plan(plan_id).run, as_json=as_json)


@app.command(help=_("Approve what a plan would change; only exactly that can then be done."))
def approve(
    context: typer.Context, plan_id: PlanArgument, expected: HashOption = "", *, as_json: JsonOption = False
) -> None:
    """Approve what a plan would change; only exactly that can then be done."""
    console = services(context).console
    approval = console.approve_plan(plan_id, expected)
    if as_json:
        stored = stored_plan_document(console.stored_plan(approval.run))
        print_json({"schema": "khien.approved/1", "plan": stored})
        return
    say(
        _("Plan {run} with hash {hash} is approved by {person}.").format(
            run=approval.run, hash=approval.hash[:_HASH_SHOWN], person=safe_text(approval.by)
        )
    )


@app.command("run", help=_("Do what was approved, on the hosts that are still as they were."))
def run_approved(
    context: typer.Context,
    plan_id: PlanArgument,
    *,
    detach: DetachOption = False,
    ask_become: AskBecomeOption = False,
    ask_pass: AskPassOption = False,
    vault: VaultOption = None,
    as_json: JsonOption = False,
) -> None:
    """Do what was approved, on the hosts that are still as they were."""
    console = services(context).console
    plan = console.make_approved_plan(plan_id)
    secrets = ask_secrets(ask_become=ask_become, ask_pass=ask_pass, vault=vault)
    run_plan(console, plan, secrets, detach=detach, as_json=as_json)


def report_plan(console: Console, run: Run, *, as_json: bool) -> ExitCode:
    """Print what a check-mode hardening run predicted; return the exit code that says how it went."""
    plan = console.stored_plan(run.id)
    outcomes = console.outcomes(run.id)
    if as_json:
        hosts = [outcome_document(outcome) for outcome in outcomes]
        document = {"schema": "khien.hardening_plan/1", "plan": stored_plan_document(plan), "hosts": hosts}
        print_json(document)
    else:
        report_run(console, run, as_json=False)
        print()
        _say_what_next(plan)
    return of_run(run, outcomes)


def _say_what_next(plan: StoredPlan) -> None:
    text = ngettext(
        "Plan {run}, hash {hash}: {number} change.",
        "Plan {run}, hash {hash}: {number} changes.",
        plan.changes,
    )
    say(text.format(run=plan.run.id, hash=plan.hash[:_HASH_SHOWN], number=plan.changes))
    if plan.is_approved:
        say(_approved_text(plan))
    elif plan.changes:
        say(_("  khien plan approve {run} && khien plan run {run}").format(run=plan.run.id))


def _approved_text(plan: StoredPlan) -> str:
    if plan.approval is None:
        return ""
    if not plan.is_approved:
        return _("no longer what was approved")
    return _("{person}, {moment}").format(
        person=safe_text(plan.approval.by), moment=f"{plan.approval.at.astimezone():%Y-%m-%d %H:%M}"
    )
