"""`khien preflight`: what stands between this machine and its hosts, before a run finds out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from khien.application.ports import PreflightResult
from khien.application.wording import advise, describe
from khien.cli.context import InventoryOption, JsonOption, LimitOption, data_console, print_json, services
from khien.cli.documents import reason_document
from khien.cli.exit_codes import ExitCode
from khien.cli.launch import AskBecomeOption, AskPassOption, ask_secrets
from khien.domain.run import Reason
from khien.domain.text import safe_text
from khien.i18n import _

if TYPE_CHECKING:
    from rich.text import Text

DeadlineOption = Annotated[
    float | None,
    typer.Option("--deadline", min=1, help=_("Seconds after which every host has an answer.")),
]


def preflight(
    context: typer.Context,
    inventory: InventoryOption = [],  # noqa: B006 - typer's way to declare a list
    limit: LimitOption = "",
    deadline: DeadlineOption = None,
    *,
    ask_become: AskBecomeOption = False,
    ask_pass: AskPassOption = False,
    as_json: JsonOption = False,
) -> None:
    """Look at hosts' doors: connection, login, sudo, Python, disk, package lock."""
    wired = services(context)
    hosts = wired.inventory.hosts(inventory, limit)
    look = wired.preflight
    if ask_become or ask_pass:
        look = look.with_secrets(ask_secrets(ask_become=ask_become, ask_pass=ask_pass, vault=None))
    results = look.check(hosts, deadline_seconds=deadline or wired.settings.preflight_deadline_seconds)
    if as_json:
        print_json(_document(results))
    else:
        _print(results)
    if not all(result.ready for result in results):
        raise typer.Exit(ExitCode.NOT_REACHED)


def _document(results: Sequence[PreflightResult]) -> dict[str, object]:
    return {
        "schema": "khien.preflight/1",
        "hosts_total": len(results),
        "hosts_ready": sum(result.ready for result in results),
        "hosts": [
            {
                "host": result.host,
                "ready": result.ready,
                "troubles": [_reason(reason) for reason in result.troubles],
                "warnings": [_reason(reason) for reason in result.warnings],
                "milliseconds": result.milliseconds,
                "facts": dict(result.facts),
            }
            for result in results
        ],
    }


def _reason(reason: Reason) -> dict[str, object]:
    return {**(reason_document(reason) or {}), "advice": advise(reason)}


def _print(results: Sequence[PreflightResult]) -> None:
    console = data_console()
    width = max((len(safe_text(result.host)) for result in results), default=0)
    for result in results:
        console.print(_line(result, width), soft_wrap=True)
    ready = sum(result.ready for result in results)
    console.print(
        _("{ready} of {total} hosts are ready.").format(ready=ready, total=len(results)), soft_wrap=True
    )


def _line(result: PreflightResult, width: int) -> Text:
    """Say one host in one line: its state, then each trouble or warning with what to do about it."""
    from rich.text import Text

    state, style = (_("ready"), "green") if result.ready else (_("not ready"), "bold red")
    line = Text.assemble(f"{safe_text(result.host):<{width}}  ", (state, style))
    for reason in (*result.troubles, *result.warnings):
        line.append(f"  {describe(reason)}")
        if advice := advise(reason):
            line.append(f" {advice}", style="dim")
    return line
