"""A table of our own in nftables, its file, and the unit that loads it at boot."""

from __future__ import annotations

import os
import re
import tempfile
from typing import Optional

from ..resource import Change, Plan
from ..system import ApplyError, System
from ..texts import make_folders, missing_folders, must_be_valid
from .wish import Wish

TABLE = "inet khien_filter"
FILE = "/etc/khien/firewall.nft"
UNIT = "khien-firewall.service"
_UNIT_FILE = "/etc/systemd/system/" + UNIT
_WANTS = "/etc/systemd/system/sysinit.target.wants/" + UNIT
_KEPT = "# Open because something listened there when this was first written:"

_BASE = [
    'iifname "lo" accept',
    "icmp type { destination-unreachable, echo-request, time-exceeded, parameter-problem } accept",
    "udp sport 67 udp dport 68 accept",
]
# Neighbours are found, addresses and routes are learnt through these: without them IPv6 is off, not filtered.
# As a number, for a minimal host has no /etc/protocols to look ICMPv6 up in.
_IPV6 = ["meta l4proto 58 accept", "ip6 saddr fe80::/10 udp dport 546 accept"]

_UNIT_TEXT = """\
# Managed by Khiên; changes here are lost at the next hardening.
[Unit]
Description=Packet filter of Khien
Documentation=man:nft(8)
DefaultDependencies=no
Wants=network-pre.target
After=local-fs.target nftables.service
Before=network-pre.target shutdown.target
Conflicts=shutdown.target
# Whoever starts or reloads nftables.service flushes every table, ours included.
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f %(file)s
ExecReload=/usr/sbin/nft -f %(file)s
ExecStop=-/usr/sbin/nft delete table %(table)s

[Install]
WantedBy=sysinit.target
"""


def kept_before(system: System) -> Optional[list[str]]:
    """Return the ports that our file keeps open, or None before there is such a file."""
    text = system.text(FILE)
    if text is None:
        return None
    found = re.search(r"^%s(.*)$" % re.escape(_KEPT), text, re.MULTILINE)
    return found.group(1).split() if found else []


def plan(system: System, wish: Wish) -> Plan:
    """Compare file, table and unit with what is wished."""
    result = Plan()
    parts = _parts(wish)
    text = _text(wish, parts)
    present = system.text(FILE) or ""
    now, expected = _loaded(system), _would_be(system, text)
    base = next(iter(wish.parts.values()))
    for part, lines in parts.items():
        control = wish.parts[part]
        there = [line for line in lines if "\t" + line + "\n" in present] if now is not None else []
        if there != lines:
            before = " ; ".join(there) or "∅"
            result.changes.append(Change(control, "firewall", "nftables: " + part, before, " ; ".join(lines)))
    if not result.changes and (present != text or (expected is not None and now != expected)):
        wanted = "%d" % len(text.split("\n"))
        result.changes.append(Change(base, "firewall", "nftables", "≠ " + FILE, wanted))
    boots = "boot" in wish.parts
    if boots and not _is_set_to_start(system):
        result.changes.append(Change(wish.parts["boot"], "firewall", UNIT, "no", "yes"))
    if result.changes:
        folders = [("file", folder) for folder in missing_folders(system, FILE)]
        result.things = [
            *folders,
            *(("file", path) for path in (FILE, _UNIT_FILE, _WANTS)),
            ("nft", TABLE),
            ("unit", UNIT),
        ]
        result.act = lambda: _apply(system, text, boots=boots)
    return result


def _parts(wish: Wish) -> dict[str, list[str]]:
    """Return the rules of each demanded part, in the order in which packets meet them."""
    policy = "drop" if "refuse" in wish.parts else "accept"
    found = {
        "refuse": ["type filter hook input priority filter; policy %s;" % policy],
        "established": ["ct state established,related accept", "ct state invalid drop"],
        "loopback": [
            'iifname != "lo" ip saddr 127.0.0.0/8 drop',
            'iifname != "lo" ip6 saddr ::1 drop',
        ],
        "base": _BASE,
        "ipv6": _IPV6,
        "management": _ssh(wish),
        "log": ['limit rate 10/minute burst 10 packets log prefix "khien refused: "'],
        "forward": ["type filter hook forward priority filter; policy drop;"],
    }
    return {part: lines for part, lines in found.items() if part in wish.parts}


