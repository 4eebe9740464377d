"""Figures, shares and moments in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from khien.i18n import choose_language
from khien.reports import words


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (0, 0, "—"),
        (0, 10, "0%"),
        (1, 3, "33%"),
        (1, 5000, "<1%"),
        (4999, 5000, "99%"),
        (5000, 5000, "100%"),
    ],
)
def test_a_share_is_whole_or_nothing_only_when_it_is(part: int, whole: int, expected: str) -> None:
    assert words.percent(part, whole) == expected


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=119), "119 minutes"),
        (timedelta(hours=2), "2 hours"),
        (timedelta(hours=48), "48 hours"),
        (timedelta(days=6, hours=23), "6 days"),
    ],
)
def test_a_duration_is_worded_in_its_largest_fitting_unit(span: timedelta, expected: str) -> None:
    assert words.duration(span) == expected


def test_thousands_are_separated_as_the_language_does() -> None:
    assert words.number(12345) == "12,345"
    choose_language("vi")
    assert words.number(12345) == "12.345"


def test_a_moment_is_shown_in_the_zone_that_is_named() -> None:
    at = datetime(2026, 11, 22, 20, 5, tzinfo=UTC)

    assert words.moment(at, timezone(timedelta(hours=7))) == "2026-11-23 03:05"
    assert words.zone_name(at, timezone(timedelta(hours=-3, minutes=-30))) == "UTC-03:30"
    assert words.zone_name(at, UTC) == "UTC"
    assert words.moment(None) == "—"
