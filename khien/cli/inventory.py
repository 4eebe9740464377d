"""`khien inventory check|list|import|trust`: the list of hosts, and whether it can be relied on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import typer

from khien.application.check_inventory import InventoryCheck, Problem, Severity, check_inventory
from khien.cli.context import (
    InventoryOption,
    JsonOption,
    LimitOption,
    data_console,
    print_json,
    say,
    services,
)
from khien.cli.exit_codes import ExitCode
from khien.cli.inventory_import import import_list
from khien.cli.inventory_trust import trust
from khien.domain.host import Host, HostRole
from khien.domain.text import safe_text
from khien.i18n import _, ngettext

if TYPE_CHECKING:
    from rich.table import Table

app = typer.Typer(no_args_is_help=True, help=_("Check, list and fill the inventory; record host keys."))
app.command("import", help=_("Turn a list of hosts, CSV or Excel, into inventory files."))(import_list)
app.command(help=_("See the SSH keys that hosts show, and record them once confirmed."))(trust)


@app.command(help=_("Find what is wrong in the inventory, with file and line."))
def check(
    context: typer.Context,
    inventory: InventoryOption = [],  # noqa: B006 - typer's way to declare a list
    *,
    as_json: JsonOption = False,
) -> None:
    """Find what is wrong in the inventory, with file and line."""
    wired = services(context)
    result = check_inventory(wired.inventory_files, wired.inventory, inventory)
    if as_json:
        print_json(_check_document(result))
    else:
        _print_check(result)
    if not result.is_good:
        raise typer.Exit(ExitCode.USAGE)


def _print_check(result: InventoryCheck) -> None:
    for problem in result.problems:
        print(problem_line(problem))
    for path in result.not_read:
        say(_("{path} is a script, a plugin or encrypted: only Ansible looked into it.").format(path=path))
    if result.is_good:
        number = len(result.hosts)
        say(
            ngettext(
                "The inventory is fine: {number} host.", "The inventory is fine: {number} hosts.", number
            ).format(number=number)
        )


def problem_line(problem: Problem) -> str:
    """Return a problem as a line that editors can jump from."""
    place = f"{problem.place}: " if problem.place else ""
    kind = _("warning: ") if problem.severity is Severity.WARNING else ""
    return safe_text(f"{place}{kind}{problem.message}")


def _check_document(result: InventoryCheck) -> dict[str, object]:
    return {
        "schema": "khien.inventory-check/1",
        "good": result.is_good,
        "hosts_total": len(result.hosts),
        "problems": [problem_document(problem) for problem in result.problems],
        "not_read": [str(path) for path in result.not_read],
    }


def problem_document(problem: Problem) -> dict[str, object]:
    """Return a problem as JSON."""
    return {
        "file": str(problem.place.path) if problem.place else None,
        "line": problem.place.line if problem.place else None,
        "severity": problem.severity.value,
        "message": problem.message,
    }


@app.command("list", help=_("List the hosts of the inventory by agency."))
def list_hosts(
    context: typer.Context,
    inventory: InventoryOption = [],  # noqa: B006
    limit: LimitOption = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """List the hosts of the inventory by agency."""
    hosts = services(context).inventory.hosts(inventory, limit)
    if as_json:
        print_json({"schema": "khien.inventory/1", "hosts": [_host_document(host) for host in hosts]})
        return
    console = data_console()
    ordered = sorted(hosts, key=lambda host: (host.agency == "", host.agency, host.name))
    for _agency, members in groupby(ordered, key=lambda host: host.agency):
        of_agency = tuple(members)
        console.print(_heading(of_agency), style="bold", soft_wrap=True)
        console.print(_table(of_agency))
    total = len(hosts)
    console.print(ngettext("{number} host in all", "{number} hosts in all", total).format(number=total))


def _heading(hosts: Sequence[Host]) -> str:
    agency = safe_text(hosts[0].agency) or _("no agency")
    name = next((safe_text(host.agency_name) for host in hosts if host.agency_name), "")
    servers = sum(host.role is HostRole.SERVER for host in hosts)
    return _("{agency}: {servers} servers, {workstations} workstations").format(
        agency=f"{name} ({agency})" if name else agency,
        servers=servers,
        workstations=len(hosts) - servers,
    )


def _table(hosts: Sequence[Host]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=True)
    for heading in (_("Host"), _("Address"), _("Role"), _("Level"), _("Site"), _("Owner"), _("Window")):
        table.add_column(heading)
    roles = {HostRole.SERVER: _("server"), HostRole.WORKSTATION: _("workstation")}
    for host in hosts:
        level = "" if host.level is None else str(host.level)
        cells = (host.name, host.address, roles[host.role], level, host.site, host.owner, host.window)
        table.add_row(*(Text(safe_text(cell)) for cell in cells))
    return table


def _host_document(host: Host) -> dict[str, object]:
    return {
        "name": host.name,
        "address": host.address,
        "transport": host.transport,
        "agency": host.agency,
        "agency_name": host.agency_name,
        "site": host.site,
        "role": host.role.value,
        "level": host.level,
        "owner": host.owner,
        "window": host.window,
        "groups": list(host.groups),
    }
