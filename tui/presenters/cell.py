"""Pieces of text with a tone: the only form in which tables and panes take text, so none is markup."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from khien.domain.text import safe_text


class Tone(StrEnum):
    """What a text means; themes give it a colour."""

    PLAIN = "plain"
    STRONG = "strong"
    DIM = "dim"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    ACCENT = "accent"


class Piece(NamedTuple):
    """Some text in one tone."""

    text: str
    tone: Tone = Tone.PLAIN


Cell = tuple[Piece, ...]


def plain(value: object, tone: Tone = Tone.PLAIN) -> Cell:
    """Make a cell of text from anywhere."""
    return (Piece(safe_text(value, 400), tone),)


def text_of(cell: Cell) -> str:
    """Return what a cell says without its tones."""
    return "".join(piece.text for piece in cell)


def bar(part: int, total: int, width: int, tone: Tone) -> Cell:
    """Draw a bar; it is full only when the part is the total."""
    full = part * width // total if total else 0
    return (Piece("━" * full, tone), Piece("╌" * (width - full), Tone.DIM))
