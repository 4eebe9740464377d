"""What hardening would do, did and took back, in the terminal; words of hosts are data, never markup."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from rich.table import Table
from rich.text import Text

from khien.application.labels import verdict_label
from khien.application.wording import describe
from khien.cli.context import data_console
from khien.domain.finding import Verdict
from khien.domain.hardening import Change, HostHardening, Stage, UndoReport
from khien.domain.proof import ControlResult
from khien.domain.reason import ReasonCode
from khien.domain.run import HostOutcome, Reason, Run
from khien.domain.text import safe_text
from khien.i18n import _, ngettext

_LONGEST = 160
_BY_DESIGN = frozenset({ReasonCode.REPORT_ONLY, ReasonCode.NOT_SELECTED})


def print_hardening(
    run: Run,
    outcomes: Iterable[HostOutcome],
    reports: Mapping[str, HostHardening],
    proofs: Mapping[str, tuple[ControlResult, ...]],
) -> None:
    """Print per host what would change or changed, and per control what it was, is, and why not."""
    console = data_console()
    for outcome in outcomes:
        results = proofs.get(outcome.host, ())
        report = reports.get(outcome.host)
        if report is None and not results:
            continue
        console.print(Text(safe_text(outcome.host), style="bold"))
        if report is not None:
            changes = report.predicted_changes if run.is_check else report.actual_changes
            if changes:
                console.print(_changes_table(changes))
        told = [result for result in results if _is_telling(result, is_check=run.is_check)]
        if told:
            console.print(_controls_table(told, is_check=run.is_check))
        for line in _summary(report or HostHardening(), results, is_check=run.is_check):
            console.print(Text("  " + line))
        console.print()


def _is_telling(result: ControlResult, *, is_check: bool) -> bool:
    """Whether a control deserves a line: it changed, or should pass and does not; others are counted."""
    if result.why_not in _BY_DESIGN or Verdict.WAIVED in (result.was, result.now):
        return False
    if is_check:
        return bool(result.why_not)
    return bool(result.predicted or result.actual) or result.now is not Verdict.PASS


def _changes_table(changes: Iterable[Change]) -> Table:
    table = _table(_("Control"), _("Thing"), _("Before"), _("After"))
    for change in changes:
        table.add_row(*(_cell(text) for text in (change.control, change.thing, change.before, change.after)))
    return table


def _controls_table(results: Iterable[ControlResult], *, is_check: bool) -> Table:
    headings = (_("Control"), _("Was")) if is_check else (_("Control"), _("Was"), _("Is"), _("As predicted"))
    table = _table(*headings, _("Why not"))
    for result in results:
        cells = [_cell(result.control_id), _verdict(result.was)]
        if not is_check:
            cells += [_verdict(result.now), _cell(_as_predicted(result))]
        table.add_row(*cells, _cell(_why_not(result)))
    return table


def _as_predicted(result: ControlResult) -> str:
    if not result.predicted and not result.actual:
        return ""
    return {True: _("yes"), False: _("no"), None: _("not known")}[result.as_predicted]


def _why_not(result: ControlResult) -> str:
    words = describe(Reason(result.why_not)) if result.why_not else ""
    return f"{words} ({result.detail})" if result.detail else words


def _summary(report: HostHardening, results: Iterable[ControlResult], *, is_check: bool) -> Iterable[str]:
    results = tuple(results)
    predicted, actual = report.predicted_changes, report.actual_changes
    if is_check:
        text = ngettext("{number} change predicted.", "{number} changes predicted.", len(predicted))
        yield text.format(number=len(predicted))
    elif report.actual:
        text = ngettext(
            "{number} change, {predicted} predicted: {equal}.",
            "{number} changes, {predicted} predicted: {equal}.",
            len(actual),
        )
        equal = _("exactly as predicted") if predicted == actual else _("not as predicted")
        yield text.format(number=len(actual), predicted=len(predicted), equal=equal)
    left = Counter(result.why_not for result in results if result.why_not)
    if left:
        yield _("Left as it is: {reasons}").format(
            reasons="; ".join(
                f"{number} × {describe(Reason(why)).rstrip('.')}" for why, number in left.most_common()
            )
        )
    for area in report.actual:
        if area.guard.detail and area.problem:
            yield f"{safe_text(area.area)}: {safe_text(area.guard.detail, 500)}"


def print_undo(run: Run, outcomes: Iterable[HostOutcome], reports: Mapping[str, UndoReport]) -> None:
    """Print per host what was put back, and what was refused and why."""
    console = data_console()
    for outcome in outcomes:
        report = reports.get(outcome.host)
        if report is None:
            continue
        console.print(Text(safe_text(outcome.host), style="bold"))
        table = _table(_("Thing"), _("Before"), _("After"), _("Result"))
        done = _("would be put back") if report.stage is Stage.PLANNED or run.is_check else _("put back")
        for one in report.restored:
            table.add_row(*(_cell(text) for text in (one.thing, one.before, one.after, done)))
        for refused in report.refused:
            why = f"{describe(Reason(refused.why))} {refused.detail}".strip()
            table.add_row(_cell(refused.thing), Text(), Text(), _cell(why))
        if report.restored or report.refused:
            console.print(table)
        console.print()


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _cell(text: str) -> Text:
    return Text(safe_text(text, _LONGEST))


def _verdict(verdict: Verdict | None) -> Text:
    return Text(verdict_label(verdict) if verdict else _("not asked"))
