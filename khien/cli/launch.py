"""`khien verify` and `khien patch`: plan, ask, start the run, watch it, say how it ended."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from khien.application.check_inventory import Severity
from khien.application.console import Console
from khien.application.waivers import expiry_problems
from khien.cli.context import InventoryOption, JsonOption, LimitOption, confirm, print_json, say, services
from khien.cli.documents import plan_document, run_document
from khien.cli.exit_codes import ExitCode
from khien.cli.follow import Detached, follow
from khien.cli.inventory import problem_line
from khien.cli.outcome import report_run
from khien.domain.plan import Plan
from khien.domain.run import RunOptions, Verb
from khien.domain.text import safe_text
from khien.errors import RefusedError
from khien.i18n import _, ngettext

CheckOption = Annotated[
    bool, typer.Option("-C", "--check", help=_("Predict what would change; change nothing."))
]
DiffOption = Annotated[
    bool, typer.Option("-D", "--diff", help=_("Show differences in the log of each host."))
]
ForksOption = Annotated[int | None, typer.Option("-f", "--forks", min=1, help=_("Hosts at once."))]
ExtraOption = Annotated[
    list[str], typer.Option("-e", "--extra-vars", help=_("Variables: key=value, JSON, or @file."))
]
YesOption = Annotated[bool, typer.Option("-y", "--yes", help=_("Do not ask first."))]
DetachOption = Annotated[bool, typer.Option("-d", "--detach", help=_("Start it and return at once."))]
PlanOption = Annotated[bool, typer.Option("--plan", help=_("Print the plan and start nothing."))]
AskBecomeOption = Annotated[
    bool, typer.Option("-K", "--ask-become-pass", help=_("Ask for the password that sudo wants."))
]
AskPassOption = Annotated[bool, typer.Option("-k", "--ask-pass", help=_("Ask for the login password."))]
VaultOption = Annotated[
    Path | None, typer.Option("--vault-password-file", help=_("File with the password of Ansible's vault."))
]
RebootOption = Annotated[bool, typer.Option("--reboot", help=_("Restart hosts whose updates need it."))]

_NAMED = 20


def verify(
    context: typer.Context,
    inventory: InventoryOption = [],  # noqa: B006 - typer's way to declare a list
    limit: LimitOption = "",
    forks: ForksOption = None,
    extra_vars: ExtraOption = [],  # noqa: B006
    *,
    detach: DetachOption = False,
    plan_only: PlanOption = False,
    ask_become: AskBecomeOption = False,
    ask_pass: AskPassOption = False,
    vault: VaultOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare hosts with the baseline; nothing on them is changed."""
    options = run_options(inventory, limit, forks, extra_vars)
    wired = services(context)
    console = wired.console
    plan = console.make_plan(Verb.VERIFY, options)
    for problem in expiry_problems(wired.rules().waivers, wired.today()):
        say(problem_line(replace(problem, severity=Severity.WARNING)))
    if plan_only:
        _show_plan(plan, as_json=as_json)
        return
    secrets = ask_secrets(ask_become=ask_become, ask_pass=ask_pass, vault=vault)
    run_plan(console, plan, secrets, detach=detach, as_json=as_json)


def patch(
    context: typer.Context,
    inventory: InventoryOption = [],  # noqa: B006
    limit: LimitOption = "",
    forks: ForksOption = None,
    extra_vars: ExtraOption = [],  # noqa: B006
    *,
    check: CheckOption = False,
    diff: DiffOption = False,
    reboot: RebootOption = False,
    yes: YesOption = False,
    detach: DetachOption = False,
    plan_only: PlanOption = False,
    ask_become: AskBecomeOption = False,
    ask_pass: AskPassOption = False,
    vault: VaultOption = None,
    as_json: JsonOption = False,
) -> None:
    """Install the security updates that wait on hosts, and nothing else."""
    options = run_options(inventory, limit, forks, extra_vars, check=check, diff=diff, reboot=reboot)
    console = services(context).console
    plan = console.make_plan(Verb.PATCH, options)
    if plan_only:
        _show_plan(plan, as_json=as_json)
        return
    if plan.changes_hosts and not yes:
        ask_first(plan.hosts, reboot=plan.options.reboot)
    secrets = ask_secrets(ask_become=ask_become, ask_pass=ask_pass, vault=vault)
    run_plan(console, plan, secrets, detach=detach, as_json=as_json)


