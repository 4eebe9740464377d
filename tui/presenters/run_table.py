"""Runs and the hosts of a run: rows, order, progress and words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from khien.application.labels import run_label
from khien.application.wording import advise, describe
from khien.domain.finding import VerdictCounts
from khien.domain.packages import PatchReport
from khien.domain.run import RETRIABLE, HostOutcome, HostState, Run
from khien.domain.text import safe_text
from khien.i18n import _
from tui.presenters import marks
from tui.presenters.cell import Cell, Piece, Tone, bar, plain
from tui.presenters.changes import report_words
from tui.presenters.columns import Column
from tui.presenters.findings import counts_words
from tui.presenters.moments import age, clock, duration, moment
from tui.presenters.words import number, of_total

STATE_ORDER = (
    HostState.FAILED,
    HostState.UNREACHABLE,
    HostState.UNKNOWN,
    HostState.NOT_STARTED,
    HostState.RUNNING,
    HostState.WAITING,
    HostState.CHANGED,
    HostState.OK,
    HostState.SKIPPED,
)


def progress(run: Run, width: int) -> Cell:
    """Draw how many of a run's hosts have an outcome."""
    bad = any(run.counts.get(state) for state in (HostState.FAILED, HostState.UNREACHABLE))
    tone = Tone.WARN if bad else Tone.GOOD if run.state.is_final else Tone.ACCENT
    done = of_total(run.done, run.total)
    return (*bar(run.done, run.total, width, tone), Piece(f" {done}", Tone.STRONG))


def state_counts(run: Run) -> Cell:
    """Count a run's hosts by state; states without a host are left out."""
    pieces: list[Piece] = []
    for state in STATE_ORDER:
        if count := run.counts.get(state, 0):
            if pieces:
                pieces.append(Piece("  "))
            pieces += marks.host_state_count(state, number(count))
    return tuple(pieces)


def bad_counts(run: Run) -> Cell:
    """Count only what needs attention; a good run says so in a word."""
    pieces: list[Piece] = []
    for state in STATE_ORDER:
        if state in RETRIABLE and (count := run.counts.get(state, 0)):
            pieces += [*marks.host_state_count(state, number(count)), Piece("  ")]
    if not pieces and run.state.is_final:
        return (Piece("–", Tone.DIM),)
    return tuple(pieces)


def run_times(run: Run, now: datetime) -> str:
    """Say when a run began and how long it took or has been going."""
    start = run.started_at or run.created_at
    length = duration((run.ended_at or now) - start)
    return f"{moment(start)}  ·  {length}"


