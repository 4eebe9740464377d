"""One agency: its hosts by the controls of an area, and the way to the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from khien.application.labels import area_label
from khien.domain.control import Control
from khien.i18n import _
from tui.desk import Desk
from tui.messages import HostRequested
from tui.presenters.cell import Cell, Piece, Tone
from tui.presenters.selection import Scope
from tui.presenters.standing import HostRow, agency_title, controls_of, grid_columns, selected_words
from tui.presenters.words import N_, of_total
from tui.screens.khien_screen import KhienScreen
from tui.widgets.virtual_table import VirtualTable
from tui.widgets.words import Words


@dataclass(frozen=True, slots=True)
class AgencyNews:
    """What one look brought."""

    rows: tuple[HostRow, ...]
    controls: Mapping[str, Control]


class AgencyScreen(KhienScreen):
    """Hosts by controls."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "select(1)", N_("Next control"), tooltip=N_("Select the next control")),
        Binding("l", "select(1)", N_("Next control"), show=False),
        Binding("left,h", "select(-1)", N_("Control before"), show=False),
        Binding("tab,right_square_bracket", "area(1)", N_("Next area"), tooltip=N_("Show the next area")),
        Binding("shift+tab,left_square_bracket", "area(-1)", N_("Area before"), show=False),
        Binding("r", "launch", N_("Start"), tooltip=N_("Start a run on hosts of this agency")),
    ]

    def __init__(self, desk: Desk, agency: str, agency_name: str) -> None:
        super().__init__(desk)
        self.agency = agency
        self.agency_name = agency_name
        self.news: AgencyNews | None = None
        self.area = ""
        self.selected = 0

    @property
    def crumb(self) -> str:
        """Name the screen."""
        return agency_title(self.agency_name)

    def compose_body(self) -> ComposeResult:
        """Lay out areas, the selected control, and the grid."""
        yield Words(id="areas", classes="head")
        yield Words(id="selected", classes="line")
        yield VirtualTable[HostRow](lambda row: row.host.name, id="grid")

    def on_mount(self) -> None:
        """Start in the grid."""
        super().on_mount()
        self.set_focus(self.query_one("#grid"))

    # Looking

    def look(self) -> AgencyNews:
        """Ask how the agency's hosts stand."""
        overview = self.desk.overview
        sheets = overview.sheets()
        rows = [
            HostRow(host, sheets.get(host.name)) for host in overview.hosts() if host.agency == self.agency
        ]
        return AgencyNews(tuple(rows), self.desk.console.controls())

    def show(self, learned: object) -> None:
        """Take what the look brought."""
        if isinstance(learned, AgencyNews):
            self.news = learned
            self._draw()

    @property
    def areas(self) -> tuple[str, ...]:
        """The areas that any host of the agency was verified in."""
        if self.news is None:
            return ()
        demanded = {control for row in self.news.rows if row.sheet for control in row.sheet.verdicts}
        controls = self.news.controls
        areas = {controls[c].area if c in controls else "" for c in demanded}
        return tuple(sorted(areas, key=lambda area: (not area, area)))  # what is retired comes last

    def _draw(self) -> None:
        if self.news is None:
            return
        areas = self.areas
        if self.area not in areas:
            self.area, self.selected = areas[0] if areas else "", 0
        controls = controls_of(self.area, self.news.rows, self.news.controls)
        self.selected = max(0, min(self.selected, len(controls) - 1))
        table = self.query_one("#grid", VirtualTable)
        current = controls[self.selected] if controls else ""
        table.lay_out(grid_columns(self.news.rows, controls, self.selected), sorted_by=current)
        table.display_lines(self.news.rows)
        self.query_one("#areas", Words).say(self._area_words(areas))
        verified = sum(row.sheet is not None for row in self.news.rows)
        if current:
            self.query_one("#selected", Words).say(
                *selected_words(current, self.news.rows, self.news.controls)
            )
        if verified < len(self.news.rows):
            text = _("Verified {n} hosts; the others have no mark, which never means passed.")
            self.notice.tell(text.format(n=of_total(verified, len(self.news.rows))))

    def _area_words(self, areas: tuple[str, ...]) -> Cell:
        pieces: list[Piece] = []
        for area in areas:
            here = area == self.area
            pieces.append(Piece(f" {area_label(area)} ", Tone.ACCENT if here else Tone.DIM))
        return tuple(pieces)

    # Actions

    def action_select(self, step: int) -> None:
        """Select another control."""
        self.selected += step
        self._draw()

    def action_area(self, step: int) -> None:
        """Show another area."""
        areas = self.areas
        if areas:
            self.area = areas[(areas.index(self.area) + step) % len(areas)]
            self.selected = 0
            self._draw()

    @on(VirtualTable.SortRequested, "#grid")
    def column_clicked(self, message: VirtualTable.SortRequested) -> None:
        """Select the control whose column was clicked."""
        if self.news is not None:
            controls = controls_of(self.area, self.news.rows, self.news.controls)
            if message.key in controls:
                self.selected = controls.index(message.key)
                self._draw()

    @on(VirtualTable.Chosen, "#grid")
    def open_evidence(self, message: VirtualTable.Chosen) -> None:
        """Show the evidence behind the mark."""
        if self.news is None:
            return
        controls = controls_of(self.area, self.news.rows, self.news.controls)
        self.post_message(HostRequested(message.key, controls[self.selected] if controls else ""))

    def action_launch(self) -> None:
        """Start a run on the host under the cursor, or on all of the agency."""
        if self.news is None:
            return
        names = tuple(row.host.name for row in self.news.rows)
        here = self.query_one("#grid", VirtualTable).cursor_key
        scopes = [Scope(_("all of {agency}").format(agency=self.crumb), names)]
        if here:
            scopes.insert(0, Scope(_("only {host}").format(host=here), (here,)))
        self.start_launch(scopes)
