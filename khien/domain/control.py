"""What a baseline demands: controls, the probes they ask and the answers they expect."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from khien.domain.shown import show
from khien.domain.text import Bilingual


class Severity(StrEnum):
    """How much a failed control matters."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Probe:
    """One read-only question to a host: a kind and its parameters."""

    kind: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    timeout_seconds: float = 10.0
    id: str = field(init=False, repr=False, compare=False)
    """A stable key: equal questions have equal ids, so a host answers each only once."""

    def __post_init__(self) -> None:
        # Worked out once, because judging asks for it at every host.
        object.__setattr__(self, "id", self._key())

    def _key(self) -> str:
        if not self.parameters:
            return self.kind
        parameters = json.dumps(
            dict(self.parameters), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        return f"{self.kind} {parameters}"


class WhenAbsent(StrEnum):
    """What it means when the thing a check asks about does not exist on the host."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Threshold:
    """Stands in an expectation for a value that the host's level decides; see khien.domain.baseline."""

    name: str

    def __str__(self) -> str:
        return f"‹{self.name}›"


@dataclass(frozen=True, slots=True)
class Check:
    """One probe and the answer it must give."""

    probe: Probe
    operator: str
    """equals, at_least, one_of … : the keys of khien.domain.expectation.OPERATORS."""
    expected: object = None
    """A value, a Threshold, or a list that may hold thresholds."""
    field_path: tuple[str, ...] = ()
    """Where in a structured answer the compared value stands."""
    when_absent: WhenAbsent = WhenAbsent.FAIL
    only_on: tuple[str, ...] = ()
    """Families, ids or slugs of systems (khien.domain.platform); empty: all. Elsewhere it is left out."""
    label: str = field(init=False, repr=False, compare=False)
    """Its name in the words of its probe, in no human language."""

    def __post_init__(self) -> None:
        words = [show(value) for value in self.probe.parameters.values() if isinstance(value, str)]
        label = ".".join((" ".join(words) or self.probe.kind, *self.field_path))
        object.__setattr__(self, "label", label)


@dataclass(frozen=True, slots=True)
class Control:
    """One thing a baseline demands."""

    id: str
    """A stable slug such as sshd_root_login_off."""
    title: Bilingual
    rationale: Bilingual
    severity: Severity
    area: str
    """accounts, access, logging, network, system, patching, malware or backup."""
    checks: tuple[Check, ...]
    """All must hold."""
    os_families: tuple[str, ...]
    """debian, redhat, suse: where it applies."""
    role: str
    """The role whose controls.yml holds it."""
    fix_variable: str | None
    """The role's variable that enforces it; None when it is report only."""
    side_effects: Bilingual
    way_back: Bilingual
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """ssg, cis_debian12, cis_debian13, cis_ubuntu2204, cis_ubuntu2404, cis_rhel9, stig_rhel9,
    stig_ubuntu2204, stig_ubuntu2404, tcvn11930, tcvn14423, nd331."""
    not_in_containers: bool = False
    """True for kernel-wide settings that a container does not own; there it is not applicable."""
    fix_opt_in: bool = False
    """True when the fix is destructive or fragile, so the role leaves it off until somebody asks for it."""
