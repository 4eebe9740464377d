"""`khien hosts` and `khien host show NAME`."""

from __future__ import annotations

from typing import Annotated

import typer

from khien.application.compare_imports import compare
from khien.application.labels import host_state_label
from khien.cli.context import JsonOption, LimitOption, data_console, print_json, say, services
from khien.cli.documents import host_document, status_document
from khien.cli.import_documents import import_with_results
from khien.cli.outcome import verdict_text
from khien.domain.fleet import HostStatus
from khien.domain.text import safe_text
from khien.i18n import _, current_language, ngettext

app = typer.Typer(no_args_is_help=True, help=_("Look at one host."))


def hosts(context: typer.Context, limit: LimitOption = "", *, as_json: JsonOption = False) -> None:
    """List hosts with what was last seen of them."""
    everything = services(context)
    fleet = everything.console.fleet()
    if limit:
        wanted = {host.name for host in everything.inventory.hosts(everything.default_inventory, limit)}
        fleet = tuple(status for status in fleet if status.host.name in wanted)
    if as_json:
        print_json({"schema": "khien.hosts/1", "hosts": [status_document(status) for status in fleet]})
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    headings = (
        _("Host"),
        _("Agency"),
        _("System"),
        _("Baseline"),
        _("Security updates"),
        _("Restart"),
        _("Last seen"),
        _("Last run"),
    )
    for heading in headings:
        table.add_column(heading)
    for status in fleet:
        table.add_row(*_cells(status))
    data_console().print(table)
    outdated = sum(status.is_outdated for status in fleet)
    if outdated:
        say(
            ngettext(
                "{number} host was judged by rules that have changed since: run `khien rejudge`.",
                "{number} hosts were judged by rules that have changed since: run `khien rejudge`.",
                outdated,
            ).format(number=outdated)
        )


def _cells(status: HostStatus) -> tuple[str, ...]:
    unknown = _("not known")
    pending = unknown if status.pending_security is None else str(status.pending_security)
    reboot = {None: unknown, True: _("needed"), False: _("no")}[status.reboot_needed]
    seen = f"{status.seen_at.astimezone():%Y-%m-%d %H:%M}" if status.seen_at else _("never")
    return (
        safe_text(status.host.name),
        safe_text(status.host.agency_name or status.host.agency),
        safe_text(status.facts.os_name) if status.facts else unknown,
        _baseline(status),
        pending,
        reboot,
        seen,
        host_state_label(status.last_state) if status.last_state else "",
    )


def _baseline(status: HostStatus) -> str:
    if status.counts is None:
        return _("never verified")
    text = verdict_text(status.counts)
    return _("{verdicts} (by older rules)").format(verdicts=text) if status.is_outdated else text


@app.command(help=_("Show all that is known of one host: findings with evidence, updates, history."))
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help=_("Name of the host in the inventory."))],
    *,
    as_json: JsonOption = False,
) -> None:
    """Show all that is known of one host: findings with evidence, updates, history."""
    everything = services(context)
    detail = everything.console.host(name)
    controls = everything.console.controls()
    now = everything.clock.now()
    compared = [
        (one, compare(detail.findings, one.results, controls.values()))
        for one in everything.imports.latest(detail.status.host.name)
    ]
    if as_json:
        imported = [import_with_results(one, rows, now) for one, rows in compared]
        print_json({**host_document(detail), "imports": imported})
        return
    from khien.cli.import_summary import print_imports
    from khien.cli.summary import print_host_detail

    console = data_console(piped_width=110)
    print_host_detail(
        console,
        detail,
        controls,
        now=now,
        language=current_language(),
    )
    print_imports(console, compared, now)
