"""A host and the fleet in the terminal: counts with denominators, evidence, and no host's word as markup."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from rich.console import Console

from khien.application.report import build_report
from khien.cli.summary import print_host_detail, print_report
from khien.domain.fleet import HostDetail, HostStatus
from khien.domain.host import Host
from khien.i18n import choose_language, current_language
from tests.fakes.province import NOW, make_province

PROVINCE = make_province(42)
HOSTILE_HOST = min(PROVINCE.details)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    before = current_language()
    choose_language("en")
    yield
    choose_language(before)


def printed(detail: HostDetail, *, coloured: bool = False) -> str:
    file = io.StringIO()
    console = Console(file=file, width=400, color_system="standard" if coloured else None)
    print_host_detail(console, detail, PROVINCE.controls, now=NOW, language="en")
    return file.getvalue()


def test_a_host_is_shown_with_every_count_over_its_denominator() -> None:
    text = printed(PROVINCE.details["thanh-pho-minh-tan-0004.example.org"])

    assert "8 of 12 controls passed, 2 failed, 1 unknown, 1 waived" in text
    assert "Failed: 2 of 12" in text
    assert "Unknown: 1 of 12" in text
    assert "verified 3 hours ago" in text


def test_failed_controls_carry_what_was_seen_and_unknown_ones_why_and_what_to_do() -> None:
    text = printed(PROVINCE.details["thanh-pho-minh-tan-0004.example.org"])

    assert re.search(r"medium +The kernel places memory at random  aslr_full", text)
    assert "Seen (expected): aslr_full = 1 (= 2)" in text
    assert "Why: Only root can see it." in text
    assert "→ Verify with ansible_become" in text


def test_a_host_that_was_never_verified_says_that_nothing_is_known() -> None:
    text = printed(HostDetail(HostStatus(Host("web1.example.org"))))

    assert "Never verified: nothing is known of its controls." in text
    assert "Security updates pending: not known" in text
    assert "0 of 0" not in text


def test_a_hostile_host_is_printed_without_markup_or_escapes_of_its_own() -> None:
    text = printed(PROVINCE.details[HOSTILE_HOST], coloured=True)
    ours_removed = re.sub(r"\x1b\[[\d;]*m", "", text)

    assert "\x1b]8;" not in text, "a link that the host asked for"
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", ours_removed)
    assert "[bold red]markup[/bold red]" in ours_removed
    assert "[red]held[/red]" in ours_removed


def test_markup_stays_text_even_on_a_console_that_would_take_it() -> None:
    file = io.StringIO()
    report = build_report(
        PROVINCE.fleet, PROVINCE.details, PROVINCE.controls, now=NOW, stale_after=timedelta(hours=48)
    )

    print_report(Console(file=file, width=400, markup=True), report)

    assert "[bold red]markup[/bold red] [link=javascript:alert(1)]x[/link]" in file.getvalue()


def test_the_fleet_is_summed_up_with_what_is_not_known() -> None:
    file = io.StringIO()
    report = build_report(
        PROVINCE.fleet, PROVINCE.details, PROVINCE.controls, now=NOW, stale_after=timedelta(hours=48)
    )

    print_report(Console(file=file, width=200), report)

    text = file.getvalue()
    assert "376 of 469 controls passed, 67 failed, 21 unknown, 5 waived, 12 not applicable" in text
    assert "11 of 42 hosts are compliant." in text
    assert "37 of 42 hosts were verified in the last 48 hours; 3 are stale, 2 were never verified." in text
    assert "15 of 36 hosts have security updates pending; of 6 it is not known." in text
    assert re.search(r"Sở Tài chính +3/9 +7/9 +11/93 +2/93 +2/7", text)
