"""The report as one page that needs nothing else: no script, no font, no network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import tzinfo
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from khien import __version__
from khien.application.evidence import evidence_lines
from khien.application.labels import (
    area_label,
    drift_label,
    host_state_label,
    run_label,
    run_state_label,
    severity_label,
    verdict_label,
)
from khien.application.report import AgencyFigures, HostReport, Report
from khien.domain.control import Control
from khien.domain.run import HostState, Run
from khien.domain.text import safe_text
from khien.i18n import _, current_language, ngettext
from khien.reports import words

_TEMPLATES = Path(__file__).parent / "templates"
_OPEN_UP_TO = 60
_DRIFTS_SHOWN = 200
"""Hosts up to which everything is unfolded; larger fleets open what they want to read."""


def render_html(report: Report, zone: tzinfo | None = None) -> str:
    """Write the report as a self-contained page, in the language chosen for this process.

    Args:
        report: the figures.
        zone: the time zone of the moments shown; None: this machine's.
    """
    language = current_language()
    told = tuple(host for host in report.hosts if host.needs_words)
    named = {j.finding.control_id for h in told for j in (*h.failed, *h.unknown, *h.waived)}
    environment = _environment()

    def title(control: Control | None, control_id: str) -> str:
        return control.title.in_language(language) if control else control_id

    return environment.get_template("report.html.j2").render(
        report=report,
        language=language,
        version=__version__,
        # The one text that is trusted as it stands: our own style sheet.
        style=Markup((_TEMPLATES / "style.css").read_text(encoding="utf-8")),  # noqa: S704
        zone_name=words.zone_name(report.generated_at, zone),
        folded=len(report.hosts) > _OPEN_UP_TO,
        told=told,
        host_groups=_by_agency(report),
        # Anchors are numbers: a name from elsewhere never becomes part of an attribute.
        host_numbers={host.status.host.name: n for n, host in enumerate(report.hosts, 1)},
        control_numbers={c.control_id: n for n, c in enumerate(report.controls, 1)},
        named_controls=tuple(c for c in report.controls if c.control_id in named),
        title=title,
        catalogue={c.control_id: c.control for c in report.controls},
        areas=sorted({area for one in report.standing for area in one.areas}, key=lambda a: (not a, a)),
        drifts_shown=_DRIFTS_SHOWN,
        day=words.day,
        evidence=lambda judged: evidence_lines(judged.finding),
        moment=lambda at: words.moment(at, zone),
        agency_name=_agency_name,
        host_line=_host_line,
        outcome_words=_outcome_words,
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_plain,
    )
    environment.filters["inline"] = _inline
    environment.globals.update(
        _=_,
        ngettext=ngettext,
        number=words.number,
        percent=words.percent,
        duration=words.duration,
        age=words.age,
        host_state=words.host_state,
        severity_words=severity_label,
        verdict_words=verdict_label,
        area_words=area_label,
        drift_words=drift_label,
        verb_words=run_label,
        run_state_words=run_state_label,
    )
    return environment


def _plain(value: object) -> object:
    """Make every text that is put on the page plain; what begins like a formula cannot be pasted as one."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    text = safe_text(value)
    return "'" + text if text[:1] in ("=", "+", "-", "@") else text


def _inline(value: object) -> Markup:
    """Make a text plain that never stands at the beginning of a cell."""
    return escape(safe_text(value))


def _by_agency(report: Report) -> tuple[tuple[AgencyFigures, tuple[HostReport, ...]], ...]:
    members: Mapping[str, list[HostReport]] = {a.agency: [] for a in report.agencies}
    for host in report.hosts:
        members[host.status.host.agency].append(host)
    return tuple((a, tuple(members[a.agency])) for a in report.agencies)


def _agency_name(agency: AgencyFigures) -> str:
    return agency.name or agency.agency or _("No agency")


def _host_line(host: HostReport) -> str:
    status = host.status
    parts = [
        status.host.agency_name or status.host.agency,
        (status.facts.os_name or status.facts.os_id) if status.facts else "",
        _("verified {age}").format(age=words.age(host.age)) if host.age is not None else "",
    ]
    return "· " + " · ".join(part for part in parts if part)


def _outcome_words(run: Run) -> str:
    counts = Counter(run.counts)
    return ", ".join(
        f"{words.number(counts[state])} {host_state_label(state)}" for state in HostState if counts[state]
    )
