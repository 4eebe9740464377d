"""Which controls a host is hardened for."""

from __future__ import annotations

from dataclasses import replace

from khien.domain.control import Control
from khien.domain.host import Host
from khien.domain.selection import Selection, restrict, select
from tests.unit.domain.test_proof import FIX

A, B = replace(FIX, id="a"), replace(FIX, id="b")
REPORT_ONLY = replace(FIX, id="r", fix_variable=None)
HOSTS = (Host("h1", level=1), Host("h2", level=3), Host("h3", level=3))


def from_level_three(host: Host, control: Control) -> bool:
    return control.id == "a" or (host.level or 0) >= 3


def test_hosts_with_the_same_demands_share_a_selection_and_report_only_controls_are_in_none() -> None:
    assert select(HOSTS, (B, A, REPORT_ONLY), from_level_three) == (
        Selection(("h1",), ("a",), 1),
        Selection(("h2", "h3"), ("a", "b"), 3),
    )


def test_another_level_is_meant_for_all() -> None:
    assert select(HOSTS, (A, B), from_level_three, level=3) == (Selection(("h1", "h2", "h3"), ("a", "b"), 3),)


def test_only_what_was_asked_for_and_is_demanded() -> None:
    assert select(HOSTS, (A, B), from_level_three, only=frozenset({"b"})) == (
        Selection(("h2", "h3"), ("b",), 3),
    )


def test_a_part_of_the_hosts_has_the_same_selection() -> None:
    everything = select(HOSTS, (A, B), from_level_three)

    assert restrict(everything, ("h3", "h9")) == (Selection(("h3",), ("a", "b"), 3),)
