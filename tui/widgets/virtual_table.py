"""A table that draws only the lines in sight, so its speed does not depend on how many rows it holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.presenters.cell import Cell, Tone
from tui.presenters.columns import Column, Group, fit_columns, gap_in
from tui.presenters.words import N_

Row = TypeVar("Row")
_GUTTER = 3


class VirtualTable(ScrollView, Generic[Row], can_focus=True):
    """Rows in columns, with a cursor, marks, groups and a header that sorts.

    All text is drawn as plain segments: markup in it stays text.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--header",
        "table--sorted",
        "table--cursor",
        "table--cursor-away",
        "table--group",
        *(f"table--{tone}" for tone in Tone),
    }
    DEFAULT_CSS = """
    VirtualTable { height: 1fr; scrollbar-gutter: stable; overflow-x: hidden; overflow-y: auto; }
    VirtualTable > .table--header { text-style: bold; color: $text-muted; background: $panel; }
    VirtualTable > .table--sorted { text-style: bold; color: $foreground; background: $panel; }
    VirtualTable > .table--cursor { background: $block-cursor-blurred-background; }
    VirtualTable:focus > .table--cursor { background: $block-cursor-background; text-style: bold; }
    VirtualTable > .table--group { background: $surface; text-style: bold; }
    VirtualTable > .table--plain { color: $foreground; }
    VirtualTable > .table--strong { color: $foreground; text-style: bold; }
    VirtualTable > .table--dim { color: $text-muted; }
    VirtualTable > .table--good { color: $text-success; }
    VirtualTable > .table--warn { color: $text-warning; }
    VirtualTable > .table--bad { color: $text-error; }
    VirtualTable > .table--accent { color: $text-accent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", N_("Up"), show=False),
        Binding("down,j", "move(1)", N_("Down"), show=False),
        Binding("pageup,ctrl+b", "page(-1)", N_("Page up"), show=False),
        Binding("pagedown,ctrl+f", "page(1)", N_("Page down"), show=False),
        Binding("home", "edge(0)", N_("First"), show=False, tooltip=N_("Go to the first row")),
        Binding("end", "edge(1)", N_("Last"), show=False, tooltip=N_("Go to the last row")),
        Binding("enter", "choose", N_("Open"), tooltip=N_("Open the row under the cursor")),
    ]

    @dataclass
    class Gesture(Message):
        """Something happened to the row or column with this key."""

        table: VirtualTable[object]
        key: str

        @property
        def control(self) -> VirtualTable[object]:
            """The table it happened in."""
            return self.table

    @dataclass
    class Chosen(Gesture):
        """A row was opened with enter or a double click."""

    @dataclass
    class Moved(Gesture):
        """The cursor stands on another row; the key is empty when there is none."""

    @dataclass
    class SortRequested(Gesture):
        """The header of the column with this key was clicked."""

    @dataclass
    class MarksChanged(Gesture):
        """Rows were marked or unmarked."""

    cursor: reactive[int] = reactive(0, init=False)

    def __init__(
        self,
        key: Callable[[Row], str],
        *,
        markable: bool = False,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self._key = key
        self._markable = markable
        self._lines: tuple[Row | Group, ...] = ()
        self._columns: Sequence[Column[Row]] = ()
        self._fitted: tuple[tuple[Column[Row], int], ...] = ()
        self._gap = 2
        self._sorted_by = ""
        self._backwards = False
        self._told = ""
        self.marks: frozenset[str] = frozenset()

    # What it shows

    def lay_out(
        self, columns: Sequence[Column[Row]], *, sorted_by: str = "", backwards: bool = False
    ) -> None:
        """Take the columns and say which one the rows are sorted by."""
        self._columns, self._sorted_by, self._backwards = columns, sorted_by, backwards
        self._fit()

    def display_lines(self, lines: Sequence[Row | Group], *, stay_on_top: bool = False) -> None:
        """Show these rows and groups; the cursor stays on its row when that is still there.

        Args:
            lines: what to show.
            stay_on_top: a cursor on the first line stays there, for tables that bring news to the top.
        """
        stood_on = "" if stay_on_top and not self.cursor else self.cursor_key
        self._lines = tuple(lines)
        self._measure()
        place = self._place_of(stood_on, min(self.cursor, max(0, len(self._lines) - 1)))
        self.set_reactive(VirtualTable.cursor, place)
        self._follow_cursor()
        self._tell_moved()
        self.refresh()

    def _place_of(self, key: str, otherwise: int) -> int:
        lines = self._lines
        if key and otherwise < len(lines) and self._key_at(otherwise) == key:
            return otherwise
        if key:
            for place, line in enumerate(lines):
                if (line.key if isinstance(line, Group) else self._key(line)) == key:
                    return place
        if otherwise == 0 and len(lines) > 1 and isinstance(lines[0], Group):
            return 1
        return otherwise

    @property
    def lines(self) -> tuple[Row | Group, ...]:
        """The rows and groups shown."""
        return self._lines

    @property
    def under_cursor(self) -> Row | Group | None:
        """The row or group that the cursor stands on."""
        return self._lines[self.cursor] if 0 <= self.cursor < len(self._lines) else None

    @property
    def cursor_key(self) -> str:
        """The key of the row or group that the cursor stands on; empty when there is none."""
        return self._key_at(self.cursor)

    def _key_at(self, place: int) -> str:
        if not 0 <= place < len(self._lines):
            return ""
        line = self._lines[place]
        return line.key if isinstance(line, Group) else self._key(line)

    def move_to(self, key: str) -> None:
        """Put the cursor on the row with this key."""
        self.cursor = self._place_of(key, self.cursor)

    def set_marks(self, keys: frozenset[str]) -> None:
        """Mark exactly these rows."""
        self.marks = keys
        self.refresh()

    # Keys and mouse

    def validate_cursor(self, place: int) -> int:
        """Keep the cursor on a line."""
        return max(0, min(place, len(self._lines) - 1))

    def watch_cursor(self) -> None:
        """Keep the cursor in sight."""
        self._follow_cursor()
        self._tell_moved()
        self.refresh()

    def _tell_moved(self) -> None:
        if self.cursor_key != self._told:
            self._told = self.cursor_key
            self.post_message(self.Moved(self, self._told))  # type: ignore[arg-type]

    def _follow_cursor(self) -> None:
        top, rows = self.scroll_offset.y, self._rows_in_sight
        first = self.cursor - 1 if self.cursor == 1 and isinstance(self._lines[0], Group) else self.cursor
        if first < top:
            self.scroll_to(y=first, animate=False, immediate=True, force=True)
        elif self.cursor >= top + rows:
            self.scroll_to(y=self.cursor - rows + 1, animate=False, immediate=True, force=True)

    @property
    def _rows_in_sight(self) -> int:
        return max(1, self.scrollable_content_region.height - 1)

    def action_move(self, lines: int) -> None:
        """Move the cursor by lines."""
        self.cursor += lines

    def action_page(self, pages: int) -> None:
        """Move the cursor by what is in sight."""
        self.cursor += pages * max(1, self._rows_in_sight - 1)

    def action_edge(self, last: int) -> None:
        """Move the cursor to the first or the last line."""
        self.cursor = len(self._lines) if last else 0

    def action_choose(self) -> None:
        """Open the row under the cursor."""
        line = self.under_cursor
        if line is not None and not isinstance(line, Group):
            self.post_message(self.Chosen(self, self._key(line)))  # type: ignore[arg-type]

    def toggle_mark(self) -> None:
        """Mark or unmark the row under the cursor, or all rows of a group, and move on."""
        line = self.under_cursor
        if line is None or not self._markable:
            return
        keys = frozenset(line.members) if isinstance(line, Group) else frozenset({self._key(line)})
        self.marks = self.marks - keys if keys <= self.marks else self.marks | keys
        self.post_message(self.MarksChanged(self, self.cursor_key))  # type: ignore[arg-type]
        if self.cursor < len(self._lines) - 1:
            self.cursor += 1
        else:
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is; the header sorts, a double click opens."""
        spot = event.get_content_offset(self)
        if spot is None:
            return
        if spot.y == 0:
            if column := self._column_at(spot.x):
                self.post_message(self.SortRequested(self, column))  # type: ignore[arg-type]
            return
        place = spot.y - 1 + self.scroll_offset.y
        if place < len(self._lines):
            self.cursor = place
            if self._markable and spot.x < _GUTTER:
                self.toggle_mark()
            elif event.chain == 2:
                self.action_choose()

    def _column_at(self, x: int) -> str:
        start = _GUTTER
        for column, width in self._fitted:
            if start <= x < start + width + self._gap:
                return column.key
            start += width + self._gap
        return ""

    # Drawing

    def on_resize(self) -> None:
        """Fit the columns to the new width."""
        self._fit()
        self._follow_cursor()

    def _fit(self) -> None:
        width = self.scrollable_content_region.width - _GUTTER - 1
        self._gap = gap_in(width)
        self._fitted = fit_columns(self._columns, width) if width > 0 and self._columns else ()
        self._measure()
        self.refresh()

    def _measure(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._lines) + 1)

    def render_line(self, y: int) -> Strip:
        """Draw one line: the header, a group, or a row."""
        width = self.scrollable_content_region.width
        if y == 0:
            return self._draw_header(width)
        place = y - 1 + self.scroll_offset.y
        if place >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        line = self._lines[place]
        base = self.rich_style
        here = place == self.cursor
        if isinstance(line, Group):
            base += self.get_component_rich_style("table--group", partial=True)
        if here:
            base += self.get_component_rich_style("table--cursor", partial=True)
        segments = [self._gutter(line, base, here=here)]
        if isinstance(line, Group):
            segments += self._draw_cell(line.title, width - _GUTTER, base, right=False)
        else:
            for column, room in self._fitted:
                segments += self._draw_cell(column.cell(line), room, base, right=column.right)
                segments.append(Segment(" " * self._gap, base))
        return Strip(segments).adjust_cell_length(width, base)

    def _gutter(self, line: Row | Group, base: Style, *, here: bool) -> Segment:
        keys = line.members if isinstance(line, Group) else (self._key(line),)
        marked = bool(self.marks) and bool(keys) and all(key in self.marks for key in keys)
        accent = base + self.get_component_rich_style("table--accent", partial=True)
        return Segment(("▌" if here else " ") + ("●" if marked else " ") + " ", accent)

    def _draw_header(self, width: int) -> Strip:
        base = self.rich_style + self.get_component_rich_style("table--header", partial=True)
        segments = [Segment(" " * _GUTTER, base)]
        for column, room in self._fitted:
            style, title = base, column.title
            if column.key == self._sorted_by:
                style = self.rich_style + self.get_component_rich_style("table--sorted", partial=True)
                title += " ▾" if self._backwards else " ▴"
            segments.append(Segment(_fit(title, room, right=column.right), style))
            segments.append(Segment(" " * self._gap, base))
        return Strip(segments).adjust_cell_length(width, base)

    def _draw_cell(self, cell: Cell, room: int, base: Style, *, right: bool) -> list[Segment]:
        segments: list[Segment] = []
        left = room
        for piece in cell:
            if left <= 0:
                break
            text = piece.text
            length = cell_len(text)
            if length > left:
                text, length = _fit(text, left, right=False), left
            tone = self.get_component_rich_style(f"table--{piece.tone}", partial=True)
            segments.append(Segment(text, base + tone))
            left -= length
        padding = Segment(" " * left, base)
        return [padding, *segments] if right else [*segments, padding]


def _fit(text: str, room: int, *, right: bool) -> str:
    length = cell_len(text)
    if length > room:
        return set_cell_size(text, room - 1) + "…" if room > 0 else ""
    return " " * (room - length) + text if right else text + " " * (room - length)
