"""The probe about the packet filter: which one it is, and what becomes of packets that come in."""

from __future__ import annotations

import json
import re
from typing import Any, Optional

from .machine import Machine, NoAnswerError
from .packet_rules import Rule, Walk, chains_of, is_refused_loopback, named_ports
from .sshd import effective

OWN_TABLE = "khien_filter"
"""The table that the role firewall writes."""
_UFW_CONFIG = "/etc/ufw/ufw.conf"
_FIREWALLD_TABLE = "firewalld"

Entries = list[dict[str, Any]]


def firewall(machine: Machine) -> dict[str, Any]:
    """Return what the packet filter does; with none, what a host without one does."""
    if not machine.privileged:
        raise PermissionError("only root can read the packet filter")
    found = _nftables(machine) or _iptables(machine)
    state = {
        "backend": "none",
        "filters": False,
        "input": "accept",
        "loopback": "open",
        "established": False,
        "ipv6": "open",
        "logged": False,
        "ssh": "anywhere",
        "managers": [],
        "forward": "accept",
        **(found or {}),
    }
    if not _has_ipv6(machine):
        state["ipv6"] = "off"
    if not _forwards(machine):
        state["forward"] = "off"
    return state


def _nftables(machine: Machine) -> Optional[dict[str, Any]]:
    program = machine.program("nft")
    if program is None or not _is_nftables_there(machine):
        return None
    code, output = machine.run([program, "--json", "--terse", "list", "ruleset"])
    if code != 0:
        raise NoAnswerError("nft: %s" % output.strip()[-300:])
    entries: Entries = json.loads(output or "{}").get("nftables", [])
    chains = [walk for walk in chains_of(entries, "input") if walk.rules or walk.refuses]
    if not chains:
        return None
    families = {walk.chain["family"] for walk in chains if walk.refuses}
    forward = [walk for walk in chains_of(entries, "forward") if walk.refuses]
    return {
        "backend": "nftables",
        "filters": True,
        "input": "drop" if families else "accept",
        "forward": "drop" if forward else "accept",
        "loopback": _loopback(chains),
        "established": any(rule.accepts_established for walk in chains for rule in walk.reached),
        "ipv6": "covered" if families & {"inet", "ip6"} else "open",
        "logged": any(rule.logs for walk in chains for rule in walk.reached),
        "ssh": _ssh(machine, [walk for walk in chains if walk.refuses]),
        "managers": _managers(machine, chains),
    }


def _is_nftables_there(machine: Machine) -> bool:
    """Whether the kernel has nftables already; where it has not, asking would load a module: a change."""
    if machine.exists("/sys/module/nf_tables") or not machine.exists("/proc/modules"):
        return True  # loaded, or a kernel without modules
    release = (machine.text("/proc/sys/kernel/osrelease") or "").strip()
    builtin = machine.text("/lib/modules/%s/modules.builtin" % release)
    if builtin is None:  # a container sees no modules, and its kernel would still load one
        raise NoAnswerError("whether nftables is in use cannot be seen without loading it")
    return "/nf_tables.ko" in builtin


def _loopback(chains: list[Walk]) -> str:
    """Whether packets inside the host pass, and packets from outside that pretend to be such do not."""
    rules = [rule for walk in chains for rule in walk.reached]
    is_open = any(rule.accepts_loopback for rule in rules)
    return "protected" if is_open and any(is_refused_loopback(rule) for rule in rules) else "open"


def _ssh(machine: Machine, refusing: list[Walk]) -> str:
    """Whether the SSH server's ports answer anybody (anywhere), named networks (named) or nobody (closed)."""
    if not refusing:
        return "anywhere"
    ports = {int(port) for port in (effective(machine) or {}).get("port", ["22"])}
    # Every base chain must let a packet through, so the strictest one decides, for each IP family on its own.
    answers = []
    for family in ("ip", "ip6"):
        own = [walk for walk in refusing if walk.chain["family"] in ("inet", family)]
        open_to = [{_open_to(rule) for rule in walk.reached if named_ports(rule, ports)} for walk in own]
        if own:
            answers.append("closed" if set() in open_to else _strictest(open_to))
    for word in ("anywhere", "named"):
        if word in answers:
            return word
    return "closed"


