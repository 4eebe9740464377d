"""The fleet at a glance: filter, sort, group, mark, open, launch."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input

from khien.i18n import _
from tui.desk import Desk
from tui.messages import HostRequested
from tui.presenters.cell import Cell, Piece, Tone
from tui.presenters.columns import Group
from tui.presenters.fleet_table import (
    SORTS,
    FleetOrder,
    chosen,
    fleet_columns,
    grouped,
    ordered,
    prepare,
    totals,
)
from tui.presenters.host_query import STATES, Searchable, parse_query
from tui.presenters.selection import Scope, scopes
from tui.presenters.words import N_, number, of_total
from tui.screens.khien_screen import KhienScreen
from tui.widgets.virtual_table import VirtualTable
from tui.widgets.words import Words


class FleetScreen(KhienScreen):
    """All hosts."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", N_("Filter"), tooltip=N_("Filter as you type")),
        Binding("space", "mark", N_("Mark"), tooltip=N_("Mark the host; on an agency's line, all its hosts")),
        Binding("r", "launch", N_("Start"), tooltip=N_("Start a run on hosts")),
        Binding("g", "group", N_("Group"), show=False, tooltip=N_("Group by agency, or not")),
        Binding("s", "sort", N_("Sort"), show=False, tooltip=N_("Sort by the next column")),
        Binding("S", "reverse", N_("Reverse"), show=False, tooltip=N_("Sort the other way round")),
        Binding("a", "mark_shown", N_("Mark all"), show=False, tooltip=N_("Mark all hosts shown, or none")),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.hosts: tuple[Searchable, ...] = ()
        self.shown: tuple[Searchable, ...] = ()
        self._sorted: tuple[Searchable, ...] = ()
        self.order = FleetOrder()
        self.filter_text = ""
        self._filter_before = ""

    @property
    def crumb(self) -> str:
        """Name the screen."""
        return _("Fleet")

    @property
    def more_help(self) -> list[tuple[str, str]]:
        """Explain the filter."""
        return [
            (_("word"), _("name, agency or system holds the word; accents do not matter")),
            ("agency:y_te", _("also name: os: role: site: level: owner:")),
            ("is:failed", ", ".join(f"is:{name}" for name in STATES)),
            ("!is:compliant", _("turns any of these round")),
            ('agency:"sở y tế"', _("quotes keep words together")),
        ]

    def compose_body(self) -> ComposeResult:
        """Lay out totals, filter and table."""
        yield Words(id="totals", classes="head")
        with Horizontal(id="filter-line"):
            yield Words((Piece("/ ", Tone.ACCENT),), id="filter-sign")
            yield Input(
                id="filter", compact=True, placeholder=_("words  agency:…  role:server  is:failed  !word")
            )
            yield Words(id="status")
        yield VirtualTable[Searchable](lambda host: host.status.host.name, markable=True, id="fleet")

    @property
    def table(self) -> VirtualTable[Searchable]:
        """The table of hosts."""
        return self.query_one("#fleet", VirtualTable)

    def on_mount(self) -> None:
        """Start in the table."""
        super().on_mount()
        self.set_focus(self.table)

    # Looking

    def look(self) -> tuple[Searchable, ...]:
        """Ask for the fleet."""
        return prepare(self.desk.console.fleet())

    def show(self, learned: object) -> None:
        """Take the fleet."""
        if isinstance(learned, tuple):
            self.hosts = learned
            self._sort()

    def _sort(self) -> None:
        at = self.desk.moment
        self._sorted = ordered(self.hosts, self.order)
        self.table.lay_out(
            fleet_columns(self.hosts, at), sorted_by=self.order.column, backwards=self.order.backwards
        )
        self._filter()

    def _filter(self) -> None:
        at = self.desk.moment
        query = parse_query(self.filter_text)
        self.shown = chosen(self._sorted, query, at)
        self.table.display_lines(grouped(self.shown, at) if self.order.grouped else self.shown)
        self.query_one("#totals", Words).say(totals([host.status for host in self.hosts], at))
        if not self.hosts:
            advice = _("Write the inventory, or import a list: khien inventory import FILE.")
            self.notice.tell(_("The inventory has no hosts yet."), advice)
        elif query.trouble:
            self.notice.tell(query.trouble, _("? explains the filter."))
        elif not self.shown:
            self.notice.tell(_("No host matches the filter."), _("Esc clears it."))
        else:
            self.notice.hush()
        self._say_status()

    def _say_status(self) -> None:
        shown = of_total(len(self.shown), len(self.hosts))
        active = bool(self.filter_text.strip())
        cell: Cell = (Piece(_("{n} hosts").format(n=shown), Tone.WARN if active else Tone.DIM),)
        if self.table.marks:
            marked = _("● {n} marked").format(n=number(len(self.table.marks)))
            cell = (Piece(marked + "  ", Tone.ACCENT), *cell)
        self.query_one("#status", Words).say(cell)
        self.query_one("#filter-line").set_class(
            active or self.query_one("#filter", Input).has_focus, "-active"
        )

    # Filter

    def action_filter(self) -> None:
        """Type a filter."""
        self._filter_before = self.filter_text
        self.query_one("#filter", Input).focus()
        self._say_status()

    @on(Input.Changed, "#filter")
    def typed(self, event: Input.Changed) -> None:
        """Filter at every key."""
        self.filter_text = event.value
        self._filter()

    @on(Input.Submitted, "#filter")
    def submitted(self) -> None:
        """Go on in the table."""
        self.table.focus()
        self.call_after_refresh(self._say_status)

    def key_down(self) -> None:
        """Go from the filter into the table."""
        if self.query_one("#filter", Input).has_focus:
            self.submitted()

    def action_back(self) -> None:
        """Leave the filter; then clear it; then unmark; the fleet itself stays."""
        box = self.query_one("#filter", Input)
        if self.filter_text:
            box.value = ""
        elif self.table.marks and not box.has_focus:
            self.table.set_marks(frozenset())
        self.table.focus()
        self.call_after_refresh(self._say_status)

    # Order and marks

    def action_sort(self) -> None:
        """Sort by the next column."""
        columns = list(SORTS)
        following = columns[(columns.index(self.order.column) + 1) % len(columns)]
        self.order = replace(self.order, column=following, backwards=False)
        self._sort()

    def action_reverse(self) -> None:
        """Sort the other way round."""
        self.order = replace(self.order, backwards=not self.order.backwards)
        self._sort()

    @on(VirtualTable.SortRequested, "#fleet")
    def sort_by(self, message: VirtualTable.SortRequested) -> None:
        """Sort by a column; once more turns it round."""
        same = message.key == self.order.column
        self.order = replace(self.order, column=message.key, backwards=same and not self.order.backwards)
        self._sort()

    def action_group(self) -> None:
        """Group by agency, or not."""
        self.order = replace(self.order, grouped=not self.order.grouped)
        self._sort()

    def action_mark(self) -> None:
        """Mark what is under the cursor."""
        self.table.toggle_mark()

    def action_mark_shown(self) -> None:
        """Mark all hosts shown, or none when all are."""
        names = frozenset(host.status.host.name for host in self.shown)
        self.table.set_marks(
            self.table.marks - names if names <= self.table.marks else self.table.marks | names
        )
        self._say_status()

    @on(VirtualTable.MarksChanged, "#fleet")
    def marks_changed(self) -> None:
        """Count the marks."""
        self._say_status()

    # Ways on

    @on(VirtualTable.Chosen, "#fleet")
    def open_host(self, message: VirtualTable.Chosen) -> None:
        """Open a host."""
        self.post_message(HostRequested(message.key))

    def action_launch(self) -> None:
        """Start a run on marked hosts, on the one under the cursor, or on all shown."""
        self.start_launch(self._scopes())

    def _scopes(self) -> tuple[Scope, ...]:
        reachable = {h.status.host.name for h in self.hosts if h.status.in_inventory}
        line = self.table.under_cursor
        current: tuple[str, ...] = ()
        words = ""
        if isinstance(line, Group):
            current = tuple(name for name in line.members if name in reachable)
            words = _("all {n} hosts of {agency} that are shown").format(
                n=len(current), agency=line.title[0].text
            )
        elif line is not None and line.status.in_inventory:
            current = (line.status.host.name,)
            words = _("only {host}").format(host=line.status.host.name)
        return scopes(
            marked=[name for name in self.table.marks if name in reachable],
            current=current,
            current_words=words,
            shown=[h.status.host.name for h in self.shown if h.status.in_inventory],
            filtered=bool(self.filter_text.strip()),
        )
