"""What every command gets: the services of this installation, and one way to print data and words."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from khien.bootstrap import Services
from khien.bootstrap import services as make_services
from khien.i18n import _

if TYPE_CHECKING:
    from rich.console import Console

JsonOption = Annotated[bool, typer.Option("--json", help=_("Print JSON with a versioned schema."))]
InventoryOption = Annotated[
    list[str], typer.Option("-i", "--inventory", help=_("Inventory path or comma separated hosts."))
]
LimitOption = Annotated[
    str, typer.Option("-l", "--limit", help=_("Only hosts that match this Ansible pattern."))
]


def services(context: typer.Context) -> Services:
    """Return the services, made once per command line."""
    root = context.find_root()
    if not isinstance(root.obj, Services):
        root.obj = make_services()
    return root.obj


def print_json(document: Mapping[str, object]) -> None:
    """Print a document on stdout; its first key is its schema."""
    json.dump(document, sys.stdout, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None)
    sys.stdout.write("\n")


def say(message: str) -> None:
    """Say something to the person on stderr; stdout is for data."""
    print(message, file=sys.stderr)


def data_console(*, piped_width: int = 10_000) -> Console:
    """Return a rich console on stdout that takes no text for markup.

    Args:
        piped_width: columns when stdout is no terminal; a table there is as wide as its data, because nobody
            wants half of a host name in a file.
    """
    from rich.console import Console

    width = None if sys.stdout.isatty() else piped_width
    return Console(markup=False, highlight=False, emoji=False, width=width)


def confirm(question: str) -> bool:
    """Ask yes or no on stderr; no is the answer of Enter, of a closed stdin and of anything unclear."""
    if not sys.stdin.isatty():
        return False
    print(question, end=" ", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes", _("yes"))
