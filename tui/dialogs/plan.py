"""Shows a plan before it runs: every host by name, and those left out with the reason."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from khien.application.wording import describe
from khien.domain.plan import Plan
from khien.domain.run import Verb
from khien.i18n import _, ngettext
from tui.dialogs.confirm import Confirm
from tui.presenters.cell import Cell, Piece, Tone, plain
from tui.presenters.columns import Column
from tui.presenters.words import number
from tui.widgets.virtual_table import VirtualTable
from tui.widgets.words import Words

_Line = tuple[str, str]


def plan_title(plan: Plan) -> str:
    """Say what the plan does to how many hosts."""
    count = len(plan.hosts)
    check = plan.options.check
    match plan.verb:
        case Verb.VERIFY:
            words = ngettext("Verify {n} host?", "Verify {n} hosts?", count)
        case Verb.PATCH if check:
            words = ngettext("Predict the updates of {n} host?", "Predict the updates of {n} hosts?", count)
        case Verb.PATCH:
            words = ngettext(
                "Install security updates on {n} host?", "Install security updates on {n} hosts?", count
            )
        case Verb.HARDEN if check:
            words = ngettext(
                "Predict the hardening of {n} host?", "Predict the hardening of {n} hosts?", count
            )
        case Verb.HARDEN:
            words = ngettext("Harden {n} host as approved?", "Harden {n} hosts as approved?", count)
        case Verb.UNDO if check:
            words = ngettext(
                "Predict what undo puts back on {n} host?", "Predict what undo puts back on {n} hosts?", count
            )
        case Verb.UNDO:
            words = ngettext("Undo the hardening of {n} host?", "Undo the hardening of {n} hosts?", count)
    return words.format(n=number(count))


def plan_words(plan: Plan) -> str:
    """Say what will happen to the hosts."""
    if plan.verb is Verb.VERIFY:
        return _("Hosts are only asked; nothing on them changes.")
    if plan.options.check:
        return _("Check mode: hosts say what would change; nothing on them changes.")
    if plan.options.reboot:
        return _("This changes the hosts named below, and restarts those that need it.")
    return _("This changes the hosts named below. They are not restarted.")


class ConfirmPlan(Confirm):
    """Yes or no to a plan; a plan that changes hosts starts on No."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "leaf('move', -1)", show=False),
        Binding("down", "leaf('move', 1)", show=False),
        Binding("pageup", "leaf('page', -1)", show=False),
        Binding("pagedown", "leaf('page', 1)", show=False),
        Binding("home", "leaf('edge', 0)", show=False),
        Binding("end", "leaf('edge', 1)", show=False),
    ]

    def __init__(self, plan: Plan, *, title: str = "") -> None:
        super().__init__(
            title or plan_title(plan),
            plan_words(plan),
            yes=_("Yes, start"),
            no=_("No"),
            risky=plan.changes_hosts,
        )
        self.plan = plan

    def compose_body(self) -> ComposeResult:
        """Name the hosts."""
        tone = Tone.WARN if self.risky else Tone.DIM
        yield Words((Piece(self.words, tone),), id="dialog-words")
        yield VirtualTable[_Line](lambda line: line[0], id="dialog-hosts")
        if self.plan.left_out:
            words = ngettext("{n} host is left out", "{n} hosts are left out", len(self.plan.left_out))
            text = words.format(n=number(len(self.plan.left_out)))
            yield Words((Piece("! " + text, Tone.WARN),), id="dialog-left-out")

    def action_leaf(self, how: str, where: int) -> None:
        """Leaf through the hosts while a button has the focus."""
        getattr(self.query_one(VirtualTable), f"action_{how}")(where)

    def on_mount(self) -> None:
        """List the hosts."""
        super().on_mount()
        lines = [(host, "") for host in self.plan.hosts]
        lines += [
            (left.host, _("left out: {why}").format(why=describe(left.reason))) for left in self.plan.left_out
        ]
        longest = min(32, max((len(line[0]) for line in lines), default=10))
        columns: list[Column[_Line]] = [
            Column("host", _("Host"), _host, 18, longest, 100, grows=not self.plan.left_out)
        ]
        if self.plan.left_out:
            columns.append(
                Column("why", _("Reason"), lambda line: plain(line[1], Tone.WARN), 12, 40, 90, grows=True)
            )
        table = self.query_one(VirtualTable)
        table.styles.max_height = max(4, min(len(lines) + 1, self.app.size.height - 12))
        table.lay_out(columns)
        table.display_lines(lines)


def _host(line: _Line) -> Cell:
    return plain(line[0], Tone.DIM if line[1] else Tone.STRONG)
