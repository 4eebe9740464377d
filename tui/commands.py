"""What the command palette offers, in the language of now."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from textual.app import SystemCommand
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from khien.i18n import _


class _Listed(Provider):
    """Offers a list of commands; says so when none matches."""

    def commands(self) -> Iterable[SystemCommand]:
        """Return all commands."""
        raise NotImplementedError

    async def discover(self) -> Hits:
        """Offer all commands while nothing is typed."""
        for command in self.commands():
            yield DiscoveryHit(Content(command.title), command.callback, command.title, command.help)

    async def search(self, query: str) -> Hits:
        """Offer the commands that match what is typed."""
        matcher = self.matcher(query)
        found = False
        for command in self.commands():
            if (score := matcher.match(command.title)) > 0:
                found = True
                yield Hit(
                    score, matcher.highlight(command.title), command.callback, command.title, command.help
                )
        if not found:
            words = _("No command matches.")
            yield Hit(0.01, Content.styled(words, "$foreground 65%"), lambda: None, words)


class KhienCommands(_Listed):
    """Everything that can be done on the screen in front and everywhere."""

    def commands(self) -> Iterable[SystemCommand]:
        """Return what the application offers for this screen."""
        return self.app.get_system_commands(self.screen)


class KhienThemes(_Listed):
    """All themes."""

    def commands(self) -> Iterable[SystemCommand]:
        """Return one command for each theme."""
        for name in sorted(self.app.available_themes):
            yield SystemCommand(name, "", partial(setattr, self.app, "theme", name))
