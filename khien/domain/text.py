"""Text that came from elsewhere, made safe to show, and text kept in two languages."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_ESCAPE_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[@-Z\\-_])"
)
# C0 and C1 controls, DEL, bidirectional overrides and isolates, zero-width and other invisible format
# characters, and lone surrogates: none of them carries meaning for a reader, all of them can deceive one.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def safe_text(value: object, limit: int = 2000) -> str:
    """Return the value as plain text without control, escape or invisible characters.

    Tabs and newlines become single spaces, so the result is always one line.

    Args:
        value: anything; it is turned into text first.
        limit: the most characters to keep; a longer text ends in an ellipsis.
    """
    return " ".join(safe_lines(value, limit).split())


def safe_lines(value: object, limit: int = 100_000) -> str:
    """Return the value as plain text that may have several lines, without control or invisible characters."""
    text = unicodedata.normalize("NFC", str(value)[: limit * 4])
    text = _ESCAPE_SEQUENCE.sub("", text).replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    text = _UNSAFE.sub("", text)
    return text if len(text) <= limit else text[: max(0, limit - 1)] + "…"


@dataclass(frozen=True, slots=True)
class Bilingual:
    """One text in both languages of the users."""

    en: str
    vi: str

    def in_language(self, language: str) -> str:
        """Return the text in "vi", or in English for any other language."""
        return self.vi if language == "vi" else self.en
