"""What lies behind a finding, as labelled lines: what was seen and expected, or why nothing was."""

from __future__ import annotations

from dataclasses import dataclass

from khien.application.wording import describe
from khien.domain.finding import Finding, Verdict
from khien.domain.run import Reason
from khien.domain.text import safe_text
from khien.i18n import _

_LONGEST = 600


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """One line of evidence; the text is plain."""

    label: str
    text: str


def evidence_lines(finding: Finding) -> tuple[EvidenceLine, ...]:
    """Say what lies behind a finding; its detail reads `what = seen (expected)`."""
    detail = safe_text(finding.detail, _LONGEST)
    if finding.verdict in (Verdict.PASS, Verdict.FAIL, Verdict.WAIVED):
        seen = (EvidenceLine(_("Seen (expected):"), detail),) if detail else ()
        return (*seen, *_waiver_lines(finding))
    why = EvidenceLine(_("Why:"), describe(Reason(finding.reason)))
    return (why, EvidenceLine(_("Seen:"), detail)) if detail else (why,)


def _waiver_lines(finding: Finding) -> tuple[EvidenceLine, ...]:
    """Say under which waiver a failure stands, or stood until it expired."""
    if finding.excuse is None:
        return ()
    words = {
        "waiver": finding.excuse.waiver,
        "reason": finding.excuse.reason,
        "expires": finding.excuse.expires.isoformat(),
    }
    return (EvidenceLine(_("Waiver:"), describe(Reason(finding.reason, words))),)
