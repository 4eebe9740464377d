"""What is approved is fixed by a hash, and what became different since is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khien.domain.hardening import Change, HardenReport, HostHardening, Stage
from khien.domain.plan import Plan
from khien.domain.prediction import Drift, find_drift, prediction_hash
from khien.domain.run import RunOptions, Verb
from khien.domain.selection import Selection

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
ROOT = Change("sshd_root_login_off", "file", "/etc/ssh/x.conf", "∅", "PermitRootLogin no")
LINKS = Change("links", "sysctl", "fs.protected_hardlinks", "0", "1")
PLAN = Plan(Verb.HARDEN, RunOptions(check=True), ("h1",), NOW, selection=(Selection(("h1",), ("links",), 3),))

changes = st.builds(Change, *[st.sampled_from(("a", "b", "c"))] * 5)


def predicted(*wanted: Change) -> dict[str, HostHardening]:
    return {"h1": HostHardening((HardenReport("sshd", Stage.PLANNED, wanted),))}


def test_the_order_in_which_hosts_and_areas_answered_is_not_part_of_the_hash() -> None:
    one = prediction_hash(PLAN, predicted(ROOT, LINKS))
    later = replace(PLAN, created_at=NOW.replace(hour=5))

    assert one == prediction_hash(later, predicted(LINKS, ROOT))


@pytest.mark.parametrize(
    "other",
    [
        (PLAN, predicted(ROOT)),
        (PLAN, predicted(ROOT, replace(LINKS, before="2"))),
        (PLAN, {**predicted(ROOT, LINKS), "h2": HostHardening()}),
        (replace(PLAN, selection=(Selection(("h1",), ("links",), 4),)), predicted(ROOT, LINKS)),
        (replace(PLAN, options=RunOptions(check=True, extra_vars=("a=b",))), predicted(ROOT, LINKS)),
    ],
)
def test_whatever_decides_what_is_done_is_part_of_the_hash(
    other: tuple[Plan, dict[str, HostHardening]],
) -> None:
    assert prediction_hash(*other) != prediction_hash(PLAN, predicted(ROOT, LINKS))


def test_equal_predictions_are_no_drift() -> None:
    assert not find_drift([ROOT, LINKS], [LINKS, ROOT])


def test_another_value_before_is_drift() -> None:
    drift = find_drift([LINKS], [replace(LINKS, before="2")])

    assert drift == Drift(gone=(LINKS,), new=(replace(LINKS, before="2"),))


def test_what_somebody_did_already_is_drift_unless_it_may_have_been_us() -> None:
    assert find_drift([ROOT, LINKS], [ROOT])
    assert not find_drift([ROOT, LINKS], [ROOT], partly_done=True)
    assert find_drift([ROOT], [LINKS], partly_done=True) == Drift(new=(LINKS,))


@given(st.lists(changes), st.lists(changes))
def test_nothing_that_was_not_approved_passes_unseen(approved: list[Change], fresh: list[Change]) -> None:
    for partly_done in (False, True):
        drift = find_drift(approved, fresh, partly_done=partly_done)

        assert set(fresh) - set(approved) <= set(drift.new)
        if not drift and not partly_done:
            assert sorted(approved) == sorted(fresh)
