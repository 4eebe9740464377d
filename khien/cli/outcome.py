"""How a run ended, in the terminal or as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from khien.application.console import Console
from khien.application.labels import run_label, run_state_label
from khien.application.wording import describe
from khien.cli.context import print_json, say
from khien.cli.documents import Document, run_with_hosts
from khien.cli.exit_codes import ExitCode, of_run
from khien.cli.follow import counts_text, state_text
from khien.cli.hardening_documents import hardening_documents, undo_documents
from khien.domain.finding import VerdictCounts
from khien.domain.packages import PatchReport
from khien.domain.run import HostOutcome, Run, Verb
from khien.domain.text import safe_text
from khien.i18n import _, ngettext


def report_run(console: Console, run: Run, *, as_json: bool) -> ExitCode:
    """Print a run and return the exit code that says how it went."""
    outcomes = console.outcomes(run.id)
    reports = console.patch_reports(run.id)
    verdicts = {} if run.verb is Verb.PATCH else console.verdicts(run.id)
    if as_json:
        print_json(run_with_hosts(run, outcomes, verdicts, reports, _more(console, run)))
    else:
        if run.verb in (Verb.HARDEN, Verb.UNDO):
            _print_tables(console, run, outcomes)
        for outcome in outcomes:
            print(_host_line(outcome, verdicts, reports, check=run.is_check))
        say(_headline(run))
    return of_run(run, outcomes, verdicts.values() if _is_judged(run) else ())


def _print_tables(console: Console, run: Run, outcomes: Sequence[HostOutcome]) -> None:
    # Tables cost time to load that other commands should not pay.
    from khien.cli.hardening_tables import print_hardening, print_undo

    if run.verb is Verb.HARDEN:
        print_hardening(run, outcomes, console.hardening(run.id), console.proofs(run.id))
    else:
        print_undo(run, outcomes, console.undo_reports(run.id))


def _is_judged(run: Run) -> bool:
    """Whether what the controls say of its hosts is a result of the run; not of a prediction or an undo."""
    return run.verb is Verb.VERIFY or (run.verb is Verb.HARDEN and not run.is_check)


def _more(console: Console, run: Run) -> Mapping[str, Document]:
    if run.verb is Verb.HARDEN:
        return hardening_documents(console.hardening(run.id), console.proofs(run.id))
    if run.verb is Verb.UNDO:
        return undo_documents(console.undo_reports(run.id))
    return {}


def _headline(run: Run) -> str:
    line = _("{what} {run} {state}: {counts} of {total}").format(
        what=run_label(run),
        run=run.id,
        state=run_state_label(run.state),
        counts=counts_text(run.counts, check=run.is_check),
        total=ngettext("{number} host", "{number} hosts", run.total).format(number=run.total),
    )
    return f"{line}\n{safe_text(describe(run.reason))}" if run.reason.code else line


def _host_line(
    outcome: HostOutcome,
    verdicts: Mapping[str, VerdictCounts],
    reports: Mapping[str, PatchReport],
    *,
    check: bool,
) -> str:
    parts = [f"{safe_text(outcome.host):<24} {state_text(outcome.state, check=check):<14}"]
    counts = verdicts.get(outcome.host)
    if counts is not None:
        parts.append(verdict_text(counts))
    report = reports.get(outcome.host)
    if report is not None and outcome.state.is_done:
        parts.append(_updates_text(report))
    if outcome.reason.code:
        parts.append(safe_text(describe(outcome.reason), 500))
    return " ".join(parts).rstrip()


def verdict_text(counts: VerdictCounts) -> str:
    """Return verdicts with their denominator, naming only those that occur."""
    text = _("{passed}/{applicable} passed").format(passed=counts.passed, applicable=counts.applicable)
    rest = [
        (counts.failed, _("failed")),
        (counts.unknown, _("unknown")),
        (counts.waived, _("waived")),
    ]
    return ", ".join([text, *(f"{number} {name}" for number, name in rest if number)])


def _updates_text(report: PatchReport) -> str:
    number = len(report.changes)
    if report.stage == "planned":
        text = ngettext("{number} package would change", "{number} packages would change", number)
    else:
        text = ngettext("{number} package changed", "{number} packages changed", number)
    parts = [text.format(number=number)]
    if report.held:
        parts.append(_("held: {names}").format(names=safe_text(", ".join(report.held), 200)))
    if report.kept_back:
        parts.append(_("kept back: {names}").format(names=safe_text(", ".join(report.kept_back), 200)))
    if report.reboot is not None and report.reboot.needed:
        parts.append(_("restart needed"))
    return "; ".join(parts)
