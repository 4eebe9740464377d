"""Verdicts of each verification in few bytes, for drift and the standing of agencies"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_BATCH = 200


def upgrade() -> None:
    op.create_table(
        "verdict_sheets",
        sa.Column("verification_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("collected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verdicts", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["verification_id"], ["verifications.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("verification_id"),
    )
    op.create_index("verdict_sheets_by_host", "verdict_sheets", ["host", "verification_id"], unique=False)
    op.create_index(
        "verifications_by_time",
        "verifications",
        ["collected_at", "host", "passed", "failed", "waived", "not_applicable", "unknown"],
        unique=False,
    )
    _fill(op.get_bind())


def _fill(connection: sa.Connection) -> None:
    """Take over the verdicts of what was verified before; a few at a time, for their rows are large."""
    verifications = sa.table(
        "verifications",
        sa.column("id"),
        sa.column("host"),
        sa.column("collected_at", sa.DateTime(timezone=True)),
        sa.column("findings"),
    )
    sheets = sa.table(
        "verdict_sheets",
        sa.column("verification_id"),
        sa.column("host"),
        sa.column("collected_at", sa.DateTime(timezone=True)),
        sa.column("verdicts"),
    )
    last = 0
    while True:
        query = verifications.select().where(verifications.c.id > last).order_by(verifications.c.id)
        rows = connection.execute(query.limit(_BATCH)).all()
        if not rows:
            return
        last = rows[-1].id
        connection.execute(
            sheets.insert(),
            [
                {
                    "verification_id": row.id,
                    "host": row.host,
                    "collected_at": row.collected_at,
                    "verdicts": _verdicts(row.findings),
                }
                for row in rows
            ],
        )


def _verdicts(findings: str) -> str:
    items = json.loads(findings)["items"]
    return json.dumps({item["control_id"]: item["verdict"] for item in items}, separators=(",", ":"))
