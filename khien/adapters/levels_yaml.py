"""The security levels of compliance/levels.yml; strict, errors name file and line."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from khien.adapters.yaml_places import Place, read_yaml
from khien.domain.baseline import LEVELS, Confidence, Levels, LevelValues, Placement
from khien.domain.text import Bilingual

SCHEMA = "khien.levels/1"
_ROLES = ("server", "workstation")
_WORD = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*\Z")


def load_levels(path: Path, controls: Collection[str] | None = None) -> Levels:
    """Read the levels; all or nothing.

    Args:
        path: the file.
        controls: the controls there are; None: any id may stand in the file.

    Raises:
        InputError: the file is unusable; file and line are named.
    """
    top = read_yaml(path).mapping(("schema", "default_level", "thresholds", "controls"))
    top["schema"].one_of((SCHEMA,))
    level = _level(top["default_level"])
    named = top["thresholds"].mapping((), top["thresholds"].keys())
    thresholds = {name: _threshold(name, place) for name, place in named.items()}
    return Levels(level, thresholds, _placements(top["controls"], controls))


def _threshold(name: str, place: Place) -> LevelValues:
    if not _WORD.match(name):
        raise place.error(f"{name!r} is no name: lower-case words joined by underscores")
    alike = ("values",) if "values" in place.keys() else _ROLES  # noqa: SIM118 - a Place is no mapping
    entries = place.mapping(("title", "source", "confidence", *alike))
    title = entries["title"].mapping(("en", "vi"))
    return LevelValues(
        name=name,
        title=Bilingual(title["en"].text(), title["vi"].text()),
        server=_values(entries[alike[0]]),
        workstation=_values(entries[alike[-1]]),
        source=entries["source"].text(),
        confidence=Confidence(entries["confidence"].one_of([word.value for word in Confidence])),
    )


def _values(place: Place) -> tuple[object, ...]:
    values = tuple(entry.value() for entry in place.items())
    if len(values) != len(LEVELS):
        raise place.error(f"expected {len(LEVELS)} values, one for each level, found {len(values)}")
    return values


def _placements(sections: Place, controls: Collection[str] | None) -> dict[str, Placement]:
    found: dict[str, Placement] = {}
    for role, section in sections.mapping((), sections.keys()).items():
        known = section.keys() if controls is None else controls
        for control, place in section.mapping((), known).items():
            if control in found:
                raise place.error(f"the control {control!r} is placed twice, again under {role}")
            entries = place.mapping(_ROLES)
            found[control] = Placement(_lowest(entries["server"]), _lowest(entries["workstation"]))
    return found


def _lowest(place: Place) -> int | None:
    return None if place.value() is None else _level(place)


def _level(place: Place) -> int:
    value = place.value()
    if isinstance(value, bool) or not isinstance(value, int) or value not in LEVELS:
        raise place.error(f"expected a level, {LEVELS[0]} to {LEVELS[-1]}, found {value!r}")
    return value
