"""Choices whose state is a shape, not only a colour."""

from __future__ import annotations

from textual.widgets import Checkbox, RadioButton


class Choice(RadioButton):
    """One of several."""

    BUTTON_LEFT, BUTTON_INNER, BUTTON_RIGHT = " ", "○", " "

    def watch_value(self) -> None:
        """Draw what is chosen as a full circle."""
        self.BUTTON_INNER = "●" if self.value else "○"
        super().watch_value()


class Tick(Checkbox):
    """Yes or no."""

    BUTTON_LEFT, BUTTON_INNER, BUTTON_RIGHT = "[", " ", "]"

    def watch_value(self) -> None:
        """Draw a yes as a cross in the box."""
        self.BUTTON_INNER = "x" if self.value else " "
        super().watch_value()
