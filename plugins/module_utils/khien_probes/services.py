"""Probes about services: units, the journal, time, and what still waits for a restart."""

from __future__ import annotations

import re
from typing import Any, Optional

from ansible.module_utils.khien_reboot import reboot_need

from .dpkg import has_dpkg, installed_packages
from .facts import virtualization
from .machine import Machine, NoAnswerError, Setting, UnsupportedError, number_or_text

CHRONY_FILES = (
    *("/etc/chrony/chrony.conf", "/etc/chrony.conf", "/etc/chrony/conf.d/*.conf"),
    *("/etc/chrony/sources.d/*.sources", "/etc/chrony.d/*.conf"),
)
# Where unit files lie: systemd.unit(5).
_OWN_UNIT_FOLDERS = ("/usr/lib/systemd/system", "/lib/systemd/system")
_UNIT_FOLDERS = (
    *_OWN_UNIT_FOLDERS,
    *("/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system"),
    *("/run/systemd/transient", "/run/systemd/generator"),
    *("/run/systemd/generator.early", "/run/systemd/generator.late"),
)
_NO = ("no", "false", "off", "0", "n", "f")
_NTP = ("/etc/ntp.conf", "/etc/ntpsec/ntp.conf", "/etc/ntpsec/ntp.d/*.conf")


def units(machine: Machine, names: list[str]) -> dict[str, list[str]]:
    """Return which of these units the host has, which start with it, and which run now."""
    known = machine.once("units", lambda: show_units(machine, sorted({*machine.units_of_interest, *names})))
    # Probes of other kinds ask about units of their own.
    others = [name for name in names if name not in known]
    if others:
        known = {**known, **machine.once(("units", *others), lambda: show_units(machine, others))}
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
    storage = read_systemd_setting(machine, "journald.conf", "Storage") or "auto"
    kept = storage == "persistent" or (storage == "auto" and machine.exists("/var/log/journal"))
    compress = read_systemd_setting(machine, "journald.conf", "Compress") or "yes"
    # A number is the size from which on entries are compressed.
    return {"storage": storage, "persistent": kept, "compressed": compress.lower() not in _NO}


def systemd_setting(machine: Machine, file: str, key: str) -> Optional[Setting]:
    """Return a setting of one of systemd's files with its drop-ins, or nothing when it is not made."""
    value = read_systemd_setting(machine, file, key)
    return number_or_text(value) if value else None


def core_storage(machine: Machine) -> Optional[dict[str, str]]:
    """Return where systemd keeps dumps of crashed programs and how large they may be, if it takes them."""
    if not machine.program("coredumpctl"):
        return None
    return {
        "storage": read_systemd_setting(machine, "coredump.conf", "Storage") or "external",
        "size": read_systemd_setting(machine, "coredump.conf", "ProcessSizeMax") or "default",
    }


def time_servers(machine: Machine) -> list[str]:
    """Return the time servers that are configured, of whichever time service."""
    servers = set()
    for pattern in (*CHRONY_FILES, *_NTP):
        for file in machine.matching(pattern):
            for line in machine.lines(file):
                words = line.split()
                if len(words) > 1 and words[0] in ("server", "pool", "peer", "refclock"):
                    servers.add(words[1])
    servers.update(read_systemd_setting(machine, "timesyncd.conf", "NTP").split())
    return sorted(servers)


def restart_needed(machine: Machine) -> dict[str, Any]:
    """Return whether the host or some of its services still run what an update has replaced."""
    if not machine.privileged:
        raise PermissionError("only root sees which files the services use")
    need: dict[str, Any] = reboot_need(lambda _argv: _kernel_packages(machine), machine.path("/"))
    if not has_dpkg(machine) and virtualization(machine) != "container":
        reasons = [*need["reasons"], *_newer_kernel_image(machine)]
        need = {**need, "needed": bool(reasons), "reasons": reasons}
    return need


def _kernel_packages(machine: Machine) -> str:
    """Return dpkg's list of kernels without starting dpkg."""
    kernels = (p for p in installed_packages(machine) if p.name.startswith("linux-image-"))
    return "\n".join("ii %s %s" % (package.name, package.version) for package in kernels)


def _newer_kernel_image(machine: Machine) -> list[str]:
    """Return that a newer kernel lies in /boot than the one that runs, where no dpkg can say so."""
    running = (machine.text("/proc/sys/kernel/osrelease") or "").strip()
    images = [name[len("vmlinuz-") :] for name in machine.names("/boot") if name.startswith("vmlinuz-")]
    if running not in images:
        return []
    newest = max((image for image in images if not image.startswith("0-rescue")), key=_rpm_order)
    return [] if newest == running else ["kernel %s is installed, %s is running" % (newest, running)]


def _rpm_order(release: str) -> list[tuple[bool, int, str]]:
    """Return a key that sorts as rpm does: numbers as numbers, and a number after a word."""
    pieces = re.findall(r"[0-9]+|[A-Za-z]+", release)
    return [(piece.isdigit(), int(piece) if piece.isdigit() else 0, piece) for piece in pieces]


def show_units(machine: Machine, names: list[str]) -> dict[str, dict[str, str]]:
    """Return what systemd says of units, by name."""
    if not machine.exists("/run/systemd/system"):
        raise UnsupportedError("this system was not started by systemd")
    names = _with_files(machine, names)
    if not names:
        return {}
    properties = "Id,LoadState,ActiveState,UnitFileState"
    code, output = machine.run(["systemctl", "show", "--no-pager", "--property=" + properties, "--", *names])
    blocks = output.strip("\n").split("\n\n")
    if code != 0 or len(blocks) != len(names):
        raise NoAnswerError("systemctl show: %s" % output.strip()[-300:])
    return {
        name: dict(line.split("=", 1) for line in block.split("\n") if "=" in line)
        for name, block in zip(names, blocks)
    }


def _with_files(machine: Machine, names: list[str]) -> list[str]:
    """Return the units that may exist: systemd takes milliseconds to look in vain for each of the others."""
    if not any(machine.names(folder) for folder in _OWN_UNIT_FOLDERS):
        return names  # systemd's own units lie elsewhere here, so others may, too
    there = {name for folder in _UNIT_FOLDERS for name in machine.names(folder)}
    return [name for name in names if name in there or "@" in name or name.endswith((".mount", ".swap"))]


def read_systemd_setting(machine: Machine, file: str, key: str) -> str:
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
