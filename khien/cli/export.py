"""`khien export`: what the store knows, in the formats that other systems read."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from khien.application.exchange import Exchange, build_exchange
from khien.bootstrap import Services
from khien.cli.context import InventoryOption, LimitOption, say, services
from khien.cli.report import chosen_hosts, scope_words, write_private
from khien.errors import UsageError
from khien.i18n import _, ngettext

Render = Callable[[Exchange], str | bytes]


def export(
    context: typer.Context,
    format_name: Annotated[str, typer.Option("--format", help=_("One of oscal, sarif, junit, csv, xlsx."))],
    inventory: InventoryOption = [],  # noqa: B006 - typer's way to declare a list
    limit: LimitOption = "",
    agency: Annotated[str, typer.Option("--agency", help=_("Only hosts of this agency (its slug)."))] = "",
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help=_("Write to a file instead of stdout."))
    ] = "-",
    bom: Annotated[
        bool, typer.Option("--bom", help=_("Begin a CSV with a byte order mark, as some spreadsheets need."))
    ] = False,
) -> None:
    """Write what is known of each host for another system; no host is asked anything."""
    formats = _formats(bom=bom)
    if format_name not in formats:
        raise UsageError(_("--format takes one of: {names}.").format(names=", ".join(formats)))
    if bom and format_name != "csv":
        raise UsageError(_("--bom is for --format csv only."))
    if format_name == "xlsx" and output == "-" and sys.stdout.isatty():
        raise UsageError(_("A workbook is no text for a terminal; name a file with -o."))
    exchange = make_exchange(services(context), tuple(inventory), limit=limit, agency=agency)
    document = formats[format_name](exchange)
    if output == "-":
        sys.stdout.buffer.write(document.encode() if isinstance(document, str) else document)
        sys.stdout.buffer.flush()
    else:
        write_private(Path(output), document)
    _say_what(exchange, output)


def make_exchange(
    everything: Services, inventory: tuple[str, ...] = (), *, limit: str = "", agency: str = ""
) -> Exchange:
    """Put together what is exported, from the store.

    Raises:
        UsageError: the pattern matches no host, or no host is of the agency.
    """
    fleet = chosen_hosts(everything, inventory, limit, agency)
    names = [status.host.name for status in fleet if status.seen_at is not None]
    return build_exchange(
        fleet,
        {name: everything.console.host(name) for name in names},
        everything.console.controls(),
        generated_at=everything.clock.now(),
        stale_after=timedelta(hours=everything.settings.stale_after_hours),
        scope=scope_words(limit, agency),
    )


def _formats(*, bom: bool) -> Mapping[str, Render]:
    # Each is imported only when it is asked for: one format does not pay for the others.
    def oscal(exchange: Exchange) -> str:
        from khien.reports.oscal import render_oscal

        return render_oscal(exchange)

    def sarif(exchange: Exchange) -> str:
        from khien.reports.sarif import render_sarif

        return render_sarif(exchange)

    def junit(exchange: Exchange) -> str:
        from khien.reports.junit import render_junit

        return render_junit(exchange)

    def csv(exchange: Exchange) -> str:
        from khien.reports.csv_export import render_csv

        return render_csv(exchange, bom=bom)

    def xlsx(exchange: Exchange) -> bytes:
        from khien.reports.xlsx_export import render_xlsx

        return render_xlsx(exchange)

    return {"oscal": oscal, "sarif": sarif, "junit": junit, "csv": csv, "xlsx": xlsx}


def _say_what(exchange: Exchange, output: str) -> None:
    figures = exchange.totals
    said = ngettext("{n} host exported", "{n} hosts exported", figures.hosts).format(n=figures.hosts)
    parts = _("{fresh} verified lately, {stale} stale, {never} never verified").format(
        fresh=figures.fresh, stale=figures.stale, never=figures.never_verified
    )
    where = "" if output == "-" else " " + _("The file is {file}.").format(file=output)
    say(f"{said}: {parts}.{where}")
