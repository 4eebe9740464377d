"""Probes about what the host lets in: listening sockets and the packet filter."""

from __future__ import annotations

import json
import os
import re
import socket
import struct
from typing import Any, Optional

from .machine import Machine, NoAnswerError

_TABLES = (("tcp", "tcp", "0A"), ("tcp", "tcp6", "0A"), ("udp", "udp", "07"), ("udp", "udp6", "07"))
_REFUSING = ("drop", "reject")
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


def firewall(machine: Machine) -> dict[str, Any]:
    """Return whether a packet filter looks at incoming packets, and what becomes of those no rule knows."""
    if not machine.privileged:
        raise PermissionError("only root can read the packet filter")
    none = {"backend": "none", "filters": False, "input": "accept"}
    return _nftables(machine) or _iptables(machine) or none


def _nftables(machine: Machine) -> Optional[dict[str, Any]]:
    program = machine.program("nft")
    if program is None or not _is_nftables_there(machine):
        return None
    code, output = machine.run([program, "--json", "--terse", "list", "ruleset"])
    if code != 0:
        raise NoAnswerError("nft: %s" % output.strip()[-300:])
    entries = json.loads(output or "{}").get("nftables", [])
    chains = [e["chain"] for e in entries if "chain" in e and e["chain"].get("hook") == "input"]
    rules = [e["rule"] for e in entries if "rule" in e]
    filtering, refused = 0, False
    for chain in chains:
        key = (chain["family"], chain["table"], chain["name"])
        own = [r["expr"] for r in rules if (r["family"], r["table"], r["chain"]) == key]
        refuses = chain.get("policy") == "drop" or bool(own and _refuses_all(own[-1]))
        filtering += bool(own) or refuses
        refused = refused or refuses
    if not filtering:
        return None
    return {"backend": "nftables", "filters": True, "input": "drop" if refused else "accept"}


def _is_nftables_there(machine: Machine) -> bool:
    """Whether the kernel has nftables already; where it has not, asking would load a module: a change."""
    if machine.exists("/sys/module/nf_tables") or not machine.exists("/proc/modules"):
        return True  # loaded, or a kernel without modules
    release = (machine.text("/proc/sys/kernel/osrelease") or "").strip()
    builtin = machine.text("/lib/modules/%s/modules.builtin" % release)
    if builtin is None:  # a container sees no modules, and its kernel would still load one
        raise NoAnswerError("whether nftables is in use cannot be seen without loading it")
    return "/nf_tables.ko" in builtin


def _refuses_all(expressions: list[dict[str, Any]]) -> bool:
    """Whether a rule refuses whatever reaches it: it holds a refusal and nothing that picks packets."""
    kinds = [kind for expression in expressions for kind in expression]
    return any(kind in _REFUSING for kind in kinds) and all(
        kind in (*_REFUSING, "counter", "log") for kind in kinds
    )


def _iptables(machine: Machine) -> Optional[dict[str, Any]]:
    """Read the older packet filter, only when the kernel has its tables already."""
    program = machine.program("iptables-legacy", "iptables")
    if program is None or "filter" not in machine.lines("/proc/net/ip_tables_names", comment=""):
        return None
    code, output = machine.run([program, "-S", "INPUT"])
    if code != 0:
        raise NoAnswerError("iptables: %s" % output.strip()[-300:])
    rules = [line for line in output.split("\n") if line.startswith("-A INPUT")]
    refused = "-P INPUT DROP" in output or any(re.match(r"-A INPUT -j (DROP|REJECT)\b", r) for r in rules)
    if not rules and not refused:
        return None
    return {"backend": "iptables", "filters": True, "input": "drop" if refused else "accept"}


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
