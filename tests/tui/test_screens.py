import gettext
import re

import pytest
from textual import events
from textual.widgets import Input

from khien import i18n
from khien.domain.fleet import HostDetail, HostStatus
from khien.domain.host import Host
from khien.domain.plan import LeftOut
from khien.domain.run import HostOutcome, HostState, Reason, RunState, Verb
from khien.errors import RefusedError, StoreError
from tests.fakes.console import HOSTILE_NAMES, FakeConsole, make_console
from tests.tui.conftest import make_app, press, screen_text, settle
from tui.app import KhienApp
from tui.dialogs.confirm import Confirm
from tui.dialogs.help import Help
from tui.dialogs.launch import LaunchDialog
from tui.dialogs.plan import ConfirmPlan
from tui.dialogs.retry import RetryDialog
from tui.presenters.columns import Group
from tui.screens.fleet import FleetScreen
from tui.screens.host import HostScreen
from tui.screens.log import LogScreen
from tui.screens.run import RunScreen
from tui.screens.runs import RunsScreen

SIZE = (120, 36)
CANCELLED, GOING = "20261122-231500-bbbb", "20261123-011200-cccc"


def fleet(app: KhienApp) -> FleetScreen:
    assert isinstance(app.screen, FleetScreen)
    return app.screen


class TestFleet:
    async def test_it_opens_with_every_host_and_says_how_many(self, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)

            assert len(fleet(app).table.lines) == 47
            assert "47/47 hosts" in screen_text(app)
            assert "1 run goes on" in screen_text(app)

    async def test_it_filters_at_every_key_and_esc_clears(self, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)

            await press(pilot, "slash", *"y_te !is:compliant")
            shown = {host.status.host.name for host in fleet(app).shown}
            assert 0 < len(shown) < 47
            assert f"{len(shown)}/47 hosts" in screen_text(app)

            await press(pilot, "escape")
            assert len(fleet(app).shown) == 47
            assert fleet(app).table.has_focus

    async def test_enter_in_the_filter_goes_to_the_table_and_keeps_it(self, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "slash", *"tai", "enter")

            assert fleet(app).table.has_focus
            assert fleet(app).query_one("#filter", Input).value == "tai"
            assert all("tai-chinh" in host.name for host in fleet(app).shown)

    async def test_the_cursor_stays_on_its_host_when_the_order_changes(self, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, *["down"] * 9)
            stood_on = fleet(app).table.cursor_key

            for key in ("s", "S", "s", "g", "f5", "g"):
                await press(pilot, key)
                assert fleet(app).table.cursor_key == stood_on

    async def test_a_click_on_a_header_sorts_and_a_second_one_turns_round(self, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            place = screen_text(app).splitlines()[3].index("Compliance")

            await pilot.click("#fleet", offset=(place, 0))
            await settle(pilot)
            assert (fleet(app).order.column, fleet(app).order.backwards) == ("compliance", False)
            await pilot.click("#fleet", offset=(place, 0))
            await settle(pilot)
            assert fleet(app).order.backwards

    async def test_page_keys_home_and_end_stay_inside(self, app: KhienApp) -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            table = fleet(app).table

            for key, place in (("end", 46), ("down", 46), ("home", 0), ("up", 0)):
                await press(pilot, key)
                assert table.cursor == place
            await press(pilot, "pagedown")
            assert 10 < table.cursor < 30
            assert table.scroll_offset.y <= table.cursor < table.scroll_offset.y + table.size.height - 1

    async def test_a_group_line_marks_all_its_hosts(self, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "g", "home")
            group = fleet(app).table.under_cursor
            assert isinstance(group, Group)

            await press(pilot, "space")

            assert fleet(app).table.marks == frozenset(group.members)
            assert f"{len(group.members)} marked" in screen_text(app)

    async def test_an_empty_inventory_says_what_to_do(self) -> None:
        console = FakeConsole()
        console.details = {}
        app = make_app(console)
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)

            assert "The inventory has no hosts yet." in screen_text(app)

    async def test_no_match_is_said(self, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "slash", *"zzz")

            assert "No host matches the filter." in screen_text(app)

    async def test_an_error_is_shown_in_place_and_f5_recovers(
        self, console: FakeConsole, app: KhienApp
    ) -> None:
        console.broken = StoreError("The store [/red] is locked.")
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            assert "The store [/red] is locked." in screen_text(app)

            console.broken = None
            await press(pilot, "f5")
            assert "locked" not in screen_text(app)
            assert "47/47 hosts" in screen_text(app)

    async def test_5000_hosts_filter_and_sort_as_asked(self) -> None:
        app = make_app(make_console(5000))
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "s", "s", "s", "slash", *"is:failed", "enter")

            rows = [host.status for host in fleet(app).shown]
            assert rows
            assert all(row.counts and row.counts.failed for row in rows)
            ratios = [row.counts.ratio for row in rows if row.counts]
            assert ratios == sorted(ratios)
            assert f"{len(rows):,}/5,005 hosts" in screen_text(app)
            await press(pilot, "end")
            assert fleet(app).table.cursor_key == rows[-1].host.name

    async def test_100000_hosts_are_shown(self) -> None:
        console = FakeConsole()
        console.details = {f"h{n:06}": HostDetail(HostStatus(Host(f"h{n:06}"))) for n in range(100_000)}
        app = make_app(console)
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "end", "slash", *"99999")

            assert "1/100,000 hosts" in screen_text(app)


