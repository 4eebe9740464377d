"""`khien waiver add|list|revoke|expiring|check`: controls that are excused somewhere until a day."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from datetime import date
from typing import Annotated

import typer

from khien.application.check_inventory import Problem, Severity
from khien.application.labels import scope_label
from khien.application.waivers import waiver_problems
from khien.bootstrap import Services
from khien.cli.context import JsonOption, data_console, print_json, say, services
from khien.cli.exit_codes import ExitCode
from khien.cli.inventory import problem_document, problem_line
from khien.domain.text import safe_text
from khien.domain.waiver import EXPIRING_DAYS, ScopeKind, Waiver, WaiverState
from khien.errors import UsageError
from khien.i18n import _, ngettext

app = typer.Typer(
    no_args_is_help=True, help=_("Excuse controls somewhere until a day, and see what is excused.")
)

HostOption = Annotated[str, typer.Option("--host", help=_("Excuse it on this host."))]
GroupOption = Annotated[str, typer.Option("--group", help=_("Excuse it on the hosts of this group."))]
AgencyOption = Annotated[str, typer.Option("--agency", help=_("Excuse it on the hosts of this agency."))]
ReasonOption = Annotated[str, typer.Option("--reason", help=_("Why it is excused."))]
ApproverOption = Annotated[str, typer.Option("--approver", help=_("Who takes responsibility."))]
ExpiresOption = Annotated[
    str, typer.Option("--expires", metavar="YYYY-MM-DD", help=_("The last day on which it holds."))
]
DaysOption = Annotated[int, typer.Option("--days", min=0, help=_("How many days to look ahead."))]
AllOption = Annotated[bool, typer.Option("--all", help=_("Also those that ended or were revoked."))]


@app.command(help=_("Excuse a control on a host, a group or an agency until a day."))
def add(
    context: typer.Context,
    control: Annotated[str, typer.Argument(metavar="CONTROL", help=_("Id of the control."))],
    reason: ReasonOption,
    approver: ApproverOption,
    expires: ExpiresOption,
    host: HostOption = "",
    group: GroupOption = "",
    agency: AgencyOption = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """Excuse a control on a host, a group or an agency until a day."""
    from khien.adapters.waiver_writer import add_waiver, next_id

    wired = services(context)
    today = wired.today()
    known = [one.id for one in wired.catalogue.controls()]
    if control not in known:
        raise UsageError(_("There is no control {id}.").format(id=control))
    kind, scope = _scope({ScopeKind.HOST: host, ScopeKind.GROUP: group, ScopeKind.AGENCY: agency})
    last = _day(expires)
    if last < today:
        raise UsageError(_("--expires lies in the past: {day}.").format(day=last))
    for option, text in (("--reason", reason), ("--approver", approver)):
        if not text.strip():
            raise UsageError(_("{option} must not be empty.").format(option=option))
    ids = [waiver.id for waiver in wired.rules().waivers]
    waiver = Waiver(
        next_id(ids, today.year), control, kind, scope, _line(reason), _line(approver), today, last
    )
    if not any(waiver.covers(one) for one in wired.inventory.hosts(wired.default_inventory)):
        raise UsageError(
            _("{scope} matches no host of the inventory.").format(scope=scope_label(kind, scope))
        )
    file = add_waiver(wired.settings.waivers, waiver, known)
    if as_json:
        print_json({"schema": "khien.waiver/1", "waiver": _document(waiver, today), "file": str(file)})
    else:
        print(waiver.id)
        say(_("Written to {file}; let somebody review it.").format(file=file))
        say(_("Stored results follow with `khien rejudge`."))


@app.command("list", help=_("List waivers with where they stand."))
def list_waivers(
    context: typer.Context, *, everything: AllOption = False, as_json: JsonOption = False
) -> None:
    """List waivers with where they stand."""
    wired = services(context)
    today = wired.today()
    over = (WaiverState.EXPIRED, WaiverState.REVOKED)
    chosen = [w for w in wired.rules().waivers if everything or w.state(today) not in over]
    _print(chosen, today, as_json=as_json)


@app.command(help=_("List waivers that end soon or have ended; exit code 1 when there are some."))
def expiring(
    context: typer.Context, days: DaysOption = EXPIRING_DAYS, *, as_json: JsonOption = False
) -> None:
    """List waivers that end soon or have ended."""
    wired = services(context)
    today = wired.today()
    chosen = [
        waiver
        for waiver in wired.rules().waivers
        if waiver.state(today) is WaiverState.EXPIRED
        or (waiver.state(today).in_effect and waiver.days_left(today) <= days)
    ]
    _print(chosen, today, as_json=as_json)
    if chosen:
        raise typer.Exit(ExitCode.FINDINGS)


@app.command(help=_("End a waiver today; its entry stays and says who ended it."))
def revoke(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="ID", help=_("Id of the waiver."))],
    *,
    as_json: JsonOption = False,
) -> None:
    """End a waiver today."""
    from khien.adapters.waiver_writer import revoke_waiver

    wired = services(context)
    today = wired.today()
    found = {waiver.id: waiver for waiver in wired.rules().waivers}
    if name not in found:
        raise UsageError(_("There is no waiver {id}.").format(id=name))
    if found[name].revoked is not None:
        raise UsageError(_("The waiver {id} was revoked on {day}.").format(id=name, day=found[name].revoked))
    revoke_waiver(found[name], today, getpass.getuser(), [c.id for c in wired.catalogue.controls()])
    (waiver,) = (waiver for waiver in wired.rules().waivers if waiver.id == name)
    if as_json:
        print_json({"schema": "khien.waiver/1", "waiver": _document(waiver, today), "file": waiver.file})
    else:
        say(_("Revoked {id} in {file}.").format(id=name, file=waiver.file))
        say(_("Stored results follow with `khien rejudge`."))


@app.command(help=_("Find what is wrong in the waivers, with file and line."))
def check(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Find what is wrong in the waivers, with file and line."""
    wired = services(context)
    problems, number = _check(wired)
    is_good = all(problem.severity is Severity.WARNING for problem in problems)
    if as_json:
        print_json(
            {
                "schema": "khien.waiver-check/1",
                "good": is_good,
                "waivers_total": number,
                "problems": [problem_document(problem) for problem in problems],
            }
        )
    else:
        for problem in problems:
            print(problem_line(problem))
        if is_good:
            say(
                ngettext(
                    "The waivers are fine: {number} waiver.",
                    "The waivers are fine: {number} waivers.",
                    number,
                ).format(number=number)
            )
    if not is_good:
        raise typer.Exit(ExitCode.USAGE)


