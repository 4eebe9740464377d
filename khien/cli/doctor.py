"""`khien doctor`: what is wrong with this installation, and what to do about it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import typer

from khien.application.doctor import Diagnosis, Health, diagnose
from khien.application.installation import ServiceFacts
from khien.bootstrap import Services
from khien.cli.context import JsonOption, data_console, print_json, services
from khien.cli.exit_codes import ExitCode
from khien.domain.text import safe_text
from khien.errors import KhienError
from khien.i18n import _

SCHEMA = "khien.doctor/1"

_Answer = TypeVar("_Answer")


def doctor(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Find what is wrong with this installation; exits with 5 when something is broken."""
    from khien.adapters.installation import inspect_installation

    everything = services(context)
    facts = inspect_installation(everything.loaded, os.environ, everything.clock.now())
    found = diagnose(facts, _ask_services(everything))
    if as_json:
        checks = [_document(one) for one in found]
        print_json({"schema": SCHEMA, "healthy": _is_healthy(found), "checks": checks})
    else:
        _print(found)
    if not _is_healthy(found):
        raise typer.Exit(ExitCode.BROKEN)


def _is_healthy(found: tuple[Diagnosis, ...]) -> bool:
    return all(one.health is not Health.PROBLEM for one in found)


def _ask_services(everything: Services) -> ServiceFacts:
    """Let each part do its work once; what it complains of is a finding and not the end of the command."""
    settings = everything.settings
    inventory = _answer(lambda: len(everything.inventory.hosts(settings.inventory)))
    controls = _answer(lambda: len(everything.catalogue.controls()))
    if settings.sqlite_file is not None and not settings.sqlite_file.exists():
        return ServiceFacts(store_is_new=True, inventory=inventory, controls=controls)
    newest = _answer(lambda: [run.created_at for run in everything.runs.runs(limit=1)])
    if isinstance(newest, str):
        return ServiceFacts(store=newest, inventory=inventory, controls=controls)
    active = everything.runs.runs(active_only=True, limit=1000)
    processes = {run.id: everything.runs.process(run.id) for run in active}
    dead = tuple(
        str(run_id)
        for run_id, process in processes.items()
        if process is not None and not everything.processes.is_alive(process)
    )
    return ServiceFacts(
        newest_run=newest[0] if newest else None,
        dead_runs=dead,
        leftover_folders=_folders(settings.runtime_dir) if len(active) == len(dead) else (),
        inventory=inventory,
        controls=controls,
    )


def _answer(ask: Callable[[], _Answer]) -> _Answer | str:
    try:
        return ask()
    except KhienError as error:
        return safe_text(error)


def _folders(runtime: Path) -> tuple[Path, ...]:
    try:
        return tuple(sorted(path for path in runtime.iterdir() if path.is_dir()))
    except OSError:
        return ()


def _document(one: Diagnosis) -> dict[str, str]:
    return {"id": one.id, "health": one.health.value, "text": safe_text(one.text), "advice": one.advice}


def _print(found: tuple[Diagnosis, ...]) -> None:
    from rich.table import Table
    from rich.text import Text

    words = {
        Health.OK: (_("ok"), "green"),
        Health.WARNING: (_("warning"), "yellow"),
        Health.PROBLEM: (_("problem"), "bold red"),
    }
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in found:
        name, style = words[one.health]
        text = Text(safe_text(one.text))
        if one.advice:
            text.append(f"\n→ {safe_text(one.advice)}", "italic")
        table.add_row(Text(name, style), text)
    data_console().print(table)
