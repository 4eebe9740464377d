"""Choices whose state is a shape, not only a colour."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Checkbox, RadioButton, RadioSet


class Choice(RadioButton):
    """One of several."""

    BUTTON_LEFT, BUTTON_INNER, BUTTON_RIGHT = " ", "○", " "

    def watch_value(self) -> None:
        """Draw what is chosen as a full circle."""
        self.BUTTON_INNER = "●" if self.value else "○"
        super().watch_value()


class Tick(Checkbox):
    """Yes or no: space answers, enter goes on."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "screen.next", show=False)]

    BUTTON_LEFT, BUTTON_INNER, BUTTON_RIGHT = " ", "□", " "

    def watch_value(self) -> None:
        """Draw a yes as a full box."""
        self.BUTTON_INNER = "■" if self.value else "□"
        super().watch_value()


class Choices(RadioSet):
    """Several choices of which one holds: the arrow keys choose, enter goes on."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "screen.next", show=False)]

    def action_next_button(self) -> None:
        """Choose the next one."""
        super().action_next_button()
        self._choose()

    def action_previous_button(self) -> None:
        """Choose the one before."""
        super().action_previous_button()
        self._choose()

    def _choose(self) -> None:
        # The set itself goes to its first button when it is mounted; that must not undo what holds.
        if self.pressed_button is not None:
            self.action_toggle_button()
