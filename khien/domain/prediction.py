"""A prediction as something one approves: its hash, and what became different since."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from khien.domain.hardening import Change, HostHardening
from khien.domain.plan import Plan
from khien.domain.run import Run, RunId

SCHEMA = "khien.prediction/1"


@dataclass(frozen=True, slots=True)
class Approval:
    """Somebody approved what a check-mode run predicted."""

    run: RunId
    hash: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """What a check-mode run predicted, and whether it may be applied."""

    run: Run
    hash: str
    """Over hosts, selection and predicted changes."""
    predictions: Mapping[str, HostHardening]
    """By host; hosts that could not be asked are missing."""
    approval: Approval | None = None

    @property
    def is_approved(self) -> bool:
        """Whether somebody approved exactly this."""
        return self.approval is not None and self.approval.hash == self.hash

    @property
    def changes(self) -> int:
        """How many things would be changed, on all hosts."""
        return sum(len(one.predicted_changes) for one in self.predictions.values())


@dataclass(frozen=True, slots=True)
class Drift:
    """How a fresh prediction differs from the approved one."""

    gone: tuple[Change, ...] = ()
    """Approved, and no longer predicted."""
    new: tuple[Change, ...] = ()
    """Predicted, and never approved."""

    def __bool__(self) -> bool:
        return bool(self.gone or self.new)


def prediction_hash(plan: Plan, predictions: Mapping[str, HostHardening]) -> str:
    """Return a SHA-256 over what would be done to which host, and for which controls."""
    content = {
        "schema": SCHEMA,
        "selection": [[list(one.hosts), list(one.controls), one.level] for one in plan.selection],
        "extra_vars": list(plan.options.extra_vars),
        "hosts": {
            host: [
                [change.control, change.kind, change.thing, change.before, change.after]
                for change in prediction.predicted_changes
            ]
            for host, prediction in predictions.items()
        },
    }
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def find_drift(approved: Iterable[Change], fresh: Iterable[Change], *, partly_done: bool = False) -> Drift:
    """Return how a host's fresh prediction differs from the approved one; false when it does not.

    Args:
        approved: what was predicted and approved.
        fresh: what is predicted now.
        partly_done: an earlier run may have applied a part of it already, so that what is gone is no drift.
    """
    before, now = Counter(approved), Counter(fresh)
    gone = tuple(sorted((before - now).elements()))
    return Drift(() if partly_done else gone, tuple(sorted((now - before).elements())))
