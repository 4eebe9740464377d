"""Asks which hosts of a run to retry, by the name of the state they ended in."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Button

from khien.application.labels import host_state_label
from khien.domain.run import HostState
from khien.i18n import _, ngettext
from tui.dialogs.dialog import Dialog, button
from tui.presenters.cell import Piece, Tone
from tui.presenters.words import number
from tui.widgets.choices import Tick
from tui.widgets.words import Words


class RetryDialog(Dialog[frozenset[HostState] | None]):
    """One or several states."""

    def __init__(self, counted: Sequence[tuple[HostState, int]]) -> None:
        super().__init__()
        self.title_words = _("Retry which hosts?")
        self.counted = counted

    def compose_body(self) -> ComposeResult:
        """Offer each state with the number of its hosts."""
        yield Words((Piece(_("Everything else of the run stays as it was asked for."), Tone.DIM),))
        for state, count in self.counted:
            words = ngettext("{state}: {n} host", "{state}: {n} hosts", count)
            text = words.format(state=host_state_label(state), n=number(count))
            yield Tick(Content(text), value=True, id=f"state-{state.value}")

    def compose_buttons(self) -> ComposeResult:
        """Offer to go on."""
        yield button(_("Back"), "back")
        yield button(_("Next: show the plan"), "next", main=True)

    def on_mount(self) -> None:
        """Start on the first state."""
        self.set_focus(self.query(Tick).first())

    @on(Tick.Changed)
    def changed(self) -> None:
        """Nothing chosen is nothing to go on with."""
        self.query_one("#next", Button).disabled = not self.chosen

    @property
    def chosen(self) -> frozenset[HostState]:
        """The states that are ticked."""
        return frozenset(
            state for state, _count in self.counted if self.query_one(f"#state-{state.value}", Tick).value
        )

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        """Answer, or go back."""
        if event.button.id == "next":
            self.action_next()
        else:
            self.dismiss(None)

    def action_next(self) -> None:
        """Answer, when anything is chosen."""
        if self.chosen:
            self.dismiss(self.chosen)