def _ssh(wish: Wish) -> list[str]:
    ports = "{ %s }" % ", ".join(map(str, wish.ssh))
    if "management" not in wish.parts:
        return ["tcp dport %s accept" % ports]
    lines = []
    for family, sign in (("ip", "."), ("ip6", ":")):
        networks = [network for network in wish.networks if sign in network]
        if networks:
            lines.append("%s saddr { %s } tcp dport %s accept" % (family, ", ".join(networks), ports))
    return lines


def _text(wish: Wish, parts: dict[str, list[str]]) -> str:
    # Without these nobody gets in, whichever controls are demanded.
    order = {
        "refuse": ["type filter hook input priority filter; policy accept;"],
        "established": ["ct state established,related accept"],
        "loopback": [],
        "base": _BASE,
        "ipv6": _IPV6,
        "management": _ssh(wish),
    }
    rules = [line for part, always in order.items() for line in parts.get(part, always)]
    for protocol in ("tcp", "udp"):
        ports = wish.open_ports(protocol)
        if ports:
            rules.append("%s dport { %s } accept" % (protocol, ", ".join(map(str, ports))))
    rules += parts.get("log", [])
    chains = {"input": rules}
    if "forward" in parts:
        chains["forward"] = parts["forward"]
    body = "\n".join(
        "\tchain %s {\n%s\t}" % (name, "".join("\t\t%s\n" % line for line in lines))
        for name, lines in chains.items()
    )
    return (
        "#!/usr/sbin/nft -f\n"
        "# Managed by Khiên; changes here are lost at the next hardening.\n"
        "%s %s\n"
        "table %s\n"
        "delete table %s\n"
        "table %s {\n%s\n}\n" % (_KEPT, " ".join(wish.kept), TABLE, TABLE, TABLE, body)
    ).replace(": \n", ":\n")


def _loaded(system: System) -> Optional[str]:
    code, output = system.run(["nft", "--stateless", "list", "table", *TABLE.split()])
    return output if code == 0 else None


def _would_be(system: System, text: str) -> Optional[str]:
    """Return how the table would be listed, from a network of its own that vanishes at once.

    None where the host cannot make one, or has no nft yet: then the file alone is compared.
    """
    with tempfile.NamedTemporaryFile("w", prefix="khien-", suffix=".nft", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        show = 'nft -f "$1" && nft --stateless list table ' + TABLE
        code, output = system.run(["unshare", "--net", "--", "sh", "-c", show, "sh", file.name])
    return output if code == 0 else None


def _is_set_to_start(system: System) -> bool:
    text = system.text(_UNIT_FILE)
    code, output = system.run(["systemctl", "is-enabled", "--", UNIT])
    return text == _unit_text() and code == 0 and output.strip() == "enabled" and _is_active(system)


def _is_active(system: System) -> bool:
    return system.run(["systemctl", "is-active", "--quiet", "--", UNIT])[0] == 0


def _unit_text() -> str:
    return _UNIT_TEXT % {"file": FILE, "table": TABLE}


def _apply(system: System, text: str, *, boots: bool) -> None:
    data = text.encode("utf-8")
    must_be_valid(system, data, "nft --check -f %s")
    make_folders(system, FILE)
    system.write(FILE, data, 0o600, 0, 0)
    if not boots:
        system.must_run(["nft", "-f", FILE])
        return
    system.write(_UNIT_FILE, _unit_text().encode("utf-8"), 0o644, 0, 0)
    system.must_run(["systemctl", "daemon-reload"], 60)
    system.must_run(["systemctl", "enable", "--", UNIT], 60)
    system.must_run(["systemctl", "reload-or-restart", "--", UNIT], 60)
    if _loaded(system) is None:
        raise ApplyError("the table %s is not there after %s was started" % (TABLE, UNIT))


def is_installed(system: System) -> bool:
    """Whether this host has nft."""
    return any(os.access(system.path(path), os.X_OK) for path in ("/usr/sbin/nft", "/sbin/nft"))
