"""Findings as one column: evidence is named, not repeated, because the answers lie beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from khien.adapters.store.codec import decode, encode
from khien.domain.finding import Excuse, Finding, Verdict
from khien.domain.observation import ObservationSet


@dataclass(frozen=True, slots=True)
class _StoredFinding:
    control_id: str
    verdict: Verdict
    reason: str
    detail: str
    probes: tuple[str, ...]
    excuse: Excuse | None = None


@dataclass(frozen=True, slots=True)
class _StoredFindings:
    items: tuple[_StoredFinding, ...]


def encode_findings(findings: Sequence[Finding]) -> str:
    """Return findings as JSON text."""
    items = (
        _StoredFinding(
            f.control_id, f.verdict, f.reason, f.detail, tuple(o.probe_id for o in f.evidence), f.excuse
        )
        for f in findings
    )
    return encode(_StoredFindings, _StoredFindings(tuple(items)))


def decode_findings(text: str, observations: ObservationSet | None = None) -> tuple[Finding, ...]:
    """Return the findings, with their evidence where the answers are given.

    Raises:
        StoreError: the text holds no findings.
    """
    answers = observations.observations if observations else {}
    return tuple(
        Finding(
            control_id=stored.control_id,
            verdict=stored.verdict,
            reason=stored.reason,
            detail=stored.detail,
            evidence=tuple(answers[probe] for probe in stored.probes if probe in answers),
            excuse=stored.excuse,
        )
        for stored in decode(_StoredFindings, text).items
    )
