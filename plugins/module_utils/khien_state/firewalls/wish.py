"""A wished firewall: its parts by the controls they serve, and the ports that stay open."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Mapping, Sequence

from ansible.module_utils.khien_probes.machine import Machine
from ansible.module_utils.khien_probes.network import listeners

from ..resource import BadWordsError
from ..system import System

PARTS = ("base", "refuse", "loopback", "established", "ipv6", "log", "forward", "management", "boot")
# Answers to a DHCP client come in by rules of their own.
_CLIENTS = ("udp/68", "udp/546")
_DEFAULT_SSH = 22


@dataclass
class Wish:
    """What the demanded controls ask of the packet filter."""

    parts: Mapping[str, str]
    """Part to the control that asks for it."""
    ssh: list[int]
    """The TCP ports that the SSH server answers on."""
    networks: list[str] = field(default_factory=list)
    """Where SSH may come from; empty: anywhere."""
    listed: list[str] = field(default_factory=list)
    """Ports that the role's variables open, as tcp/80."""
    kept: list[str] = field(default_factory=list)
    """Ports that stay open because something listened there when the firewall was set up."""

    def open_ports(self, protocol: str) -> list[int]:
        """Return the open ports of a protocol, besides those of SSH."""
        found = {int(name.split("/")[1]) for name in [*self.listed, *self.kept] if name.startswith(protocol)}
        return sorted(found - set(self.ssh) if protocol == "tcp" else found)


def ssh_ports(system: System) -> list[int]:
    """Return the ports that the SSH server answers on: as configured, and as a socket of systemd has them."""
    _code, output = system.run(["sshd", "-T"])
    found = set(re.findall(r"^port ([0-9]+)$", output, re.MULTILINE))
    found |= set(re.findall(r"^listenaddress \S*:([0-9]+)$", output, re.MULTILINE))
    _code, sockets = system.run(
        ["systemctl", "show", "--value", "--property=Listen", "ssh.socket", "sshd.socket"]
    )
    found |= set(re.findall(r":([0-9]+) \(Stream\)", sockets))
    return sorted({int(port) for port in found} or {_DEFAULT_SSH})


def listening(system: System, never: Sequence[str], ssh: Sequence[int]) -> list[str]:
    """Return the ports that answer from outside now, without those that are never kept."""
    names = [found["port"] for found in listeners(Machine(system.root or "/", privileged=False))]
    left_out = {*never, *_CLIENTS, *("tcp/%d" % port for port in ssh)}
    return [name for name in names if name not in left_out]


def port_names(protocol: str, ports: Sequence[object]) -> list[str]:
    """Return ports as names.

    Raises:
        BadWordsError: one is no port.
    """
    for port in ports:
        if not str(port).isdigit() or not 0 < int(str(port)) < 65536:
            raise BadWordsError("firewall: %s is no port" % port)
    return ["%s/%d" % (protocol, int(str(port))) for port in ports]


def network_names(networks: Sequence[object]) -> list[str]:
    """Return networks in their canonical form.

    Raises:
        BadWordsError: one is no network.
    """
    try:
        return [str(ipaddress.ip_network(str(network))) for network in networks]
    except ValueError as problem:
        raise BadWordsError("firewall: %s" % problem) from problem
