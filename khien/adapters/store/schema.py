"""The tables of the store as SQLAlchemy sees them; migrations bring a database to this shape."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

REVISION = "0005"
"""The migration that makes exactly these tables; a test holds the two together."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment in UTC; SQLite, which knows no zones, gets it as naive UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware moment into what the database keeps."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a zone must not reach the store")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ANN401, ARG002
        """Turn what the database kept into an aware moment."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


metadata = sa.MetaData()

# SQLite numbers rows by itself only for INTEGER keys.
_ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_RUN_ID = sa.String(40)
_NAME = sa.String(255)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", _RUN_ID, primary_key=True),
    sa.Column("verb", sa.String(20), nullable=False),
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("requested_by", _NAME, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False, index=True),
    sa.Column("started_at", UtcDateTime),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("cancel_requested_at", UtcDateTime),
    sa.Column("parent", _RUN_ID),
    sa.Column("plan_hash", sa.String(64), nullable=False),
    sa.Column("options", sa.Text, nullable=False),
    sa.Column("plan", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("process", sa.Text),
)

run_hosts = sa.Table(
    "run_hosts",
    metadata,
    sa.Column("run_id", _RUN_ID, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("host", _NAME, primary_key=True),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("task", sa.Text, nullable=False, default=""),
    sa.Column("changed_tasks", sa.Integer, nullable=False, default=0),
    sa.Column("started_at", UtcDateTime),
    sa.Column("ended_at", UtcDateTime),
    sa.Index("run_hosts_by_host", "host", "run_id"),
)

journal = sa.Table(
    "journal",
    metadata,
    sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True),
    sa.Column("run_id", _RUN_ID, sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    sa.Column("host", _NAME, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Index("journal_by_run", "run_id", "host"),
)

log_lines = sa.Table(
    "log_lines",
    metadata,
    sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True),
    sa.Column("run_id", _RUN_ID, sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    sa.Column("host", _NAME, nullable=False),
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Index("log_lines_by_host", "run_id", "host", "id"),
)

hosts = sa.Table(
    "hosts",
    metadata,
    sa.Column("name", _NAME, primary_key=True),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("facts", sa.Text),
    sa.Column("seen_at", UtcDateTime),
    sa.Column("verified_at", UtcDateTime),
    sa.Column("verification_id", _ROW_ID),
    sa.Column("basis", sa.String(64)),
    sa.Column("passed", sa.Integer),
    sa.Column("failed", sa.Integer),
    sa.Column("waived", sa.Integer),
    sa.Column("not_applicable", sa.Integer),
    sa.Column("unknown", sa.Integer),
    sa.Column("updates", sa.Text),
    sa.Column("pending_security", sa.Integer),
    sa.Column("reboot_needed", sa.Boolean),
    sa.Column("last_run", _RUN_ID),
    sa.Column("last_verb", sa.String(20)),
    sa.Column("last_state", sa.String(20)),
    sa.Column("last_reason", sa.Text),
)

verifications = sa.Table(
    "verifications",
    metadata,
    sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True),
    sa.Column("run_id", _RUN_ID, sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    sa.Column("host", _NAME, nullable=False),
    sa.Column("collected_at", UtcDateTime, nullable=False),
    sa.Column("observations", sa.Text, nullable=False),
    sa.Column("findings", sa.Text, nullable=False),
    sa.Column("passed", sa.Integer, nullable=False),
    sa.Column("failed", sa.Integer, nullable=False),
    sa.Column("waived", sa.Integer, nullable=False),
    sa.Column("not_applicable", sa.Integer, nullable=False),
    sa.Column("unknown", sa.Integer, nullable=False),
    sa.Index("verifications_by_host", "host", "run_id"),
    sa.Index("verifications_by_run", "run_id"),
    # Holds all that a trend needs, so that the large answers beside it are not read.
    sa.Index(
        "verifications_by_time",
        *("collected_at", "host", "passed", "failed", "waived", "not_applicable", "unknown"),
    ),
)

verdict_sheets = sa.Table(
    "verdict_sheets",
    metadata,
    sa.Column(
        "verification_id", _ROW_ID, sa.ForeignKey("verifications.id", ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("host", _NAME, nullable=False),
    sa.Column("collected_at", UtcDateTime, nullable=False),
    sa.Column("verdicts", sa.Text, nullable=False),
    sa.Index("verdict_sheets_by_host", "host", "verification_id"),
)

patch_reports = sa.Table(
    "patch_reports",
    metadata,
    sa.Column("run_id", _RUN_ID, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("host", _NAME, primary_key=True),
    sa.Column("stage", sa.String(20), primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("report", sa.Text, nullable=False),
    sa.Index("patch_reports_by_host", "host", "run_id"),
)

harden_reports = sa.Table(
    "harden_reports",
    metadata,
    sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True),
    sa.Column("run_id", _RUN_ID, sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    sa.Column("host", _NAME, nullable=False),
    sa.Column("area", _NAME, nullable=False),
    sa.Column("stage", sa.String(20), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("skipped", sa.Text, nullable=False),
    sa.Column("guard", sa.Text, nullable=False),
    sa.Column("problem", sa.String(40), nullable=False),
    sa.Column("problem_detail", sa.Text, nullable=False),
    sa.Index("harden_reports_by_run", "run_id", "host"),
    sa.Index("harden_reports_by_host", "host", "run_id"),
)

harden_changes = sa.Table(
    "harden_changes",
    metadata,
    sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True),
    sa.Column(
        "report_id",
        _ROW_ID,
        sa.ForeignKey("harden_reports.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    sa.Column("control", _NAME, nullable=False, index=True),
    sa.Column("kind", _NAME, nullable=False),
    sa.Column("thing", sa.Text, nullable=False),
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("after", sa.Text, nullable=False),
)

undo_reports = sa.Table(
    "undo_reports",
    metadata,
    sa.Column("run_id", _RUN_ID, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("host", _NAME, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("report", sa.Text, nullable=False),
)

plan_approvals = sa.Table(
    "plan_approvals",
    metadata,
    sa.Column("run_id", _RUN_ID, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("approved_by", _NAME, nullable=False),
    sa.Column("approved_at", UtcDateTime, nullable=False),
)

imports = sa.Table(
    "imports",
    metadata,
    sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True),
    sa.Column("host", _NAME, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("tool", sa.Text, nullable=False),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("collected_at", UtcDateTime, nullable=False),
    sa.Column("imported_at", UtcDateTime, nullable=False),
    sa.Column("score", sa.Text, nullable=False),
    sa.Column("counts", sa.Text, nullable=False),
    sa.Column("results", sa.Text, nullable=False),
    sa.Index("imports_by_host", "host", "collected_at"),
    sa.Index("imports_by_file", "host", "sha256", "position", unique=True),
)

host_locks = sa.Table(
    "host_locks",
    metadata,
    sa.Column("host", _NAME, primary_key=True),
    sa.Column("run_id", _RUN_ID, nullable=False, index=True),
    sa.Column("process", sa.Text, nullable=False),
)
