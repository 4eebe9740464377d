"""What all exchange formats share: stable ids, moments, and cells that no spreadsheet executes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid5

from khien.application.exchange import ExchangeHost
from khien.domain.text import safe_text

_NAMESPACE = UUID("8f0d6c1e-3b0e-5e7a-9a64-6b6869656e01")
"""Ours alone: the ids of two exports of the same thing are equal, and equal to nobody else's."""


def stable_id(*parts: str) -> str:
    """Return the UUID of a thing that these words name; the same words give the same id, for ever."""
    return str(uuid5(_NAMESPACE, "\x1f".join(parts)))


def verification_id(host: ExchangeHost) -> str:
    """Return a word for the verification that the host's findings are from."""
    return host.run or utc(host.verified_at) or "none"


def utc(at: datetime | None) -> str:
    """Write a moment as ISO 8601 in UTC, to the second; empty when there is none."""
    return at.replace(microsecond=0).isoformat().replace("+00:00", "Z") if at else ""


def cell(value: object) -> str | int | float | None:
    """Return a value for a cell; a text that would be taken for a formula begins with an apostrophe."""
    if value is None or isinstance(value, int | float):
        return value
    raw = str(value)
    text = safe_text(raw)
    # A tab or a line break in front is lost by making the text plain; it was put there to hide what follows.
    return "'" + text if raw[:1] in ("\t", "\r", "\n") or text[:1] in ("=", "+", "-", "@") else text
