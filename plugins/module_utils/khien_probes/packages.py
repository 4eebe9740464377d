"""Probes about packages: what is installed, which system this is, which security updates wait."""

from __future__ import annotations

from typing import Any

from . import apt_updates, dnf_updates
from .dpkg import has_dpkg, installed_packages
from .facts import os_release as read_os_release
from .machine import Machine, NoAnswerError, UnsupportedError
from .traceless import run_without_trace


def packages(machine: Machine, names: list[str]) -> list[str]:
    """Return which of these packages are installed."""
    if has_dpkg(machine):
        present = {package.name for package in installed_packages(machine)}
    else:
        present = machine.once("rpm names", lambda: _rpm_names(machine, names))
    return [name for name in names if name in present]


def os_release(machine: Machine) -> dict[str, str]:
    """Return the system's name and version."""
    release = read_os_release(machine)
    return {"id": release.get("ID", ""), "version": release.get("VERSION_ID", "")}


def security_updates(machine: Machine, max_age_days: int) -> dict[str, Any]:
    """Return the security updates that wait, as far as the host's package lists know."""
    if has_dpkg(machine):
        return apt_updates.security_updates(machine, max_age_days)
    if machine.program("dnf"):
        return dnf_updates.security_updates(machine, max_age_days)
    raise UnsupportedError("neither dpkg nor dnf keeps the packages of this system")


def _rpm_names(machine: Machine, names: list[str]) -> set[str]:
    if machine.program("rpm") is None:
        raise UnsupportedError("neither dpkg nor rpm keeps the packages of this system")
    asked = sorted({*machine.packages_of_interest, *names})
    _code, output = run_without_trace(machine, "rpm", "-q", "--qf", "=%{NAME}\\n", *asked)
    lines = output.split("\n")
    if not any(line.startswith("=") or line.endswith("is not installed") for line in lines):
        raise NoAnswerError("rpm: %s" % output.strip()[-300:])
    return {line[1:] for line in lines if line.startswith("=")}
