"""Each operator holds where it should, fails where it should, and refuses what it cannot compare."""

from __future__ import annotations

from datetime import date

import pytest

from khien.domain.expectation import OPERATORS, CannotCompareError
from khien.domain.shown import show

TODAY = date(2026, 11, 23)


def holds(operator: str, seen: object, expected: object) -> bool | None:
    """Return whether it holds; None when the two cannot be compared."""
    assert OPERATORS[operator].accepts(expected)
    try:
        return OPERATORS[operator].holds(seen, expected, TODAY)
    except CannotCompareError:
        return None


@pytest.mark.parametrize(
    ("operator", "seen", "expected", "result"),
    [
        ("equals", "no", "no", True),
        ("equals", "2", 2, True),
        ("equals", True, 1, False),
        ("equals", 1, True, False),
        ("equals", ["no"], "no", None),
        ("equals_list", ["root"], ["root"], True),
        ("equals_list", ["root", "toor"], ["root"], False),
        ("one_of", "027", ["027", "077"], True),
        ("one_of", "22", ["027"], False),
        ("at_least", 14, 14, True),
        ("at_least", "13", 14, False),
        ("at_least", "many", 14, None),
        ("at_least", True, 1, None),
        ("between", -1, [1, 60], False),
        ("between", 60, [1, 60], True),
        ("mode_at_most", "0600", "0640", True),
        ("mode_at_most", "0604", "0640", False),
        ("mode_at_most", "4640", "0640", False),
        ("mode_at_most", 640, "0640", None),
        ("is_empty", [], True, True),
        ("is_empty", [], False, False),
        ("is_empty", "", True, None),
        ("count_between", ["a"], [1, 1], True),
        ("subset_of", [], ["a"], True),
        ("subset_of", ["a", "b"], ["a"], False),
        ("subset_of", [["a"]], ["a"], None),
        ("contains_all", ["nodev", "noexec", "rw"], ["noexec", "nodev"], True),
        ("contains_all", ["rw"], ["noexec"], False),
        ("contains_none", ["AES128-CBC"], ["aes128-cbc"], False),
        ("contains_none", ["aes128-ctr"], ["aes128-cbc"], True),
        ("all_equal", ["no", "no"], "no", True),
        ("all_equal", ["no", "yes"], "no", False),
        ("all_between", [300, 1800], [1, 900], False),
        ("all_at_most", 3, 4, True),
        ("all_not_one_of", ["none"], ["none"], False),
    ],
)
def test_operators(operator: str, seen: object, expected: object, result: bool | None) -> None:
    assert holds(operator, seen, expected) is result


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("at_least", "14"),
        ("at_least", True),
        ("between", [1]),
        ("one_of", []),
        ("mode_at_most", 640),
        ("is_empty", "yes"),
        ("supported_until", {"debian": {"12": "soon"}}),
        ("supported_until", {"debian": {12: "2028-06-30"}}),
        ("equals", {"a": 1}),
    ],
)
def test_an_expectation_of_the_wrong_shape_is_not_accepted(operator: str, expected: object) -> None:
    assert not OPERATORS[operator].accepts(expected)


def test_a_minor_version_falls_back_to_its_major_one() -> None:
    table = {"almalinux": {"9": "2032-05-31"}, "sles": {"15.6": "2025-12-31"}}

    assert holds("supported_until", {"id": "almalinux", "version": "9.4"}, table) is True
    assert holds("supported_until", {"id": "sles", "version": "15.6"}, table) is False
    assert holds("supported_until", {"id": "sles", "version": "15.9"}, table) is None


def test_values_are_shown_short_and_plain() -> None:
    assert show([{"name": "openssl", "from": "1", "to": "2", "arch": "amd64"}]) == "openssl 1 → 2"
    assert show({"a": None, "b": True, "c": [1, 2]}) == "{a: ∅, b: true, c: [1, 2]}"
    assert show([1] * 60).endswith("1, …")
    assert len(show("x" * 9999)) == 600


@pytest.mark.parametrize(
    ("operator", "seen", "expected", "shown"),
    [
        ("all_equal", ["no", "yes"], "no", "yes (= no)"),
        ("subset_of", ["tcp/22", "tcp/23"], ["tcp/22"], "tcp/23 (⊆ {tcp/22})"),
        ("contains_none", ["A", "b", "c"], ["a", "c"], "A, c (∌ {a, c})"),
        ("all_between", [1800, "soon", 600], [1, 900], "1800, soon (1…900)"),
        ("contains_all", ["rw"], ["noexec"], "rw (⊇ {noexec})"),
        ("is_empty", ["postgres"], True, "postgres (= ∅)"),
        ("is_empty", [], False, "∅ (≠ ∅)"),
        ("count_between", [], [1, 1], "∅ (# = 1)"),
        (
            "supported_until",
            {"id": "a", "version": "1"},
            {"a": {"1": "2026-01-01"}},
            "{id: a, version: 1} (≤ 2026-01-01)",
        ),
    ],
)
def test_of_a_failure_only_what_is_at_fault_is_shown(
    operator: str, seen: object, expected: object, shown: str
) -> None:
    assert OPERATORS[operator].evidence(seen, expected, TODAY, holds=False) == shown


def test_a_long_list_of_what_is_forbidden_is_shortened() -> None:
    assert (
        OPERATORS["contains_none"].demand([str(number) for number in range(20)])
        == "∌ {0, 1, 2, 3, 4, 5, 6, 7, …}"
    )
