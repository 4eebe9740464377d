"""What all dialogs share: a box in the middle with a title, words, and buttons; esc answers nothing."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Label

from tui.presenters.words import N_

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer]):
    """A question with a typed answer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", N_("Back"), show=False, tooltip=N_("Go back without an answer")),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
    ]

    AUTO_FOCUS = ""  # the focus must be right before the first key, so each dialog sets it itself
    title_words: str = ""

    def compose(self) -> ComposeResult:
        """Lay out the box."""
        with Vertical(id="dialog"):
            yield Label(Content(self.title_words), id="dialog-title", markup=False)
            yield from self.compose_body()
            with Horizontal(id="dialog-buttons"):
                yield from self.compose_buttons()

    def compose_body(self) -> ComposeResult:
        """Lay out what is between the title and the buttons."""
        yield from ()

    def compose_buttons(self) -> ComposeResult:
        """Lay out the buttons."""
        yield from ()

    def action_back(self) -> None:
        """Close without an answer."""
        self.dismiss(None)


def button(words: str, id: str, *, risky: bool = False, main: bool = False) -> Button:  # noqa: A002
    """Make a button; its words are plain text."""
    return Button(
        Content(words), id=id, variant="error" if risky else "primary" if main else "default", compact=True
    )
