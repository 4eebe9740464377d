"""`khien config show|check`: the settings in force and where each came from."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import typer

from khien.adapters.config_toml import environment_name
from khien.application.settings import LoadedSettings, Settings, masked_secret
from khien.cli.context import JsonOption, data_console, print_json, say, services
from khien.domain.text import safe_text
from khien.i18n import _, ngettext

SCHEMA = "khien.config/1"

app = typer.Typer(no_args_is_help=True, help=_("Look at the settings."))


@app.command(help=_("Show every setting, its value and where it came from."))
def show(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Show every setting, its value and where it came from."""
    loaded = services(context).loaded
    if as_json:
        print_json(_document(loaded))
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in (_("Setting"), _("Value"), _("From")):
        table.add_column(heading, overflow="fold")
    for name, value in _values(loaded).items():
        shown = ", ".join(value) if isinstance(value, list) else str(value)
        if isinstance(value, bool):
            shown = shown.lower()
        table.add_row(name, Text(safe_text(shown) or "—"), Text(safe_text(_origin_words(loaded, name))))
    data_console().print(table)


@app.command(help=_("Check the configuration files; exits with 2 when something is wrong."))
def check(context: typer.Context) -> None:
    """Check the configuration files; exits with 2 when something is wrong."""
    # Loading them is the check: what is unusable ends the command with file, line and expectation.
    loaded = services(context).loaded
    for variable in loaded.unused_environment:
        say(_("The variable {name} names no setting and is not used.").format(name=safe_text(variable)))
    number = len(loaded.files)
    if number:
        say(
            ngettext("{n} file is in order: {files}", "{n} files are in order: {files}", number).format(
                n=number, files=", ".join(map(str, loaded.files))
            )
        )
    else:
        say(_("There is no configuration file; every setting has its default."))


def _values(loaded: LoadedSettings) -> dict[str, object]:
    return {setting.name: _shown(setting.name, loaded.settings) for setting in fields(Settings)}


def _shown(name: str, settings: Settings) -> object:
    value = getattr(settings, name)
    match value:
        case Path():
            return str(value)
        case tuple():
            return list(value)
        case str() if name == "store_url":
            return masked_secret(value)
        case _:
            return value


def _origin_words(loaded: LoadedSettings, name: str) -> str:
    origin = loaded.origins[name]
    if origin == "default":
        return _("default")
    if origin.startswith("environment "):
        return _("environment {variable}").format(variable=environment_name(name))
    return origin


def _document(loaded: LoadedSettings) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "files": [str(path) for path in loaded.files],
        "unused_environment": list(loaded.unused_environment),
        "settings": {
            name: {"value": value, "origin": loaded.origins[name], "variable": environment_name(name)}
            for name, value in _values(loaded).items()
        },
    }
