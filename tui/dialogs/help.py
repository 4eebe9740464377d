"""Shows the keys of a screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Button

from khien.i18n import _
from tui.dialogs.dialog import Dialog, button
from tui.presenters.cell import Cell, Piece, Tone
from tui.widgets.words import Words


class Help(Dialog[None]):
    """Keys, and what else a screen explains about itself."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("question_mark,q", "back", show=False)]

    def __init__(
        self, title: str, keys: Sequence[tuple[str, str]], more: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__()
        self.title_words = _("Keys: {screen}").format(screen=title)
        self.keys, self.more = keys, more

    def compose_body(self) -> ComposeResult:
        """List the keys."""
        with VerticalScroll(id="help"):
            words = Words()
            words.say(*_lines(self.keys), *([()] if self.more else []), *_lines(self.more))
            yield words

    def compose_buttons(self) -> ComposeResult:
        """Offer to close."""
        yield button(_("Close"), "back", main=True)

    def on_mount(self) -> None:
        """Scroll with the keys."""
        self.set_focus(self.query_one("#help"))

    @on(Button.Pressed)
    def pressed(self) -> None:
        """Close."""
        self.dismiss(None)


def _lines(pairs: Sequence[tuple[str, str]]) -> list[Cell]:
    width = max((cell_len(name) for name, _words in pairs), default=0)
    return [
        (Piece(name + " " * (width - cell_len(name) + 3), Tone.ACCENT), Piece(words)) for name, words in pairs
    ]
