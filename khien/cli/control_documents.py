"""A control as JSON: what it asks, who demands it, where it was tried."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from khien.domain.baseline import Levels
from khien.domain.control import Check, Control, Threshold
from khien.domain.mapping import LegalMapping, MappingGroup, claims
from khien.domain.platform import platforms_of

Document = dict[str, object]


def control_document(control: Control, levels: Levels, mappings: Iterable[LegalMapping]) -> Document:
    """Return a control as an item of khien.controls/1."""
    placement = levels.placements.get(control.id)
    return {
        "id": control.id,
        "title": asdict(control.title),
        "rationale": asdict(control.rationale),
        "severity": control.severity.value,
        "area": control.area,
        "role": control.role,
        "os_families": list(control.os_families),
        "platforms": [
            {"id": platform.slug, "name": platform.name, "tested": platform.tested.value}
            for platform in platforms_of(control)
        ],
        "not_in_containers": control.not_in_containers,
        "probes": list(dict.fromkeys(check.probe.id for check in control.checks)),
        "checks": [_check_document(check) for check in control.checks],
        "thresholds": {name: _values(levels, name) for name in thresholds_of(control)},
        "levels": {
            "server": placement.server if placement else 1,
            "workstation": placement.workstation if placement else 1,
        },
        "fix_variable": control.fix_variable,
        "fix_opt_in": control.fix_opt_in,
        "side_effects": asdict(control.side_effects),
        "way_back": asdict(control.way_back),
        "references": {key: list(ids) for key, ids in control.references.items()},
        "mappings": [_claim(mapping, group) for mapping, group in claims(control, mappings)],
    }


def thresholds_of(control: Control) -> tuple[str, ...]:
    """Return the names of the thresholds in a control's expectations."""
    expected = (check.expected for check in control.checks)
    entries = (entry for one in expected for entry in (one if isinstance(one, list) else [one]))
    return tuple(dict.fromkeys(entry.name for entry in entries if isinstance(entry, Threshold)))


def _values(levels: Levels, name: str) -> Document:
    values = levels.thresholds[name]
    return {
        "server": list(values.server),
        "workstation": list(values.workstation),
        "source": values.source,
        "confidence": values.confidence.value,
    }


def _claim(mapping: LegalMapping, group: MappingGroup) -> Document:
    return {
        "id": mapping.id,
        "document": mapping.document,
        "group": group.id,
        "title": asdict(group.title),
        "profiles": sorted(profile.value for profile in group.profiles),
        "source": group.source,
        "confidence": group.confidence.value,
        "valid_from": mapping.valid_from.isoformat() if mapping.valid_from else None,
        "valid_to": mapping.valid_to.isoformat() if mapping.valid_to else None,
    }


def _check_document(check: Check) -> Document:
    return {
        "probe": {"kind": check.probe.kind, "parameters": dict(check.probe.parameters)},
        "timeout_seconds": check.probe.timeout_seconds,
        "field": list(check.field_path),
        "operator": check.operator,
        "expected": _expected(check.expected),
        "when_absent": check.when_absent.value,
        "only_on": list(check.only_on),
    }


def _expected(value: object) -> object:
    """Return an expectation as JSON; a threshold is written as in a controls.yml."""
    if isinstance(value, list):
        return [_expected(entry) for entry in value]
    return {"threshold": value.name} if isinstance(value, Threshold) else value
