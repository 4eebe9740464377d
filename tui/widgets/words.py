"""Lines of toned text: the same pieces that tables take, as content that is never markup."""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content
from textual.widgets import Static

from tui.presenters.cell import Cell, Tone

_STYLES = {
    Tone.PLAIN: "",
    Tone.STRONG: "bold",
    Tone.DIM: "$text-muted",
    Tone.GOOD: "$text-success",
    Tone.WARN: "$text-warning",
    Tone.BAD: "$text-error",
    Tone.ACCENT: "$text-accent",
}


def content(cell: Cell) -> Content:
    """Turn pieces into content."""
    return Content("").join([Content.styled(piece.text, _STYLES[piece.tone]) for piece in cell])


def paragraphs(cells: Iterable[Cell]) -> Content:
    """Turn cells into lines of content."""
    return Content("\n").join([content(cell) for cell in cells])


class Words(Static):
    """Text in tones."""

    def __init__(self, cell: Cell = (), *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(content(cell), id=id, classes=classes, markup=False)

    def say(self, *cells: Cell) -> None:
        """Show these lines."""
        self.update(paragraphs(cells))
