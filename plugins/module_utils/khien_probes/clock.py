"""Probes about the clock: whether it is right, and what its service does beside that."""

from __future__ import annotations

from typing import Any, Optional

from .machine import Machine, NoAnswerError
from .services import CHRONY_FILES, units

_UNITS = {
    "chrony.service": "chrony",
    "chronyd.service": "chrony",
    "systemd-timesyncd.service": "timesyncd",
    "ntp.service": "ntp",
    "ntpd.service": "ntp",
    "ntpsec.service": "ntp",
    "openntpd.service": "openntpd",
}


def clock(machine: Machine) -> Optional[dict[str, Any]]:
    """Return which service keeps the clock and whether it has reached its servers, or nothing without one."""
    active = units(machine, list(_UNITS))["active"]
    if not active:
        return None
    service = _UNITS[active[0]]
    if service == "chrony":
        return {"service": service, "synchronised": _chrony_is_synchronised(machine)}
    if service == "timesyncd":
        return {"service": service, "synchronised": machine.exists("/run/systemd/timesync/synchronized")}
    raise NoAnswerError("%s does not tell it without speaking to the network" % service)


def chrony(machine: Machine) -> Optional[dict[str, Any]]:
    """Return the account that chrony runs as and whom it serves, or nothing when there is no chrony."""
    lines = [line.split() for file in _files(machine) for line in machine.lines(file)]
    if not lines:
        return None
    serves = [" ".join(words) for words in lines if words[0] == "allow"]
    closed = any(words[0] == "port" and words[1:2] == ["0"] for words in lines)
    user = _owner_of_process(machine) or next((w[1] for w in lines if w[0] == "user" and len(w) > 1), None)
    return {"user": user, "serves": [] if closed else sorted(serves)}


def _files(machine: Machine) -> list[str]:
    return [file for pattern in CHRONY_FILES for file in machine.matching(pattern)]


def _chrony_is_synchronised(machine: Machine) -> bool:
    program = machine.program("chronyc")
    if program is None:
        raise NoAnswerError("there is no chronyc to ask")
    code, output = machine.run([program, "-n", "tracking"])
    for line in output.split("\n"):
        name, _colon, value = line.partition(":")
        if name.strip() == "Leap status":
            return value.strip() != "Not synchronised"
    raise NoAnswerError("chronyc tracking: exit code %d: %s" % (code, output.strip()[-200:]))


def _owner_of_process(machine: Machine) -> Optional[str]:
    """Return who runs chronyd now; root when any of its processes is root's."""
    owners = set()
    for pid in machine.names("/proc"):
        if pid.isdigit() and (machine.text("/proc/%s/comm" % pid) or "").strip() == "chronyd":
            status = machine.text("/proc/%s/status" % pid) or ""
            owners.update(line.split()[2] for line in status.split("\n") if line.startswith("Uid:"))
    if not owners:
        return None
    if "0" in owners:
        return "root"
    number = sorted(owners)[0]
    rows = [line.split(":") for line in machine.lines("/etc/passwd", comment="")]
    return next((row[0] for row in rows if len(row) > 2 and row[2] == number), number)
