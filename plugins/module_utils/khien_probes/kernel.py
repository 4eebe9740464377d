"""Probes about the kernel: its settings and its modules."""

from __future__ import annotations

from typing import Optional

from .machine import Machine, Setting, number_or_text

_DISABLED = ("/bin/false", "/bin/true", "/usr/bin/false", "/usr/bin/true", "/sbin/nologin")
_MODPROBE = ("/usr/lib/modprobe.d", "/lib/modprobe.d", "/run/modprobe.d", "/etc/modprobe.d")


def sysctl(machine: Machine, key: str) -> Optional[Setting]:
    """Return a kernel setting in force, or nothing when this kernel has no such setting."""
    text = machine.text("/proc/sys/" + key.replace(".", "/"))
    return None if text is None else number_or_text(" ".join(text.split()))


def sysctl_interfaces(machine: Machine, key: str) -> Optional[list[dict[str, Setting]]]:
    """Return a network setting in force on each interface; the key has a star in place of its name."""
    before, _star, after = key.replace(".", "/").partition("*")
    folder = "/proc/sys/" + before.rstrip("/")
    found = []
    for name in machine.names(folder):
        text = machine.text(folder + "/" + name + after)
        if text is not None and name not in ("all", "default"):
            found.append({"interface": name, "value": number_or_text(" ".join(text.split()))})
    return found or None


def kernel_module(machine: Machine, name: str) -> Optional[dict[str, bool]]:
    """Return whether a module is loaded and whether loading it is blocked, or nothing when there is none."""
    wanted = _plain(name)
    loaded = any(_plain(line.split()[0]) == wanted for line in machine.lines("/proc/modules", comment=""))
    if not loaded and not _is_available(machine, wanted):
        return None
    return {"loaded": loaded, "blocked": _is_blocked(machine, wanted)}


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
