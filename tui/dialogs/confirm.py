"""Asks whether to do something; what is risky starts on No."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Button

from tui.dialogs.dialog import Dialog, button
from tui.presenters.cell import Piece
from tui.widgets.words import Words


class Confirm(Dialog[bool]):
    """Yes or no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", show=False),
        Binding("n", "answer(False)", show=False),
    ]

    def __init__(self, title: str, words: str, *, yes: str, no: str, risky: bool = True) -> None:
        super().__init__()
        self.title_words = title
        self.words, self.yes, self.no, self.risky = words, yes, no, risky

    def compose_body(self) -> ComposeResult:
        """Say what it is about."""
        yield Words((Piece(self.words),), id="dialog-words")

    def compose_buttons(self) -> ComposeResult:
        """Offer both answers."""
        yield button(self.no, "no")
        yield button(self.yes, "yes", risky=self.risky, main=not self.risky)

    def on_mount(self) -> None:
        """Start on the answer that does no harm."""
        self.set_focus(self.query_one("#no" if self.risky else "#yes"))

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        """Answer by button."""
        self.action_answer(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:  # noqa: FBT001 - an action's argument
        """Answer by key."""
        self.dismiss(yes)

    def action_back(self) -> None:
        """Going back is a no."""
        self.dismiss(False)
