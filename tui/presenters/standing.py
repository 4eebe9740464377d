"""Agencies by areas, hosts by controls, changes and the trend: rows, columns and words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from khien.application.labels import area_label, drift_label, verdict_label
from khien.application.overview import AgencyTrend
from khien.domain.control import Control
from khien.domain.finding import Verdict, VerdictCounts
from khien.domain.host import Host
from khien.domain.standing import AgencyStanding, Drift, DriftKind, Sheet, TrendPoint
from khien.domain.text import safe_text
from khien.i18n import _, current_language
from tui.presenters import marks
from tui.presenters.cell import Cell, Piece, Tone, plain, text_of
from tui.presenters.columns import Column
from tui.presenters.words import number, of_total

_DRIFT_TONES: Mapping[DriftKind, Tone] = {
    DriftKind.WORSE: Tone.BAD,
    DriftKind.BETTER: Tone.GOOD,
    DriftKind.UNSEEN: Tone.WARN,
    DriftKind.EXCUSED: Tone.WARN,
    DriftKind.SCOPE: Tone.DIM,
}


def agency_title(name: str) -> str:
    """Name an agency; hosts without one stand together."""
    return safe_text(name, 60) or _("(no agency)")


def passed_of(counts: VerdictCounts | None) -> Cell:
    """Show passed over applicable; good only when nothing failed, is unknown or waived."""
    if counts is None or not counts.applicable:
        return (Piece("–", Tone.DIM),)
    tone = Tone.BAD if counts.failed else Tone.WARN if counts.passed < counts.applicable else Tone.GOOD
    return (Piece(of_total(counts.passed, counts.applicable), tone),)


def standing_columns(standing: Sequence[AgencyStanding]) -> tuple[Column[AgencyStanding], ...]:
    """Lay out agencies by areas."""
    longest = max((len(agency_title(one.agency_name)) for one in standing), default=10)
    areas = sorted({area for one in standing for area in one.areas}, key=lambda area: (not area, area))
    return (
        Column(
            "agency", _("Agency"), lambda s: plain(agency_title(s.agency_name), Tone.STRONG), 16, longest, 100
        ),
        Column("verified", _("Verified"), _verified, 7, 9, 95, right=True),
        Column("all", _("All areas"), lambda s: passed_of(s.counts), 9, 11, 90, right=True),
        *(_area_column(area, 80 - place, standing) for place, area in enumerate(areas)),
        Column("stale", _("Stale"), _stale, 5, 6, 30, right=True),
    )


def _area_column(area: str, importance: int, standing: Sequence[AgencyStanding]) -> Column[AgencyStanding]:
    widest = max((len(text_of(passed_of(one.areas.get(area)))) for one in standing), default=5)
    return Column(
        f"area {area}",
        area_label(area),
        lambda s: passed_of(s.areas.get(area)),
        widest,
        widest + 1,
        importance,
        right=True,
    )


def _verified(one: AgencyStanding) -> Cell:
    return (Piece(of_total(one.verified, one.hosts), Tone.PLAIN if one.verified == one.hosts else Tone.WARN),)


def _stale(one: AgencyStanding) -> Cell:
    return (Piece(number(one.stale), Tone.WARN if one.stale else Tone.DIM),)


def standing_words(standing: Sequence[AgencyStanding]) -> Cell:
    """Say how all agencies stand together."""
    hosts = sum(one.hosts for one in standing)
    verified = sum(one.verified for one in standing)
    counts = sum((one.counts for one in standing), VerdictCounts())
    figures: list[tuple[str, Tone]] = [
        (
            _("verified {n} hosts").format(n=of_total(verified, hosts)),
            Tone.PLAIN if verified == hosts else Tone.WARN,
        ),
        (_("passed {n} findings").format(n=of_total(counts.passed, counts.applicable)), Tone.PLAIN),
        (_("failed {n}").format(n=number(counts.failed)), Tone.BAD if counts.failed else Tone.DIM),
        (_("unknown {n}").format(n=number(counts.unknown)), Tone.WARN if counts.unknown else Tone.DIM),
        (_("waived {n}").format(n=number(counts.waived)), Tone.WARN if counts.waived else Tone.DIM),
    ]
    cell: list[Piece] = []
    for words, tone in figures:
        cell += [Piece(" · ", Tone.DIM)] if cell else []
        cell.append(Piece(words, tone))
    return tuple(cell)


def drift_key(drift: Drift) -> str:
    """Return what names a change among others."""
    return f"{drift.host} {drift.control_id}"


def drift_columns(controls: Mapping[str, Control], drifts: Iterable[Drift]) -> tuple[Column[Drift], ...]:
    """Lay out what changed."""
    host = min(40, max((len(drift.host) for drift in drifts), default=10))
    kind = max(len(drift_label(kind)) for kind in DriftKind)
    verdict = max(len(verdict_label(verdict)) for verdict in Verdict) + 2
    return (
        Column(
            "kind", _("Change"), lambda d: (Piece(drift_label(d.kind), _DRIFT_TONES[d.kind]),), 8, kind, 95
        ),
        Column("host", _("Host"), lambda d: plain(d.host, Tone.STRONG), 12, host, 100),
        Column("was", _("Was"), lambda d: _verdict(d.was), 8, verdict, 80),
        Column("now", _("Is"), lambda d: _verdict(d.now), 8, verdict, 85),
        Column(
            "title", _("Control"), lambda d: plain(_title(d.control_id, controls)), 20, 56, 90, grows=True
        ),
    )


def _verdict(verdict: Verdict | None) -> Cell:
    return marks.verdict(verdict) if verdict is not None else (Piece("– " + _("not demanded"), Tone.DIM),)


def _title(control_id: str, controls: Mapping[str, Control]) -> str:
    control = controls.get(control_id)
    return control.title.in_language(current_language()) if control else control_id


@dataclass(frozen=True, slots=True)
class TrendRow:
    """One day of all agencies; the newest day is the first row."""

    day: str
    points: Mapping[str, tuple[TrendPoint, int]]
    """By agency: how it stood, and how many hosts it has."""


def trend_rows(trends: Sequence[AgencyTrend]) -> tuple[TrendRow, ...]:
    """Turn trends of agencies into rows of days, the newest first."""
    days = [point.day for point in trends[0].points] if trends else []
    rows = [
        TrendRow(day.isoformat(), {one.agency: (one.points[place], one.hosts) for one in trends})
        for place, day in enumerate(days)
    ]
    return tuple(reversed(rows))


def trend_columns(trends: Sequence[AgencyTrend]) -> tuple[Column[TrendRow], ...]:
    """Lay out the trend: a column for each agency."""
    return (
        Column("day", _("Day"), lambda row: plain(row.day, Tone.STRONG), 10, 10, 100),
        *(_trend_column(one, 90 - place) for place, one in enumerate(trends)),
    )


def _trend_column(trend: AgencyTrend, importance: int) -> Column[TrendRow]:
    title = agency_title(trend.agency_name)

    def cell(row: TrendRow) -> Cell:
        point, hosts = row.points[trend.agency]
        return (*passed_of(point.counts), Piece(f"  {of_total(point.verified, hosts)}", Tone.DIM))

    return Column(trend.agency or "-", title, cell, 14, max(18, len(title)), importance, right=True)


@dataclass(frozen=True, slots=True)
class HostRow:
    """One host of an agency with its verdicts; None: it was never verified."""

    host: Host
    sheet: Sheet | None


def controls_of(area: str, rows: Iterable[HostRow], controls: Mapping[str, Control]) -> tuple[str, ...]:
    """Return the controls of an area that any of the hosts is held to."""
    demanded = {control for row in rows if row.sheet for control in row.sheet.verdicts}
    return tuple(sorted(c for c in demanded if (controls[c].area if c in controls else "") == area))


def grid_columns(
    rows: Sequence[HostRow], controls: Sequence[str], selected: int
) -> tuple[Column[HostRow], ...]:
    """Lay out hosts by controls; those near the selected one stay when there is no room for all."""
    longest = min(40, max((len(row.host.name) for row in rows), default=10))
    return (
        Column("host", _("Host"), lambda row: plain(row.host.name, Tone.STRONG), 12, longest, 100),
        *(
            _mark_column(control, place, 90 - abs(place - selected), is_selected=place == selected)
            for place, control in enumerate(controls)
        ),
    )


def _mark_column(control: str, place: int, importance: int, *, is_selected: bool) -> Column[HostRow]:
    def cell(row: HostRow) -> Cell:
        verdict = row.sheet.verdicts.get(control) if row.sheet else None
        piece = marks.verdict_symbol(verdict)
        left, right = ("[", "]") if is_selected else (" ", " ")
        return (Piece(left, Tone.ACCENT), piece, Piece(right, Tone.ACCENT))

    return Column(control, f"{place + 1:>2}", cell, 3, 3, importance)


def selected_words(
    control_id: str, rows: Iterable[HostRow], controls: Mapping[str, Control]
) -> tuple[Cell, ...]:
    """Say which control is selected, and how the hosts stand with it."""
    verdicts = [row.sheet.verdicts.get(control_id) for row in rows if row.sheet]
    held = [verdict for verdict in verdicts if verdict is not None]
    pieces: list[Piece] = []
    for verdict in Verdict:
        count = sum(one is verdict for one in held)
        if count:
            pieces += [*marks.verdict(verdict), Piece(f" {of_total(count, len(held))}   ", Tone.PLAIN)]
    return (
        (
            Piece(safe_text(_title(control_id, controls), 200), Tone.STRONG),
            Piece(f"  {control_id}", Tone.DIM),
        ),
        tuple(pieces),
    )
