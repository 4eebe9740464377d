"""What a host answered, as short plain text: in no human language, however much and however deep it is."""

from __future__ import annotations

from itertools import islice

_LONGEST_SHOWN = 600
_MOST_SHOWN = 50
_DEEPEST_SHOWN = 4


def show(value: object, depth: int = 0) -> str:
    """Return a JSON value as short plain text for evidence."""
    if type(value) is str and 0 < len(value) <= _LONGEST_SHOWN:
        return value  # by far the most frequent one
    if value is None or value == []:
        return "∅"
    if isinstance(value, bool):
        return "true" if value else "false"
    if depth > _DEEPEST_SHOWN and isinstance(value, list | dict):
        return "…"  # a host decides how deep its answer is
    match value:
        case {"name": name, "from": before, "to": after}:
            text = f"{show(name, depth + 1)} {show(before, depth + 1)} → {show(after, depth + 1)}"
        case dict():
            some = islice(value.items(), _MOST_SHOWN)
            text = f"{{{', '.join(f'{key}: {show(entry, depth + 1)}' for key, entry in some)}}}"
        case list():
            shown = [show(entry, depth + 1) for entry in value[:_MOST_SHOWN]]
            text = ", ".join([*shown, "…"] if len(value) > _MOST_SHOWN else shown)
            text = f"[{text}]" if depth else text
        case _:
            text = str(value)[: _LONGEST_SHOWN + 1] or '""'
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
