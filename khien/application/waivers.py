"""What is to be said about waivers: which have ended, which end soon, which cover nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from khien.application.check_inventory import Place, Problem, Severity
from khien.application.labels import scope_label
from khien.domain.host import Host
from khien.domain.waiver import Waiver, WaiverState
from khien.i18n import _, ngettext


def waiver_problems(waivers: Sequence[Waiver], hosts: Sequence[Host], today: date) -> tuple[Problem, ...]:
    """Return what is wrong with waivers that can be read, in the order of the files.

    A waiver that ended or covers no host is an error here; a verification goes on and only warns, because a
    waiver that excuses nothing makes no finding better.
    """
    found = (problem for waiver in waivers for problem in _problems(waiver, hosts, today))
    return tuple(sorted(found, key=_place))


def _place(problem: Problem) -> tuple[str, int]:
    return (str(problem.place.path), problem.place.line) if problem.place else ("", 0)


def expiry_problems(waivers: Sequence[Waiver], today: date) -> tuple[Problem, ...]:
    """Return which waivers have ended and which end soon."""
    return tuple(problem for waiver in waivers for problem in _expiry(waiver, today))


def _problems(waiver: Waiver, hosts: Sequence[Host], today: date) -> Iterator[Problem]:
    yield from _expiry(waiver, today)
    is_over = waiver.state(today) in (WaiverState.EXPIRED, WaiverState.REVOKED)
    if not is_over and not any(waiver.covers(host) for host in hosts):
        yield Problem(
            Place(Path(waiver.file), waiver.line),
            _("The waiver {id} is for {scope}, which matches no host of the inventory.").format(
                id=waiver.id, scope=scope_label(waiver.kind, waiver.scope)
            ),
        )


def _expiry(waiver: Waiver, today: date) -> Iterator[Problem]:
    match waiver.state(today):
        case WaiverState.EXPIRED:
            yield Problem(
                Place(Path(waiver.file), waiver.line),
                _(
                    "The waiver {id} of {control} for {scope} ended on {day}; "
                    "what it excused is a failure again."
                ).format(
                    id=waiver.id,
                    control=waiver.control,
                    scope=scope_label(waiver.kind, waiver.scope),
                    day=waiver.expires,
                ),
            )
        case WaiverState.EXPIRING:
            days = waiver.days_left(today)
            yield Problem(
                Place(Path(waiver.file), waiver.line),
                ngettext(
                    "The waiver {id} of {control} for {scope} ends in {days} day, on {day}.",
                    "The waiver {id} of {control} for {scope} ends in {days} days, on {day}.",
                    days,
                ).format(
                    id=waiver.id,
                    control=waiver.control,
                    scope=scope_label(waiver.kind, waiver.scope),
                    days=days,
                    day=waiver.expires,
                ),
                Severity.WARNING,
            )
        case _:
            return
