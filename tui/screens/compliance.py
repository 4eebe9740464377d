"""The fleet against the baseline: agencies by areas, what changed, and the trend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import ContentSwitcher

from khien.application.overview import AgencyTrend
from khien.domain.control import Control
from khien.domain.standing import AgencyStanding, Drift, DriftKind, in_order
from khien.i18n import _
from tui.desk import Desk
from tui.messages import AgencyRequested, HostRequested
from tui.presenters.cell import Piece, Tone
from tui.presenters.standing import (
    TrendRow,
    drift_columns,
    drift_key,
    standing_columns,
    standing_words,
    trend_columns,
    trend_rows,
)
from tui.presenters.words import N_, number
from tui.screens.tabbed import TabbedScreen
from tui.widgets.virtual_table import VirtualTable
from tui.widgets.words import Words

_DAYS = 30


@dataclass(frozen=True, slots=True)
class ComplianceNews:
    """What one look brought."""

    standing: tuple[AgencyStanding, ...]
    drifts: tuple[Drift, ...]
    trends: tuple[AgencyTrend, ...]
    controls: Mapping[str, Control]


class ComplianceScreen(TabbedScreen):
    """How agencies stand."""

    TABS = ("agencies", "changes", "trend")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "tab(1)", N_("Next tab"), tooltip=N_("Agencies, changes, trend")),
        Binding("left", "tab(-1)", N_("Tab before"), show=False),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.news: ComplianceNews | None = None

    @property
    def crumb(self) -> str:
        """Name the screen."""
        return _("Compliance")

    def compose_body(self) -> ComposeResult:
        """Lay out totals and tabs."""
        yield Words(id="standing-words", classes="head")
        names = (_("Agencies"), _("Changes"), _("Trend"))
        yield self.tab_bar(names)
        with ContentSwitcher(initial="agencies"):
            with Vertical(id="agencies"):
                yield Words(id="agencies-words", classes="line")
                yield VirtualTable[AgencyStanding](lambda one: one.agency or "-", id="agency-table")
            with Vertical(id="changes"):
                yield Words(id="changes-words", classes="line")
                yield VirtualTable[Drift](drift_key, id="change-table")
            with Vertical(id="trend"):
                yield Words(id="trend-words", classes="line")
                yield VirtualTable[TrendRow](lambda row: row.day, id="trend-table")

    # Looking

    def look(self) -> ComplianceNews:
        """Ask how all hosts stand; only the store answers."""
        overview = self.desk.overview
        return ComplianceNews(
            overview.standing(),
            in_order(overview.drift()),
            overview.trend(_DAYS),
            self.desk.console.controls(),
        )

    def show(self, learned: object) -> None:
        """Take what the look brought."""
        if not isinstance(learned, ComplianceNews):
            return
        self.news = learned
        self.query_one("#standing-words", Words).say(standing_words(learned.standing))
        self._fill("agency-table", standing_columns(learned.standing), learned.standing)
        self._fill("change-table", drift_columns(learned.controls, learned.drifts), learned.drifts)
        self._fill("trend-table", trend_columns(learned.trends), trend_rows(learned.trends))
        self._say("agencies", _("Passed of what applies; enter shows the hosts of an agency"))
        worse = sum(drift.kind is DriftKind.WORSE for drift in learned.drifts)
        changes = _("Since each host's verification before; {n} became worse. Enter shows the host")
        self._say("changes", changes.format(n=number(worse)) if learned.drifts else _("Nothing changed."))
        self._say("trend", _("Passed of what applies at the end of each day, and hosts verified by then"))
        self.name_tab("changes", f"{_('Changes')} {number(len(learned.drifts))}")
        if not learned.standing:
            self.notice.tell(_("The inventory has no hosts yet."))

    def _fill(self, table: str, columns: object, rows: object) -> None:
        place = self.query_one(f"#{table}", VirtualTable)
        place.lay_out(columns)  # type: ignore[arg-type]  # the table of these rows
        place.display_lines(rows)  # type: ignore[arg-type]

    def _say(self, tab: str, text: str) -> None:
        self.query_one(f"#{tab}-words", Words).say((Piece(text, Tone.DIM),))

    # Actions

    @on(VirtualTable.Chosen, "#agency-table")
    def open_agency(self) -> None:
        """Show the hosts of an agency."""
        row = self.query_one("#agency-table", VirtualTable).under_cursor
        if isinstance(row, AgencyStanding):
            self.post_message(AgencyRequested(row.agency, row.agency_name))

    @on(VirtualTable.Chosen, "#change-table")
    def open_change(self) -> None:
        """Show the finding that changed."""
        row = self.query_one("#change-table", VirtualTable).under_cursor
        if isinstance(row, Drift):
            self.post_message(HostRequested(row.host, row.control_id))
