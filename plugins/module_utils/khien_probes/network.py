"""The probe about what listens: the ports that answer from outside."""

from __future__ import annotations

import os
import re
import socket
import struct

from .machine import Machine

_TABLES = (("tcp", "tcp", "0A"), ("tcp", "tcp6", "0A"), ("udp", "udp", "07"), ("udp", "udp6", "07"))
_INODE = re.compile(r"socket:\[([0-9]+)\]")


def listeners(machine: Machine) -> list[dict[str, str]]:
    """Return the ports that answer from outside.

    Loopback and the UDP ports that clients use for a moment are left out. To root the process is named.
    """
    first_ephemeral = int((machine.text("/proc/sys/net/ipv4/ip_local_port_range") or "32768").split()[0])
    found: dict[str, dict[str, str]] = {}
    inodes: dict[str, str] = {}
    for protocol, table, listening in _TABLES:
        for line in machine.lines("/proc/net/" + table, comment="")[1:]:
            words = line.split()
            address, port = _address(words[1])
            if words[3] != listening or address.startswith("127.") or address == "::1":
                continue
            if protocol == "udp" and port >= first_ephemeral:
                continue
            name = "%s/%d" % (protocol, port)
            found.setdefault(name, {"port": name, "address": address, "process": ""})
            inodes.setdefault(words[9], name)
    if machine.privileged:
        for name, process in _processes(machine, inodes).items():
            found[name]["process"] = process
    return [found[name] for name in sorted(found, key=lambda n: (n.split("/")[0], int(n.split("/")[1])))]


def _address(word: str) -> tuple[str, int]:
    """Decode an address of /proc/net: 32-bit words in the host's byte order."""
    raw, _colon, port = word.partition(":")
    data = bytes.fromhex(raw)
    packed = b"".join(struct.pack(">I", value) for value in struct.unpack("=%dI" % (len(data) // 4), data))
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    address = socket.inet_ntop(family, packed)
    return address[7:] if address.startswith("::ffff:") else address, int(port, 16)


def _processes(machine: Machine, inodes: dict[str, str]) -> dict[str, str]:
    """Return the name of the process that holds each socket."""
    names: dict[str, str] = {}
    for pid in machine.names("/proc"):
        if not pid.isdigit() or len(names) == len(inodes):
            continue
        folder = machine.path("/proc/%s/fd" % pid)
        try:
            targets = [os.readlink(folder + "/" + number) for number in os.listdir(folder)]
            held = {inodes[m.group(1)] for m in map(_INODE.match, targets) if m and m.group(1) in inodes}
            if held:
                name = (machine.text("/proc/%s/comm" % pid) or "").strip()
                names.update(dict.fromkeys(held, name))
        except OSError:
            continue  # the process, or one of its files, ended while we looked
    return names
