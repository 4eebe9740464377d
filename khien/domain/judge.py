"""The whole rule: what a host is held to by its level and role, what its answers mean, what is waived."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from khien.domain.baseline import Levels
from khien.domain.control import Control
from khien.domain.evaluate import Memory, evaluate
from khien.domain.finding import Finding
from khien.domain.host import Host, HostRole
from khien.domain.observation import ObservationSet
from khien.domain.waiver import Waiver, WaiverState, apply_waivers

_RULES = 1
"""Raised when the code of judging changes its mind about the same answers."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a host's answers mean, and by which rules."""

    findings: tuple[Finding, ...]
    basis: str
    """A digest of all that decided beside the answers; another one now means: judge again."""


@dataclass(frozen=True, slots=True)
class _Baseline:
    controls: tuple[Control, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges hosts by the same rules; pure, so that stored answers can be judged again."""

    controls: Sequence[Control]
    levels: Levels
    waivers: Sequence[Waiver] = ()
    _baselines: dict[tuple[int, HostRole], _Baseline] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    _digests: dict[object, str] = field(default_factory=dict, init=False, repr=False, compare=False)
    _memory: Memory = field(default_factory=Memory, init=False, repr=False, compare=False)

    def baseline(self, host: Host) -> tuple[Control, ...]:
        """Return what is demanded of a host; a control that its level does not demand is no part of it."""
        return self._baseline(host).controls

    def waivers_of(self, host: Host) -> tuple[Waiver, ...]:
        """Return the waivers whose scope covers a host, in effect or not."""
        return tuple(waiver for waiver in self.waivers if waiver.covers(host))

    def waived_controls(self, host: Host, today: date) -> frozenset[str]:
        """Return the controls that are excused on a host; nobody hardens what somebody decided to leave."""
        return frozenset(w.control for w in self.waivers_of(host) if w.state(today).in_effect)

    def judge(self, host: Host, observations: ObservationSet, today: date) -> Judgement:
        """Judge every control that is demanded of a host.

        Args:
            host: as the inventory describes it now; its level and role decide.
            observations: what it answered, lately or long ago.
            today: the day of judging, which decides on waivers.
        """
        findings = evaluate(self.baseline(host), observations, self._memory)
        return Judgement(apply_waivers(findings, self.waivers_of(host), today), self.basis(host, today))

    def basis(self, host: Host, today: date) -> str:
        """Return a digest of all that decides a host's judgement beside its answers."""
        states = ((waiver.state(today), waiver) for waiver in self.waivers if waiver.covers(host))
        waivers = tuple(
            sorted(
                (
                    waiver.id,
                    waiver.control,
                    state.in_effect,
                    str(waiver.expires),
                    waiver.reason,
                    waiver.approver,
                )
                for state, waiver in states
                if state.in_effect or state is WaiverState.EXPIRED
            )
        )
        key = (self._baseline(host).digest, waivers)
        if key not in self._digests:
            self._digests[key] = _digest(key)
        return self._digests[key]

    def _baseline(self, host: Host) -> _Baseline:
        key = (self.levels.level_of(host), host.role)
        if key not in self._baselines:
            controls = self.levels.baseline(self.controls, *key)
            self._baselines[key] = _Baseline(controls, _digest([_RULES, *map(_deciding, controls)]))
        return self._baselines[key]


def _deciding(control: Control) -> list[object]:
    """Return what of a control decides a judgement; its words do not."""
    checks = [
        [c.probe.id, c.operator, c.expected, c.field_path, c.when_absent.value, c.only_on]
        for c in control.checks
    ]
    return [control.id, control.os_families, control.not_in_containers, checks]


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
