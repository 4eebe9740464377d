"""The operators that an expectation in a controls.yml can use, and what each accepts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}\Z")
_LONGEST_SHOWN = 600
_MOST_SHOWN = 50
_DEEPEST_SHOWN = 4
_MODE = re.compile(r"[0-7]{3,5}\Z")


class CannotCompareError(Exception):
    """An answer has another shape than the expectation needs; never a pass and never a failure."""


@dataclass(frozen=True, slots=True)
class Operator:
    """One way to compare an answer with an expectation."""

    symbol: str
    """How it is written in evidence, in no human language."""
    compare: Callable[[object, object, date], bool]
    """Answer, expectation, day of the collection. Raises CannotCompareError."""
    accepts: Callable[[object], bool]
    """Whether a value can stand as its expectation."""
    wants: str
    """What its expectation must be, for the author of a controls.yml."""
    every: bool = False
    """Whether it is asked of each entry of a list; an empty list then counts as absent."""
    word: Callable[[object, object], str] | None = None
    """Words what is demanded of an answer, where `symbol expected` would not do; the answer may be None."""

    def holds(self, seen: object, expected: object, today: date) -> bool:
        """Whether the answer is as expected."""
        if not self.every:
            return self.compare(seen, expected, today)
        entries = seen if isinstance(seen, list) else [seen]
        return all(self.compare(entry, expected, today) for entry in entries)

    def evidence(self, seen: object, expected: object) -> str:
        """Return an answer beside what is demanded of it, in no human language."""
        return f"{show(seen)} ({self.demand(expected, seen)})"

    def demand(self, expected: object, seen: object = None) -> str:
        """Return what is demanded of an answer, in no human language."""
        if self.word is not None:
            return self.word(seen, expected)
        return f"{self.symbol} {show(expected)}"


def show(value: object, depth: int = 0) -> str:
    """Return a JSON value as short plain text for evidence."""
    if value is None:
        return "∅"
    if isinstance(value, bool):
        return "true" if value else "false"
    if depth > _DEEPEST_SHOWN and isinstance(value, list | dict):
        return "…"  # a host decides how deep its answer is
    match value:
        case {"name": name, "from": before, "to": after}:
            text = f"{show(name, depth + 1)} {show(before, depth + 1)} → {show(after, depth + 1)}"
        case dict():
            entries = (
                f"{key}: {show(entry, depth + 1)}" for key, entry in islice(value.items(), _MOST_SHOWN)
            )
            text = f"{{{', '.join(entries)}}}"
        case list():
            entries = (show(entry, depth + 1) for entry in value[:_MOST_SHOWN])
            text = f"[{', '.join(entries)}{', …' if len(value) > _MOST_SHOWN else ''}]"
        case _:
            text = str(value)[: _LONGEST_SHOWN + 1] or '""'
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def _number(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _INTEGER.match(value):
        return int(value)
    raise CannotCompareError(f"{show(value)} ∉ ℤ")


def _scalar(value: object) -> str | int | float | bool:
    if isinstance(value, str | int | float | bool):
        return value
    raise CannotCompareError(f"{show(value)}?")


def _members(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    raise CannotCompareError(f"{show(value)}?")


def _same(left: object, right: object) -> bool:
    """Compare as JSON would: true is not 1; a number and its decimal digits are the same."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int) != isinstance(right, int):
        number, other = (left, right) if isinstance(left, int) else (right, left)
        return isinstance(other, str) and _INTEGER.match(other) is not None and int(other) == number
    return left == right


def _contains(members: list[object], wanted: object) -> bool:
    return any(_same(member, wanted) for member in members)


def _equals(seen: object, expected: object, _today: date) -> bool:
    return _same(_scalar(seen), expected)


def _equals_list(seen: object, expected: object, _today: date) -> bool:
    members, wanted = _members(seen), _members(expected)
    return len(members) == len(wanted) and all(_contains(wanted, member) for member in members)


def _one_of(seen: object, expected: object, _today: date) -> bool:
    return _contains(_members(expected), _scalar(seen))


def _not_one_of(seen: object, expected: object, today: date) -> bool:
    return not _one_of(seen, expected, today)


def _at_least(seen: object, expected: object, _today: date) -> bool:
    return _number(seen) >= _number(expected)


def _at_most(seen: object, expected: object, _today: date) -> bool:
    return _number(seen) <= _number(expected)


def _between(seen: object, expected: object, _today: date) -> bool:
    low, high = _members(expected)
    return _number(low) <= _number(seen) <= _number(high)


def _mode_at_most(seen: object, expected: object, _today: date) -> bool:
    if not isinstance(seen, str) or not _MODE.match(seen):
        raise CannotCompareError(f"{show(seen)} ∉ 0000…7777")
    return int(seen, 8) & ~int(str(expected), 8) == 0


def _is_empty(seen: object, expected: object, _today: date) -> bool:
    return (len(_members(seen)) == 0) is expected