class TestHostile:
    @pytest.mark.parametrize("place", range(len(HOSTILE_NAMES)))
    async def test_a_hostile_host_is_plain_text_on_every_screen(self, app: KhienApp, place: int) -> None:
        """No escape, no markup turned into style, no action: what the host says stands there as it is."""
        raw = HOSTILE_NAMES[place]
        name = re.sub(r"\x1b\][^\x07]*\x07|\x1b\[2J", "", raw)
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            fleet(app).table.move_to(raw)
            await settle(pilot)
            self.check(app, name)
            await press(pilot, "enter")
            assert isinstance(app.screen, HostScreen)
            self.check(app, name)
            self.check(app, "[bold red]markup[/bold red]")
            await press(pilot, "down", "f", "right", "right", "left", "r")
            assert isinstance(app.screen, LaunchDialog)
            self.check(app, name)
            await press(pilot, "enter")
            assert isinstance(app.screen, ConfirmPlan)
            self.check(app, name)
            await press(pilot, "y")
            assert isinstance(app.screen, RunScreen)
            self.check(app, name)
            await press(pilot, "l")
            assert isinstance(app.screen, LogScreen)
            self.check(app, name)

    def check(self, app: KhienApp, words: str) -> None:
        text = screen_text(app)
        assert words[:14] in text
        assert not any((ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0 for c in text)

    async def test_a_hostile_log_and_person_are_plain_text(self, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "2", "down", "enter")
            assert "asked for by red [bold red]" in screen_text(app)
            await press(pilot, "enter")

            assert "[red]x[/red] [/] web[/red]01" in screen_text(app)
            assert "<script>alert(1)</script>" in screen_text(app)
            assert "\x1b" not in screen_text(app)


class TestHost:
    async def test_findings_that_need_attention_come_first_and_f_shows_all(self, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, *["down"] * 5, "enter")
            assert "Showing 1/12 findings" in screen_text(app)
            assert "Way back:" in screen_text(app)

            await press(pilot, "f")
            assert "Showing 12/12 findings" in screen_text(app)

    async def test_tabs_lead_to_updates_and_history_and_a_run(self, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, *["down"] * 5, "enter", "right")
            assert "It is not known which updates wait." in screen_text(app)

            await press(pilot, "right", "enter")
            assert isinstance(app.screen, RunScreen)
            await press(pilot, "escape")
            assert isinstance(app.screen, HostScreen)

    async def test_a_host_never_verified_says_so(self, console: FakeConsole, app: KhienApp) -> None:
        name = next(n for n, d in console.details.items() if d.status.counts is None)
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            fleet(app).table.move_to(name)
            await press(pilot, "enter")

            assert "This host was never verified." in screen_text(app)

    async def test_a_host_that_went_away_is_an_error_in_place(
        self, console: FakeConsole, app: KhienApp
    ) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            del console.details[fleet(app).table.cursor_key]
            await press(pilot, "enter")
            assert "There is no host" in screen_text(app)

            await press(pilot, "escape")
            assert isinstance(app.screen, FleetScreen)


class TestLaunch:
    async def test_verify_on_the_host_under_the_cursor(self, console: FakeConsole, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, *["down"] * 6, "r")
            assert isinstance(app.screen, LaunchDialog)
            await press(pilot, "enter")
            dialog = app.screen
            assert isinstance(dialog, ConfirmPlan)
            assert dialog.focused is not None
            assert dialog.focused.id == "yes"
            name = dialog.plan.hosts[0]
            assert name in screen_text(app)

            await press(pilot, "enter")

            assert [(p.verb, p.hosts) for p in console.launched] == [(Verb.VERIFY, (name,))]
            assert isinstance(app.screen, RunScreen)

    async def test_patching_for_real_names_the_hosts_and_starts_on_no(
        self, console: FakeConsole, app: KhienApp
    ) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(
                pilot, "down", "down", "space", "space", "r", "down", "tab", "down", "tab", "space", "enter"
            )
            dialog = app.screen
            assert isinstance(dialog, ConfirmPlan)
            assert dialog.plan.options.reboot
            assert not dialog.plan.options.check
            assert dialog.focused is not None
            assert dialog.focused.id == "no"
            text = screen_text(app)
            assert "Install security updates on 2 hosts?" in text
            assert HOSTILE_NAMES[1] in text

            await press(pilot, "enter")
            assert console.launched == []
            assert isinstance(app.screen, FleetScreen)

    async def test_a_quick_key_never_changes_which_hosts_are_meant(self, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            app.post_message(events.Key("r", "r"))
            app.post_message(events.Key("down", None))
            await settle(pilot)
            assert isinstance(app.screen, LaunchDialog)

            await press(pilot, "enter")
            assert isinstance(app.screen, ConfirmPlan)
            assert len(app.screen.plan.hosts) == 1

    async def test_check_mode_is_offered_first(self, console: FakeConsole, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "r", "down", "enter")
            assert isinstance(app.screen, ConfirmPlan)
            assert app.screen.plan.options.check

            await press(pilot, "y")
            assert [p.options.check for p in console.launched] == [True]

    async def test_all_that_the_filter_shows_is_said_with_its_number(self, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "slash", *"tai", "enter", "r", "shift+tab", "down")
            shown = next(len(s.shown) for s in app.screen_stack if isinstance(s, FleetScreen))
            assert f"all {shown} hosts that the filter shows" in screen_text(app)

            await press(pilot, "enter")
            assert isinstance(app.screen, ConfirmPlan)
            assert len(app.screen.plan.hosts) == shown

    async def test_hosts_left_out_are_named_with_the_reason(
        self, console: FakeConsole, app: KhienApp
    ) -> None:
        console.left_out = (LeftOut("may-0000.example.org", Reason("locked_by_run", {"run": GOING})),)
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "r", "shift+tab", "down", "enter")
            assert "1 host is left out" in screen_text(app)
            await press(pilot, "end")

            assert f"left out: Run {GOING}" in screen_text(app)

    async def test_a_refusal_is_shown_in_place(self, console: FakeConsole, app: KhienApp) -> None:
        console.refuse = RefusedError("This installation is read-only.")
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "r", "enter")

            assert isinstance(app.screen, FleetScreen)
            assert "This installation is read-only." in screen_text(app)


