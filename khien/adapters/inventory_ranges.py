"""Spells out the host ranges of an inventory: web[01:03] and db-[a:c]."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

_RANGE = re.compile(r"\[([0-9]+|[A-Za-z]):([0-9]+|[A-Za-z])(?::([0-9]+))?\]")
_MOST_HOSTS = 100_000


def expand_range(pattern: str) -> Iterator[str]:
    """Return every name that a pattern stands for, or the pattern itself when it holds no range.

    Raises:
        ValueError: the range counts backwards, mixes letters and digits or is endless.
    """
    match = _RANGE.search(pattern)
    if match is None:
        yield pattern
        return
    for part in _parts(match[1], match[2], int(match[3] or 1)):
        yield from expand_range(pattern[: match.start()] + part + pattern[match.end() :])


def _parts(first: str, last: str, step: int) -> Iterator[str]:
    if first.isdigit() and last.isdigit() and step:
        width = len(first) if first.startswith("0") else 0
        numbers = range(int(first), int(last) + 1, step)
        if 0 < len(numbers) <= _MOST_HOSTS and width in (0, len(last)):
            yield from (str(number).zfill(width) for number in numbers)
            return
    elif not first.isdigit() and not last.isdigit() and step:
        letters = string.ascii_letters
        if letters.index(first) <= letters.index(last):
            yield from letters[letters.index(first) : letters.index(last) + 1 : step]
            return
    raise ValueError(f"[{first}:{last}]")
