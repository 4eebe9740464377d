"""The order of Debian package versions, exactly as dpkg sees it, without starting dpkg."""

from __future__ import annotations

import re

_PARTS = re.compile(r"([^0-9]*)([0-9]*)")
# "~" sorts before the end of a part, the end before letters, letters before everything else.
_END = 0


def compare(left: str, right: str) -> int:
    """Return -1, 0 or 1 as the left version is older than, equal to or newer than the right one."""
    left_epoch, left_upstream, left_revision = _split(left)
    right_epoch, right_upstream, right_revision = _split(right)
    if left_epoch != right_epoch:
        return -1 if left_epoch < right_epoch else 1
    return _compare_part(left_upstream, right_upstream) or _compare_part(left_revision, right_revision)


def is_newer(candidate: str, installed: str) -> bool:
    """Whether the candidate is a later version than the installed one."""
    return compare(candidate, installed) > 0


def _split(version: str) -> tuple[int, str, str]:
    epoch, colon, rest = version.strip().partition(":")
    if not colon:
        epoch, rest = "0", epoch
    upstream, _, revision = rest.rpartition("-")
    if not upstream and "-" not in rest:
        upstream, revision = rest, ""
    return int(epoch) if epoch.isdigit() else 0, upstream, revision


def _rank(character: str) -> int:
    if character == "~":
        return -1
    if character.isalpha():
        return ord(character)
    return ord(character) + 256


def _compare_part(left: str, right: str) -> int:
    left_pieces, right_pieces = _PARTS.findall(left), _PARTS.findall(right)
    for position in range(max(len(left_pieces), len(right_pieces))):
        left_text, left_digits = left_pieces[position] if position < len(left_pieces) else ("", "")
        right_text, right_digits = right_pieces[position] if position < len(right_pieces) else ("", "")
        if left_text != right_text:
            left_ranks = [_rank(character) for character in left_text] + [_END]
            right_ranks = [_rank(character) for character in right_text] + [_END]
            return -1 if left_ranks < right_ranks else 1
        left_number, right_number = int(left_digits or "0"), int(right_digits or "0")
        if left_number != right_number:
            return -1 if left_number < right_number else 1
    return 0