def run_head(run: Run, now: datetime, width: int) -> tuple[Cell, ...]:
    """Say how a run stands: what, in which state, how far, hosts by state, and why it ended so."""
    who = _("asked for by {person}").format(person=safe_text(run.requested_by, 40))
    what: Cell = (
        Piece(run_label(run), Tone.STRONG),
        Piece("  "),
        *marks.run_state(run.state),
        Piece(f"  ·  {run_times(run, now)}  ·  {who}", Tone.DIM),
    )
    if run.parent:
        what = (*what, Piece("  ·  " + _("retries {run}").format(run=run.parent), Tone.DIM))
    room = max(10, min(40, width // 5))
    lines: list[Cell] = [what, (*progress(run, room), Piece("   "), *state_counts(run))]
    if why := describe(run.reason):
        lines.append((Piece(why, Tone.WARN), Piece("  " + advise(run.reason), Tone.DIM)))
    return tuple(lines)


def run_columns(now: datetime) -> tuple[Column[Run], ...]:
    """Lay out the columns of the list of runs."""
    return (
        Column("started", _("Started"), lambda r: _when(r, now), 16, 24, 85),
        Column("verb", _("Run"), lambda r: plain(run_label(r), Tone.STRONG), 10, 22, 95),
        Column("state", _("State"), lambda r: marks.run_state(r.state), 13, 17, 100),
        Column("progress", _("Hosts"), lambda r: progress(r, 6), 13, 18, 90),
        Column("bad", _("Needs attention"), bad_counts, 10, 44, 70, grows=True),
        Column("by", _("By"), lambda r: plain(r.requested_by, Tone.DIM), 8, 14, 30),
        Column("id", _("Id"), lambda r: plain(r.id, Tone.DIM), 20, 21, 20),
    )


def _when(run: Run, now: datetime) -> Cell:
    start = run.started_at or run.created_at
    return (Piece(moment(start)), Piece(f"  {age(now, start)}", Tone.DIM))


def elapsed(outcome: HostOutcome, now: datetime) -> str:
    """Say how long a host took or has been at work."""
    if outcome.started_at is None:
        return ""
    return duration((outcome.ended_at or now) - outcome.started_at)


def outcome_columns(outcomes: Sequence[HostOutcome], now: datetime) -> tuple[Column[HostOutcome], ...]:
    """Lay out the columns of the hosts of a run."""
    longest = min(40, max((len(outcome.host) for outcome in outcomes), default=10))
    return (
        Column("host", _("Host"), lambda o: plain(o.host, Tone.STRONG), 18, longest, 100),
        Column("state", _("State"), lambda o: marks.host_state(o.state), 11, 15, 95),
        Column("elapsed", _("Time"), lambda o: plain(elapsed(o, now), Tone.DIM), 6, 8, 70, right=True),
        Column("why", _("Task or reason"), outcome_words, 16, 40, 80, grows=True),
    )


def outcome_words(outcome: HostOutcome) -> Cell:
    """Say why a host ended as it did, or what it is at."""
    if why := describe(outcome.reason):
        return (Piece(why, Tone.PLAIN if outcome.state in RETRIABLE else Tone.DIM),)
    return plain(outcome.task, Tone.DIM)


def outcome_order(outcomes: Sequence[HostOutcome], *, failed_first: bool) -> tuple[HostOutcome, ...]:
    """Put what needs attention first, or go by name."""
    if not failed_first:
        return tuple(sorted(outcomes, key=lambda o: o.host))
    return tuple(sorted(outcomes, key=lambda o: (STATE_ORDER.index(o.state), o.host)))


def outcome_detail(
    outcome: HostOutcome, run: Run, report: PatchReport | None, counts: VerdictCounts | None, now: datetime
) -> tuple[Cell, ...]:
    """Say all about one host of a run."""
    lines: list[Cell] = [
        (Piece(safe_text(outcome.host), Tone.STRONG),),
        (*marks.host_state(outcome.state), Piece(f"   {elapsed(outcome, now)}", Tone.DIM)),
        (),
    ]
    if outcome.started_at:
        end = f" – {clock(outcome.ended_at)}" if outcome.ended_at else ""
        lines.append((Piece(clock(outcome.started_at) + end, Tone.DIM),))
    if outcome.task:
        lines += [(Piece(_("Task:"), Tone.ACCENT), Piece(" " + safe_text(outcome.task))), ()]
    if why := describe(outcome.reason):
        lines += [(Piece(_("Why:"), Tone.ACCENT), Piece(f" {why}"))]
        if advice := advise(outcome.reason):
            lines.append((Piece(_("What to do:"), Tone.ACCENT), Piece(f" {advice}", Tone.DIM)))
        lines.append(())
    if counts is not None:
        lines += [counts_words(counts), ()]
    if report is not None:
        lines += report_words(report, check=run.is_check)
    return tuple(lines)


def retriable(outcomes: Sequence[HostOutcome]) -> tuple[tuple[HostState, int], ...]:
    """Count the hosts that a retry could take, by state."""
    counted = (
        (state, sum(o.state is state for o in outcomes)) for state in STATE_ORDER if state in RETRIABLE
    )
    return tuple((state, count) for state, count in counted if count)
