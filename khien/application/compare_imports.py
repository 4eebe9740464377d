"""Ours beside theirs: which of our controls another tool's rule stands for, and whether the two agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from khien.domain.control import Control
from khien.domain.finding import Finding, Verdict
from khien.domain.imported import ImportedResult, Said

_SOURCES = ("ssg", "stig_rhel9", "stig_ubuntu2204", "stig_ubuntu2404")
"""References that name one rule of one tool; numbers of a book are no rule ids."""


class Agreement(StrEnum):
    """How our verdict and another tool's stand to each other."""

    AGREE = "agree"
    DIFFER = "differ"
    """One says pass and the other fail (or we waive what they fail)."""
    ONLY_OURS = "only_ours"
    """They name the rule and do not judge it."""
    ONLY_THEIRS = "only_theirs"
    """We have the control and no verdict on it."""
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One of our controls beside one rule of another tool on the same host."""

    control_id: str
    ours: Verdict | None
    """None: the control was not judged on the host."""
    result: ImportedResult
    agreement: Agreement


def rules_by_control(controls: Iterable[Control]) -> Mapping[str, tuple[str, ...]]:
    """Return the controls that name a rule, by the rule's id."""
    found: dict[str, list[str]] = {}
    for control in controls:
        for source in _SOURCES:
            for rule in control.references.get(source, ()):
                found.setdefault(rule, []).append(control.id)
    return {rule: tuple(dict.fromkeys(ids)) for rule, ids in found.items()}


def compare(
    findings: Iterable[Finding], results: Iterable[ImportedResult], controls: Iterable[Control]
) -> tuple[Comparison, ...]:
    """Put a host's findings beside what another tool said of the same things; differences come first."""
    named = rules_by_control(controls)
    ours = {finding.control_id: finding.verdict for finding in findings}
    rows = []
    for result in results:
        ids = dict.fromkeys(i for rule in (result.rule, *result.identifiers) for i in named.get(rule, ()))
        for control_id in ids:
            verdict = ours.get(control_id)
            rows.append(Comparison(control_id, verdict, result, _agreement(verdict, result.said)))
    order = list(Agreement)
    order.insert(0, order.pop(order.index(Agreement.DIFFER)))
    return tuple(sorted(rows, key=lambda row: (order.index(row.agreement), row.control_id, row.result.rule)))


def _agreement(ours: Verdict | None, theirs: Said) -> Agreement:
    judged = ours in (Verdict.PASS, Verdict.FAIL, Verdict.WAIVED, Verdict.NOT_APPLICABLE)
    said = theirs in (Said.PASS, Said.FAIL, Said.WAIVED, Said.NOT_APPLICABLE)
    if judged and said:
        # The words are the same on both sides; a waiver, like a failure, says that the thing is not so.
        return Agreement.AGREE if ours is not None and ours.value == theirs.value else Agreement.DIFFER
    if judged:
        return Agreement.ONLY_OURS
    return Agreement.ONLY_THEIRS if said else Agreement.NEITHER
