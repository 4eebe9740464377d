"""The port that remembers what hardening would do, did and took back, and who approved it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from khien.domain.hardening import HardenReport, HostHardening, UndoReport
from khien.domain.prediction import Approval
from khien.domain.proof import VerificationPair
from khien.domain.run import RunId


class HardeningStore(Protocol):
    """Remembers reports of hardening and undo, and approvals."""

    def record_hardening(self, run_id: RunId, host: str, report: HardenReport, at: datetime) -> None:
        """Store what one area of a host said; an area may speak several times in a run."""
        ...

    def hardening(self, run_id: RunId) -> Mapping[str, HostHardening]:
        """Return what each host of a run said, by host; hosts that said nothing are missing."""
        ...

    def record_undo(self, run_id: RunId, host: str, report: UndoReport, at: datetime) -> None:
        """Store what a host said about an undo."""
        ...

    def undo_reports(self, run_id: RunId) -> Mapping[str, UndoReport]:
        """Return what each host said in a run that undoes."""
        ...

    def verification_pairs(self, run_id: RunId) -> Mapping[str, VerificationPair]:
        """Return the first and the last judgement of each host that a run verified; without evidence."""
        ...

    def approve(self, approval: Approval) -> None:
        """Record an approval; it takes the place of an earlier one of the same run."""
        ...

    def approval(self, run_id: RunId) -> Approval | None:
        """Return who approved what a run predicted, and when."""
        ...
