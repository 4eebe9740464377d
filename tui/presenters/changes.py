"""Changes of packages in words: predicted ones say “would”, real ones do not."""

from __future__ import annotations

from collections.abc import Sequence

from khien.application.wording import describe
from khien.domain.packages import ChangeKind, PackageChange, PatchReport
from khien.domain.run import Reason
from khien.domain.text import safe_text
from khien.i18n import _, ngettext
from tui.presenters.cell import Cell, Piece, Tone, plain
from tui.presenters.columns import Column
from tui.presenters.words import number

_SIGN = {ChangeKind.UPGRADE: "↑", ChangeKind.INSTALL: "+", ChangeKind.REMOVE: "−"}
_MOST = 200


def change_columns() -> tuple[Column[PackageChange], ...]:
    """Lay out the columns of pending updates."""
    return (
        Column(
            "name",
            _("Package"),
            lambda c: plain(f"{_SIGN[c.kind]} {c.name}", Tone.STRONG),
            16,
            36,
            100,
            grows=True,
        ),
        Column("from", _("Installed"), lambda c: plain(c.from_version or "–", Tone.DIM), 12, 28, 80),
        Column("to", _("New"), lambda c: plain(c.to_version or "–"), 12, 28, 90),
        Column("origin", _("From"), lambda c: plain(c.origin, Tone.DIM), 10, 18, 40),
    )


def change_key(change: PackageChange) -> str:
    """Name a change within a host."""
    return f"{change.name}:{change.architecture}"


def change_line(change: PackageChange) -> Cell:
    """Write one change in a line."""
    versions = " → ".join(safe_text(v) for v in (change.from_version, change.to_version) if v)
    return (
        Piece(f"{_SIGN[change.kind]} ", Tone.ACCENT),
        Piece(safe_text(change.name), Tone.STRONG),
        Piece(f"  {versions}", Tone.DIM),
    )


def report_words(report: PatchReport, *, check: bool) -> tuple[Cell, ...]:
    """Say what a host did to its packages, or would do."""
    count = len(report.changes)
    if check:
        words = ngettext("would change {n} package:", "would change {n} packages:", count)
    elif report.stage == "finished":
        words = ngettext("changed {n} package:", "changed {n} packages:", count)
    else:
        words = ngettext("is changing {n} package:", "is changing {n} packages:", count)
    if not count:
        words = _("no package would change") if check else _("no package changed")
    lines: list[Cell] = [(Piece(words.format(n=number(count)), Tone.ACCENT),)]
    lines += [change_line(change) for change in report.changes[:_MOST]]
    if count > _MOST:
        lines.append((Piece(_("… and {n} more").format(n=number(count - _MOST)), Tone.DIM),))
    lines += _names(_("Held back by hand:"), report.held)
    lines += _names(_("Kept back by apt:"), report.kept_back)
    if report.reboot and report.reboot.needed:
        why = "; ".join(safe_text(reason) for reason in report.reboot.reasons)
        lines += [(), (Piece("↻ " + _("A restart is needed."), Tone.WARN), Piece(f" {why}", Tone.DIM))]
    if report.reboot:
        lines += _names(_("Services that run old code:"), report.reboot.services)
    if report.problem:
        problem = Reason(report.problem, {"detail": report.problem_detail, "message": report.problem_detail})
        lines += [(), (Piece("✗ " + describe(problem), Tone.BAD),)]
    return tuple(lines)


def _names(label: str, names: Sequence[str]) -> list[Cell]:
    if not names:
        return []
    return [(), (Piece(label, Tone.ACCENT),), (Piece(", ".join(safe_text(name) for name in names)),)]
