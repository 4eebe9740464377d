"""A control judged on a host."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from khien.domain.observation import Observation


class Verdict(StrEnum):
    """The judgement; each is counted for itself and none stands for another."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    WAIVED = "waived"
    NOT_APPLICABLE = "not_applicable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Excuse:
    """The waiver that a finding stands under, or stood under until it expired."""

    waiver: str
    """Its id."""
    reason: str
    approver: str
    expires: date
    """The last day on which it holds."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One control on one host, with its evidence."""

    control_id: str
    verdict: Verdict
    reason: str
    """A code of khien.domain.reason that says why, with its words in `detail`."""
    detail: str = ""
    """Expected and seen, or why there is no answer: host data, unsafe until passed through safe_text."""
    evidence: tuple[Observation, ...] = ()
    excuse: Excuse | None = None
    """Set when waived, and when the waiver has expired."""


@dataclass(frozen=True, slots=True)
class VerdictCounts:
    """How many controls of a host (or of many) got each verdict; the sum is the denominator."""

    passed: int = 0
    failed: int = 0
    waived: int = 0
    not_applicable: int = 0
    unknown: int = 0

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> VerdictCounts:
        """Count findings by verdict."""
        seen = Counter(finding.verdict for finding in findings)
        return cls(
            passed=seen[Verdict.PASS],
            failed=seen[Verdict.FAIL],
            waived=seen[Verdict.WAIVED],
            not_applicable=seen[Verdict.NOT_APPLICABLE],
            unknown=seen[Verdict.UNKNOWN],
        )

    def __add__(self, other: VerdictCounts) -> VerdictCounts:
        return VerdictCounts(
            self.passed + other.passed,
            self.failed + other.failed,
            self.waived + other.waived,
            self.not_applicable + other.not_applicable,
            self.unknown + other.unknown,
        )

    @property
    def applicable(self) -> int:
        """Controls that count: all but the not applicable ones. Unknown and waived ones stay in."""
        return self.passed + self.failed + self.waived + self.unknown

    @property
    def ratio(self) -> float | None:
        """Passed over applicable, 0 to 1; None when nothing applies."""
        return self.passed / self.applicable if self.applicable else None
