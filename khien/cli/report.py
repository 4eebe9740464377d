"""`khien report`: what the store knows of the fleet, as a page, as JSON or in the terminal."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from khien.application.report import Past, Report, build_report
from khien.bootstrap import Services
from khien.cli.context import InventoryOption, LimitOption, data_console, print_json, say, services
from khien.domain.fleet import HostStatus
from khien.errors import UsageError
from khien.i18n import _

_RUNS_SHOWN = 15
_DAYS_SHOWN = 30


def report(
    context: typer.Context,
    inventory: InventoryOption = [],  # noqa: B006 - typer's way to declare a list
    limit: LimitOption = "",
    agency: Annotated[str, typer.Option("--agency", help=_("Only hosts of this agency (its slug)."))] = "",
    html: Annotated[str, typer.Option("--html", metavar="FILE", help=_("Write the page to a file."))] = "",
    json: Annotated[
        str, typer.Option("--json", metavar="FILE", help=_("Write JSON to a file, or to stdout with “-”."))
    ] = "",
) -> None:
    """Report what is known of each host; no host is asked anything."""
    if html == "-":
        raise UsageError(_("--html wants the name of a file."))
    made = make_report(services(context), tuple(inventory), limit=limit, agency=agency)
    if html:
        from khien.reports.html import render_html

        write_private(Path(html), render_html(made))
        say(_("The page is in {file}.").format(file=html))
    if json == "-":
        print_json(_document(made))
    elif json:
        from json import dumps

        write_private(Path(json), dumps(_document(made), ensure_ascii=False, indent=1) + "\n")
        say(_("The JSON document is in {file}.").format(file=json))
    if not html and not json:
        from khien.cli.summary import print_report

        print_report(data_console(), made)


def _document(made: Report) -> dict[str, object]:
    from khien.reports.json import report_document

    return report_document(made)


def make_report(
    everything: Services, inventory: tuple[str, ...] = (), *, limit: str = "", agency: str = ""
) -> Report:
    """Put the report together from the store.

    Raises:
        UsageError: the pattern matches no host, or no host is of the agency.
    """
    now = everything.clock.now()
    fleet = chosen_hosts(everything, inventory, limit, agency)
    names = {status.host.name for status in fleet if status.seen_at is not None}
    return build_report(
        fleet,
        {name: everything.console.host(name) for name in names},
        everything.console.controls(),
        now=now,
        stale_after=timedelta(hours=everything.settings.stale_after_hours),
        runs=everything.console.runs(_RUNS_SHOWN),
        scope=scope_words(limit, agency),
        past=_past(everything, frozenset(names)),
    )


def _past(everything: Services, names: frozenset[str]) -> Past:
    store = everything.overview.store
    return Past(
        {name: sheet for name, sheet in store.sheets().items() if name in names},
        {name: sheet for name, sheet in store.earlier_sheets().items() if name in names},
        everything.overview.trend_of_hosts(_DAYS_SHOWN, names),
    )


def scope_words(limit: str, agency: str) -> str:
    """Return what was asked for in the words of the request; empty for the whole fleet."""
    return " ".join(
        f"--{option} {value}" for option, value in (("agency", agency), ("limit", limit)) if value
    )


def chosen_hosts(
    everything: Services, inventory: tuple[str, ...], limit: str, agency: str
) -> tuple[HostStatus, ...]:
    """Return the hosts of a request with what is known of each.

    Raises:
        UsageError: the pattern matches no host, or no host is of the agency.
    """
    fleet = everything.console.fleet()
    if limit or inventory:
        sources = inventory or everything.settings.inventory
        wanted = {host.name: host for host in everything.inventory.hosts(sources, limit)}
        seen = {status.host.name: status for status in fleet if status.host.name in wanted}
        fleet = tuple(
            replace(seen[name], host=host, in_inventory=True) if name in seen else HostStatus(host)
            for name, host in wanted.items()
        )
    if agency:
        known = sorted({status.host.agency for status in fleet if status.host.agency})
        fleet = tuple(status for status in fleet if status.host.agency == agency)
        if not fleet:
            raise UsageError(
                _("No host is of the agency {agency}. Known are: {names}.").format(
                    agency=agency, names=", ".join(known) or "—"
                )
            )
    return fleet


def write_private(path: Path, content: str | bytes) -> None:
    """Write a file as a whole or not at all; a new one is readable by its owner only.

    Raises:
        UsageError: it cannot be written.
    """
    # A report lists the weak spots of every host: nobody else reads it until its owner says so.
    mode = 0o600
    with suppress(OSError):
        mode = path.stat().st_mode & 0o777
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            os.fchmod(file.fileno(), mode)
        fresh.replace(path)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink()
        raise UsageError(
            _("{file} cannot be written: {problem}.").format(file=path, problem=error.strerror)
        ) from error
