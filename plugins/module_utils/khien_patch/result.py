"""What a step is asked and what it answers: the report of schema khien.patch/1 and the difference to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

from .plan import Change

SCHEMA = "khien.patch/1"


@dataclass(frozen=True)
class Wishes:
    """What the role's variables ask for."""

    security_origins: tuple[str, ...]
    transaction_id: str
    lock_wait_seconds: int
    lists_timeout_seconds: int
    transaction_limit_seconds: int
    settle_seconds: int
    may_repair: bool


@dataclass(frozen=True)
class Result:
    """What a step has to say."""

    stage: str
    changes: tuple[Change, ...] = ()
    held: tuple[str, ...] = ()
    kept_back: tuple[str, ...] = ()
    reboot: Optional[dict[str, Any]] = None
    transaction: str = ""
    problem: str = ""
    problem_detail: str = ""
    transactions: tuple[str, ...] = ()
    """All transactions whose changes are told here; once the controller has it, they are acknowledged."""
    services: tuple[str, ...] = ()
    """Services that ran before."""

    def report(self) -> dict[str, Any]:
        """Return it in the report's schema."""
        return {
            "schema": SCHEMA,
            "stage": self.stage,
            "changes": [change.as_result() for change in self.changes],
            "held": list(self.held),
            "kept_back": list(self.kept_back),
            "reboot": self.reboot,
            "transaction": self.transaction,
            "problem": self.problem,
            "problem_detail": self.problem_detail,
        }

    def diff(self) -> dict[str, str]:
        """Return the changes as Ansible shows differences."""
        rows = [(change.name, change.from_version, change.to_version) for change in self.changes]
        return {
            "before_header": "installed packages",
            "after_header": "installed packages",
            "before": "".join("{} {}\n".format(name, old) for name, old, _ in rows if old),
            "after": "".join("{} {}\n".format(name, new) for name, _, new in rows if new),
        }
