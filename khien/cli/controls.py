"""`khien controls list` and `khien controls show ID`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from difflib import get_close_matches
from typing import Annotated

import typer

from khien.application.labels import severity_label
from khien.cli.context import JsonOption, data_console, print_json, services
from khien.domain.control import Check, Control, Severity, WhenAbsent
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
    *,
    markdown: Annotated[
        bool, typer.Option("--markdown", help=_("Print the page of all chosen controls as Markdown."))
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List controls, all or some."""
    everything = services(context).catalogue.controls()
    _require(area, {control.area for control in everything}, "--area")
    _require(severity, [word.value for word in Severity], "--severity")
    _require(platform, {family for control in everything for family in control.os_families}, "--platform")
    chosen = [
        control
        for control in everything
        if area in ("", control.area)
        and severity in ("", control.severity)
        and (not platform or platform in control.os_families)
    ]
    if as_json:
        print_json({"schema": "khien.controls/1", "controls": [document(control) for control in chosen]})
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
    known = {control.id: control for control in services(context).catalogue.controls()}
    if name not in known:
        close = get_close_matches(name, known, n=1)
        hint = _("Did you mean {name}?").format(name=close[0]) if close else ""
        raise UsageError(_("There is no control {id}.").format(id=name) + (f" {hint}" if hint else ""))
    if as_json:
        print_json({"schema": "khien.control/1", "control": document(known[name])})
        return
    from rich.text import Text

    console = data_console()
    for heading, words in _sheet(known[name]):
        console.print(Text.assemble((f"{heading}: " if heading else "", "bold"), words))


def document(control: Control) -> dict[str, object]:
    """Return a control as JSON."""
    return {
        "id": control.id,
        "title": asdict(control.title),
        "rationale": asdict(control.rationale),
        "severity": control.severity.value,
        "area": control.area,
        "role": control.role,
        "os_families": list(control.os_families),
        "not_in_containers": control.not_in_containers,
        "checks": [_check_document(check) for check in control.checks],
        "fix_variable": control.fix_variable,
        "side_effects": asdict(control.side_effects),
        "way_back": asdict(control.way_back),
        "references": {key: list(ids) for key, ids in control.references.items()},
    }


def _check_document(check: Check) -> dict[str, object]:
    return {
        "probe": {"kind": check.probe.kind, "parameters": dict(check.probe.parameters)},
        "timeout_seconds": check.probe.timeout_seconds,
        "field": list(check.field_path),
        "operator": check.operator,
        "expected": check.expected,
        "when_absent": check.when_absent.value,
    }


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
    yield _("Why"), control.rationale.in_language(language)
    for check in control.checks:
        demand = OPERATORS[check.operator].demand(check.expected)
        yield _("Check"), f"{label(check)} ({demand}); {absent[check.when_absent]}"
    if control.fix_variable:
        words = _("{role}, variable {variable}").format(role=control.role, variable=control.fix_variable)
    else:
        words = _("{role}, report only").format(role=control.role)
    yield _("Role"), words
    yield _("Side effects"), control.side_effects.in_language(language)
    yield _("Way back"), control.way_back.in_language(language)
    references = (f"{key} {', '.join(ids)}" for key, ids in sorted(control.references.items()))
    yield _("References"), "; ".join(references)
