"""`khien controls list` and `khien controls show ID`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Annotated

import typer

from khien.application.labels import severity_label
from khien.bootstrap import Services
from khien.cli.context import JsonOption, data_console, print_json, services
from khien.cli.control_documents import control_document, thresholds_of
from khien.domain.baseline import LEVELS, Confidence, Levels, LevelValues
from khien.domain.control import Control, Severity, WhenAbsent
from khien.domain.host import HostRole
from khien.domain.mapping import LegalMapping, MappingGroup, claims
from khien.domain.platform import Platform, Tested, platforms_of
from khien.errors import UsageError
from khien.i18n import _, current_language

app = typer.Typer(no_args_is_help=True, help=_("Look at what the baseline demands."))


@app.command("list", help=_("List controls."))
def list_controls(
    context: typer.Context,
    area: Annotated[str, typer.Option("--area", help=_("Only controls of this area."))] = "",
    severity: Annotated[
        str, typer.Option("--severity", help=_("Only controls of this severity: high, medium or low."))
    ] = "",
    platform: Annotated[
        str, typer.Option("--platform", help=_("Only controls for this family: debian, redhat or suse."))
    ] = "",
    level: Annotated[
        int, typer.Option("--level", min=0, max=5, help=_("Only controls that this level demands: 1 to 5."))
    ] = 0,
    profile: Annotated[
        str, typer.Option("--profile", help=_("Whose level: server or workstation."))
    ] = HostRole.SERVER,
    *,
    markdown: Annotated[
        bool, typer.Option("--markdown", help=_("Print the page of all chosen controls as Markdown."))
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List controls, all or some."""
    wired = services(context)
    everything = wired.catalogue.controls()
    _require(area, {control.area for control in everything}, "--area")
    _require(severity, [word.value for word in Severity], "--severity")
    _require(platform, {family for control in everything for family in control.os_families}, "--platform")
    _require(profile, [role.value for role in HostRole], "--profile")
    chosen = [
        control
        for control in everything
        if area in ("", control.area)
        and severity in ("", control.severity)
        and (not platform or platform in control.os_families)
        and (not level or wired.levels.demands(control.id, level, HostRole(profile)))
    ]
    if as_json:
        print_json(
            {"schema": "khien.controls/1", "controls": [_document(wired, control) for control in chosen]}
        )
    elif markdown:
        from khien.reports.controls_markdown import controls_markdown

        print(controls_markdown(chosen), end="")
    else:
        _print_table(chosen)


@app.command(help=_("Show one control: why, how it is checked, what it breaks, how to undo it."))
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="ID", help=_("Id of the control."))],
    *,
    as_json: JsonOption = False,
) -> None:
    """Show one control."""
    wired = services(context)
    known = {control.id: control for control in wired.catalogue.controls()}
    if name not in known:
        close = get_close_matches(name, known, n=1)
        hint = _("Did you mean {name}?").format(name=close[0]) if close else ""
        raise UsageError(_("There is no control {id}.").format(id=name) + (f" {hint}" if hint else ""))
    if as_json:
        print_json({"schema": "khien.control/1", "control": _document(wired, known[name])})
        return
    from rich.text import Text

    console = data_console()
    for heading, words in (*_sheet(known[name]), *_demands(known[name], wired.levels, wired.mappings)):
        console.print(Text.assemble((f"{heading}: " if heading else "", "bold"), words))


def _document(wired: Services, control: Control) -> dict[str, object]:
    return control_document(control, wired.levels, wired.mappings)


def _require(word: str, known: Iterable[str], option: str) -> None:
    names = sorted(known)
    if word and word not in names:
        raise UsageError(_("{option} takes one of: {names}.").format(option=option, names=", ".join(names)))


def _print_table(controls: Iterable[Control]) -> None:
    from rich.table import Table

    language = current_language()
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in (_("Control"), _("Area"), _("Severity"), _("What it demands")):
        table.add_column(heading)
    for control in controls:
        title = control.title.in_language(language)
        table.add_row(control.id, control.area, severity_label(control.severity), title)
    data_console().print(table)


