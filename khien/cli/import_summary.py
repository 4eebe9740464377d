"""What other tools said of one host, on a terminal: where they and we differ comes first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from khien.application.compare_imports import Agreement, Comparison
from khien.cli.imports import counts_text
from khien.domain.finding import Verdict
from khien.domain.imported import Import, Said
from khien.domain.text import safe_text
from khien.i18n import _
from khien.reports import words

_STYLES = {Agreement.DIFFER: "yellow", Agreement.AGREE: "green"}


def print_imports(
    console: Console, compared: Iterable[tuple[Import, tuple[Comparison, ...]]], now: datetime
) -> None:
    """Print each import: where it is from, how old it is, what it says, and where we say something else."""
    for one, rows in compared:
        console.print()
        origin = one.origin
        head = Text(safe_text(f"{origin.tool} {origin.tool_version}"), "bold")
        parts = (
            safe_text(origin.profile),
            safe_text(origin.benchmark),
            _("collected {age}").format(age=words.age(now - one.collected_at)),
            _("brought in {moment}").format(moment=words.moment(one.imported_at)),
            _("score {score}, in its own scale").format(score=safe_text(one.score)) if one.score else "",
        )
        for part in parts:
            if part:
                head.append(f" · {part}", "dim")
        console.print(head)
        console.print(Padding(Text(counts_text(one.counts)), (0, 0, 0, 2)))
        _print_rows(console, rows)


def _print_rows(console: Console, rows: tuple[Comparison, ...]) -> None:
    same = sum(row.agreement is Agreement.AGREE for row in rows)
    judged = sum(row.agreement in (Agreement.AGREE, Agreement.DIFFER) for row in rows)
    if not rows:
        console.print(Padding(Text(_("No control of ours names a rule of it."), "dim"), (0, 0, 0, 2)))
        return
    said = _("On {same} of {judged} rules that both judge, we say the same.").format(same=same, judged=judged)
    console.print(Padding(Text(said), (0, 0, 0, 2)))
    table = Table.grid(padding=(0, 2, 0, 0))
    for row in rows:
        if row.agreement is Agreement.AGREE:
            continue
        style = _STYLES.get(row.agreement, "dim")
        ours = _("ours: {word}").format(word=_word(row.ours))
        theirs = _("theirs: {word}").format(word=_word(row.result.said))
        own = safe_text(row.result.word)
        table.add_row(
            Text(safe_text(row.control_id), style),
            Text(ours, style),
            Text(theirs, style),
            Text(safe_text(row.result.rule) + (f" ({own})" if own != row.result.said.value else ""), "dim"),
        )
    console.print(Padding(table, (0, 0, 0, 2)))


def _word(verdict: Verdict | Said | None) -> str:
    said = {
        "pass": _("pass"),
        "fail": _("fail"),
        "waived": _("waived"),
        "not_applicable": _("not applicable"),
        "unknown": _("unknown"),
        "not_assessed": _("not assessed"),
    }
    return said[verdict.value] if verdict is not None else _("not judged")
