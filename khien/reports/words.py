"""How a document words figures, moments and states, in the language chosen for this process."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo

from khien.application.report import Freshness, HostReport
from khien.i18n import _, current_language, ngettext


def number(value: int) -> str:
    """Write a whole number with the thousands separator of the language."""
    text = f"{value:,}"
    return text.replace(",", ".") if current_language() == "vi" else text


def percent(part: int, whole: int) -> str:
    """Write a share; 100% only when nothing is missing and 0% only when nothing is there."""
    if whole <= 0:
        return "—"
    rounded = round(100 * part / whole)
    if part and not rounded:
        return "<1%"
    return f"{min(rounded, 99) if part < whole else rounded}%"


def moment(at: datetime | None, zone: tzinfo | None = None) -> str:
    """Write a moment in a time zone (the machine's own when none is given)."""
    if at is None:
        return "—"
    local = at.astimezone(zone)
    shape = "%d/%m/%Y %H:%M" if current_language() == "vi" else "%Y-%m-%d %H:%M"
    return local.strftime(shape)


def day(of: date) -> str:
    """Write a day."""
    return of.strftime("%d/%m/%Y" if current_language() == "vi" else "%Y-%m-%d")


def zone_name(at: datetime, zone: tzinfo | None = None) -> str:
    """Write which time zone the moments are in: UTC+07:00."""
    offset = at.astimezone(zone).strftime("%z")
    return f"UTC{offset[:3]}:{offset[3:5]}" if offset.strip("+-0") else "UTC"


def duration(span: timedelta) -> str:
    """Write how long something took or how old it is, in its largest fitting unit."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        return ngettext("{n} minute", "{n} minutes", minutes).format(n=minutes)
    hours = minutes // 60
    if hours < 49:
        return ngettext("{n} hour", "{n} hours", hours).format(n=hours)
    days = hours // 24
    return ngettext("{n} day", "{n} days", days).format(n=number(days))


def age(span: timedelta | None) -> str:
    """Write how long ago something was."""
    return _("{duration} ago").format(duration=duration(span)) if span is not None else "—"


def host_state(host: HostReport) -> tuple[str, str]:
    """Return the class and the words for where a host stands."""
    counts = host.counts
    match host.freshness:
        case Freshness.NEVER:
            return "blank", _("Never verified")
        case Freshness.STALE:
            return "old", _("Stale")
        case Freshness.FRESH if counts.failed:
            return "bad", _("Not compliant")
        case Freshness.FRESH if counts.unknown:
            return "blank", _("Not all known")
        case Freshness.FRESH if not counts.applicable:
            return "blank", _("Nothing applies")
        case _:
            return "ok", _("Compliant")
