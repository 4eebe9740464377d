"""The few facts about a host that every collection brings along."""

from __future__ import annotations

import os
from typing import Any

from .machine import Machine

_FAMILIES = {
    "debian": "debian",
    "ubuntu": "debian",
    "rhel": "redhat",
    "centos": "redhat",
    "fedora": "redhat",
    "suse": "suse",
    "opensuse": "suse",
    "sles": "suse",
}


def host_facts(machine: Machine) -> dict[str, Any]:
    """Return what kind of machine this is."""
    release = os_release(machine)
    uptime = (machine.text("/proc/uptime") or "0").split(".")[0]
    return {
        "os_id": release.get("ID", ""),
        "os_family": os_family(machine),
        "os_version": release.get("VERSION_ID", ""),
        "os_name": release.get("PRETTY_NAME", ""),
        "kernel": (machine.text("/proc/sys/kernel/osrelease") or "").strip(),
        "architecture": os.uname().machine,
        "virtualization": virtualization(machine),
        "boot_id": (machine.text("/proc/sys/kernel/random/boot_id") or "").strip(),
        "uptime_seconds": int(uptime) if uptime.isdigit() else 0,
        "privileged": machine.privileged,
    }


def os_release(machine: Machine) -> dict[str, str]:
    """Return the fields of os-release."""
    lines = machine.lines("/etc/os-release") or machine.lines("/usr/lib/os-release")
    pairs = (line.partition("=") for line in lines)
    return {key: value.strip("\"'") for key, _equals, value in pairs}


def os_family(machine: Machine) -> str:
    """Return debian, redhat or suse, or nothing for a system of another kind."""
    release = os_release(machine)
    for name in [release.get("ID", ""), *release.get("ID_LIKE", "").split()]:
        if name in _FAMILIES:
            return _FAMILIES[name]
    return ""


def virtualization(machine: Machine) -> str:
    """Return container, vm or none."""
    marks = ("/run/systemd/container", "/run/.containerenv", "/.dockerenv")
    if any(machine.exists(mark) for mark in marks):
        return "container"
    if machine.privileged and b"\0container=" in b"\0" + (machine.data("/proc/1/environ") or b""):
        return "container"
    if " hypervisor " in (machine.text("/proc/cpuinfo") or ""):
        return "vm"
    return "none"