def _check(wired: Services) -> tuple[tuple[Problem, ...], int]:
    from khien.adapters.waivers_yaml import read_waivers
    from khien.application.check_inventory import Place

    known = [control.id for control in wired.catalogue.controls()]
    waivers, unusable = read_waivers(wired.settings.waivers, known)
    hosts = wired.inventory.hosts(wired.default_inventory) if waivers else ()
    broken = tuple(Problem(Place(error.path, error.line or 1), error.problem) for error in unusable)
    return (*broken, *waiver_problems(waivers, hosts, wired.today())), len(waivers)


def _scope(named: dict[ScopeKind, str]) -> tuple[ScopeKind, str]:
    given = [(kind, name) for kind, name in named.items() if name]
    if len(given) != 1:
        raise UsageError(_("Expected is exactly one of --host, --group and --agency."))
    return given[0]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(_("--expires takes a day as YYYY-MM-DD, not {text}.").format(text=text)) from error


def _line(text: str) -> str:
    return safe_text(text, 1000)


def _document(waiver: Waiver, today: date) -> dict[str, object]:
    return {
        "id": waiver.id,
        "control": waiver.control,
        "scope": {waiver.kind.value: waiver.scope},
        "reason": waiver.reason,
        "approver": waiver.approver,
        "issued": waiver.issued.isoformat(),
        "expires": waiver.expires.isoformat(),
        "revoked": waiver.revoked.isoformat() if waiver.revoked else None,
        "state": waiver.state(today).value,
        "days_left": waiver.days_left(today),
        "file": waiver.file or None,
        "line": waiver.line or None,
    }


def _print(waivers: Sequence[Waiver], today: date, *, as_json: bool) -> None:
    if as_json:
        print_json({"schema": "khien.waivers/1", "waivers": [_document(waiver, today) for waiver in waivers]})
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in (_("Waiver"), _("Control"), _("For"), _("State"), _("Until"), _("Approved by"), _("Why")):
        table.add_column(heading)
    for waiver in sorted(waivers, key=lambda waiver: (waiver.expires, waiver.id)):
        scope = scope_label(waiver.kind, waiver.scope)
        cells = (
            waiver.id,
            waiver.control,
            scope,
            _state(waiver, today),
            waiver.expires,
            waiver.approver,
            waiver.reason,
        )
        table.add_row(*(Text(safe_text(cell)) for cell in cells))
    data_console().print(table)


def _state(waiver: Waiver, today: date) -> str:
    days = waiver.days_left(today)
    words = {
        WaiverState.NOT_YET: _("not yet"),
        WaiverState.ACTIVE: _("in effect"),
        WaiverState.EXPIRING: ngettext("ends in {days} day", "ends in {days} days", days),
        WaiverState.EXPIRED: _("expired"),
        WaiverState.REVOKED: _("revoked"),
    }
    return words[waiver.state(today)].format(days=days)