def _sheet(control: Control) -> Iterator[tuple[str, str]]:
    from khien.domain.evaluate import label
    from khien.domain.expectation import OPERATORS

    language = current_language()
    absent = {
        WhenAbsent.PASS: _("passes when there is none"),
        WhenAbsent.FAIL: _("fails when there is none"),
        WhenAbsent.NOT_APPLICABLE: _("does not apply when there is none"),
    }
    yield "", f"{control.id} — {control.title.in_language(language)}"
    yield _("Severity"), severity_label(control.severity)
    yield _("Area"), control.area
    systems = ", ".join(control.os_families)
    yield (
        _("Applies to"),
        _("{systems}, not in containers").format(systems=systems) if control.not_in_containers else systems,
    )
    yield _("Platforms"), "; ".join(_platform(platform) for platform in platforms_of(control))
    yield _("Why"), control.rationale.in_language(language)
    for check in control.checks:
        demand = OPERATORS[check.operator].demand(check.expected)
        only = _("; only on {systems}").format(systems=", ".join(check.only_on)) if check.only_on else ""
        yield _("Check"), f"{label(check)} ({demand}); {absent[check.when_absent]}{only}"
    if control.fix_variable:
        words = _("{role}, variable {variable}").format(role=control.role, variable=control.fix_variable)
        if control.fix_opt_in:
            words = _("{fix}; off until you turn it on").format(fix=words)
    else:
        words = _("{role}, report only").format(role=control.role)
    yield _("Role"), words
    yield _("Side effects"), control.side_effects.in_language(language)
    yield _("Way back"), control.way_back.in_language(language)
    references = (f"{key} {', '.join(ids)}" for key, ids in sorted(control.references.items()))
    yield _("References"), "; ".join(references)


def _platform(platform: Platform) -> str:
    if platform.tested is Tested.REAL:
        return platform.name
    return _("{platform} (from recorded answers, never run on a real one)").format(platform=platform.name)


def _demands(control: Control, levels: Levels, mappings: Iterable[LegalMapping]) -> Iterator[tuple[str, str]]:
    """Say who demands the control: levels with their numbers, laws and standards as far as known."""
    placement = levels.placements.get(control.id)
    lowest = {role: placement.lowest(role) if placement else LEVELS[0] for role in HostRole}
    yield _("Servers"), _from_level(lowest[HostRole.SERVER])
    yield _("Workstations"), _from_level(lowest[HostRole.WORKSTATION])
    for name in thresholds_of(control):
        yield name, _values(levels.thresholds[name])
    for mapping, group in claims(control, mappings):
        yield f"{mapping.document} {group.id}", _claim(mapping, group)


def _from_level(level: int | None) -> str:
    if level is None:
        return _("at no level")
    return _("from level {level} on").format(level=level)


def _values(values: LevelValues) -> str:
    numbers = {role: ", ".join(str(values.at(level, role)) for level in LEVELS) for role in HostRole}
    said = numbers[HostRole.SERVER]
    if numbers[HostRole.WORKSTATION] != said:
        said = _("{server}; workstations {workstation}").format(
            server=said, workstation=numbers[HostRole.WORKSTATION]
        )
    return _("{title}, levels 1 to 5: {values} ({source})").format(
        title=values.title.in_language(current_language()), values=said, source=values.source
    )


def _claim(mapping: LegalMapping, group: MappingGroup) -> str:
    known = {
        Confidence.CONFIRMED: _("confirmed"),
        Confidence.THIRD_PARTY: _("from a third party"),
        Confidence.UNCONFIRMED: _("not confirmed"),
        Confidence.OWN_CHOICE: _("our own choice"),
    }
    parts = [group.title.in_language(current_language()), known[group.confidence]]
    if mapping.valid_from is not None:
        parts.append(_("since {day}").format(day=mapping.valid_from))
    if mapping.valid_to is not None:
        parts.append(_("until {day}").format(day=mapping.valid_to))
    return "; ".join(parts)
