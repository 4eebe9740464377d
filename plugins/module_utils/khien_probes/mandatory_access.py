"""Probes about AppArmor and SELinux: whether they are on, stay on, and whom they leave out."""

from __future__ import annotations

import os
from typing import Any, Optional

from .machine import Machine

_PROFILES = "/sys/kernel/security/apparmor/profiles"
_LOADED = "/sys/kernel/security/apparmor/policy/profiles"
_SELINUX = "/etc/selinux/config"
# Services end up in these domains when the policy has none of their own for them.
_LEFT_OUT = {"initrc_t", "unconfined_service_t"}


def mandatory_access(machine: Machine) -> Optional[dict[str, Any]]:
    """Return which mandatory access control is on and whether it enforces, or nothing when none is on."""
    selinux = machine.text("/sys/fs/selinux/enforce")
    if selinux is not None:
        return {"system": "selinux", "enforcing": selinux.strip() == "1"}
    if not _has_apparmor(machine):
        return None
    profiles = machine.lines(_PROFILES, comment="")
    enforced = sum(line.endswith("(enforce)") for line in profiles)
    complaining = [line[: -len(" (complain)")] for line in profiles if line.endswith("(complain)")]
    return {
        "system": "apparmor",
        "enforcing": enforced > 0,
        "profiles_enforced": enforced,
        "profiles_complaining": complaining,
    }


def mandatory_access_boot(machine: Machine) -> dict[str, Any]:
    """Return what the next start does: which system comes up, whether it enforces, and SELinux' policy."""
    words = dict.fromkeys((machine.text("/proc/cmdline") or "").split())
    if machine.exists(_SELINUX):
        pairs = (line.partition("=") for line in machine.lines(_SELINUX))
        settings = {name.strip(): value.strip() for name, _equals, value in pairs}
        kept = settings.get("SELINUX") == "enforcing" and not {"selinux=0", "enforcing=0"} & set(words)
        return {"system": "selinux", "enforcing": kept, "policy": settings.get("SELINUXTYPE", "")}
    security = [word.partition("=")[2] for word in words if word.startswith("security=")]
    off = "apparmor=0" in words or (bool(security) and security[-1] != "apparmor")
    loads = machine.exists("/etc/systemd/system/sysinit.target.wants/apparmor.service")
    return {"system": "apparmor", "enforcing": loads and not off and _has_apparmor(machine), "policy": ""}


def unconfined_services(machine: Machine) -> Optional[list[str]]:
    """Return programs that run without the profile made for them, or as services that may do anything."""
    selinux = machine.exists("/sys/fs/selinux/enforce")
    if not selinux and not _has_apparmor(machine):
        return None
    if not machine.privileged:
        raise PermissionError("only root sees what others' programs are")
    profiled = set() if selinux else _attachments(machine)
    found = set()
    for number in machine.names("/proc"):
        context = machine.text("/proc/%s/attr/current" % number) if number.isdigit() else None
        if context is None:
            continue
        words = context.strip("\0\n").split(":")
        if selinux and len(words) > 2 and words[2] in _LEFT_OUT:
            found.add(_program(machine, number) or (machine.text("/proc/%s/comm" % number) or "").strip())
        elif words == ["unconfined"] and (program := _program(machine, number)) in profiled:
            found.add(program)
    return sorted(found)


def _has_apparmor(machine: Machine) -> bool:
    return (machine.text("/sys/module/apparmor/parameters/enabled") or "").strip() == "Y"


def _attachments(machine: Machine) -> set[str]:
    """Return the programs that have a profile; a pattern of names is nobody's name and is left aside."""
    named = {line.rpartition(" (")[0] for line in machine.lines(_PROFILES, comment="")}
    attached = {
        (machine.text("%s/%s/attach" % (_LOADED, folder)) or "").strip() for folder in machine.names(_LOADED)
    }
    return {name for name in named | attached if name.startswith("/")}


def _program(machine: Machine, number: str) -> str:
    try:
        return os.readlink(machine.path("/proc/%s/exe" % number)).replace(" (deleted)", "")
    except OSError:
        return ""  # ended meanwhile, or a thread of the kernel
