"""Which controls each host is hardened for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from khien.domain.control import Control
from khien.domain.host import Host

Demands = Callable[[Host, Control], bool]
"""Whether a control is demanded of a host now: by its level and profile, and not waived."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The controls that some hosts are hardened for; a plan of many hosts has few of these."""

    hosts: tuple[str, ...]
    controls: tuple[str, ...]
    """Ids, sorted."""
    level: int | None = None
    """The level whose thresholds are meant; None: the default."""


def select(
    hosts: Iterable[Host],
    controls: Iterable[Control],
    demands: Demands,
    *,
    level: int | None = None,
    only: frozenset[str] = frozenset(),
) -> tuple[Selection, ...]:
    """Return what every host is hardened for: controls that are demanded of it and that a role can fix.

    Args:
        hosts: the hosts.
        controls: all controls.
        demands: whether a control is demanded of a host.
        level: the level meant instead of each host's own.
        only: the ids that were asked for; empty means all.
    """
    fixable = [
        control
        for control in sorted(controls, key=lambda control: control.id)
        if control.fix_variable is not None and (not only or control.id in only)
    ]
    groups: dict[tuple[tuple[str, ...], int | None], list[str]] = {}
    for host in hosts:
        meant = host if level is None else replace(host, level=level)
        chosen = tuple(control.id for control in fixable if demands(meant, control))
        if chosen:
            groups.setdefault((chosen, meant.level), []).append(host.name)
    selections = [Selection(tuple(sorted(names)), *key) for key, names in groups.items()]
    return tuple(sorted(selections, key=lambda selection: selection.hosts))


def restrict(selection: Iterable[Selection], hosts: Iterable[str]) -> tuple[Selection, ...]:
    """Return the same selection for some of its hosts only."""
    wanted = set(hosts)
    kept = (
        Selection(tuple(name for name in one.hosts if name in wanted), one.controls, one.level)
        for one in selection
    )
    return tuple(sorted((one for one in kept if one.hosts), key=lambda one: one.hosts))
