"""Opens the terminal UI over a console."""

from __future__ import annotations

from datetime import timedelta

from khien.application.console import Console
from khien.application.overview import Overview
from khien.i18n import choose_language
from tui.app import KhienApp
from tui.desk import Desk
from tui.theme import DARK


def run(
    console: Console,
    overview: Overview,
    *,
    language: str | None,
    stale_after_hours: float = 48,
    theme: str = DARK.name,
) -> None:
    """Open the terminal UI and return when the person leaves it.

    Args:
        console: what it talks to.
        overview: what answers about the whole fleet.
        language: "en" or "vi"; None takes it from the environment.
        stale_after_hours: the age at which a verification counts as stale.
        theme: name of a theme, Khiên's own or one of Textual's.
    """
    choose_language(language)
    KhienApp(Desk(console, overview, stale_after=timedelta(hours=stale_after_hours)), theme=theme).run()
