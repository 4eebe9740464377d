"""Moments as other tools write them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple


class Moment(NamedTuple):
    """A moment in UTC, and whether its zone had to be assumed."""

    at: datetime
    zone_assumed: bool


def read_moment(text: str) -> Moment | None:
    """Return an ISO 8601 moment; one without a zone is taken for this machine's time; None: it is none."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return Moment(moment.astimezone(UTC), moment.tzinfo is None)
    except (ValueError, OverflowError, OSError):
        return None
