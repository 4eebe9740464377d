"""`khien tui`: opens the terminal UI on the same console."""

from __future__ import annotations

import typer

from khien.cli.context import services
from khien.i18n import current_language


def tui(context: typer.Context) -> None:
    """Open the terminal UI."""
    from tui.__main__ import run

    run(services(context).console, language=current_language())
