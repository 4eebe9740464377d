"""The fleet as a table: cells, order, groups and totals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from khien.application.labels import host_state_label
from khien.domain.fleet import HostStatus
from khien.domain.host import HostRole
from khien.domain.run import HostState
from khien.i18n import _
from tui.presenters import marks
from tui.presenters.cell import Cell, Piece, Tone, bar, plain
from tui.presenters.columns import Column, Group
from tui.presenters.host_query import Moment, Query, Searchable, fold, is_compliant, is_stale, searchable
from tui.presenters.moments import age
from tui.presenters.words import number, of_total

_BAR = 6
_NEVER = datetime.min.replace(tzinfo=UTC)


def agency_words(status: HostStatus) -> str:
    """Name the agency of a host as people know it."""
    return status.host.agency_name or status.host.agency or _("no agency")


def role_label(role: HostRole) -> str:
    """Name a role."""
    return _("server") if role is HostRole.SERVER else _("workstation")


def compliance(status: HostStatus, at: Moment) -> Cell:
    """Show passed of applicable controls; never verified and too long ago are said, not hidden."""
    counts = status.counts
    if counts is None:
        return (Piece("? " + _("never verified"), Tone.WARN),)
    if not counts.applicable:
        return (Piece("– " + _("nothing applies"), Tone.DIM),)
    good = counts.passed == counts.applicable
    symbol, tone = ("✓", Tone.GOOD) if good else ("✗", Tone.BAD) if counts.failed else ("?", Tone.WARN)
    stale = is_stale(status, at)
    if stale:
        symbol, tone = "!", Tone.WARN
    figure = f"{symbol} {of_total(counts.passed, counts.applicable):<6}"
    cell = (Piece(figure, tone), *bar(counts.passed, counts.applicable, _BAR, tone))
    if stale and status.verified_at:
        old = _("{age} old").format(age=age(at.now, status.verified_at))
        return (Piece(figure, tone), Piece(old, Tone.WARN))
    return cell


def updates(status: HostStatus) -> Cell:
    """Show how many security updates wait."""
    if status.pending_security is None:
        return (Piece("?", Tone.DIM),)
    if not status.pending_security:
        return (Piece("0", Tone.DIM),)
    return (Piece(number(status.pending_security), Tone.WARN),)


def reboot(status: HostStatus) -> Cell:
    """Show whether a restart is due."""
    if status.reboot_needed is None:
        return (Piece("?", Tone.DIM),)
    return (Piece("↻ " + _("needed"), Tone.WARN),) if status.reboot_needed else (Piece(_("no"), Tone.DIM),)


def seen(status: HostStatus, at: Moment) -> Cell:
    """Show how long ago the host last answered."""
    if status.seen_at is None:
        return (Piece(_("never"), Tone.WARN),)
    old = at.now - status.seen_at > at.stale_after
    return (Piece(age(at.now, status.seen_at), Tone.WARN if old else Tone.PLAIN),)


def last_run(status: HostStatus) -> Cell:
    """Show how the last run ended here."""
    return marks.host_state(status.last_state) if status.last_state else (Piece(_("none"), Tone.DIM),)


def host_name(status: HostStatus) -> Cell:
    """Show the name; a host that left the inventory says so."""
    if status.in_inventory:
        return plain(status.host.name, Tone.STRONG)
    return (*plain(status.host.name, Tone.DIM), Piece(" " + _("(not in the inventory)"), Tone.DIM))


SORTS: Mapping[str, Callable[[Searchable], tuple[object, ...]]] = {
    "host": lambda s: (s.name,),
    "agency": lambda s: (s.agency, s.name),
    "role": lambda s: (s.status.host.role.value, s.name),
    "compliance": lambda s: (_ratio(s.status), s.name),
    "updates": lambda s: (-_known(s.status.pending_security), s.name),
    "reboot": lambda s: (-_known(s.status.reboot_needed), s.name),
    "seen": lambda s: (s.status.seen_at or _NEVER, s.name),
    "last": lambda s: (_LAST_FIRST.get(s.status.last_state, 99), s.name),
}
"""How each column orders hosts: what needs attention comes first."""
_LAST_FIRST: Mapping[HostState | None, int] = {
    state: place
    for place, state in enumerate(
        (
            HostState.RUNNING,
            HostState.FAILED,
            HostState.UNREACHABLE,
            HostState.UNKNOWN,
            HostState.NOT_STARTED,
            HostState.WAITING,
            HostState.CHANGED,
            HostState.OK,
            HostState.SKIPPED,
        )
    )
}


def _ratio(status: HostStatus) -> float:
    if status.counts is None:
        return -1.0
    return 2.0 if status.counts.ratio is None else status.counts.ratio


def _known(value: int | None) -> int:
    return -1 if value is None else int(value)


def fleet_columns(hosts: Sequence[Searchable], at: Moment) -> tuple[Column[Searchable], ...]:
    """Lay out the columns for these hosts."""
    longest = min(40, max((len(host.status.host.name) for host in hosts), default=10))
    agency = min(34, max((len(agency_words(host.status)) for host in hosts), default=10))
    role = max(len(role_label(role)) for role in HostRole)
    state = max(len(host_state_label(state)) for state in HostState) + 2
    never = len(_("never verified")) + 2
    return (
        Column("host", _("Host"), lambda s: host_name(s.status), 16, longest, 100),
        Column("agency", _("Agency"), lambda s: plain(agency_words(s.status)), 12, agency, 40),
        Column("role", _("Role"), lambda s: plain(role_label(s.status.host.role), Tone.DIM), role, role, 20),
        Column("compliance", _("Compliance"), lambda s: compliance(s.status, at), 16, max(16, never), 90),
        Column("updates", _("Updates"), lambda s: updates(s.status), 7, 8, 80, right=True),
        Column("reboot", _("Reboot"), lambda s: reboot(s.status), 8, len(_("needed")) + 2, 60),
        Column("seen", _("Seen"), lambda s: seen(s.status, at), 6, 7, 50, right=True),
        Column("last", _("Last run"), lambda s: last_run(s.status), 11, state, 70),
    )


@dataclass(frozen=True, slots=True)
class FleetOrder:
    """In which order and grouping hosts are shown."""

    column: str = "host"
    backwards: bool = False
    grouped: bool = False


def prepare(fleet: Sequence[HostStatus]) -> tuple[Searchable, ...]:
    """Prepare the fleet for many searches."""
    return tuple(searchable(status) for status in fleet)


def ordered(hosts: Sequence[Searchable], order: FleetOrder) -> tuple[Searchable, ...]:
    """Put hosts in order."""
    rows = sorted(hosts, key=SORTS[order.column], reverse=order.backwards)
    if order.grouped:
        rows.sort(key=lambda host: (not host.status.host.agency, fold(agency_words(host.status))))
    return tuple(rows)


def chosen(hosts: Sequence[Searchable], query: Query, at: Moment) -> tuple[Searchable, ...]:
    """Return the hosts that pass the filter, in the order given."""
    if not query.tests:
        return tuple(hosts)
    return tuple(host for host in hosts if query.matches(host, at))


def grouped(hosts: Sequence[Searchable], at: Moment) -> tuple[Searchable | Group, ...]:
    """Put a line above the hosts of each agency; they must be ordered so."""
    lines: list[Searchable | Group] = []
    for words, members in groupby(hosts, key=lambda host: agency_words(host.status)):
        own = tuple(members)
        names = tuple(host.status.host.name for host in own)
        figures = totals([host.status for host in own], at, brief=True)
        title = (*plain(words, Tone.STRONG), Piece("  "), *figures)
        lines.append(Group(f"agency {words}", title, names))
        lines.extend(own)
    return tuple(lines)


def totals(fleet: Sequence[HostStatus], at: Moment, *, brief: bool = False) -> Cell:
    """Count a fleet, each figure with its denominator; briefly, without what no host has."""
    total = len(fleet)
    good = sum(is_compliant(status, at) for status in fleet)
    never = sum(status.counts is None for status in fleet)
    stale = sum(is_stale(status, at) for status in fleet)
    behind = sum(bool(status.pending_security) for status in fleet)
    restart = sum(bool(status.reboot_needed) for status in fleet)
    figures = [
        (_("compliant {n}"), good, Tone.GOOD if good == total else Tone.PLAIN),
        (_("never verified {n}"), never, Tone.WARN if never else Tone.DIM),
        (_("stale {n}"), stale, Tone.WARN if stale else Tone.DIM),
        (_("with updates {n}"), behind, Tone.WARN if behind else Tone.DIM),
        (_("reboot {n}"), restart, Tone.WARN if restart else Tone.DIM),
    ]
    cell: list[Piece] = []
    for place, (words, count, tone) in enumerate(figures):
        if brief and place and not count:
            continue
        if cell:
            cell.append(Piece(" · ", Tone.DIM))
        cell.append(Piece(words.format(n=of_total(count, total)), tone))
    return tuple(cell)
