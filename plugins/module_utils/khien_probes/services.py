"""Probes about services: units, the journal, time, and what still waits for a restart."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.khien_reboot import reboot_need

from .dpkg import installed_packages
from .machine import Machine, NoAnswerError, UnsupportedError

_CHRONY = (
    *("/etc/chrony/chrony.conf", "/etc/chrony.conf", "/etc/chrony/conf.d/*.conf"),
    *("/etc/chrony/sources.d/*.sources", "/etc/chrony.d/*.conf"),
)
_NTP = ("/etc/ntp.conf", "/etc/ntpsec/ntp.conf", "/etc/ntpsec/ntp.d/*.conf")


def units(machine: Machine, names: list[str]) -> dict[str, list[str]]:
    """Return which of these units the host has, which start with it, and which run now."""
    known = machine.once("units", lambda: _show_units(machine, sorted({*machine.units_of_interest, *names})))
    found: dict[str, list[str]] = {"installed": [], "enabled": [], "active": []}
    seen = set()
    for name in names:
        unit = known.get(name, {})
        if unit.get("LoadState") != "loaded" or unit.get("Id") in seen:
            continue
        seen.add(unit.get("Id"))
        found["installed"].append(name)
        if unit.get("UnitFileState") in ("enabled", "enabled-runtime", "static", "alias", "generated"):
            found["enabled"].append(name)
        if unit.get("ActiveState") in ("active", "activating", "reloading"):
            found["active"].append(name)
    return found


def journal_storage(machine: Machine) -> dict[str, Any]:
    """Return how the journal is configured and whether it outlives a restart."""
    storage = _systemd_setting(machine, "journald.conf", "Storage") or "auto"
    kept = storage == "persistent" or (storage == "auto" and machine.exists("/var/log/journal"))
    return {"storage": storage, "persistent": kept}


def time_servers(machine: Machine) -> list[str]:
    """Return the time servers that are configured, of whichever time service."""
    servers = set()
    for pattern in (*_CHRONY, *_NTP):
        for file in machine.matching(pattern):
            for line in machine.lines(file):
                words = line.split()
                if len(words) > 1 and words[0] in ("server", "pool", "peer", "refclock"):
                    servers.add(words[1])
    servers.update(_systemd_setting(machine, "timesyncd.conf", "NTP").split())
    return sorted(servers)


def restart_needed(machine: Machine) -> dict[str, Any]:
    """Return whether the host or some of its services still run what an update has replaced."""
    if not machine.privileged:
        raise PermissionError("only root sees which files the services use")
    return reboot_need(lambda _argv: _kernel_packages(machine), machine.path("/"))


def _kernel_packages(machine: Machine) -> str:
    """Return dpkg's list of kernels without starting dpkg."""
    kernels = (p for p in installed_packages(machine) if p.name.startswith("linux-image-"))
    return "\n".join("ii %s %s" % (package.name, package.version) for package in kernels)


def _show_units(machine: Machine, names: list[str]) -> dict[str, dict[str, str]]:
    if not machine.exists("/run/systemd/system"):
        raise UnsupportedError("this system was not started by systemd")
    properties = "Id,LoadState,ActiveState,UnitFileState"
    code, output = machine.run(["systemctl", "show", "--no-pager", "--property=" + properties, "--", *names])
    blocks = output.strip("\n").split("\n\n")
    if code != 0 or len(blocks) != len(names):
        raise NoAnswerError("systemctl show: %s" % output.strip()[-300:])
    return {
        name: dict(line.split("=", 1) for line in block.split("\n") if "=" in line)
        for name, block in zip(names, blocks)
    }


def _systemd_setting(machine: Machine, file: str, key: str) -> str:
    """Return a setting of a systemd configuration file, its drop-ins in the order systemd reads them."""
    parts: dict[str, str] = {}
    for base in ("/usr/lib/systemd/", "/run/systemd/", "/etc/systemd/"):
        for path in machine.matching(base + file + ".d/*.conf"):
            parts[path.rsplit("/", 1)[-1]] = path
    main = [base + file for base in ("/etc/systemd/", "/usr/lib/systemd/") if machine.exists(base + file)]
    value = ""
    for path in [*main[:1], *(parts[name] for name in sorted(parts))]:
        for line in machine.lines(path):
            name, equals, setting = line.partition("=")
            if equals and name.strip() == key:
                value = setting.strip()
    return value
