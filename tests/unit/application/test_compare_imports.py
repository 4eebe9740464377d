"""Ours beside theirs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from khien.application.compare_imports import Agreement, compare
from khien.domain.finding import Finding, Verdict
from khien.domain.imported import ImportedResult, Said
from tests.fakes.province import make_control

CONTROL = replace(
    make_control("root_off", "Root is off", "Tắt root", "high"),
    references={
        "ssg": ("sshd_disable_root_login",),
        "stig_rhel9": ("RHEL-09-255045",),
        "cis_rhel9": ("5.1.20",),
    },
)


@pytest.mark.parametrize(
    ("ours", "theirs", "agreement"),
    [
        (Verdict.PASS, Said.PASS, Agreement.AGREE),
        (Verdict.PASS, Said.FAIL, Agreement.DIFFER),
        (Verdict.FAIL, Said.PASS, Agreement.DIFFER),
        (Verdict.WAIVED, Said.FAIL, Agreement.DIFFER),
        (Verdict.NOT_APPLICABLE, Said.NOT_APPLICABLE, Agreement.AGREE),
        (Verdict.PASS, Said.NOT_ASSESSED, Agreement.ONLY_OURS),
        (Verdict.PASS, Said.UNKNOWN, Agreement.ONLY_OURS),
        (Verdict.UNKNOWN, Said.PASS, Agreement.ONLY_THEIRS),
        (None, Said.FAIL, Agreement.ONLY_THEIRS),
        (Verdict.UNKNOWN, Said.UNKNOWN, Agreement.NEITHER),
    ],
)
def test_an_unknown_never_agrees_with_anything(
    ours: Verdict | None, theirs: Said, agreement: Agreement
) -> None:
    findings = [Finding("root_off", ours, "x")] if ours else []

    (row,) = compare(findings, [ImportedResult("sshd_disable_root_login", theirs, "w")], [CONTROL])

    assert (row.control_id, row.ours, row.agreement) == ("root_off", ours, agreement)


def test_other_ids_of_a_rule_lead_to_the_control_and_numbers_of_a_book_do_not() -> None:
    by_stig = ImportedResult("os-1", Said.PASS, "passed", identifiers=("RHEL-09-255045",))
    by_number = ImportedResult("5.1.20", Said.PASS, "passed")

    assert [row.result.rule for row in compare([], [by_stig, by_number], [CONTROL])] == ["os-1"]


def test_differences_come_first() -> None:
    other = replace(make_control("a", "A", "A", "low"), references={"ssg": ("aa",)})
    findings = [Finding("a", Verdict.PASS, "x"), Finding("root_off", Verdict.PASS, "x")]
    results = [
        ImportedResult("aa", Said.PASS, "pass"),
        ImportedResult("sshd_disable_root_login", Said.FAIL, "fail"),
    ]

    rows = compare(findings, results, [other, CONTROL])

    assert [row.agreement for row in rows] == [Agreement.DIFFER, Agreement.AGREE]