def run_options(
    inventory: list[str],
    limit: str,
    forks: int | None,
    extra_vars: list[str],
    *,
    check: bool = False,
    diff: bool = False,
    reboot: bool = False,
    level: int | None = None,
    controls: Sequence[str] = (),
    force: bool = False,
) -> RunOptions:
    """Return what the command line asks for, as a run keeps it."""
    # The run process works in another folder: what is relative to this one must be said in full.
    return RunOptions(
        inventory=tuple(item if "," in item else str(Path(item).absolute()) for item in inventory),
        limit=limit,
        check=check,
        diff=diff,
        forks=forks,
        extra_vars=tuple(f"@{Path(e[1:]).absolute()}" if e.startswith("@") else e for e in extra_vars),
        reboot=reboot,
        level=level,
        controls=tuple(sorted(set(controls))),
        force=force,
    )


def ask_secrets(*, ask_become: bool, ask_pass: bool, vault: Path | None) -> Mapping[str, str]:
    """Ask for the passwords that were announced; they go to the run process by pipe."""
    secrets: dict[str, str] = {}
    if ask_pass:
        secrets["connection_password"] = getpass.getpass(_("Login password: "))
    if ask_become:
        asked = getpass.getpass(_("Password for sudo (empty: the same as for the login): "))
        secrets["become_password"] = asked or secrets.get("connection_password", "")
    if vault is not None:
        secrets["vault_password"] = vault.read_text().rstrip("\n")
    return secrets


def run_plan(
    console: Console, plan: Plan, secrets: Mapping[str, str], *, detach: bool, as_json: bool
) -> None:
    """Start the plan's run, watch it unless detached, report it, and exit with its code."""
    run_id = console.launch(plan, secrets)
    if detach:
        if as_json:
            print_json({"schema": "khien.started/1", "run": run_document(console.run(run_id))})
        else:
            print(run_id)
        return
    try:
        run = follow(console, run_id)
    except Detached:
        raise typer.Exit(ExitCode.DETACHED) from None
    raise typer.Exit(report_run(console, run, as_json=as_json))


def ask_first(hosts: tuple[str, ...], *, reboot: bool = False) -> None:
    """Say which hosts are changed, and ask whether to go ahead.

    Raises:
        RefusedError: the answer is anything but yes.
    """
    say(
        ngettext(
            "This changes {number} host: {names}",
            "This changes {number} hosts: {names}",
            len(hosts),
        ).format(number=len(hosts), names=_names(hosts))
    )
    if reboot:
        say(_("Hosts whose updates need it are restarted."))
    require_yes()


def require_yes() -> None:
    """Ask whether to go ahead.

    Raises:
        RefusedError: the answer is anything but yes, or there is nobody to ask.
    """
    if not confirm(_("Go ahead? [y/N]")):
        raise RefusedError(_("Not confirmed, so nothing was started. Use --yes where nobody can be asked."))


def _names(hosts: tuple[str, ...]) -> str:
    names = ", ".join(safe_text(host) for host in hosts[:_NAMED])
    more = len(hosts) - _NAMED
    return names if more <= 0 else _("{names} and {number} more").format(names=names, number=more)


def _show_plan(plan: Plan, *, as_json: bool) -> None:
    if as_json:
        print_json(plan_document(plan))
        return
    print(_("Plan {hash}").format(hash=plan.hash[:12]))
    for host in plan.hosts:
        print(f"  {safe_text(host)}")
    print(ngettext("{number} host", "{number} hosts", len(plan.hosts)).format(number=len(plan.hosts)))
