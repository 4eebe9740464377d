"""`khien runs` and `khien run show|attach|cancel|retry|log`."""

from __future__ import annotations

from typing import Annotated

import typer

from khien.application.labels import host_state_label, run_label, run_state_label
from khien.cli.context import JsonOption, confirm, data_console, print_json, say, services
from khien.cli.documents import moment, run_document
from khien.cli.exit_codes import ExitCode
from khien.cli.follow import Detached, counts_text, follow
from khien.cli.launch import (
    AskBecomeOption,
    AskPassOption,
    DetachOption,
    VaultOption,
    YesOption,
    ask_secrets,
    require_yes,
    run_plan,
)
from khien.cli.outcome import report_run
from khien.domain.run import RETRIABLE, HostState
from khien.domain.text import safe_lines, safe_text
from khien.errors import RefusedError, UsageError
from khien.i18n import _, ngettext

app = typer.Typer(no_args_is_help=True, help=_("Look at one run, watch it, stop it, run it again."))

RunArgument = Annotated[str, typer.Argument(help=_("Id of the run, or a beginning of it that no other has."))]


def runs(
    context: typer.Context,
    number: Annotated[int, typer.Option("-n", "--number", min=1, help=_("How many, newest first."))] = 20,
    *,
    as_json: JsonOption = False,
) -> None:
    """List runs, newest first."""
    found = services(context).console.runs(number)
    if as_json:
        print_json({"schema": "khien.runs/1", "runs": [run_document(run) for run in found]})
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in (_("Run"), _("What"), _("State"), _("Hosts"), _("Asked by"), _("Created")):
        table.add_column(heading)
    for run in found:
        done = f"{run.done}/{run.total}: {counts_text(run.counts, check=run.is_check)}"
        created = run.created_at.astimezone().strftime("%Y-%m-%d %H:%M")
        table.add_row(
            run.id, run_label(run), run_state_label(run.state), done, safe_text(run.requested_by), created
        )
    data_console().print(table)


@app.command(help=_("Show what became of every host of a run."))
def show(context: typer.Context, run_id: RunArgument, *, as_json: JsonOption = False) -> None:
    """Show what became of every host of a run."""
    console = services(context).console
    report_run(console, console.run(run_id), as_json=as_json)


@app.command(help=_("Watch a run until it ends."))
def attach(context: typer.Context, run_id: RunArgument, *, as_json: JsonOption = False) -> None:
    """Watch a run until it ends."""
    console = services(context).console
    try:
        run = follow(console, console.run(run_id).id)
    except Detached:
        raise typer.Exit(ExitCode.DETACHED) from None
    raise typer.Exit(report_run(console, run, as_json=as_json))


@app.command(help=_("Stop a run; transactions that hosts have begun are finished by the hosts themselves."))
def cancel(
    context: typer.Context,
    run_id: RunArgument,
    *,
    yes: YesOption = False,
    detach: DetachOption = False,
    as_json: JsonOption = False,
) -> None:
    """Stop a run; package transactions that hosts have begun are finished by the hosts themselves."""
    console = services(context).console
    run = console.run(run_id)
    if run.state.is_final:
        raise UsageError(_("Run {run} has ended already.").format(run=run.id))
    if not yes and not confirm(_("Stop run {run}? [y/N]").format(run=run.id)):
        raise RefusedError(_("Not confirmed, so the run goes on."))
    console.cancel(run.id)
    if detach:
        return
    try:
        run = follow(console, run.id)
    except Detached:
        raise typer.Exit(ExitCode.DETACHED) from None
    report_run(console, run, as_json=as_json)


@app.command(
    help=_("Run again for hosts that failed, were not reached, not started, or whose end is unknown.")
)
def retry(
    context: typer.Context,
    run_id: RunArgument,
    state: Annotated[
        list[HostState],
        typer.Option("-s", "--state", help=_("Only hosts in this state; can be given several times.")),
    ] = [],  # noqa: B006 - typer's way to declare a list
    *,
    yes: YesOption = False,
    detach: DetachOption = False,
    ask_become: AskBecomeOption = False,
    ask_pass: AskPassOption = False,
    vault: VaultOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run again for the hosts that failed, were not reached, were not started or whose end is unknown."""
    wanted = frozenset(state) or RETRIABLE
    if not wanted <= RETRIABLE:
        names = ", ".join(sorted(kind.value for kind in RETRIABLE))
        raise UsageError(_("Only hosts in these states can be retried: {names}.").format(names=names))
    console = services(context).console
    run = console.run(run_id)
    plan = console.make_retry_plan(run.id, wanted)
    counts = {kind: number for kind, number in run.counts.items() if kind in wanted and number}
    text = ngettext("Retrying {number} host: {counts}", "Retrying {number} hosts: {counts}", len(plan.hosts))
    names = ", ".join(f"{number} {host_state_label(kind)}" for kind, number in counts.items())
    say(text.format(number=len(plan.hosts), counts=names))
    if plan.changes_hosts and not yes:
        require_yes()
    secrets = ask_secrets(ask_become=ask_become, ask_pass=ask_pass, vault=vault)
    run_plan(console, plan, secrets, detach=detach, as_json=as_json)


@app.command(help=_("Print what happened in a run, task by task."))
def log(
    context: typer.Context,
    run_id: RunArgument,
    host: Annotated[str | None, typer.Option("-l", "--host", help=_("Only this host."))] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Print what happened in a run, task by task."""
    console = services(context).console
    run = console.run(run_id)
    after = 0
    documents: list[dict[str, object]] = []
    while lines := console.log(run.id, host=host, after=after):
        after = lines[-1].sequence
        for line in lines:
            if as_json:
                documents.append(
                    {
                        "at": moment(line.at),
                        "host": line.host,
                        "task": line.task,
                        "status": line.status,
                        "text": line.text,
                    }
                )
                continue
            print(f"{line.at:%H:%M:%S} {safe_text(line.host)} {line.status} {safe_text(line.task)}")
            for part in safe_lines(line.text).splitlines():
                print(f"    {part}")
    if as_json:
        print_json({"schema": "khien.log/1", "run": run.id, "lines": documents})
