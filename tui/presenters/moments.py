"""Moments and lengths of time as people read them."""

from __future__ import annotations

from datetime import datetime, timedelta

from khien.i18n import _
from tui.presenters.words import number

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def age(now: datetime, then: datetime) -> str:
    """Say how long ago something was, in its largest unit."""
    seconds = max(0, int((now - then).total_seconds()))
    if seconds < _MINUTE:
        return _("now")
    if seconds < 2 * _HOUR:
        return _("{n} min").format(n=seconds // _MINUTE)
    if seconds < 2 * _DAY:
        return _("{n} h").format(n=seconds // _HOUR)
    return _("{n} d").format(n=number(seconds // _DAY))


def duration(length: timedelta) -> str:
    """Write a length of time as 0:42, 12:05 or 1:02:03."""
    seconds = max(0, int(length.total_seconds()))
    hours, rest = divmod(seconds, _HOUR)
    minutes, seconds = divmod(rest, _MINUTE)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def moment(then: datetime) -> str:
    """Write a moment in the time of this machine."""
    return f"{then.astimezone():%Y-%m-%d %H:%M}"


def clock(then: datetime) -> str:
    """Write the time of day of a moment, in the time of this machine."""
    return f"{then.astimezone():%H:%M:%S}"
