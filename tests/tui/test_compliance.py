"""The compliance screen: agencies by areas, hosts by controls, evidence; changes and the trend."""

from __future__ import annotations

from khien.domain.standing import AgencyStanding, Drift
from tests.fakes.console import FakeConsole
from tests.tui.conftest import make_app, press, screen_text, settle
from tui.app import KhienApp
from tui.dialogs.launch import LaunchDialog
from tui.screens.agency import AgencyScreen
from tui.screens.compliance import ComplianceScreen
from tui.screens.host import HostScreen
from tui.widgets.virtual_table import VirtualTable

SIZE = (120, 36)


def table(app: KhienApp, name: str) -> VirtualTable[object]:
    return app.screen.query_one(f"#{name}", VirtualTable)


class TestCompliance:
    async def test_every_agency_is_there_with_its_denominators(self, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "3")

            assert isinstance(app.screen, ComplianceScreen)
            rows = [row for row in table(app, "agency-table").lines if isinstance(row, AgencyStanding)]
            assert sum(row.hosts for row in rows) == 47
            assert f"verified {sum(row.verified for row in rows)}/47 hosts" in screen_text(app)
            for row in rows:
                assert f"{row.counts.passed}/{row.counts.applicable}" in screen_text(app)

    async def test_from_an_agency_to_a_control_of_a_host_to_its_evidence_and_back(
        self, app: KhienApp
    ) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "3", "down", "enter")
            assert isinstance(app.screen, AgencyScreen)
            assert all(
                host in screen_text(app) for host in [row.host.name for row in app.screen.news.rows[:5]]
            )  # type: ignore[union-attr]

            await press(pilot, "right", "right", "down", "enter")

            assert isinstance(app.screen, HostScreen)
            chosen = sorted(app.screen.news.controls)[2]  # type: ignore[union-attr]
            assert table(app, "finding-table").cursor_key == chosen
            await press(pilot, "escape", "escape", "escape")
            assert app.screen.id == "_default" or len(app.screen_stack) == 1

    async def test_the_selected_control_stays_in_sight_on_a_narrow_screen(self, app: KhienApp) -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            await press(pilot, "3", "enter", *["right"] * 30)

            assert isinstance(app.screen, AgencyScreen)
            assert app.screen.selected == 11
            assert "[" in screen_text(app)

    async def test_changes_come_with_the_worst_first_and_lead_to_the_finding(self, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "3", "right")
            rows = [row for row in table(app, "change-table").lines if isinstance(row, Drift)]

            assert rows[0].kind == "worse"
            assert f"Changes {len(rows)}" in screen_text(app)
            await press(pilot, "enter")
            assert isinstance(app.screen, HostScreen)
            assert table(app, "finding-table").cursor_key == rows[0].control_id

    async def test_the_trend_has_a_row_for_each_day_the_newest_first(self, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "3", "left")

            assert len(table(app, "trend-table").lines) == 30
            assert table(app, "trend-table").cursor_key == "2026-11-23"

    async def test_a_run_starts_on_the_agency(self, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "3", "enter", "r")

            assert isinstance(app.screen, LaunchDialog)

    async def test_an_empty_inventory_says_so(self) -> None:
        console = FakeConsole()
        console.details = {}
        app = make_app(console)
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "3")

            assert "no hosts" in screen_text(app)
