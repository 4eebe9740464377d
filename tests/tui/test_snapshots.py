"""How every screen looks in its main states, in two sizes; each docstring says what the picture must show."""

from collections.abc import Awaitable, Callable

import pytest
from textual.app import App
from textual.pilot import Pilot

from khien.errors import StoreError
from tests.fakes.console import FakeConsole, make_console
from tests.tui.conftest import make_app, press, settle
from tui.screens.khien_screen import KhienScreen

SIZES = ((80, 24), (140, 40))
Compare = Callable[..., bool]

pytestmark = pytest.mark.parametrize("size", SIZES, ids=["80x24", "140x40"])


def keys(*names: str) -> Callable[[Pilot], Awaitable[None]]:
    async def run(pilot: Pilot) -> None:
        await settle(pilot)
        await press(pilot, *names)

    return run


def look(
    snap_compare: Compare, size: tuple[int, int], *names: str, console: FakeConsole | None = None
) -> None:
    app: App[None] = make_app(console or make_console())
    assert snap_compare(app, terminal_size=size, run_before=keys(*names))


def test_fleet(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Totals with denominators; hosts never verified or stale are yellow and say so; no text overlaps."""
    look(snap_compare, size)


def test_fleet_grouped_filtered_marked(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Agency lines with totals, the filter visible with its count, two marks."""
    look(snap_compare, size, "g", "slash", *"is:failed", "enter", "home", "down", "space", "space")


def test_fleet_no_match(snap_compare: Compare, size: tuple[int, int]) -> None:
    """A sentence says that nothing matches and how to clear the filter."""
    look(snap_compare, size, "slash", *"nothing")


def test_fleet_empty(snap_compare: Compare, size: tuple[int, int]) -> None:
    """A sentence says that the inventory is empty and what to do."""
    console = FakeConsole()
    console.details = {}
    look(snap_compare, size, console=console)


def test_fleet_loading(snap_compare: Compare, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """A quiet word says that it loads."""
    monkeypatch.setattr(KhienScreen, "action_look", lambda self: None)
    look(snap_compare, size)


def test_fleet_error(snap_compare: Compare, size: tuple[int, int]) -> None:
    """The error stands in place, with what to do."""
    console = make_console()
    console.broken = StoreError("The store [/red] cannot be read: disk I/O error")
    look(snap_compare, size, console=console)


def test_host(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Facts, the failed finding first, its words beside or below."""
    look(snap_compare, size, *["down"] * 5, "enter")


def test_host_hostile(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Markup, HTML and formulas as plain text."""
    look(snap_compare, size, "enter")


def test_host_updates(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Packages with the installed and the new version."""
    look(snap_compare, size, "enter", "right")


def test_host_history(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Runs of the host, newest first."""
    look(snap_compare, size, *["down"] * 5, "enter", "right", "right")


def test_launch(snap_compare: Compare, size: tuple[int, int]) -> None:
    """The choices, patch for real chosen, everything readable at 80x24."""
    look(snap_compare, size, "r", "down", "tab", "down")


def test_confirm_patch(snap_compare: Compare, size: tuple[int, int]) -> None:
    """The hosts by name, a warning, focus on No."""
    look(snap_compare, size, "r", "shift+tab", "down", "tab", "down", "tab", "down", "enter")


def test_runs(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Three runs with state, progress and what needs attention."""
    look(snap_compare, size, "2")


def test_runs_empty(snap_compare: Compare, size: tuple[int, int]) -> None:
    """A sentence says that there was no run and what to do."""
    look(snap_compare, size, "2", console=FakeConsole())


def test_run_live(snap_compare: Compare, size: tuple[int, int]) -> None:
    """6/10 with a bar, counts by state, the failed host first with why and what to do."""
    look(snap_compare, size, "2", "enter")


def test_run_check_changes(snap_compare: Compare, size: tuple[int, int]) -> None:
    """A check-mode run; the host under the cursor "would change 3 packages"."""
    look(snap_compare, size, "2", "down", "enter", "end")


def test_run_error(snap_compare: Compare, size: tuple[int, int]) -> None:
    """The error stands above what was learned before."""
    console = make_console()

    async def fail_later(pilot: Pilot) -> None:
        await keys("2", "enter")(pilot)
        console.broken = StoreError("The store is locked by another process.")
        await press(pilot, "f5")

    assert snap_compare(make_app(console), terminal_size=size, run_before=fail_later)


def test_cancel(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Says how many hosts have no outcome yet; focus on No."""
    look(snap_compare, size, "2", "enter", "x")


def test_retry(snap_compare: Compare, size: tuple[int, int]) -> None:
    """States by name with the number of hosts."""
    look(snap_compare, size, "2", "down", "enter", "t")


def test_log(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Lines with time, state and task; hostile text as it is."""
    look(snap_compare, size, "2", "down", "enter", "enter")


def test_help(snap_compare: Compare, size: tuple[int, int]) -> None:
    """The keys of the fleet and the filter."""
    look(snap_compare, size, "question_mark")


def test_quit(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Says that a run goes on."""
    look(snap_compare, size, "q")


def test_palette(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Commands by name, each with its key."""

    async def open_palette(pilot: Pilot) -> None:
        await settle(pilot)
        await pilot.press("colon")
        await pilot.app.workers.wait_for_complete()
        await settle(pilot)

    assert snap_compare(make_app(make_console()), terminal_size=size, run_before=open_palette)


def test_compliance(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Agencies by areas, each figure with its denominator; what is retired comes last."""
    look(snap_compare, size, "3")


def test_compliance_changes(snap_compare: Compare, size: tuple[int, int]) -> None:
    """What became worse stands first, with what it was and is."""
    look(snap_compare, size, "3", "right")


def test_compliance_trend(snap_compare: Compare, size: tuple[int, int]) -> None:
    """A day a row, the newest first."""
    look(snap_compare, size, "3", "left")


def test_agency(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Hosts by controls; the selected control is in brackets and named above with its figures."""
    look(snap_compare, size, "3", "down", "enter", "right", "right")
