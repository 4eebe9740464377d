"""Watches a run from the command line; watching neither drives nor stops it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from khien.application.console import Console
from khien.application.labels import host_state_label, run_label
from khien.application.wording import describe
from khien.cli.context import say
from khien.domain.run import HostOutcome, HostState, Run, RunId
from khien.domain.text import safe_text
from khien.i18n import _

_LOOK_EVERY_SECONDS = 0.2


class Detached(Exception):  # noqa: N818 - not an error: the person stopped watching
    """The person stopped watching; the run goes on."""


class _Display(Protocol):
    def show(self, run: Run, ended: Iterable[HostOutcome]) -> None: ...


def follow(console: Console, run_id: RunId) -> Run:
    """Show the run's progress on stderr until it ends, and return it as it ended.

    Raises:
        Detached: the person pressed Ctrl-C.
    """
    told: dict[str, HostState] = {}
    try:
        with _display() as display:
            while True:
                run = console.run(run_id)
                news: list[HostOutcome] = []
                if run.done > len(told) or run.state.is_final:
                    ended = [o for o in console.outcomes(run_id) if o.state.is_final]
                    news = [outcome for outcome in ended if told.get(outcome.host) is not outcome.state]
                    told.update((outcome.host, outcome.state) for outcome in news)
                display.show(run, news)
                if run.state.is_final:
                    return run
                time.sleep(_LOOK_EVERY_SECONDS)
    except KeyboardInterrupt:
        say("")
        say(_("Run {run} goes on without you.").format(run=run_id))
        say(_("  khien run attach {run}    watch it again").format(run=run_id))
        say(_("  khien run cancel {run}    stop it").format(run=run_id))
        raise Detached from None


@contextmanager
def _display() -> Iterator[_Display]:
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    screen = RichConsole(stderr=True, markup=False, highlight=False, emoji=False)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[counts]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=screen, transient=True) as progress:
        yield _Bar(progress)


class _Lines:
    """One line per host that ended, for logs and pipes."""

    def show(self, run: Run, ended: Iterable[HostOutcome]) -> None:
        """Tell what is new."""
        for outcome in ended:
            say(outcome_line(outcome, check=run.is_check))


class _Bar:
    """A bar with hosts done of hosts in the plan; hosts that need a look stay on the screen above it."""

    def __init__(self, progress: object) -> None:
        from rich.progress import Progress

        assert isinstance(progress, Progress)  # noqa: S101 - typed loosely to keep rich out of the start-up
        self._progress = progress
        self._task = progress.add_task("", total=None, counts="")

    def show(self, run: Run, ended: Iterable[HostOutcome]) -> None:
        """Move the bar."""
        for outcome in ended:
            if not outcome.state.is_done:
                self._progress.console.print(outcome_line(outcome, check=run.is_check))
        self._progress.update(
            self._task,
            description=f"{run_label(run)} {run.id}",
            completed=run.done,
            total=run.total,
            counts=counts_text(run.counts, check=run.is_check),
        )


def state_text(state: HostState, *, check: bool) -> str:
    """Name a host's state; a run that only predicts has changed nothing and says so."""
    return _("would change") if check and state is HostState.CHANGED else host_state_label(state)


def outcome_line(outcome: HostOutcome, *, check: bool) -> str:
    """Return a host's outcome as one line of plain text."""
    line = f"{safe_text(outcome.host)}: {state_text(outcome.state, check=check)}"
    words = safe_text(describe(outcome.reason), 400) if outcome.reason.code else ""
    return f"{line} – {words}" if words else line


def counts_text(counts: Mapping[HostState, int], *, check: bool) -> str:
    """Return how many hosts are in each state that has any."""
    present = [state for state in HostState if counts.get(state)]
    return ", ".join(f"{counts[state]} {state_text(state, check=check)}" for state in present)
