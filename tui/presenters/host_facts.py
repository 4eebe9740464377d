"""A host's facts and history in words."""

from __future__ import annotations

from khien.application.labels import run_label
from khien.application.wording import describe
from khien.domain.fleet import HostDetail, HostHistoryEntry, HostStatus
from khien.domain.run import Run, RunOptions, RunState
from khien.domain.text import safe_text
from khien.i18n import _, ngettext
from tui.presenters import marks
from tui.presenters.cell import Cell, Piece, Tone, plain
from tui.presenters.columns import Column
from tui.presenters.findings import counts_words
from tui.presenters.fleet_table import agency_words, reboot, role_label, seen, updates
from tui.presenters.host_query import Moment, is_stale
from tui.presenters.moments import age, moment
from tui.presenters.words import number, of_total


def fact_lines(detail: HostDetail, at: Moment) -> tuple[Cell, ...]:
    """Say who a host is and how it stands, in four lines."""
    status = detail.status
    host, facts = status.host, status.facts
    system = facts.os_name if facts and facts.os_name else _("system not known yet")
    level = _("level {n}").format(n=host.level) if host.level else ""
    who = [agency_words(status), role_label(host.role), level, host.site, host.owner, system]
    machine = [facts.kernel, facts.architecture, facts.virtualization] if facts else []
    joined = "  ·  ".join(safe_text(part, 80) for part in (*who, *machine) if part)
    checked: Cell = (Piece(_("Controls") + "  ", Tone.ACCENT), *counts_words(status.counts))
    if status.verified_at:
        old = is_stale(status, at)
        when = _("verified {age} ago").format(age=age(at.now, status.verified_at))
        if old:
            when = _("stale: verified {age} ago").format(age=age(at.now, status.verified_at))
        checked = (*checked, Piece(f"  ·  {when}", Tone.WARN if old else Tone.DIM))
    state: Cell = (
        Piece(_("Updates") + "  ", Tone.ACCENT),
        *updates(status),
        Piece("   " + _("Reboot") + "  ", Tone.ACCENT),
        *reboot(status),
        Piece("   " + _("Seen") + "  ", Tone.ACCENT),
        *seen(status, at),
    )
    lines = [plain(joined, Tone.DIM), checked, (*state, *_unprivileged(status))]
    why = describe(status.last_reason)
    if status.last_state:
        last: Cell = (Piece(_("Last run") + "  ", Tone.ACCENT), *marks.host_state(status.last_state))
        lines.append((*last, Piece(f"  {why}", Tone.DIM)) if why else last)
    return tuple(lines)


def _unprivileged(status: HostStatus) -> Cell:
    if status.facts and not status.facts.privileged:
        return (Piece("   " + _("seen without root"), Tone.WARN),)
    return ()


def entry_label(entry: HostHistoryEntry) -> str:
    """Name what the run of an entry did."""
    options = RunOptions(check=entry.check)
    return run_label(Run(entry.run, entry.verb, RunState.FINISHED, options, "", entry.at, ""))


def entry_result(entry: HostHistoryEntry) -> Cell:
    """Say in a few words what came of it here."""
    if entry.changes:
        count = len(entry.changes)
        words = ngettext("changed {n} package", "changed {n} packages", count)
        if entry.check:
            words = ngettext("would change {n} package", "would change {n} packages", count)
        return (Piece(words.format(n=number(count))),)
    if entry.counts is not None:
        return (Piece(_("passed {n}").format(n=of_total(entry.counts.passed, entry.counts.applicable))),)
    return (Piece(describe(entry.reason), Tone.DIM),)


def history_columns() -> tuple[Column[HostHistoryEntry], ...]:
    """Lay out the columns of a host's history."""
    return (
        Column("at", _("When"), lambda e: plain(moment(e.at)), 16, 16, 90),
        Column("run", _("Run"), lambda e: plain(entry_label(e)), 8, 22, 80),
        Column("state", _("Outcome"), lambda e: marks.host_state(e.state), 11, 16, 100),
        Column("result", _("Result"), entry_result, 12, 40, 70, grows=True),
        Column("id", _("Id"), lambda e: plain(e.run, Tone.DIM), 20, 21, 30),
    )
