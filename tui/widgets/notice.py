"""What a screen says instead of its table: that it loads, that there is nothing, or what went wrong."""

from __future__ import annotations

from tui.presenters.cell import Piece, Tone
from tui.widgets.words import Words


class Notice(Words):
    """A message in the middle; hidden when it has nothing to say."""

    DEFAULT_CSS = """
    Notice { display: none; height: auto; max-height: 50%; width: 100%; padding: 1 3; }
    Notice.-shown { display: block; }
    Notice.-bad { border-left: thick $error; background: $error 10%; margin: 1 2; padding: 0 2; width: 1fr; }
    """

    def tell(self, words: str, advice: str = "", *, bad: bool = False) -> None:
        """Show a message."""
        first = (Piece(("✗ " if bad else "") + words, Tone.BAD if bad else Tone.DIM),)
        self.say(first, *([(Piece(advice, Tone.DIM),)] if advice else []))
        self.set_class(bad, "-bad")
        self.add_class("-shown")

    def hush(self) -> None:
        """Say nothing."""
        self.remove_class("-shown")
