import os
import time
from collections.abc import Iterator

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from khien.i18n import choose_language
from tests.fakes.console import FakeConsole, make_console
from tests.fakes.overview import make_overview
from tests.fakes.province import NOW
from tui.app import KhienApp
from tui.desk import Desk, Pace

NEVER = 3600.0
ASKING = ("look", "job", "count")


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """English, UTC and colours, whatever the machine says."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)
    time.tzset()
    choose_language("en")
    yield
    os.environ.pop("TZ", None)
    time.tzset()


@pytest.fixture
def console() -> FakeConsole:
    return make_console()


def make_app(console: FakeConsole) -> KhienApp:
    """Make an app that looks only when asked, at a fixed moment, without animation."""
    app = KhienApp(Desk(console, make_overview(console), now=lambda: NOW, pace=Pace(NEVER, NEVER, NEVER)))
    app.animation_level = "none"
    return app


@pytest.fixture
def app(console: FakeConsole) -> KhienApp:
    return make_app(console)


async def settle(pilot: Pilot) -> None:
    """Wait until every question to the console is answered and drawn."""
    await pilot.pause()
    while asking := [w for w in pilot.app.workers if w.group in ASKING and not w.is_finished]:
        await pilot.app.workers.wait_for_complete(asking)
        await pilot.pause()
    for box in pilot.app.screen.query(Input):
        box.cursor_blink = False
    await pilot.pause()


async def press(pilot: Pilot, *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settle(pilot)


def screen_text(app: KhienApp) -> str:
    """Return what stands on the screen, line by line."""
    return "\n".join(
        "".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()
    )
