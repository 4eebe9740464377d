"""`khien tui`: opens the terminal UI on the same console."""

from __future__ import annotations

import typer

from khien.cli.context import services
from khien.i18n import current_language


def tui(context: typer.Context) -> None:
    """Open the terminal UI."""
    from tui.__main__ import run

    everything = services(context)
    run(
        everything.console,
        everything.overview,
        language=current_language(),
        stale_after_hours=everything.settings.stale_after_hours,
    )
