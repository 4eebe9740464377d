"""The application: the ways between screens, the commands that work everywhere, and leaving."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import PurePath
from typing import Any, ClassVar

from textual import on
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.reactive import reactive
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from khien.i18n import _, ngettext
from tui.commands import KhienCommands, KhienThemes
from tui.desk import Desk
from tui.dialogs.confirm import Confirm
from tui.dialogs.help import Help
from tui.messages import AgencyRequested, HostRequested, LogRequested, RunRequested, RunStarted
from tui.presenters.key_words import key_name, key_words
from tui.presenters.words import N_, number
from tui.screens.agency import AgencyScreen
from tui.screens.compliance import ComplianceScreen
from tui.screens.fleet import FleetScreen
from tui.screens.host import HostScreen
from tui.screens.khien_screen import KhienScreen
from tui.screens.log import LogScreen
from tui.screens.run import RunScreen
from tui.screens.runs import RunsScreen
from tui.theme import DARK, THEMES
from tui.widgets.virtual_table import VirtualTable


class KhienApp(App[None]):
    """Khiên in a terminal."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [
        "app.tcss",
        "dialogs/dialogs.tcss",
        "screens/fleet.tcss",
        "screens/host.tcss",
        "screens/run.tcss",
        "screens/log.tcss",
    ]
    COMMANDS = {KhienCommands}  # noqa: RUF012 - declared as an instance variable by Textual
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "fleet", N_("Fleet"), show=False, tooltip=N_("Go to the fleet")),
        Binding("2,R", "runs", N_("Runs"), tooltip=N_("Go to the list of runs")),
        Binding("3,C", "compliance", N_("Compliance"), tooltip=N_("Go to agencies by areas")),
        Binding(
            "colon,ctrl+p",
            "command_palette",
            N_("Commands"),
            show=False,
            tooltip=N_("Find a command by its name"),
        ),
        Binding("question_mark", "help", N_("Help"), tooltip=N_("Show the keys of this screen")),
        Binding("q", "leave", N_("Quit"), tooltip=N_("Quit; runs go on")),
        Binding("ctrl+q,ctrl+c", "leave", N_("Quit"), show=False, priority=True),
    ]
    active_runs: reactive[int] = reactive(0)

    def __init__(self, desk: Desk, *, theme: str = DARK.name) -> None:
        super().__init__()
        self.desk = desk
        for own in THEMES:
            self.register_theme(own)
        self.theme = theme
        self.title = "Khiên"

    def get_default_screen(self) -> Screen[None]:
        """Start with the fleet."""
        return FleetScreen(self.desk)

    def on_mount(self) -> None:
        """Follow how many runs go on."""
        self.count_runs()
        self.set_interval(self.desk.pace.idle * 3, self.count_runs)

    # Runs that go on

    def count_runs(self) -> None:
        """Ask how many runs go on."""
        self.run_worker(
            self._count_runs, name="count", group="count", thread=True, exclusive=True, exit_on_error=False
        )

    def _count_runs(self) -> int:
        return sum(not run.state.is_final for run in self.desk.console.runs())

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Take the answer; a failed question leaves the last answer, and the screens say what failed."""
        if event.worker.group == "count" and event.state is WorkerState.SUCCESS:
            self.active_runs = event.worker.result or 0

    def watch_active_runs(self, count: int) -> None:
        """Hand the number down to all screens."""
        for screen in self.screen_stack:
            if isinstance(screen, KhienScreen):
                screen.active_runs = count

    # Ways

    def _open(self, screen: KhienScreen) -> None:
        screen.set_reactive(KhienScreen.active_runs, self.active_runs)
        self.push_screen(screen)

    @on(HostRequested)
    def open_host(self, message: HostRequested) -> None:
        """Show a host."""
        self._open(HostScreen(self.desk, message.name, message.control_id))

    @on(AgencyRequested)
    def open_agency(self, message: AgencyRequested) -> None:
        """Show the hosts of an agency."""
        self._open(AgencyScreen(self.desk, message.agency, message.agency_name))

    @on(RunRequested)
    def open_run(self, message: RunRequested) -> None:
        """Show a run."""
        self._open(RunScreen(self.desk, message.run_id))

    @on(RunStarted)
    def watch_started_run(self, message: RunStarted) -> None:
        """Count the run, and watch it."""
        self.count_runs()
        self._open(RunScreen(self.desk, message.run_id))

    @on(LogRequested)
    def open_log(self, message: LogRequested) -> None:
        """Show what happened to a host in a run."""
        self._open(LogScreen(self.desk, message.run_id, message.host))

    def action_fleet(self) -> None:
        """Go back to the fleet."""
        while len(self.screen_stack) > 1 and not isinstance(self.screen, FleetScreen):
            self.pop_screen()

    def action_runs(self) -> None:
        """Go to the list of runs, back when the way led over it."""
        self._go(RunsScreen)

    def action_compliance(self) -> None:
        """Go to agencies by areas, back when the way led over it."""
        self._go(ComplianceScreen)

    def _go(self, kind: type[RunsScreen | ComplianceScreen]) -> None:
        if any(isinstance(screen, kind) for screen in self.screen_stack):
            while not isinstance(self.screen, kind):
                self.pop_screen()
        else:
            self._open(kind(self.desk))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keep to the question while a dialog asks one."""
        if action in ("fleet", "runs", "compliance", "help", "leave", "command_palette"):
            return isinstance(self.screen, KhienScreen)
        return super().check_action(action, parameters)

    # Commands

    def get_key_display(self, binding: Binding) -> str:
        """Name keys as they stand on a keyboard."""
        return binding.key_display or key_name(binding.key)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Offer everything that has a key here, and the themes."""
        seen: set[str] = {"command_palette"}
        for active in screen.active_bindings.values():
            binding = active.binding
            in_table = isinstance(active.node, VirtualTable)
            if active.enabled and binding.tooltip and not in_table and binding.action not in seen:
                seen.add(binding.action)
                help_words = f"{_(binding.tooltip)}  ({self.get_key_display(binding)})"
                run = partial(self.run_action, binding.action, active.node)
                yield SystemCommand(_(binding.description), help_words, run)
        yield SystemCommand(_("Theme"), _("Choose other colours"), self.search_themes)

    def action_command_palette(self) -> None:
        """Find a command by its name."""
        self.push_screen(CommandPalette(placeholder=_("What do you want to do?"), id="--command-palette"))

    def search_themes(self) -> None:
        """Find a theme by its name."""
        self.push_screen(CommandPalette(providers=[KhienThemes], placeholder=_("Which theme?")))

    def action_help(self) -> None:
        """Show the keys of the screen in front."""
        screen = self.screen
        if isinstance(screen, KhienScreen):
            bindings = [active.binding for active in screen.active_bindings.values() if active.enabled]
            self.push_screen(Help(screen.crumb, key_words(bindings), screen.more_help))

    def action_help_quit(self) -> None:
        """Leave, where Textual would only say how."""
        self.action_leave()

    # Leaving

    def action_leave(self) -> None:
        """Leave; when runs go on, say that they do."""
        if not self.active_runs:
            self.exit()
            return
        words = ngettext(
            "{n} run goes on without this screen. Come back with khien tui, or see it with khien runs.",
            "{n} runs go on without this screen. Come back with khien tui, or see them with khien runs.",
            self.active_runs,
        )
        dialog = Confirm(
            _("Quit?"), words.format(n=number(self.active_runs)), yes=_("Quit"), no=_("Stay"), risky=False
        )
        self.push_screen(dialog, self._leave)

    def _leave(self, yes: bool | None) -> None:  # noqa: FBT001 - the dialog's answer
        if yes:
            self.exit()
