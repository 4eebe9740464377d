"""What a run will do, as a value: printed, stored, hashed, approved, then executed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import datetime

from khien.domain.run import Reason, RunId, RunOptions, Verb
from khien.domain.selection import Selection

SCHEMA = "khien.plan/1"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A host that the request names and the plan does not touch."""

    host: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class ApprovedPlan:
    """The prediction that somebody approved and a run applies."""

    run: RunId
    """The check-mode run that made the prediction."""
    hash: str
    """What was approved: khien.domain.prediction.prediction_hash."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The hosts of one run, and those left out with the reason."""

    verb: Verb
    options: RunOptions
    hosts: tuple[str, ...]
    """Sorted by name."""
    created_at: datetime
    left_out: tuple[LeftOut, ...] = ()
    parent: RunId | None = None
    """The run that this plan retries."""
    selection: tuple[Selection, ...] = ()
    """Which controls the hosts are hardened for; only for harden."""
    approved: ApprovedPlan | None = None
    """The approved prediction; without it nothing is hardened."""
    undoes: RunId | None = None
    """The run whose changes are taken back; only for undo."""
    schema: str = field(default=SCHEMA)

    @property
    def changes_hosts(self) -> bool:
        """Whether executing it may change a host."""
        return self.verb.changes_hosts and not self.options.check

    @property
    def hash(self) -> str:
        """SHA-256 over everything that decides what is done; the time of planning is not part of it."""
        content = asdict(self)
        del content["created_at"]
        canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()