class TestRun:
    async def test_it_follows_a_run_started_elsewhere_to_its_end(
        self, console: FakeConsole, app: KhienApp
    ) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "2", "enter")
            assert isinstance(app.screen, RunScreen)
            assert "6/10" in screen_text(app)
            assert app.screen.pace is not None

            console.finish(GOING)
            await press(pilot, "f5")
            assert "10/10" in screen_text(app)
            assert "finished" in screen_text(app)
            assert app.screen.pace is None

    async def test_cancel_asks_starting_on_no(self, console: FakeConsole, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "2", "enter", "x")
            assert isinstance(app.screen, Confirm)
            assert app.screen.focused is not None
            assert app.screen.focused.id == "no"
            await press(pilot, "enter")
            assert not console.records[GOING].run.state.is_final

            await press(pilot, "x", "y")
            assert console.records[GOING].run.state is RunState.CANCELLED
            assert "cancelled" in screen_text(app)

    async def test_retry_goes_by_the_name_of_the_state(self, console: FakeConsole, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "2", "down", "enter", "t")
            assert isinstance(app.screen, RetryDialog)
            assert "failed: 1 host" in screen_text(app)
            assert "not started: 8 hosts" in screen_text(app)

            await press(pilot, "tab", "space", "enter")
            assert isinstance(app.screen, ConfirmPlan)
            assert app.screen.plan.parent == CANCELLED
            await press(pilot, "y")

            outcomes = console.records[CANCELLED].outcomes.values()
            assert console.launched[0].hosts == tuple(o.host for o in outcomes if o.state is HostState.FAILED)
            assert isinstance(app.screen, RunScreen)
            assert app.screen.run_id != CANCELLED
            assert f"retries {CANCELLED}" in screen_text(app)

    async def test_retry_is_not_offered_while_the_run_goes_on(self, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "2", "enter", "t")

            assert isinstance(app.screen, RunScreen)

    async def test_changes_of_packages_are_shown_per_host(self, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "2", "down", "enter", "end")
            assert "would change 3 packages:" in screen_text(app)

            await press(pilot, "escape", "home", "enter", "end")
            assert "changed 3 packages:" in screen_text(app)
            assert "would" not in screen_text(app)

    async def test_a_cursor_on_top_stays_with_the_news(self, console: FakeConsole, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "2", "enter")
            assert isinstance(app.screen, RunScreen)
            first = app.screen.table.cursor_key
            console.put(GOING, HostOutcome(first, HostState.OK))
            await press(pilot, "f5")

            assert app.screen.table.cursor == 0
            assert app.screen.table.cursor_key != first

    async def test_failed_first_or_by_name(self, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "2", "enter")
            assert isinstance(app.screen, RunScreen)
            assert app.screen.table.lines[0].state is HostState.FAILED

            await press(pilot, "f")
            names = [outcome.host for outcome in app.screen.table.lines]
            assert names == sorted(names)

    async def test_the_log_is_read_in_pages_and_followed(self, console: FakeConsole, app: KhienApp) -> None:
        host = console.records[GOING].plan.hosts[0]
        for n in range(2500):
            console.say(GOING, host, "ok", f"line {n}")
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "2", "enter", "f", "home", "l")
            assert isinstance(app.screen, LogScreen)
            assert "line 2499" in screen_text(app)

            console.say(GOING, host, "ok", "the last word")
            await press(pilot, "f5")
            assert "the last word" in screen_text(app)

    async def test_an_unknown_run_is_an_error_in_place(self, console: FakeConsole, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "2")
            del console.records[GOING]
            await press(pilot, "enter")

            assert "There is no run" in screen_text(app)

    async def test_many_hosts_are_looked_at_less_often(self, console: FakeConsole, app: KhienApp) -> None:
        many = [HostOutcome(f"h{n}", HostState.WAITING) for n in range(2000)]
        console.put(GOING, *many)
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "2", "enter")

            assert isinstance(app.screen, RunScreen)
            assert app.screen.pace == app.desk.pace.slow


