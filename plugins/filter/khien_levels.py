"""Jinja filter of the roles: the number that a security level asks for, from compliance/levels.yml."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

DOCUMENTATION = """
  name: khien_threshold
  short_description: the value that a security level demands
  description:
    - Looks up a threshold of compliance/levels.yml, which lies beside the plugins.
    - A role's defaults ask it, so that hardening sets what verification expects.
  options:
    _input: {description: Name of the threshold., type: str, required: true}
    level: {description: Security level 1 to 5., type: int, required: true}
    profile: {description: server or workstation., type: str, default: server}
"""

EXAMPLES = """
accounts_password_min_length: "{{ 'password_length' | khien_threshold(khien_level | default(3)) }}"
"""

RETURN = """
  _value: {description: The threshold's value at that level., type: raw}
"""

LEVELS = Path(__file__).resolve().parents[2] / "compliance" / "levels.yml"
_PROFILES = ("server", "workstation")


@lru_cache(maxsize=1)
def _thresholds(path: Path) -> dict[str, Any]:
    thresholds: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)[
        "thresholds"
    ]
    return thresholds


def khien_threshold(name: str, level: object, profile: str = "server") -> object:
    """Return the value of a threshold at a level.

    Raises:
        ValueError: no such threshold, level or profile; Ansible shows it as the error of the template.
    """
    thresholds = _thresholds(LEVELS)
    if name not in thresholds:
        raise ValueError("%s has no threshold %r; it has: %s" % (LEVELS, name, ", ".join(sorted(thresholds))))
    if profile not in _PROFILES:
        raise ValueError("the profile must be server or workstation, not %r" % (profile,))
    values = thresholds[name].get("values") or thresholds[name][profile]
    # An inventory in INI form says every number as text.
    if isinstance(level, bool) or str(level) not in [str(known) for known in range(1, len(values) + 1)]:
        raise ValueError("the level must be 1 to %d, not %r" % (len(values), level))
    return values[int(str(level)) - 1]


class FilterModule:
    """What Ansible asks a filter plugin for."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"khien_threshold": khien_threshold}
