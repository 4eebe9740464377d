"""`khien compliance`, `khien drift` and `khien trend`: the fleet against the baseline, from the store."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from khien.application.labels import area_label, drift_label, verdict_label
from khien.cli.context import JsonOption, LimitOption, data_console, print_json, say, services
from khien.cli.documents import moment, verdicts_document
from khien.cli.exit_codes import ExitCode
from khien.domain.finding import Verdict, VerdictCounts
from khien.domain.standing import AgencyStanding, Drift, DriftKind, in_order
from khien.domain.text import safe_text
from khien.errors import UsageError
from khien.i18n import _, current_language, ngettext

SinceOption = Annotated[
    str, typer.Option("--since", help=_("Compare with what was known then: 2026-11-01, or with a time."))
]
DaysOption = Annotated[int, typer.Option("--days", min=2, max=366, help=_("How many days, today included."))]


def compliance(context: typer.Context, limit: LimitOption = "", *, as_json: JsonOption = False) -> None:
    """Show how the hosts of each agency stand, by area."""
    standing = services(context).overview.standing(limit)
    if as_json:
        print_json(
            {"schema": "khien.compliance/1", "agencies": [_standing_document(one) for one in standing]}
        )
        return
    from rich.table import Table

    areas = sorted({area for one in standing for area in one.areas})
    table = Table(box=None, pad_edge=False)
    for heading in (_("Agency"), _("Verified"), _("Stale"), *(area_label(area) for area in areas), _("All")):
        table.add_column(heading, justify="left" if heading == _("Agency") else "right")
    for one in standing:
        figures = [ratio_text(one.areas.get(area)) for area in areas]
        name = safe_text(one.agency_name) or _("(no agency)")
        table.add_row(name, f"{one.verified}/{one.hosts}", str(one.stale), *figures, ratio_text(one.counts))
    data_console(piped_width=160).print(table)
    missing = sum(one.hosts - one.verified for one in standing)
    if missing:
        say(
            ngettext(
                "{number} host was never verified; no figure counts it as passed.",
                "{number} hosts were never verified; no figure counts them as passed.",
                missing,
            ).format(number=missing)
        )


def drift(
    context: typer.Context, limit: LimitOption = "", since: SinceOption = "", *, as_json: JsonOption = False
) -> None:
    """Show what changed on each host since the verification before."""
    everything = services(context)
    changes = in_order(everything.overview.drift(limit, _moment_of(since)))
    if as_json:
        print_json({"schema": "khien.drift/1", "changes": [_drift_document(one) for one in changes]})
    else:
        _print_drift(
            changes, {c.id: c.title.in_language(current_language()) for c in everything.catalogue.controls()}
        )
    if any(one.kind is DriftKind.WORSE for one in changes):
        raise typer.Exit(ExitCode.FINDINGS)


def trend(
    context: typer.Context, limit: LimitOption = "", days: DaysOption = 14, *, as_json: JsonOption = False
) -> None:
    """Show how each agency stood at the end of each day."""
    found = services(context).overview.trend(days, limit)
    if as_json:
        agencies = [
            {
                "agency": one.agency,
                "agency_name": one.agency_name,
                "hosts": one.hosts,
                "days": [
                    {
                        "day": point.day.isoformat(),
                        "verified": point.verified,
                        "counts": verdicts_document(point.counts),
                    }
                    for point in one.points
                ],
            }
            for one in found
        ]
        print_json({"schema": "khien.trend/1", "agencies": agencies})
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column(_("Day"))
    for one in found:
        table.add_column(safe_text(one.agency_name) or _("(no agency)"), justify="right")
    for row in zip(*(one.points for one in found), strict=True):
        cells = [
            f"{ratio_text(point.counts)}  {point.verified}/{one.hosts}"
            for one, point in zip(found, row, strict=True)
        ]
        table.add_row(row[0].day.isoformat(), *cells)
    data_console(piped_width=160).print(table)
    say(_("Passed of the controls that apply; then hosts verified by then, of those in the inventory now."))


def ratio_text(counts: VerdictCounts | None) -> str:
    """Return passed over applicable, never rounded up to the whole."""
    if counts is None or not counts.applicable:
        return "–"
    return f"{counts.passed}/{counts.applicable}"


def _moment_of(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise UsageError(
            _(
                "{text} is no moment; expected is a date such as 2026-11-01, "
                "or with a time: 2026-11-01T06:00."
            ).format(text=safe_text(text))
        ) from None


def _print_drift(changes: tuple[Drift, ...], titles: dict[str, str]) -> None:
    from rich.table import Table

    if not changes:
        say(_("Nothing changed."))
        return
    table = Table(box=None, pad_edge=False)
    for heading in (_("Host"), _("Change"), _("Control"), _("Was"), _("Is")):
        table.add_column(heading, overflow="fold")
    for one in changes:
        title = safe_text(titles.get(one.control_id, ""))
        table.add_row(
            safe_text(one.host),
            drift_label(one.kind),
            f"{safe_text(one.control_id)}  {title}",
            _verdict_text(one.was),
            _verdict_text(one.now),
        )
    data_console(piped_width=160).print(table)


def _verdict_text(verdict: Verdict | None) -> str:
    return verdict_label(verdict) if verdict is not None else _("not demanded")


def _standing_document(one: AgencyStanding) -> dict[str, object]:
    return {
        "agency": one.agency,
        "agency_name": one.agency_name,
        "hosts": one.hosts,
        "verified": one.verified,
        "stale": one.stale,
        "counts": verdicts_document(one.counts),
        "areas": {area: verdicts_document(counts) for area, counts in one.areas.items()},
    }


def _drift_document(one: Drift) -> dict[str, object]:
    return {
        "host": one.host,
        "control": one.control_id,
        "kind": one.kind.value,
        "was": one.was.value if one.was else None,
        "is": one.now.value if one.now else None,
        "was_at": moment(one.was_at),
        "is_at": moment(one.now_at),
    }