class TestWays:
    async def test_1_and_2_lead_between_fleet_and_runs(self, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "2", "enter", "l", "2")
            assert isinstance(app.screen, RunsScreen)
            assert len(app.screen_stack) == 2

            await press(pilot, "1")
            assert isinstance(app.screen, FleetScreen)

    async def test_help_names_the_keys_of_the_screen(self, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "question_mark")
            assert isinstance(app.screen, Help)
            for words in ("Filter as you type", "Start a run on hosts", "is:failed", "Quit; runs go on"):
                assert words in screen_text(app)

            await press(pilot, "escape")
            assert isinstance(app.screen, FleetScreen)

    async def test_the_palette_runs_what_the_screen_can_do(self, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await pilot.press("colon")
            await pilot.press(*"Group")
            await pilot.app.workers.wait_for_complete()
            await pilot.pause()
            await pilot.press("enter")
            await settle(pilot)

            assert fleet(app).order.grouped

    async def test_quitting_says_that_runs_go_on(self, console: FakeConsole, app: KhienApp) -> None:
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "q")
            assert "1 run goes on without this screen." in screen_text(app)
            await press(pilot, "escape")
            assert isinstance(app.screen, FleetScreen)

            await press(pilot, "q", "enter")
            assert not app.is_running or app._exit
            assert not console.records[GOING].run.state.is_final

    async def test_quitting_asks_nothing_when_no_run_goes_on(
        self, app: KhienApp, console: FakeConsole
    ) -> None:
        console.finish(GOING)
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "q")

            assert app._exit

    @pytest.mark.parametrize("theme", ["khien-light", "ansi-dark", "textual-dark", "nord"])
    async def test_every_theme_draws_all_screens(self, console: FakeConsole, theme: str) -> None:
        app = make_app(console)
        app.theme = theme
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await press(pilot, "enter", "escape", "2", "enter", "l", "escape", "x", "escape", "1", "r")

            assert isinstance(app.screen, LaunchDialog)


class _LongWords(gettext.NullTranslations):
    """A language whose every text is 40 % longer."""

    def gettext(self, message: str) -> str:
        return message + "~" * (len(re.sub(r"\{\w+\}", "", message)) * 2 // 5)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


class TestLongWords:
    async def test_everything_that_matters_stays_in_sight_at_80x24(
        self, app: KhienApp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(i18n, "_catalogue", lambda language: _LongWords())
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            for words in ("Host~", "Compliance~", "Updates~", "Last run~", "47/47"):
                assert words in screen_text(app)
            await press(pilot, "r", "down", "tab", "down")
            for words in ("Hosts~", "For real", "Restart hosts", "Back~", "Next: show the plan~"):
                assert words in screen_text(app)
            await press(pilot, "enter")
            for words in ("This changes the hosts", "<b>h</b>", "No", "Yes, start~"):
                assert words in screen_text(app)
            await press(pilot, "escape", "2", "enter")
            for words in ("6/10", "unreachable~", "Host~", "State~"):
                assert words in screen_text(app)
            await press(pilot, "x")
            for words in ("Cancel", "Yes, cancel it~", "No"):
                assert words in screen_text(app)
