"""Probes about the kernel: its settings, its modules, its mandatory access control."""

from __future__ import annotations

from typing import Any, Optional

from .machine import Machine, Setting, number_or_text

_DISABLED = ("/bin/false", "/bin/true", "/usr/bin/false", "/usr/bin/true", "/sbin/nologin")
_MODPROBE = ("/usr/lib/modprobe.d", "/lib/modprobe.d", "/run/modprobe.d", "/etc/modprobe.d")


def sysctl(machine: Machine, key: str) -> Optional[Setting]:
    """Return a kernel setting in force, or nothing when this kernel has no such setting."""
    text = machine.text("/proc/sys/" + key.replace(".", "/"))
    return None if text is None else number_or_text(" ".join(text.split()))


def kernel_module(machine: Machine, name: str) -> Optional[dict[str, bool]]:
    """Return whether a module is loaded and whether loading it is blocked, or nothing when there is none."""
    wanted = _plain(name)
    loaded = any(_plain(line.split()[0]) == wanted for line in machine.lines("/proc/modules", comment=""))
    if not loaded and not _is_available(machine, wanted):
        return None
    return {"loaded": loaded, "blocked": _is_blocked(machine, wanted)}


def mandatory_access(machine: Machine) -> Optional[dict[str, Any]]:
    """Return which mandatory access control is on and whether it enforces, or nothing when none is on."""
    selinux = machine.text("/sys/fs/selinux/enforce")
    if selinux is not None:
        return {"system": "selinux", "enforcing": selinux.strip() == "1"}
    enabled = machine.text("/sys/module/apparmor/parameters/enabled")
    if enabled is None or enabled.strip() != "Y":
        return None
    profiles = machine.lines("/sys/kernel/security/apparmor/profiles", comment="")
    enforced = sum(line.endswith("(enforce)") for line in profiles)
    complaining = sum(line.endswith("(complain)") for line in profiles)
    return {
        "system": "apparmor",
        "enforcing": enforced > 0,
        "profiles_enforced": enforced,
        "profiles_complaining": complaining,
    }


def _plain(name: str) -> str:
    return name.replace("-", "_")


def _is_available(machine: Machine, wanted: str) -> bool:
    release = (machine.text("/proc/sys/kernel/osrelease") or "").strip()
    files = ["/lib/modules/%s/modules.%s" % (release, kind) for kind in ("dep", "builtin")]
    return any("/%s.ko" % wanted in _plain(machine.text(file) or "") for file in files)


def _is_blocked(machine: Machine, wanted: str) -> bool:
    for folder in _MODPROBE:
        for file in machine.matching(folder + "/*.conf"):
            for line in machine.lines(file):
                words = line.split()
                if len(words) > 2 and words[0] == "install" and _plain(words[1]) == wanted:
                    return words[2] in _DISABLED
    return False
