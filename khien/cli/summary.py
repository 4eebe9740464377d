"""What is known of a host or of the fleet, in the terminal; words of hosts are data, never markup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from khien.application.evidence import evidence_lines
from khien.application.labels import host_state_label, severity_label
from khien.application.report import Figures, HostReport, Judged, Report, report_host
from khien.application.wording import advise, describe
from khien.domain.control import Control, Severity
from khien.domain.finding import VerdictCounts
from khien.domain.fleet import HostDetail
from khien.domain.run import Reason
from khien.domain.text import safe_text
from khien.i18n import _, current_language
from khien.reports import words

_SEVERITY_STYLE = {Severity.HIGH: "bold red", Severity.MEDIUM: "yellow", Severity.LOW: "cyan", None: "dim"}
_BAR_WIDTH = 30
_HISTORY_SHOWN = 10


def print_host_detail(
    console: Console,
    detail: HostDetail,
    controls: Mapping[str, Control],
    *,
    now: datetime,
    language: str,
) -> None:
    """Print one host: counts with their denominator, then what failed and what is unknown, with evidence."""
    host = report_host(detail.status, detail, controls, now=now, stale_after=timedelta.max)
    console.print(_heading(host))
    if host.age is None:
        console.print(_plain(_("Never verified: nothing is known of its controls.")))
    else:
        console.print(_verdict_line(host.counts))
    total = words.number(host.counts.applicable)
    sections = (
        (_("Failed: {n} of {total}"), host.failed, "red"),
        (_("Unknown: {n} of {total}"), host.unknown, "yellow"),
        (_("Waived: {n} of {total}"), host.waived, "cyan"),
    )
    for title, judged, style in sections:
        if judged:
            console.print()
            console.print(_plain(title.format(n=len(judged), total=total), f"bold {style}"))
            console.print(_findings(judged, language))
            if judged is host.unknown:
                _print_advice(console, judged)
    _print_packages(console, detail)
    _print_history(console, detail)


def print_report(console: Console, report: Report) -> None:
    """Print the figures of a report: the fleet, its agencies, and the controls that fail most."""
    totals = report.totals
    console.print(_verdict_line(totals.verdicts))
    for line in _figure_lines(totals, report.stale_after):
        console.print(_plain(line))
    if len(report.agencies) > 1:
        console.print()
        table = _table(
            _("Agency"), _("Compliant"), _("Verified lately"), _("Failed"), _("Unknown"), _("To patch")
        )
        for agency in report.agencies:
            f = agency.figures
            table.add_row(
                _plain(agency.name or agency.agency or _("No agency")),
                _share(f.compliant, f.hosts),
                _share(f.fresh, f.hosts),
                _share(f.verdicts.failed, f.verdicts.applicable),
                _share(f.verdicts.unknown, f.verdicts.applicable),
                _share(f.updates_hosts, f.updates_known),
            )
        console.print(table)
    if report.failing_controls:
        console.print()
        table = _table(_("Severity"), _("Control"), _("Hosts failing / judged"))
        for figures in report.failing_controls:
            control = figures.control
            title = control.title.in_language(current_language()) if control else figures.control_id
            severity = control.severity if control else None
            table.add_row(
                _plain(severity_label(severity), _SEVERITY_STYLE[severity]),
                _plain(title),
                _share(figures.verdicts.failed, figures.judged),
            )
        console.print(table)


def _figure_lines(figures: Figures, stale_after: timedelta) -> Iterable[str]:
    n = words.number
    yield _("{compliant} of {hosts} hosts are compliant.").format(
        compliant=n(figures.compliant), hosts=n(figures.hosts)
    )
    yield _(
        "{fresh} of {hosts} hosts were verified in the last {duration}; {stale} are stale, "
        "{never} were never verified."
    ).format(
        fresh=n(figures.fresh),
        hosts=n(figures.hosts),
        duration=words.duration(stale_after),
        stale=n(figures.stale),
        never=n(figures.never_verified),
    )
    yield _("{pending} of {known} hosts have security updates pending; of {unknown} it is not known.").format(
        pending=n(figures.updates_hosts),
        known=n(figures.updates_known),
        unknown=n(figures.hosts - figures.updates_known),
    )
    yield _("{needed} of {known} hosts need a restart; of {unknown} it is not known.").format(
        needed=n(figures.reboot_hosts),
        known=n(figures.reboot_known),
        unknown=n(figures.hosts - figures.reboot_known),
    )


def _plain(text: object, style: str = "") -> Text:
    return Text(safe_text(text), style=style)


def _share(part: int, whole: int) -> Text:
    return Text(f"{words.number(part)}/{words.number(whole)}", justify="right")


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _heading(host: HostReport) -> Text:
    status = host.status
    text = Text().append_text(_plain(status.host.name, "bold"))
    facts = status.facts
    parts = [
        status.host.agency_name or status.host.agency,
        (facts.os_name or facts.os_id) if facts else "",
        _("verified {age}").format(age=words.age(host.age)) if host.age is not None else "",
        _("restart needed") if status.reboot_needed else "",
        "" if status.in_inventory else _("not in the inventory"),
    ]
    for part in parts:
        if part:
            text.append(" · ", "dim").append_text(_plain(part))
    return text


def _verdict_line(counts: VerdictCounts) -> Text:
    """Draw the verdicts as a bar and say them in words, so that no colour is needed to read it."""
    shares = (
        (counts.passed, "green", "█"),
        (counts.waived, "cyan", "▓"),
        (counts.unknown, "yellow", "▒"),
        (counts.failed, "red", "░"),
    )
    text = Text()
    for part, style, block in shares:
        if part:
            text.append(block * max(1, round(_BAR_WIDTH * part / counts.applicable)), style)
    n = words.number
    said = _("{passed} of {applicable} controls passed").format(
        passed=n(counts.passed), applicable=n(counts.applicable)
    )
    text.append(("  " if text else "") + said, "bold")
    rest = (
        (counts.failed, _("{n} failed"), "red"),
        (counts.unknown, _("{n} unknown"), "yellow"),
        (counts.waived, _("{n} waived"), "cyan"),
        (counts.not_applicable, _("{n} not applicable"), "dim"),
    )
    for number, phrase, style in rest:
        if number:
            text.append(", ").append(phrase.format(n=n(number)), style)
    return text


def _findings(judged: Iterable[Judged], language: str) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in judged:
        control = one.control
        title = _plain(control.title.in_language(language) if control else one.finding.control_id)
        if control:
            title.append("  ").append_text(_plain(one.finding.control_id, "dim"))
        for line in evidence_lines(one.finding):
            title.append("\n").append_text(_plain(line.label, "dim"))
            title.append(" ").append_text(_plain(line.text))
        table.add_row(_plain(severity_label(one.severity), _SEVERITY_STYLE[one.severity]), title)
    return Padding(table, (0, 0, 0, 2))


def _print_advice(console: Console, unknown: Iterable[Judged]) -> None:
    said = dict.fromkeys(advise(Reason(one.finding.reason)) for one in unknown)
    for advice in said:
        if advice:
            console.print(_plain("→ " + advice, "italic"))


def _print_packages(console: Console, detail: HostDetail) -> None:
    status = detail.status
    console.print()
    if status.pending_security is None:
        console.print(_plain(_("Security updates pending: not known")))
    else:
        pending = words.number(status.pending_security)
        console.print(_plain(_("Security updates pending: {n}").format(n=pending), "bold"))
    table = Table.grid(padding=(0, 2, 0, 0))
    for change in detail.pending:
        versions = f"{change.from_version or '—'} → {change.to_version or '—'}"
        table.add_row(_plain(change.name), _plain(versions))
    if detail.pending:
        console.print(Padding(table, (0, 0, 0, 2)))
    if detail.held:
        console.print(_plain(_("Held back: {names}").format(names=", ".join(detail.held))))


def _print_history(console: Console, detail: HostDetail) -> None:
    if not detail.history:
        return
    console.print()
    console.print(_plain(_("Last runs"), "bold"))
    table = Table.grid(padding=(0, 2, 0, 0))
    for entry in detail.history[:_HISTORY_SHOWN]:
        verb = entry.verb.value + (" --check" if entry.check else "")
        table.add_row(
            _plain(words.moment(entry.at)),
            _plain(entry.run),
            _plain(verb),
            _plain(host_state_label(entry.state)),
            _plain(describe(entry.reason)),
        )
    console.print(Padding(table, (0, 0, 0, 2)))
