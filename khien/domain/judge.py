"""The whole rule: which controls a host is held to, by its level and role, and what its answers mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from khien.domain.baseline import Levels
from khien.domain.control import Control
from khien.domain.evaluate import evaluate
from khien.domain.finding import Finding
from khien.domain.host import Host, HostRole
from khien.domain.observation import ObservationSet


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges hosts by the same rules; pure, so that stored answers can be judged again."""

    controls: Sequence[Control]
    levels: Levels
    _baselines: dict[tuple[int, HostRole], tuple[Control, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def baseline(self, host: Host) -> tuple[Control, ...]:
        """Return what is demanded of a host; a control that its level does not demand is no part of it."""
        key = (self.levels.level_of(host), host.role)
        if key not in self._baselines:
            self._baselines[key] = self.levels.baseline(self.controls, *key)
        return self._baselines[key]

    def findings(self, host: Host, observations: ObservationSet) -> tuple[Finding, ...]:
        """Return one finding for every control that is demanded of the host."""
        return evaluate(self.baseline(host), observations)