def _count_between(seen: object, expected: object, today: date) -> bool:
    return _between(len(_members(seen)), expected, today)


def _subset_of(seen: object, expected: object, _today: date) -> bool:
    allowed = _members(expected)
    return all(_contains(allowed, _scalar(member)) for member in _members(seen))


def _contains_all(seen: object, expected: object, _today: date) -> bool:
    members = _members(seen)
    return all(_contains(members, wanted) for wanted in _members(expected))


def _contains_none(seen: object, expected: object, _today: date) -> bool:
    """Compare without regard to letter case, as names of algorithms and protocols want it."""
    folded = {str(_scalar(member)).casefold() for member in _members(seen)}
    return folded.isdisjoint(str(name).casefold() for name in _members(expected))


def _supported(seen: object, expected: object, today: date) -> bool:
    """Look up `{id, version}` of a system in a table of last supported days."""
    last_day = _last_day(seen, expected)
    if last_day is None:
        raise CannotCompareError(f"{show(seen)} → ?")
    return date.fromisoformat(last_day) >= today


def _last_day(seen: object, table: object) -> str | None:
    """Return the day found for a version or for its first part, as `9` stands for `9.4`."""
    if not isinstance(seen, dict) or not isinstance(table, dict):
        return None
    versions = table.get(str(seen.get("id")))
    if not isinstance(versions, dict):
        return None
    version = str(seen.get("version"))
    day = versions.get(version, versions.get(version.split(".")[0]))
    return day if isinstance(day, str) else None


def _word_emptiness(_seen: object, expected: object) -> str:
    return "= []" if expected else "≠ []"


def _word_support(seen: object, expected: object) -> str:
    if seen is None and isinstance(expected, dict):
        return f"≤ {show(sorted(expected))}"
    return f"≤ {show(_last_day(seen, expected))}"


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_list(value: object) -> bool:
    return isinstance(value, list) and all(_is_scalar(member) for member in value)


def _is_filled_list(value: object) -> bool:
    return _is_list(value) and bool(value)


def _is_range(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(_is_number(v) for v in value)


def _is_mode(value: object) -> bool:
    return isinstance(value, str) and _MODE.match(value) is not None


def _is_support_table(value: object) -> bool:
    if not isinstance(value, dict) or not value:
        return False
    try:
        for versions in value.values():
            for version, day in versions.items():
                if not isinstance(version, str):
                    return False
                date.fromisoformat(day)
    except (AttributeError, TypeError, ValueError):
        return False
    return True


_SCALAR = "a text, a number, true or false"
_LIST = "a list of texts or numbers"
_RANGE = "a list of two whole numbers, lowest and highest"
_OCTAL = 'an octal mode in quotes, such as "0640"'

OPERATORS: Mapping[str, Operator] = {
    "equals": Operator("=", _equals, _is_scalar, _SCALAR),
    "equals_list": Operator("=", _equals_list, _is_list, _LIST),
    "one_of": Operator("∈", _one_of, _is_filled_list, _LIST),
    "not_one_of": Operator("∉", _not_one_of, _is_filled_list, _LIST),
    "at_least": Operator("≥", _at_least, _is_number, "a whole number"),
    "at_most": Operator("≤", _at_most, _is_number, "a whole number"),
    "between": Operator("∈", _between, _is_range, _RANGE),
    "mode_at_most": Operator("⊆", _mode_at_most, _is_mode, _OCTAL),
    "is_empty": Operator(
        "= []", _is_empty, lambda value: isinstance(value, bool), "true or false", word=_word_emptiness
    ),
    "count_between": Operator("# ∈", _count_between, _is_range, _RANGE),
    "subset_of": Operator("⊆", _subset_of, _is_list, _LIST),
    "contains_all": Operator("⊇", _contains_all, _is_filled_list, _LIST),
    "contains_none": Operator("∌", _contains_none, _is_filled_list, _LIST),
    "supported_until": Operator(
        "≤",
        _supported,
        _is_support_table,
        'system → version in quotes → last day in quotes "YYYY-MM-DD"',
        word=_word_support,
    ),
    "all_equal": Operator("∀ =", _equals, _is_scalar, _SCALAR, every=True),
    "all_one_of": Operator("∀ ∈", _one_of, _is_filled_list, _LIST, every=True),
    "all_not_one_of": Operator("∀ ∉", _not_one_of, _is_filled_list, _LIST, every=True),
    "all_at_least": Operator("∀ ≥", _at_least, _is_number, "a whole number", every=True),
    "all_at_most": Operator("∀ ≤", _at_most, _is_number, "a whole number", every=True),
    "all_between": Operator("∀ ∈", _between, _is_range, _RANGE, every=True),
    "all_mode_at_most": Operator("∀ ⊆", _mode_at_most, _is_mode, _OCTAL, every=True),
}
