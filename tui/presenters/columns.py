"""Columns of tables, and how wide each is in a given width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rich.cells import cell_len

from tui.presenters.cell import Cell

Row = TypeVar("Row")
_NARROW = 96


def gap_in(width: int) -> int:
    """Say how much room stands between columns in a width."""
    return 1 if width < _NARROW else 2


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column of a table."""

    key: str
    title: str
    cell: Callable[[Row], Cell]
    minimum: int
    """Below this width the column is left out."""
    ideal: int
    importance: int
    """The less important columns are left out first."""
    right: bool = False
    grows: bool = False
    """Whether it takes the width that is left over."""

    @property
    def needed(self) -> int:
        """Width at which it is shown at all; its title stays readable."""
        return max(self.minimum, min(cell_len(self.title), 12))

    @property
    def wanted(self) -> int:
        """Width at which nothing of it is cut off."""
        return max(self.needed, self.ideal, cell_len(self.title) + 2)


@dataclass(frozen=True, slots=True)
class Group:
    """A line above rows that belong together."""

    key: str
    title: Cell
    members: tuple[str, ...]
    """Keys of its rows."""


def fit_columns(columns: Sequence[Column[Row]], width: int) -> tuple[tuple[Column[Row], int], ...]:
    """Choose the columns that have room, and give each its width."""
    gap = gap_in(width)
    chosen: list[Column[Row]] = []
    used = 0
    for column in sorted(columns, key=lambda c: -c.importance):
        more = column.needed + (gap if chosen else 0)
        if chosen and used + more > width:
            continue
        chosen.append(column)
        used += more
    widths = {column.key: column.needed for column in chosen}
    spare = max(0, width - used)
    for column in chosen:
        more = min(spare, column.wanted - column.needed)
        widths[column.key] += more
        spare -= more
    growing = [column for column in chosen if column.grows]
    for place, column in enumerate(growing):
        share = spare // (len(growing) - place)
        widths[column.key] += share
        spare -= share
    return tuple((column, widths[column.key]) for column in columns if column.key in widths)
