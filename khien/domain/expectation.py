"""The operators that an expectation in a controls.yml can use, and what each accepts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from khien.domain.shown import show

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}\Z")
_MOST_DEMANDED = 8
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
    """Words its expectation, beside the answer if there is one, where `symbol expectation` would not do."""
    offends: Callable[[object, object], bool] | None = None
    """Whether an entry of the answer is what fails the expectation; None: the answer as a whole fails."""

    def holds(self, seen: object, expected: object, today: date) -> bool:
        """Whether the answer is as expected."""
        if not self.every:
            return self.compare(seen, expected, today)
        entries = seen if isinstance(seen, list) else [seen]
        return all(self.compare(entry, expected, today) for entry in entries)

    def demand(self, expected: object, seen: object = None) -> str:
        """Return what is demanded of an answer, in no human language."""
        return self.word(expected, seen) if self.word is not None else f"{self.symbol} {show(expected)}"

    def evidence(self, seen: object, expected: object, today: date, *, holds: bool) -> str:
        """Return an answer beside what is demanded of it; of a list that fails only the entries that do."""
        if not holds and isinstance(seen, list):
            seen = [entry for entry in seen if self._is_at_fault(entry, expected, today)]
        return f"{show(seen)} ({self.demand(expected, seen)})"

    def _is_at_fault(self, entry: object, expected: object, today: date) -> bool:
        if self.every:
            try:
                return not self.compare(entry, expected, today)
            except CannotCompareError:
                return True
        return self.offends is None or self.offends(entry, expected)


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
    names = _names(expected)
    return not any(str(_scalar(member)).casefold() in names for member in _members(seen))


def _is_named(member: object, names: object) -> bool:
    """Look for it without regard to letter case, as names of algorithms and protocols want it."""
    return str(member).casefold() in _names(names)


def _names(names: object) -> frozenset[str]:
    return frozenset(str(name).casefold() for name in _members(names))


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


def _is_stranger(member: object, known: object) -> bool:
    return not _contains(_members(known), member)


def _word_emptiness(expected: object, _seen: object) -> str:
    return "= ∅" if expected else "≠ ∅"


def _word_range(expected: object, _seen: object = None) -> str:
    low, high = _members(expected)
    return f"= {show(low)}" if low == high else f"{show(low)}…{show(high)}"


def _word_count(expected: object, _seen: object) -> str:
    return f"# {_word_range(expected)}"


def _word_set(symbol: str) -> Callable[[object, object], str]:
    def word(expected: object, _seen: object) -> str:
        members = _members(expected)
        more = ", …" if len(members) > _MOST_DEMANDED else ""
        return f"{symbol} {{{show(members[:_MOST_DEMANDED])}{more}}}"

    return word


def _word_support(expected: object, seen: object) -> str:
    if seen is None and isinstance(expected, dict):
        return f"≤ {{{show(sorted(expected))}}}"
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

_EQUAL = Operator("=", _equals, _is_scalar, _SCALAR)
_ONE_OF = Operator("∈", _one_of, _is_filled_list, _LIST, word=_word_set("∈"))
_NOT_ONE_OF = Operator("∉", _not_one_of, _is_filled_list, _LIST, word=_word_set("∉"))
_AT_LEAST = Operator("≥", _at_least, _is_number, "a whole number")
_AT_MOST = Operator("≤", _at_most, _is_number, "a whole number")
_BETWEEN = Operator("…", _between, _is_range, _RANGE, word=_word_range)
_MODE_AT_MOST = Operator("≤", _mode_at_most, _is_mode, 'an octal mode in quotes, such as "0640"')

OPERATORS: Mapping[str, Operator] = {
    "equals": _EQUAL,
    "one_of": _ONE_OF,
    "not_one_of": _NOT_ONE_OF,
    "at_least": _AT_LEAST,
    "at_most": _AT_MOST,
    "between": _BETWEEN,
    "mode_at_most": _MODE_AT_MOST,
    "all_equal": replace(_EQUAL, every=True),
    "all_one_of": replace(_ONE_OF, every=True),
    "all_not_one_of": replace(_NOT_ONE_OF, every=True),
    "all_at_least": replace(_AT_LEAST, every=True),
    "all_at_most": replace(_AT_MOST, every=True),
    "all_between": replace(_BETWEEN, every=True),
    "all_mode_at_most": replace(_MODE_AT_MOST, every=True),
    "equals_list": Operator("=", _equals_list, _is_list, _LIST),
    "is_empty": Operator(
        "∅", _is_empty, lambda value: isinstance(value, bool), "true or false", word=_word_emptiness
    ),
    "count_between": Operator("#", _count_between, _is_range, _RANGE, word=_word_count),
    "subset_of": Operator(
        "⊆",
        _subset_of,
        _is_list,
        _LIST,
        word=_word_set("⊆"),
        offends=_is_stranger,
    ),
    "contains_all": Operator("⊇", _contains_all, _is_filled_list, _LIST, word=_word_set("⊇")),
    "contains_none": Operator(
        "∌", _contains_none, _is_filled_list, _LIST, word=_word_set("∌"), offends=_is_named
    ),
    "supported_until": Operator(
        "≤",
        _supported,
        _is_support_table,
        'system → version in quotes → last day in quotes "YYYY-MM-DD"',
        word=_word_support,
    ),
}
