"""Findings of a host: rows, order, and the words behind one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from khien.application.evidence import evidence_lines
from khien.application.labels import severity_label, verdict_label
from khien.application.wording import advise
from khien.domain.control import Control, Severity
from khien.domain.finding import Finding, Verdict, VerdictCounts
from khien.domain.run import Reason
from khien.domain.text import safe_text
from khien.i18n import _, current_language
from tui.presenters import marks
from tui.presenters.cell import Cell, Piece, Tone, plain
from tui.presenters.columns import Column
from tui.presenters.words import number, of_total

_VERDICTS = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WAIVED, Verdict.PASS, Verdict.NOT_APPLICABLE)
_SEVERITIES = (Severity.HIGH, Severity.MEDIUM, Severity.LOW, None)


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding with its control; none when the control left the catalogue."""

    finding: Finding
    control: Control | None

    @property
    def severity(self) -> Severity | None:
        """How much the control matters."""
        return self.control.severity if self.control else None

    @property
    def title(self) -> str:
        """What the control demands, in the language of now."""
        if self.control is None:
            return self.finding.control_id
        return self.control.title.in_language(current_language())


def finding_rows(
    findings: Sequence[Finding], controls: Mapping[str, Control], *, only_open: bool
) -> tuple[FindingRow, ...]:
    """Return findings, what failed and weighs most first; only open ones leave out what is settled."""
    settled = (Verdict.PASS, Verdict.NOT_APPLICABLE)
    rows = [
        FindingRow(finding, controls.get(finding.control_id))
        for finding in findings
        if not (only_open and finding.verdict in settled)
    ]
    rows.sort(
        key=lambda row: (
            _VERDICTS.index(row.finding.verdict),
            _SEVERITIES.index(row.severity),
            row.finding.control_id,
        )
    )
    return tuple(rows)


def finding_columns() -> tuple[Column[FindingRow], ...]:
    """Lay out the columns of findings."""
    failed = max(9, len(verdict_label(Verdict.FAIL)) + 2)
    weight = max(10, *(len(severity_label(severity)) + 2 for severity in Severity))
    return (
        Column("verdict", _("Verdict"), lambda r: marks.verdict(r.finding.verdict), failed, 16, 90),
        Column("severity", _("Severity"), lambda r: marks.severity(r.severity), weight, 13, 60),
        Column("title", _("Control"), lambda r: plain(r.title, _title_tone(r)), 20, 56, 100, grows=True),
        Column("id", _("Name"), lambda r: plain(r.finding.control_id, Tone.DIM), 20, 32, 40),
    )


def _title_tone(row: FindingRow) -> Tone:
    return Tone.PLAIN if row.finding.verdict in (Verdict.FAIL, Verdict.UNKNOWN) else Tone.DIM


def counts_words(counts: VerdictCounts | None) -> Cell:
    """Count verdicts over all controls that apply."""
    if counts is None:
        return (Piece("? " + _("never verified"), Tone.WARN),)
    total = counts.applicable
    pieces = [Piece(_("passed {n}").format(n=of_total(counts.passed, total)), Tone.GOOD)]
    for words, count, tone in (
        (_("failed {n}"), counts.failed, Tone.BAD),
        (_("unknown {n}"), counts.unknown, Tone.WARN),
        (_("waived {n}"), counts.waived, Tone.WARN),
        (_("not applicable {n}"), counts.not_applicable, Tone.DIM),
    ):
        if count:
            pieces += [Piece("  ·  ", Tone.DIM), Piece(words.format(n=number(count)), tone)]
    return tuple(pieces)


def finding_words(row: FindingRow) -> tuple[Cell, ...]:
    """Say all about a finding: what is demanded, what was seen, why it matters and the way back."""
    control, language = row.control, current_language()
    lines: list[Cell] = [
        (Piece(safe_text(row.title), Tone.STRONG),),
        (*marks.verdict(row.finding.verdict), Piece("   "), *marks.severity(row.severity)),
        (Piece(safe_text(row.finding.control_id), Tone.DIM),),
        (),
    ]
    for line in evidence_lines(row.finding):
        lines += [(Piece(line.label, Tone.ACCENT),), (Piece(line.text),), ()]
    if row.finding.verdict is Verdict.UNKNOWN and (advice := advise(Reason(row.finding.reason))):
        lines += [(Piece(advice, Tone.DIM),), ()]
    if control is None:
        lines.append((Piece(_("This control has left the catalogue."), Tone.DIM),))
        return tuple(lines)
    for label, text in (
        (_("Why it matters:"), control.rationale.in_language(language)),
        (_("What setting it may break:"), control.side_effects.in_language(language)),
        (_("Way back:"), control.way_back.in_language(language)),
    ):
        if text:
            lines += [(Piece(label, Tone.ACCENT),), (Piece(safe_text(text)),), ()]
    if control.fix_variable:
        lines += [
            (Piece(_("Set by:"), Tone.ACCENT), Piece(f" {control.role} · {control.fix_variable}", Tone.DIM)),
        ]
    references = [f"{name} {', '.join(ids)}" for name, ids in sorted(control.references.items())]
    if references:
        lines += [
            (Piece(_("References:"), Tone.ACCENT), Piece(" " + safe_text("; ".join(references)), Tone.DIM))
        ]
    return tuple(lines)
