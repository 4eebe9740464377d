"""What happened to one host in a run, line by line, followed while the run goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import RichLog

from khien.application.ports import LogLine
from khien.domain.run import RunId
from khien.domain.text import safe_lines, safe_text
from khien.i18n import _
from tui.desk import Desk
from tui.presenters.moments import clock
from tui.presenters.words import N_
from tui.screens.khien_screen import KhienScreen

_MOST_LINES = 20_000
_PAGES_A_LOOK = 10


@dataclass(frozen=True, slots=True)
class LogNews:
    """What one look at a log brought."""

    lines: tuple[LogLine, ...]
    finished: bool
    more: bool
    """Whether there is more to read at once."""


class LogScreen(KhienScreen):
    """The log of a host."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "follow", N_("Follow"), tooltip=N_("Stay at the end, or not")),
        Binding("up,k", "read(-1)", show=False),
        Binding("down,j", "read(1)", show=False),
    ]

    def __init__(self, desk: Desk, run_id: RunId, host: str) -> None:
        super().__init__(desk)
        self.run_id, self.host = run_id, host
        self._after = 0
        self._finished = self._more = False

    @property
    def crumb(self) -> str:
        """Name the screen."""
        return _("Run {id}").format(id=self.run_id) + " › " + safe_text(self.host, 80)

    def compose_body(self) -> ComposeResult:
        """Lay out the log."""
        yield RichLog(id="log", wrap=True, markup=False, highlight=False, max_lines=_MOST_LINES, min_width=20)

    @property
    def paper(self) -> RichLog:
        """Where the lines stand."""
        return self.query_one("#log", RichLog)

    def on_mount(self) -> None:
        """Start at the log."""
        super().on_mount()
        self.set_focus(self.paper)

    @property
    def pace(self) -> float | None:
        """Follow while the run goes on."""
        if self._more:
            return 0.01
        return None if self._finished else self.desk.pace.live

    def look(self) -> LogNews:
        """Read the next pages."""
        # The state is read first: lines read after a final state are the last ones.
        finished = self.desk.console.run(self.run_id).state.is_final
        lines: list[LogLine] = []
        for _page in range(_PAGES_A_LOOK):
            after = lines[-1].sequence if lines else self._after
            page = self.desk.console.log(self.run_id, host=self.host, after=after)
            lines += page
            if not page:
                return LogNews(tuple(lines), finished, more=False)
        return LogNews(tuple(lines), finished, more=True)

    def show(self, learned: object) -> None:
        """Add the lines."""
        if not isinstance(learned, LogNews):
            return
        self._finished, self._more = learned.finished, learned.more
        if learned.lines:
            self._after = learned.lines[-1].sequence
        for line in learned.lines:
            self.paper.write(self._text(line))
        if not self._after:
            self.notice.tell(
                _("The run left no lines for this host.") if learned.finished else _("No line yet; waiting …")
            )

    def _text(self, line: LogLine) -> Text:
        good, warn, bad, muted = (
            self._colour(f"text-{name}") for name in ("success", "warning", "error", "muted")
        )
        signs = {
            "ok": ("✓", good),
            "changed": ("±", good),
            "failed": ("✗", bad),
            "unreachable": ("⊘", bad),
            "skipped": ("–", muted),
        }
        sign, colour = signs.get(line.status, ("·", warn))
        text = Text(no_wrap=False)
        text.append(f"{clock(line.at)}  ", style=muted)
        text.append(f"{sign} {safe_text(line.status, 20):<11} ", style=colour)
        text.append(safe_text(line.task, 200), style="bold")
        if said := safe_lines(line.text, 20_000).strip():
            text.append("\n" + "\n".join(f"          {part}" for part in said.splitlines()))
        return text

    def _colour(self, name: str) -> str:
        value = self.app.theme_variables.get(name, "")
        return value if value.startswith("#") else ""

    def action_follow(self) -> None:
        """Stay at the end, or stay here."""
        self.paper.auto_scroll = not self.paper.auto_scroll
        if self.paper.auto_scroll:
            self.paper.scroll_end(animate=False)

    def action_read(self, lines: int) -> None:
        """Scroll; reading upwards ends the following."""
        if lines < 0:
            self.paper.auto_scroll = False
        self.paper.scroll_relative(y=lines, animate=False)
