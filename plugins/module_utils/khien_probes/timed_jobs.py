"""Probes about who may leave timed jobs behind."""

from __future__ import annotations

from typing import Any, Optional

from .machine import Machine
from .services import show_units

_PROGRAMS = {"cron": "crontab", "at": "at"}
_CRON_UNITS = ["cron.service", "crond.service", "cronie.service"]


def timed_job_users(machine: Machine, service: str) -> Optional[dict[str, Any]]:
    """Return who may use cron or at, or nothing when the host does not have it.

    `named` is the list of those allowed, or nothing when there is no such list; `deny_list` whether one of
    those refused exists, which lets in everybody it forgets.
    """
    if machine.program(_PROGRAMS.get(service, service)) is None:
        return None
    allowed = "/etc/%s.allow" % service
    return {
        "listed": machine.exists(allowed),
        "named": machine.lines(allowed) if machine.exists(allowed) else None,
        "deny_list": machine.exists("/etc/%s.deny" % service),
    }


def timed_job_service(machine: Machine) -> Optional[dict[str, bool]]:
    """Return whether the service behind cron starts with the host and runs now, or nothing without cron."""
    units = machine.once("cron units", lambda: show_units(machine, _CRON_UNITS))
    loaded = [unit for unit in units.values() if unit.get("LoadState") == "loaded"]
    if not loaded:
        return None
    return {
        "enabled": any(unit.get("UnitFileState", "").startswith("enabled") for unit in loaded),
        "active": any(unit.get("ActiveState") == "active" for unit in loaded),
    }
