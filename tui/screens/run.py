"""One run, live: hosts by state, how far it is, what each host did, cancel and retry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll

from khien.application.labels import run_label
from khien.domain.finding import VerdictCounts
from khien.domain.packages import PatchReport
from khien.domain.run import HostOutcome, Run, RunId, Verb
from khien.i18n import _, ngettext
from tui.desk import Desk
from tui.dialogs.confirm import Confirm
from tui.dialogs.retry import RetryDialog
from tui.messages import HostRequested, LogRequested
from tui.presenters.run_table import (
    outcome_columns,
    outcome_detail,
    outcome_order,
    retriable,
    run_head,
)
from tui.presenters.words import N_, number
from tui.screens.khien_screen import KhienScreen
from tui.widgets.virtual_table import VirtualTable
from tui.widgets.words import Words

_MANY = 1000


@dataclass(frozen=True, slots=True)
class RunNews:
    """What one look at a run brought."""

    run: Run
    outcomes: tuple[HostOutcome, ...]
    reports: Mapping[str, PatchReport] = field(default_factory=dict)
    verdicts: Mapping[str, VerdictCounts] = field(default_factory=dict)


class RunScreen(KhienScreen):
    """A run that goes on or that ended."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "log", N_("Log"), tooltip=N_("Read what happened to the host")),
        Binding("o", "open_host", N_("Host"), tooltip=N_("Open the host")),
        Binding("f", "failed_first", N_("Failed first"), tooltip=N_("Failed hosts first, or by name")),
        Binding("x", "cancel", N_("Cancel run"), tooltip=N_("Cancel the run")),
        Binding("t", "retry", N_("Retry"), tooltip=N_("Retry hosts by the state they ended in")),
    ]

    def __init__(self, desk: Desk, run_id: RunId) -> None:
        super().__init__(desk)
        self.run_id = run_id
        self.news: RunNews | None = None
        self.failed_first = True

    @property
    def crumb(self) -> str:
        """Name the screen."""
        return _("Run {id}").format(id=self.run_id)

    def compose_body(self) -> ComposeResult:
        """Lay out the head, the hosts and what one host did."""
        yield Words(id="run-head", classes="head")
        with Container(classes="split"):
            yield VirtualTable[HostOutcome](lambda outcome: outcome.host, id="outcomes")
            with VerticalScroll(classes="pane", id="outcome-pane"):
                yield Words(id="outcome")

    @property
    def table(self) -> VirtualTable[HostOutcome]:
        """The table of hosts."""
        return self.query_one("#outcomes", VirtualTable)

    def on_mount(self) -> None:
        """Start in the table."""
        super().on_mount()
        self.set_focus(self.table)

    # Looking

    @property
    def pace(self) -> float | None:
        """Look often while the run goes on, and no more when it ended."""
        if self.news is None:
            return self.desk.pace.slow
        if self.news.run.state.is_final:
            return None
        return self.desk.pace.slow if self.news.run.total > _MANY else self.desk.pace.live

    def look(self) -> RunNews:
        """Ask how the run stands."""
        console = self.desk.console
        # The state is read first: outcomes read after a final state are the last ones.
        run = console.run(self.run_id)
        outcomes = console.outcomes(run.id)
        if run.verb is Verb.PATCH:
            return RunNews(run, outcomes, reports=console.patch_reports(run.id))
        return RunNews(run, outcomes, verdicts=console.verdicts(run.id))

    def show(self, learned: object) -> None:
        """Take what the look brought."""
        if not isinstance(learned, RunNews):
            return
        self.news = learned
        now = self.desk.now()
        self._say_head()
        self.table.lay_out(outcome_columns(learned.outcomes, now))
        self.table.display_lines(
            outcome_order(learned.outcomes, failed_first=self.failed_first), stay_on_top=True
        )
        self._say_outcome()
        if not learned.outcomes:
            self.notice.tell(_("This run has no hosts."))
        self.refresh_bindings()

    def _say_head(self) -> None:
        if self.news:
            self.query_one("#run-head", Words).say(*run_head(self.news.run, self.desk.now(), self.size.width))

    def on_resize(self) -> None:
        """Draw the bar to the new width."""
        self._say_head()

    @on(VirtualTable.Moved, "#outcomes")
    def _say_outcome(self) -> None:
        """Show all about the host under the cursor."""
        outcome = self.table.under_cursor
        if self.news is None or not isinstance(outcome, HostOutcome):
            return
        self.query_one("#outcome", Words).say(
            *outcome_detail(
                outcome,
                self.news.run,
                self.news.reports.get(outcome.host),
                self.news.verdicts.get(outcome.host),
                self.desk.now(),
            )
        )

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer cancel while the run goes on, and retry when it ended with something to retry."""
        if action == "cancel":
            return bool(self.news and not self.news.run.state.is_final)
        if action == "retry":
            return bool(self.news and self.news.run.state.is_final and retriable(self.news.outcomes))
        return super().check_action(action, parameters)

    def action_failed_first(self) -> None:
        """Show failed hosts first, or go by name."""
        self.failed_first = not self.failed_first
        if self.news:
            self.show(self.news)

    @on(VirtualTable.Chosen, "#outcomes")
    def action_log(self) -> None:
        """Read what happened to the host under the cursor."""
        if host := self.table.cursor_key:
            self.post_message(LogRequested(self.run_id, host))

    def action_open_host(self) -> None:
        """Open the host under the cursor."""
        if host := self.table.cursor_key:
            self.post_message(HostRequested(host))

    def action_cancel(self) -> None:
        """Ask whether to cancel, and do it."""
        self.run_worker(self._cancel(), name="cancel", group="cancel", exclusive=True, exit_on_error=False)

    async def _cancel(self) -> None:
        if self.news is None:
            return
        run = self.news.run
        rest = run.total - run.done
        words = ngettext(
            "{n} host of {total} has no outcome yet. A host that is installing packages finishes by itself; "
            "the others are left as they are. What was left undone can be retried.",
            "{n} hosts of {total} have no outcome yet. A host that is installing packages finishes by "
            "itself; the others are left as they are. What was left undone can be retried.",
            rest,
        ).format(n=number(rest), total=number(run.total))
        title = _("Cancel {run}?").format(run=f"{run_label(run)} {run.id}")
        if await self.app.push_screen_wait(Confirm(title, words, yes=_("Yes, cancel it"), no=_("No"))):
            await self.ask(self.desk.console.cancel, run.id)
            self.action_look()

    def action_retry(self) -> None:
        """Ask which hosts to retry, show the plan, and start it."""
        self.run_worker(self._retry(), name="retry", group="retry", exclusive=True, exit_on_error=False)

    async def _retry(self) -> None:
        if self.news is None:
            return
        states = await self.app.push_screen_wait(RetryDialog(retriable(self.news.outcomes)))
        if states:
            await self.retry(self.news.run.id, states)
