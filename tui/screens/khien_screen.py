"""What all screens share: the line on top, the footer, asking the console in a thread, what failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.reactive import reactive
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Footer
from textual.worker import Worker, WorkerFailed, WorkerState

from khien.domain.run import HostState, RunId
from khien.domain.text import safe_text
from khien.errors import KhienError
from khien.i18n import _, ngettext
from tui.desk import Desk
from tui.dialogs.launch import LaunchDialog
from tui.dialogs.plan import ConfirmPlan
from tui.messages import RunStarted
from tui.presenters.cell import Piece, Tone
from tui.presenters.selection import Scope
from tui.presenters.words import N_, number, translated
from tui.widgets.notice import Notice
from tui.widgets.words import Words

Result = TypeVar("Result")
LOOK, JOB = "look", "job"


class KhienScreen(Screen[None]):
    """A screen that shows what it last learned, and looks again at a pace."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", N_("Back"), show=False, tooltip=N_("Go back")),
        Binding("f5,ctrl+r", "look", N_("Reload"), show=False, tooltip=N_("Look again now")),
    ]
    AUTO_FOCUS = ""  # the focus must be right before the first key, so each screen sets it itself
    active_runs: reactive[int] = reactive(0)

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self._timer: Timer | None = None
        self._looking = False
        self._look_again = False

    # What each screen says

    @property
    def crumb(self) -> str:
        """Name the screen."""
        raise NotImplementedError

    @property
    def more_help(self) -> Sequence[tuple[str, str]]:
        """What the help shows below the keys."""
        return ()

    def look(self) -> object:
        """Ask the console, in a thread, and return what was learned."""
        raise NotImplementedError

    def show(self, learned: object) -> None:
        """Show what was learned."""
        raise NotImplementedError

    @property
    def pace(self) -> float | None:
        """Seconds until the next look; None when nothing more will change."""
        return self.desk.pace.idle

    def compose_body(self) -> ComposeResult:
        """Lay out what is between the top line and the footer."""
        raise NotImplementedError

    # Layout

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        with Horizontal(id="top"):
            yield Words(self._crumb_cell(), id="crumb")
            yield Words(id="active")
        yield Notice(id="notice")
        with Vertical(id="body"):
            yield from self.compose_body()
        yield Footer(show_command_palette=False)

    def _crumb_cell(self) -> tuple[Piece, ...]:
        return (
            Piece("◆ Khiên ", Tone.ACCENT),
            Piece(" › ", Tone.DIM),
            Piece(safe_text(self.crumb, 120), Tone.STRONG),
        )

    def on_mount(self) -> None:
        """Look for the first time."""
        self.watch_active_runs(self.active_runs)
        self.notice.tell(_("Loading …"))
        self.action_look()

    @property
    def notice(self) -> Notice:
        """Where the screen says what is the matter."""
        return self.query_one("#notice", Notice)

    def watch_active_runs(self, count: int) -> None:
        """Say how many runs go on."""
        words = ngettext("▸ {n} run goes on", "▸ {n} runs go on", count).format(n=number(count))
        for place in self.query("#active").results(Words):
            place.say((Piece(words if count else "", Tone.ACCENT),))

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """The keys of the moment, in the language of now: the footer, the help and the palette read these."""
        return {
            key: active._replace(
                binding=replace(
                    active.binding,
                    description=translated(active.binding.description),
                    tooltip=translated(active.binding.tooltip),
                ),
                tooltip=translated(active.tooltip),
            )
            for key, active in super().active_bindings.items()
        }

    # Looking

    def action_look(self) -> None:
        """Look now; a look that is under way is followed by another."""
        if self._looking:
            self._look_again = True
            return
        self._looking = True
        self.run_worker(self.look, name=LOOK, group=LOOK, thread=True, exclusive=True, exit_on_error=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Show what a look brought, or why it brought nothing."""
        if event.worker.group != LOOK or event.state not in (WorkerState.SUCCESS, WorkerState.ERROR):
            return
        self._looking = False
        if event.state is WorkerState.SUCCESS:
            self.notice.hush()
            self.show(event.worker.result)
        else:
            self.show_trouble(event.worker.error)
        if self._look_again:
            self._look_again = False
            self.action_look()
        elif (pace := self.pace) is not None:
            if self._timer is not None:
                self._timer.stop()
            self._timer = self.set_timer(pace, self._look_when_in_front)

    def _look_when_in_front(self) -> None:
        if self.is_current:
            self.action_look()

    def on_screen_resume(self) -> None:
        """Look again when the screen comes to the front."""
        if self._timer is not None:
            self.action_look()

    def show_trouble(self, error: BaseException | None) -> None:
        """Say in place what went wrong; what was learned before stays below."""
        if isinstance(error, KhienError):
            self.notice.tell(safe_text(error, 400), _("F5 tries again."), bad=True)
            return
        words = _("Something unexpected happened: {kind}: {error}")
        text = words.format(kind=type(error).__name__, error=safe_text(error, 300))
        self.notice.tell(text, _("F5 tries again. Please report it if it stays."), bad=True)

    async def ask(self, question: Callable[..., Result], *arguments: object) -> Result | None:
        """Ask the console in a thread; None when it failed, which is then shown."""
        worker = self.run_worker(
            partial(question, *arguments),
            name=JOB,
            group=JOB,
            thread=True,
            exclusive=True,
            exit_on_error=False,
        )
        try:
            result = await worker.wait()
        except WorkerFailed:
            self.show_trouble(worker.error)
            return None
        return result

    # What several screens do

    def action_back(self) -> None:
        """Go back to the screen before; the first one stays."""
        if len(self.app.screen_stack) > 1:
            self.app.pop_screen()

    def start_launch(self, scopes: Sequence[Scope]) -> None:
        """Ask what to run, show the plan, and start it when confirmed."""
        if not scopes:
            self.notify(_("There is no host to run on."), severity="warning", markup=False)
            return
        self.run_worker(
            self._launch(scopes), name="launch", group="launch", exclusive=True, exit_on_error=False
        )

    async def _launch(self, scopes: Sequence[Scope]) -> None:
        wish = await self.app.push_screen_wait(LaunchDialog(scopes))
        if wish is None:
            return
        fleet = await self.ask(self.desk.console.fleet)
        if fleet is None:
            return
        plan = await self.ask(self.desk.console.make_plan, wish.verb, wish.options(fleet))
        if plan is not None and await self.app.push_screen_wait(ConfirmPlan(plan)):
            run_id = await self.ask(self.desk.console.launch, plan)
            if run_id is not None:
                self.post_message(RunStarted(run_id))

    async def retry(self, run_id: RunId, states: frozenset[HostState]) -> None:
        """Plan a retry, confirm it, and start it."""
        plan = await self.ask(self.desk.console.make_retry_plan, run_id, states)
        if plan is not None and await self.app.push_screen_wait(ConfirmPlan(plan)):
            new_id = await self.ask(self.desk.console.launch, plan)
            if new_id is not None:
                self.post_message(RunStarted(new_id))
