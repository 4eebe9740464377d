"""The ControlCatalogue port over the controls.yml beside each role; strict, errors name file and line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from khien.adapters.yaml_places import Place, read_yaml
from khien.domain.baseline import LEVELS, Levels, LevelValues
from khien.domain.control import Check, Control, Probe, Severity, Threshold, WhenAbsent
from khien.domain.expectation import OPERATORS
from khien.domain.host import HostRole
from khien.domain.platform import SYSTEM_WORDS
from khien.domain.probe_kind import PARAMETER_WORDS, PROBE_KINDS
from khien.domain.text import Bilingual

AREAS = ("access", "accounts", "backup", "logging", "malware", "network", "patching", "system")
OS_FAMILIES = ("debian", "redhat", "suse")
REFERENCES = (
    "cis_debian12",
    "cis_debian13",
    "cis_rhel9",
    "cis_ubuntu2204",
    "cis_ubuntu2404",
    "nd331",
    "ssg",
    "stig_rhel9",
    "stig_ubuntu2204",
    "stig_ubuntu2404",
    "tcvn11930",
    "tcvn14423",
)
_SLUG = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+\Z")
_VARIABLE = re.compile(r"[a-z][a-z0-9_]*\Z")
_LONGEST_TIMEOUT = 60

Thresholds = Mapping[str, LevelValues]


class YamlControls:
    """All controls of the roles in one folder, read once.

    Args:
        roles: the folder.
        thresholds: the thresholds that expectations may name; None: any name is taken, and judged by nobody.
    """

    def __init__(self, roles: Path, thresholds: Thresholds | None = None) -> None:
        self._roles = roles
        self._thresholds = thresholds
        self._controls: tuple[Control, ...] | None = None

    def controls(self) -> tuple[Control, ...]:
        """Return all controls, sorted by id.

        Raises:
            InputError: a controls.yml is unusable; file and line are named.
        """
        if self._controls is None:
            self._controls = load_controls(sorted(self._roles.glob("*/controls.yml")), self._thresholds)
        return self._controls


def load_controls(files: Iterable[Path], thresholds: Thresholds | None = None) -> tuple[Control, ...]:
    """Read controls from files named controls.yml, each in the folder of its role; all or none."""
    found: dict[str, tuple[Control, Place]] = {}
    for path in files:
        top = read_yaml(path).mapping(("controls",))
        for place in top["controls"].items():
            control = _control(place, path.parent.name, thresholds)
            if control.id in found:
                earlier = found[control.id][1]
                raise place.error(
                    f"the control {control.id!r} exists already at {earlier.path}:{earlier.line}"
                )
            found[control.id] = (control, place)
    return tuple(found[key][0] for key in sorted(found))


def compile_probes(controls: Iterable[Control]) -> list[dict[str, object]]:
    """Return the questions that all controls ask, each once, as the collector takes them."""
    asked: dict[str, Probe] = {}
    for control in controls:
        for check in control.checks:
            probe = check.probe
            earlier = asked.get(probe.id)
            if earlier is None or earlier.timeout_seconds < probe.timeout_seconds:
                asked[probe.id] = probe
    return [
        {
            "id": key,
            "kind": asked[key].kind,
            "parameters": dict(asked[key].parameters),
            "timeout": asked[key].timeout_seconds,
        }
        for key in sorted(asked)
    ]


def _control(place: Place, role: str, thresholds: Thresholds | None) -> Control:
    entries = place.mapping(
        required=(
            *("id", "title", "rationale", "severity", "area", "os_families"),
            *("checks", "fix", "side_effects", "way_back", "references"),
        ),
        optional=("not_in_containers",),
    )
    identity = entries["id"].text()
    if not _SLUG.match(identity):
        raise entries["id"].error(f"{identity!r} is no slug: lower-case words joined by underscores")
    checks = tuple(_check(check, thresholds) for check in entries["checks"].items())
    if not checks:
        raise entries["checks"].error("a control needs at least one check")
    families = tuple(family.one_of(OS_FAMILIES) for family in entries["os_families"].items())
    if not families:
        raise entries["os_families"].error(f"expected some of: {', '.join(OS_FAMILIES)}")
    fix_variable, fix_opt_in = _fix(entries["fix"])
    return Control(
        id=identity,
        title=_bilingual(entries["title"]),
        rationale=_bilingual(entries["rationale"]),
        severity=Severity(entries["severity"].one_of([severity.value for severity in Severity])),
        area=entries["area"].one_of(AREAS),
        checks=checks,
        os_families=families,
        role=role,
        fix_variable=fix_variable,
        side_effects=_bilingual(entries["side_effects"]),
        way_back=_bilingual(entries["way_back"]),
        references=_references(entries["references"]),
        not_in_containers="not_in_containers" in entries and entries["not_in_containers"].truth(),
        fix_opt_in=fix_opt_in,
    )


def _check(place: Place, thresholds: Thresholds | None) -> Check:
    entries = place.mapping(
        required=("probe", "expect"),
        optional=("field", "when_absent", "timeout", "only_on"),
    )
    operator, expected = _expectation(entries["expect"], thresholds)
    absent = entries.get("when_absent")
    return Check(
        probe=_probe(entries["probe"], _timeout(entries.get("timeout"))),
        operator=operator,
        expected=expected,
        field_path=entries["field"].texts() if "field" in entries else (),
        when_absent=WhenAbsent(absent.one_of([w.value for w in WhenAbsent])) if absent else WhenAbsent.FAIL,
        only_on=_only_on(entries["only_on"]) if "only_on" in entries else (),
    )


def _only_on(place: Place) -> tuple[str, ...]:
    systems = tuple(entry.one_of(SYSTEM_WORDS) for entry in place.items())
    if not systems:
        raise place.error(f"expected some of: {', '.join(sorted(SYSTEM_WORDS))}")
    return systems


def _probe(place: Place, timeout_seconds: float) -> Probe:
    kind = place.mapping(("kind",), place.keys())["kind"].one_of(PROBE_KINDS)
    wanted = PROBE_KINDS[kind]
    entries = place.mapping(required=("kind", *wanted))
    parameters: dict[str, object] = {}
    for name, is_right in wanted.items():
        parameters[name] = entries[name].value()
        if not is_right(parameters[name]):
            raise entries[name].error(f"{name} of {kind} must be {PARAMETER_WORDS[is_right]}")
    return Probe(kind, parameters, timeout_seconds)


def _expectation(place: Place, thresholds: Thresholds | None) -> tuple[str, object]:
    entries = place.mapping((), OPERATORS)
    if len(entries) != 1:
        raise place.error("expected exactly one operator")
    name, wanted = entries.popitem()
    expected = _with_thresholds(wanted, thresholds)
    entries_of = expected if isinstance(expected, list) else [expected]
    if not any(isinstance(entry, Threshold) for entry in entries_of):
        if not OPERATORS[name].accepts(expected):
            raise wanted.error(f"{name} wants {OPERATORS[name].wants}")
    elif thresholds is not None:
        levels = Levels(LEVELS[0], thresholds)
        for level in LEVELS:
            for role in HostRole:
                value = levels.resolved(expected, level, role)
                if not OPERATORS[name].accepts(value):
                    raise wanted.error(
                        f"{name} wants {OPERATORS[name].wants}; level {level} of a {role} gives {value!r}"
                    )
    return name, expected


def _with_thresholds(place: Place, thresholds: Thresholds | None) -> object:
    """Return an expected value in which `{threshold: NAME}` became the threshold it names."""
    value = place.value()
    if isinstance(value, list):
        return [_with_thresholds(entry, thresholds) for entry in place.items()]
    if not isinstance(value, dict) or set(value) != {"threshold"}:
        return value
    name = place.mapping(("threshold",))["threshold"]
    word = name.one_of(thresholds) if thresholds is not None else name.text()
    return Threshold(word)


def _timeout(place: Place | None) -> float:
    if place is None:
        return Probe("").timeout_seconds
    value = place.value()
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= _LONGEST_TIMEOUT:
        raise place.error(f"timeout must be a number of seconds above 0, at most {_LONGEST_TIMEOUT}")
    return float(value)


def _fix(place: Place) -> tuple[str | None, bool]:
    if place.value() == "report_only":
        return None, False
    entries = place.mapping(("variable",), ("opt_in",))
    name = entries["variable"].text()
    if not _VARIABLE.match(name):
        raise entries["variable"].error(f"{name!r} is no variable name")
    return name, "opt_in" in entries and entries["opt_in"].truth()


def _bilingual(place: Place) -> Bilingual:
    entries = place.mapping(("en", "vi"))
    return Bilingual(en=entries["en"].text(), vi=entries["vi"].text())


def _references(place: Place) -> Mapping[str, tuple[str, ...]]:
    references = {key: entry.texts() for key, entry in place.mapping((), REFERENCES).items()}
    if not any(references.values()):
        raise place.error(f"expected references, some of: {', '.join(REFERENCES)}")
    return references
