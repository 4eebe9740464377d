"""Keys as they stand on a keyboard, and what each does."""

from __future__ import annotations

from collections.abc import Iterable

from textual.binding import Binding

from tui.presenters.words import N_, translated

_NAMES = {
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "space": N_("space"),
    "enter": "enter",
    "escape": "esc",
    "pageup": "page up",
    "pagedown": "page down",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
}


def key_name(key: str) -> str:
    """Name one key."""
    first = key.split(",")[0]
    if first.startswith("ctrl+"):
        return "^" + first.removeprefix("ctrl+")
    if len(first) == 1 and first.isupper():
        return first
    return translated(_NAMES.get(first, first))


def key_words(bindings: Iterable[Binding]) -> tuple[tuple[str, str], ...]:
    """List keys with what they do; keys that do the same share a line."""
    keys: dict[str, list[str]] = {}
    for binding in bindings:
        if binding.tooltip:
            names = keys.setdefault(translated(binding.tooltip), [])
            name = binding.key_display or key_name(binding.key)
            if name not in names:
                names.append(name)
    return tuple((" ".join(names), words) for words, names in keys.items())
