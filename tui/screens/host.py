"""One host: its facts, findings with evidence, updates and history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.widgets import ContentSwitcher

from khien.domain.control import Control
from khien.domain.fleet import HostDetail, HostHistoryEntry
from khien.domain.packages import PackageChange
from khien.domain.run import RunId
from khien.domain.text import safe_text
from khien.i18n import _
from tui.desk import Desk
from tui.messages import RunRequested
from tui.presenters.cell import Cell, Piece, Tone
from tui.presenters.changes import change_columns, change_key
from tui.presenters.findings import FindingRow, finding_columns, finding_rows, finding_words
from tui.presenters.host_facts import fact_lines, history_columns
from tui.presenters.selection import Scope
from tui.presenters.words import N_, number, of_total
from tui.screens.tabbed import TabbedScreen
from tui.widgets.virtual_table import VirtualTable
from tui.widgets.words import Words


@dataclass(frozen=True, slots=True)
class HostNews:
    """What one look at a host brought."""

    detail: HostDetail
    controls: Mapping[str, Control]


class HostScreen(TabbedScreen):
    """All that is known of one host."""

    TABS = ("findings", "updates", "history")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f", "toggle_open", N_("Failed / all"), tooltip=N_("Only findings that need attention, or all")
        ),
        Binding("right", "tab(1)", N_("Next tab"), tooltip=N_("Findings, updates, history")),
        Binding("left", "tab(-1)", N_("Tab before"), show=False),
        Binding("r", "launch", N_("Start"), tooltip=N_("Start a run on this host")),
    ]

    def __init__(self, desk: Desk, name: str, control: str = "") -> None:
        super().__init__(desk)
        self.host_name = name
        self._wanted_control = control
        self.news: HostNews | None = None
        self.only_open = True

    @property
    def crumb(self) -> str:
        """Name the screen."""
        return safe_text(self.host_name, 100)

    def compose_body(self) -> ComposeResult:
        """Lay out facts and tabs."""
        yield Words(id="facts", classes="head")
        names = (_("Findings"), _("Updates"), _("History"))
        yield self.tab_bar(names)
        with ContentSwitcher(initial="findings"):
            with Vertical(id="findings"):
                yield Words(id="findings-words", classes="line")
                with Container(classes="split"):
                    yield VirtualTable[FindingRow](lambda row: row.finding.control_id, id="finding-table")
                    with VerticalScroll(classes="pane", id="finding-pane"):
                        yield Words(id="finding")
            with Vertical(id="updates"):
                yield Words(id="updates-words", classes="line")
                yield VirtualTable[PackageChange](change_key, id="update-table")
            with Vertical(id="history"):
                yield Words(id="history-words", classes="line")
                yield VirtualTable[HostHistoryEntry](lambda entry: entry.run, id="history-table")

    # Looking

    def look(self) -> HostNews:
        """Ask for the host and the controls."""
        return HostNews(self.desk.console.host(self.host_name), self.desk.console.controls())

    def show(self, learned: object) -> None:
        """Take what the look brought."""
        if not isinstance(learned, HostNews):
            return
        self.news = learned
        self._look_for_wanted()
        self.query_one("#facts", Words).say(*fact_lines(learned.detail, self.desk.moment))
        self._show_findings()
        self._show_updates()
        self._show_history()

    def _look_for_wanted(self) -> None:
        """Make sure that the finding somebody came for is shown, also when it needs no attention."""
        if self.news is None or not self._wanted_control:
            return
        open_ones = finding_rows(self.news.detail.findings, self.news.controls, only_open=True)
        if self._wanted_control not in {row.finding.control_id for row in open_ones}:
            self.only_open = False

    def _name_tab(self, tab: str, words: str, count: int) -> None:
        self.name_tab(tab, f"{words} {number(count)}")

    def _show_findings(self) -> None:
        if self.news is None:
            return
        findings = self.news.detail.findings
        rows = finding_rows(findings, self.news.controls, only_open=self.only_open)
        table = self.query_one("#finding-table", VirtualTable)
        table.lay_out(finding_columns())
        table.display_lines(rows)
        if self._wanted_control:
            table.move_to(self._wanted_control)
            self._wanted_control = ""
        needing = finding_rows(findings, self.news.controls, only_open=True)
        self._name_tab("findings", _("Findings"), len(needing))
        words: Cell
        if not findings:
            words = (Piece(_("This host was never verified. Press r to verify it."), Tone.WARN),)
        elif not rows:
            words = (Piece("✓ " + _("No finding needs attention. Press f to see all."), Tone.GOOD),)
        else:
            shown = of_total(len(rows), len(findings))
            text = (
                _("Showing {n} findings: those that need attention")
                if self.only_open
                else _("Showing {n} findings")
            )
            words = (Piece(text.format(n=shown), Tone.DIM),)
        self.query_one("#findings-words", Words).say(words)
        self._show_finding()

    def _show_updates(self) -> None:
        if self.news is None:
            return
        detail = self.news.detail
        table = self.query_one("#update-table", VirtualTable)
        table.lay_out(change_columns())
        table.display_lines(detail.pending)
        self._name_tab("updates", _("Updates"), len(detail.pending))
        words: Cell = (Piece(_("Security updates that wait, as last seen"), Tone.DIM),)
        if detail.status.pending_security is None:
            words = (
                Piece("? " + _("It is not known which updates wait. Press r to verify the host."), Tone.WARN),
            )
        elif not detail.pending:
            words = (Piece("✓ " + _("No security update waits."), Tone.GOOD),)
        if detail.held:
            held = ", ".join(safe_text(name, 60) for name in detail.held)
            text = _("Held back by hand: {packages}").format(packages=held)
            words = (*words, Piece(f"\n{text}", Tone.WARN))
        self.query_one("#updates-words", Words).say(words)

    def _show_history(self) -> None:
        if self.news is None:
            return
        history = self.news.detail.history
        table = self.query_one("#history-table", VirtualTable)
        table.lay_out(history_columns())
        table.display_lines(history)
        self._name_tab("history", _("History"), len(history))
        text = _("Newest first; enter opens the run") if history else _("No run has touched this host yet.")
        self.query_one("#history-words", Words).say((Piece(text, Tone.DIM),))

    @on(VirtualTable.Moved, "#finding-table")
    def _show_finding(self) -> None:
        """Show all about the finding under the cursor."""
        row = self.query_one("#finding-table", VirtualTable).under_cursor
        pane = self.query_one("#finding-pane", VerticalScroll)
        pane.display = isinstance(row, FindingRow)
        if isinstance(row, FindingRow):
            self.query_one("#finding", Words).say(*finding_words(row))
            pane.scroll_home(animate=False)

    # Actions

    def action_toggle_open(self) -> None:
        """Show only what needs attention, or all."""
        self.only_open = not self.only_open
        self._show_findings()

    @on(VirtualTable.Chosen, "#finding-table")
    def read_finding(self) -> None:
        """Scroll the words of the finding."""
        self.query_one("#finding-pane").focus()

    @on(VirtualTable.Chosen, "#history-table")
    def open_run(self, message: VirtualTable.Chosen) -> None:
        """Open a run of the history."""
        self.post_message(RunRequested(RunId(message.key)))

    def action_back(self) -> None:
        """Go from the words back to the findings, then to the screen before."""
        if self.query_one("#finding-pane").has_focus:
            self.query_one("#finding-table").focus()
        else:
            super().action_back()

    def action_launch(self) -> None:
        """Start a run on this host."""
        self.start_launch((Scope(_("only {host}").format(host=self.crumb), (self.host_name,)),))
