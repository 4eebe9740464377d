"""Knows which services ran, and which of them an update left down."""

from __future__ import annotations

import time
from typing import Callable, Mapping

from .command import Run

_MEANT_TO_RUN = ("enabled", "enabled-runtime", "linked", "generated", "alias")
_UP = ("active", "reloading", "activating")


def running_services(run: Run) -> tuple[str, ...]:
    """Return the running services that are meant to run; what is started on demand comes and goes."""
    output = run(["systemctl", "list-units", "--type=service", "--state=running", "--no-legend", "--plain"])
    units = [line.split()[0] for line in output.out.splitlines() if line.strip()]
    states = _show(run, tuple(units), "UnitFileState")
    return tuple(sorted(unit for unit in units if states.get(unit) in _MEANT_TO_RUN))


def failed_units(run: Run) -> tuple[str, ...]:
    """Return all failed units."""
    output = run(["systemctl", "list-units", "--state=failed", "--no-legend", "--plain"])
    return tuple(sorted(line.split()[0] for line in output.out.splitlines() if line.strip()))


def services_down(
    run: Run,
    ran: tuple[str, ...],
    settle_seconds: float,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> tuple[str, ...]:
    """Return which of the services that ran are down now, after time to come up again."""
    end = clock() + settle_seconds
    while True:
        states = _show(run, ran, "ActiveState")
        down = tuple(unit for unit in ran if states.get(unit) not in _UP)
        if not down or clock() >= end:
            return down
        pause(1.0)


def _show(run: Run, units: tuple[str, ...], name: str) -> Mapping[str, str]:
    if not units:
        return {}
    values: dict[str, str] = {}
    output = run(["systemctl", "show", "--property=Id", "--property=" + name, "--", *units])
    for block in output.out.split("\n\n"):
        pairs = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if pairs.get("Id"):
            values[pairs["Id"]] = pairs.get(name, "")
    return values
