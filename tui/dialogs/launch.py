"""Asks what to run, on which hosts, and whether for real; nothing is started by it."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Button

from khien.domain.run import Verb
from khien.i18n import _
from tui.dialogs.dialog import Dialog, button
from tui.presenters.cell import Piece, Tone
from tui.presenters.selection import LaunchWish, Scope
from tui.widgets.choices import Choice, Choices, Tick
from tui.widgets.words import Words


class LaunchDialog(Dialog[LaunchWish | None]):
    """What, where, and how real."""

    def __init__(self, scopes: Sequence[Scope], verb: Verb = Verb.VERIFY) -> None:
        super().__init__()
        self.title_words = _("Start a run")
        self.scopes = scopes
        self.verb = verb

    def compose_body(self) -> ComposeResult:
        """Offer the choices."""
        yield Words((Piece(_("Hosts"), Tone.ACCENT),))
        with Choices(id="scope"):
            for place, scope in enumerate(self.scopes):
                yield Choice(Content(scope.words), value=place == 0)
        yield Words((Piece(_("What to do"), Tone.ACCENT),))
        with Choices(id="verb"):
            yield Choice(
                Content(_("Verify: ask hosts how they stand; changes nothing")),
                value=self.verb is Verb.VERIFY,
            )
            yield Choice(Content(_("Patch: install pending security updates")), value=self.verb is Verb.PATCH)
        yield Words((Piece(_("How"), Tone.ACCENT),), id="how-words")
        with Choices(id="how"):
            yield Choice(Content(_("Check only: say what would change")), value=True)
            yield Choice(Content(_("For real: change the hosts")))
        yield Tick(Content(_("Restart hosts that need it")), id="reboot")

    def compose_buttons(self) -> ComposeResult:
        """Offer to go on."""
        yield button(_("Back"), "back")
        yield button(_("Next: show the plan"), "next", main=True)

    def on_mount(self) -> None:
        """Start on the kind of run."""
        self._adapt()
        self.set_focus(self.query_one("#verb"))

    def _pressed(self, id: str) -> int:  # noqa: A002
        return max(0, self.query_one(f"#{id}", Choices).pressed_index)

    @on(Choices.Changed)
    def _adapt(self) -> None:
        """Offer only what the kind of run understands."""
        patch, real = self._pressed("verb") == 1, self._pressed("how") == 1
        self.query_one("#how", Choices).disabled = not patch
        self.query_one("#reboot", Tick).disabled = not (patch and real)

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        """Answer, or go back."""
        if event.button.id != "next":
            self.dismiss(None)
            return
        self.action_next()

    def action_next(self) -> None:
        """Answer."""
        verb = (Verb.VERIFY, Verb.PATCH)[self._pressed("verb")]
        real = verb.changes_hosts and self._pressed("how") == 1
        self.dismiss(
            LaunchWish(
                verb=verb,
                scope=self.scopes[self._pressed("scope")],
                check=verb.changes_hosts and not real,
                reboot=real and self.query_one("#reboot", Tick).value,
            )
        )
