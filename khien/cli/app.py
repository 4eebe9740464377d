"""All commands in one place."""

from __future__ import annotations

from typing import Annotated

import typer

from khien import __version__
from khien.cli import (
    config,
    controls,
    doctor,
    export,
    harden,
    hosts,
    imports,
    inventory,
    launch,
    overview,
    plans,
    preflight,
    rejudge,
    report,
    runs,
    terminal,
    undo,
    waiver,
)
from khien.errors import UsageError
from khien.i18n import LANGUAGES, _

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=_("Hardening and patch orchestration for servers and workstations."),
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"khien {__version__}")
        raise typer.Exit


def _check_language(wanted: str | None) -> str | None:
    if wanted is not None and wanted not in LANGUAGES:
        raise UsageError(_("--lang takes one of: {names}.").format(names=", ".join(LANGUAGES)))
    return wanted


@app.callback()
def root(
    lang: Annotated[
        str | None, typer.Option("--lang", callback=_check_language, help=_("Language: en or vi."))
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help=_("Print the version."))
    ] = False,
) -> None:
    """Take what holds for all commands; the language was chosen before they were made."""
    del lang, version


app.command(help=_("Compare hosts with the baseline; nothing on them is changed."))(launch.verify)
app.command(help=_("Install the security updates that wait on hosts, and nothing else."))(launch.patch)
app.command(help=_("Bring hosts to what their level demands: plan, approve, run, prove."))(harden.harden)
app.add_typer(plans.app, name="plan")
app.command(help=_("Take a hardening run back, as far as nobody changed the same things since."))(undo.undo)
app.command(help=_("Look at hosts' doors: connection, login, sudo, Python, disk, package lock."))(
    preflight.preflight
)
app.command(help=_("List hosts with what was last seen of them."))(hosts.hosts)
app.add_typer(hosts.app, name="host")
app.command(help=_("Show how the hosts of each agency stand, by area."))(overview.compliance)
app.command(help=_("Show what changed on each host since the verification before."))(overview.drift)
app.command(help=_("Show how each agency stood at the end of each day."))(overview.trend)
app.command(help=_("List runs, newest first."))(runs.runs)
app.add_typer(runs.app, name="run")
app.add_typer(controls.app, name="controls")
app.add_typer(waiver.app, name="waiver")
app.command(
    "rejudge", help=_("Judge what hosts answered already by the rules of today; no host is touched.")
)(rejudge.rejudge_hosts)
app.add_typer(inventory.app, name="inventory")
app.command(help=_("Write a report as HTML or JSON."))(report.report)
app.command(help=_("Write what is known of hosts as OSCAL, SARIF, JUnit, CSV or XLSX."))(export.export)
app.command("import", help=_("Bring in results of OpenSCAP, Lynis or InSpec, beside our own findings."))(
    imports.import_files
)
app.command(help=_("List the results that were brought in from other tools."))(imports.imports)
app.add_typer(config.app, name="config")
app.command(help=_("Find what is wrong with this installation."))(doctor.doctor)
app.command(help=_("Open the terminal UI."))(terminal.tui)
