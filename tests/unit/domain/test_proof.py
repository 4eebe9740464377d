"""Per control of a host: was, is, as predicted, and why not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from khien.domain.control import Control, Severity
from khien.domain.finding import Finding, Verdict
from khien.domain.hardening import (
    Change,
    GuardReport,
    GuardState,
    HardenReport,
    HostHardening,
    SkippedChange,
    Stage,
)
from khien.domain.proof import ControlResult, VerificationPair, prove
from khien.domain.reason import ReasonCode
from khien.domain.run import HostOutcome, HostState, Reason
from khien.domain.text import Bilingual

WORDS = Bilingual("x", "x")
FIX = Control("c", WORDS, WORDS, Severity.HIGH, "access", (), ("debian",), "sshd", "sshd_x", WORDS, WORDS)
DID = Change("c", "file", "/etc/x", "∅", "a")
DONE = HostOutcome("h1", HostState.CHANGED)


def judged(verdict: Verdict, reason: str = ReasonCode.NOT_AS_EXPECTED) -> tuple[Finding, ...]:
    return (Finding("c", verdict, reason, "x = 1 (2)"),)


def pair(before: Verdict, after: Verdict | None = None) -> VerificationPair:
    return VerificationPair(judged(before), judged(after) if after else ())


def said(*changes: Change, applied: bool = True, **words: object) -> HostHardening:
    report = HardenReport("sshd", Stage.PLANNED, changes)
    actual = replace(report, stage=Stage.APPLIED, **words) if applied else None  # type: ignore[arg-type]
    return HostHardening((report,), (actual,) if actual else ())


def only(
    outcome: HostOutcome,
    hardening: HostHardening,
    pairs: VerificationPair,
    control: Control = FIX,
    selected: tuple[str, ...] = ("c",),
) -> ControlResult:
    (result,) = prove(outcome, hardening, pairs, {"c": control}, selected)
    return result


def test_a_control_that_was_fixed_as_predicted() -> None:
    result = only(DONE, said(DID), pair(Verdict.FAIL, Verdict.PASS))

    assert result == ControlResult("c", Verdict.FAIL, Verdict.PASS, (DID,), (DID,), as_predicted=True)


def test_another_change_than_the_predicted_one_is_said() -> None:
    other = replace(DID, after="b")
    hardening = HostHardening(said(DID).predicted, said(other).actual)

    assert only(DONE, hardening, pair(Verdict.FAIL, Verdict.PASS)).as_predicted is False


def test_a_prediction_says_nothing_of_what_was_done() -> None:
    result = only(DONE, said(DID, applied=False), pair(Verdict.FAIL))

    assert (result.now, result.as_predicted, result.why_not) == (None, None, "")


@pytest.mark.parametrize(
    ("outcome", "hardening", "after", "control", "selected", "why"),
    [
        (DONE, said(), Verdict.FAIL, replace(FIX, fix_variable=None), (), ReasonCode.REPORT_ONLY),
        (DONE, said(), Verdict.FAIL, FIX, (), ReasonCode.NOT_SELECTED),
        (
            DONE,
            said(skipped=(SkippedChange("c", "mount", "/tmp", "in_container"),)),
            Verdict.FAIL,
            FIX,
            ("c",),
            ReasonCode.IN_CONTAINER,
        ),
        (
            HostOutcome("h1", HostState.FAILED, Reason(ReasonCode.GUARD_REVERTED)),
            said(DID, guard=GuardReport(GuardState.REVERTED), problem=ReasonCode.GUARD_REVERTED),
            Verdict.FAIL,
            FIX,
            ("c",),
            ReasonCode.GUARD_REVERTED,
        ),
        (
            HostOutcome("h1", HostState.NOT_STARTED, Reason(ReasonCode.DRIFTED_SINCE_PLAN)),
            said(DID, applied=False),
            None,
            FIX,
            ("c",),
            ReasonCode.DRIFTED_SINCE_PLAN,
        ),
        (DONE, said(), Verdict.FAIL, FIX, ("c",), ReasonCode.NOT_AS_EXPECTED),
        (DONE, said(), Verdict.UNKNOWN, FIX, ("c",), ReasonCode.NOT_AS_EXPECTED),
    ],
)
def test_a_control_that_does_not_pass_says_why_not(
    outcome: HostOutcome,
    hardening: HostHardening,
    after: Verdict | None,
    control: Control,
    selected: tuple[str, ...],
    why: str,
) -> None:
    result = only(outcome, hardening, pair(Verdict.FAIL, after), control, selected)

    assert result.why_not == why


def test_a_waived_control_keeps_the_reason_of_its_finding() -> None:
    waived = VerificationPair(judged(Verdict.FAIL), judged(Verdict.WAIVED, "waived_until"))

    assert only(DONE, said(), waived).why_not == "waived_until"


def test_a_control_that_is_not_meant_for_the_host_is_left_out() -> None:
    pairs = pair(Verdict.NOT_APPLICABLE, Verdict.NOT_APPLICABLE)

    assert prove(DONE, said(), pairs, {"c": FIX}, ()) == ()
