"""All runs, newest first."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult

from khien.domain.run import Run, RunId
from khien.i18n import _
from tui.desk import Desk
from tui.messages import RunRequested
from tui.presenters.run_table import run_columns
from tui.screens.khien_screen import KhienScreen
from tui.widgets.virtual_table import VirtualTable


class RunsScreen(KhienScreen):
    """The list of runs."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.runs: tuple[Run, ...] = ()

    @property
    def crumb(self) -> str:
        """Name the screen."""
        return _("Runs")

    def compose_body(self) -> ComposeResult:
        """Lay out the table."""
        yield VirtualTable[Run](lambda run: run.id, id="runs")

    def on_mount(self) -> None:
        """Start in the table."""
        super().on_mount()
        self.set_focus(self.query_one("#runs"))

    @property
    def pace(self) -> float | None:
        """Look often while a run goes on."""
        going = any(not run.state.is_final for run in self.runs)
        return self.desk.pace.slow if going else self.desk.pace.idle

    def look(self) -> tuple[Run, ...]:
        """Ask for the runs."""
        return self.desk.console.runs(limit=500)

    def show(self, learned: object) -> None:
        """Take the runs."""
        if isinstance(learned, tuple):
            self.runs = learned
        table = self.query_one("#runs", VirtualTable)
        table.lay_out(run_columns(self.desk.now()))
        table.display_lines(self.runs, stay_on_top=True)
        if not self.runs:
            self.notice.tell(_("There was no run yet."), _("Go to the fleet with 1, then press r."))

    @on(VirtualTable.Chosen, "#runs")
    def open_run(self, message: VirtualTable.Chosen) -> None:
        """Open a run."""
        self.post_message(RunRequested(RunId(message.key)))
