"""Marks texts that are translated later, and lists in words."""

from __future__ import annotations

from khien.i18n import _, current_language


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for "translate later"
    """Mark a message for the catalogues; it is translated when it is shown."""
    return message


def translated(message: str) -> str:
    """Translate a marked message; gettext answers an empty one with the head of its catalogue."""
    return _(message) if message else ""


def number(value: int) -> str:
    """Write a number with the thousands set apart as the language does."""
    text = f"{value:,}"
    return text.replace(",", ".") if current_language() == "vi" else text


def of_total(part: int, total: int) -> str:
    """Write a figure with its denominator."""
    return f"{number(part)}/{number(total)}"
