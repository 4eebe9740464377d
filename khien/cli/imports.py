"""`khien import FILE…` and `khien imports`: what other tools said, beside our own findings."""

from __future__ import annotations

import getpass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from khien.application.import_results import import_results
from khien.bootstrap import Services
from khien.cli.context import JsonOption, LimitOption, data_console, print_json, say, services
from khien.cli.import_documents import import_document
from khien.domain.imported import Import, SaidCounts
from khien.domain.text import safe_text
from khien.errors import UsageError
from khien.i18n import _, ngettext
from khien.reports import words


def import_files(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help=_("Files of OpenSCAP, Lynis or InSpec."))],
    host: Annotated[
        str, typer.Option("--host", help=_("The host they are about, where the files do not say."))
    ] = "",
    format_name: Annotated[
        str, typer.Option("--format", help=_("auto, openscap, lynis or inspec."))
    ] = "auto",
    *,
    as_json: JsonOption = False,
) -> None:
    """Bring in results of other tools: all of the files, or none when one is unusable."""
    everything = services(context)
    known = {status.host.name for status in everything.console.fleet()}
    if host and host not in known:
        raise UsageError(_("{host} is no host of the inventory.").format(host=safe_text(host, 80)))
    done = import_results(
        files,
        host=host,
        format_name=format_name,
        person=getpass.getuser(),
        hosts=known,
        reader=everything.foreign_results,
        store=everything.imports,
        clock=everything.clock,
    )
    now = everything.clock.now()
    if as_json:
        print_json(
            {
                "schema": "khien.import/1",
                "added": [import_document(one, now) for one in done.added],
                "already_there": [import_document(one, now) for one in done.known],
            }
        )
    else:
        _print_table(done.added, now)
    for one in done.known:
        say(
            _("{file} is already there for {host}, as import {id}.").format(
                file=safe_text(one.origin.file), host=one.host, id=one.id
            )
        )
    number = len(done.added)
    said = ngettext("{n} report was brought in.", "{n} reports were brought in.", number).format(n=number)
    say(said + " " + _("They stand beside our own findings and count in none of our figures."))


def imports(
    context: typer.Context,
    limit: LimitOption = "",
    forget: Annotated[
        int, typer.Option("--forget", metavar="ID", help=_("Remove this one from the store."))
    ] = 0,
    *,
    as_json: JsonOption = False,
) -> None:
    """List the results that were brought in from other tools, the newest first."""
    everything = services(context)
    if forget:
        gone = everything.imports.forget(forget)
        say(
            _("Import {id} ({tool}, {host}) was removed.").format(
                id=gone.id, tool=safe_text(gone.origin.tool), host=gone.host
            )
        )
        return
    now = everything.clock.now()
    listed = _listed(everything, limit)
    if as_json:
        print_json({"schema": "khien.imports/1", "imports": [import_document(one, now) for one in listed]})
        return
    _print_table(listed, now)
    if not listed:
        say(_("Nothing was brought in."))


def _listed(everything: Services, limit: str) -> tuple[Import, ...]:
    everyone = everything.imports.imports()
    if not limit:
        return everyone
    wanted = {host.name for host in everything.inventory.hosts(everything.default_inventory, limit)}
    return tuple(one for one in everyone if one.host in wanted)


def counts_text(counts: SaidCounts) -> str:
    """Say how many rules were said to be what, each count with its word."""
    phrases = (
        (counts.failed, _("{n} failed")),
        (counts.unknown, _("{n} unknown")),
        (counts.waived, _("{n} waived")),
        (counts.not_applicable, _("{n} not applicable")),
        (counts.not_assessed, _("{n} not assessed")),
    )
    first = _("{passed} of {applicable} rules passed").format(
        passed=words.number(counts.passed), applicable=words.number(counts.applicable)
    )
    return ", ".join([first, *(said.format(n=words.number(n)) for n, said in phrases if n)])


def _print_table(listed: tuple[Import, ...], now: datetime) -> None:
    if not listed:
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in (_("Id"), _("Host"), _("Tool"), _("Profile"), _("Collected"), _("Age"), _("What it says")):
        table.add_column(heading)
    for one in listed:
        origin = one.origin
        table.add_row(
            str(one.id),
            safe_text(one.host),
            safe_text(f"{origin.tool} {origin.tool_version}"),
            safe_text(origin.profile),
            words.moment(one.collected_at) + (" " + _("(zone assumed)") if origin.zone_assumed else ""),
            words.age(now - one.collected_at),
            counts_text(one.counts),
        )
    data_console().print(table)