def _open_to(rule: Rule) -> str:
    return "named" if rule.is_limited_by_source else "anywhere"


def _strictest(open_to: list[set[str]]) -> str:
    return "anywhere" if all("anywhere" in words for words in open_to) else "named"


def _managers(machine: Machine, chains: list[Walk]) -> list[str]:
    """Return who set the packet filter up; each has its own idea of what it should be."""
    found = set()
    for walk in chains:
        table = walk.chain["table"]
        if table == OWN_TABLE:
            found.add("khien")
        elif table == _FIREWALLD_TABLE:
            found.add("firewalld")
        elif any("ufw" in rule.jumps_to for rule in walk.rules):
            # After `ufw disable` its empty chains stay.
            if "ENABLED=yes" in machine.lines(_UFW_CONFIG):
                found.add("ufw")
        elif walk.refuses or any("accept" in rule.words for rule in walk.reached):
            # One that only bans some senders, as fail2ban does, leaves the rest to others.
            found.add("%s %s" % (walk.chain["family"].replace("ip6", "ip"), table))
    return sorted(found)


def _iptables(machine: Machine) -> Optional[dict[str, Any]]:
    """Read the older packet filter, only when the kernel has its tables already."""
    output = _legacy_rules(machine, "iptables", "/proc/net/ip_tables_names")
    if output is None:
        return None
    rules = [line for line in output.split("\n") if line.startswith("-A INPUT")]
    refused = _refuses_in_iptables(output)
    if not rules and not refused:
        return None
    loopback = re.search(r"-i lo -j ACCEPT", output) and re.search(r"-s 127\.0\.0\.0/8 .*-j DROP", output)
    second = _legacy_rules(machine, "ip6tables", "/proc/net/ip6_tables_names")
    ssh = re.search(r"^-A INPUT (?!.*-s ).*--dports? (?:\S*,)?22(?:,\S*)? .*-j ACCEPT", output, re.MULTILINE)
    return {
        "backend": "iptables",
        "filters": True,
        "input": "drop" if refused else "accept",
        "forward": "drop" if "-P FORWARD DROP" in output else "accept",
        "loopback": "protected" if loopback else "open",
        "established": bool(re.search(r"ESTABLISHED.*-j ACCEPT", output)),
        "ipv6": "covered" if second is not None and _refuses_in_iptables(second) else "open",
        "logged": " -j LOG" in output,
        "ssh": "anywhere" if ssh or not refused else "named",
        "managers": ["iptables"],
    }


def _legacy_rules(machine: Machine, name: str, tables: str) -> Optional[str]:
    program = machine.program(name + "-legacy", name)
    if program is None or "filter" not in machine.lines(tables, comment=""):
        return None
    code, output = machine.run([program, "-S"])
    if code != 0:
        raise NoAnswerError("%s: %s" % (name, output.strip()[-300:]))
    return output


def _refuses_in_iptables(output: str) -> bool:
    last = re.compile(r"^-A INPUT -j (DROP|REJECT)\b", re.MULTILINE)
    return "-P INPUT DROP" in output or bool(last.search(output))


def _has_ipv6(machine: Machine) -> bool:
    """Whether some address of IPv6 besides that of loopback is in use."""
    rows = (line.split() for line in machine.lines("/proc/net/if_inet6", comment=""))
    return any(row[-1] != "lo" for row in rows)


def _forwards(machine: Machine) -> bool:
    keys = ("ipv4/ip_forward", "ipv6/conf/all/forwarding")
    return any((machine.text("/proc/sys/net/" + key) or "0").strip() != "0" for key in keys)
