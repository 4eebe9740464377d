"""The probe about SNMP without encryption: the passwords of versions 1 and 2c travel in clear text."""

from __future__ import annotations

from typing import Optional

from .machine import Machine

_FILES = ("/etc/snmp/snmpd.conf", "/etc/snmp/snmpd.conf.d/*.conf", "/var/lib/snmp/snmpd.conf")
_MASKED = ("/etc/systemd/system/snmpd.service", "/run/systemd/system/snmpd.service")
_CLEAR = ("rocommunity", "rocommunity6", "rwcommunity", "rwcommunity6", "com2sec", "com2sec6")


def snmp_communities(machine: Machine) -> Optional[list[str]]:
    """Return the directives that let versions 1 and 2c in; None where no SNMP agent can start.

    The community itself is a password and is not told.
    """
    if machine.program("snmpd") is None or any(machine.text(path) == "" for path in _MASKED):
        return None
    found = []
    for pattern in _FILES:
        for file in machine.matching(pattern):
            for line in machine.lines(file):
                word = line.split()[0].lower()
                if word in _CLEAR:
                    found.append("%s: %s" % (file, word))
    return sorted(set(found))
