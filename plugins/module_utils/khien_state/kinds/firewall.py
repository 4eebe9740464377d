"""The host's firewall: the one that is in use, or else a table of our own in nftables."""

from __future__ import annotations

from typing import Optional

from ansible.module_utils.khien_probes.firewall import firewall as look_at_firewall
from ansible.module_utils.khien_probes.machine import Machine, NoAnswerError

from ..firewalls import firewalld, nft, ufw
from ..firewalls.wish import PARTS, Wish, listening, network_names, port_names, ssh_ports
from ..resource import BadWordsError, Plan, Resource, Skip, fitting, truth, why_skipped
from ..system import System


class Firewall(Resource):
    """Words: entries [{control, part}], allowed_tcp, allowed_udp, management_networks, close_unlisted …"""

    kind = "firewall"
    required = ("entries",)
    optional = ("allowed_tcp", "allowed_udp", "management_networks", "close_unlisted", "never_kept")

    def plan(self, system: System, coming: frozenset[str]) -> Plan:
        """Compare the firewall that is found here."""
        parts: dict[str, str] = {}
        skips: list[Skip] = []
        for entry in self.words["entries"]:
            if entry.get("part") not in PARTS:
                raise BadWordsError("firewall: part is one of: %s" % ", ".join(PARTS))
            if not fitting(entry, system):
                continue
            why = why_skipped({**self.words, **entry}, system, coming)
            if why:
                skips.append(Skip(entry["control"], self.kind, entry["part"], why))
            else:
                parts[entry["part"]] = entry["control"]
        result = self._plan(system, coming, parts) if parts else Plan()
        result.skips = [*skips, *result.skips]
        return result

    def _plan(self, system: System, coming: frozenset[str], parts: dict[str, str]) -> Plan:
        for tool in (ufw, firewalld):
            if tool.is_in_use(system):
                return tool.plan(system, self._wish(system, parts, None))
        if not nft.is_installed(system) and not self.waits_for(coming):
            return _skipped(parts, "absent", "nft")
        foreign = _other_firewall(system)
        if foreign:
            return _skipped(parts, "other_system", foreign)
        return nft.plan(system, self._wish(system, parts, nft.kept_before(system)))

    def _wish(self, system: System, parts: dict[str, str], kept: Optional[list[str]]) -> Wish:
        ssh = ssh_ports(system)
        if truth(self.words.get("close_unlisted", False)):
            kept = []
        elif kept is None:
            # Only once: what a stranger opens later must not open itself the way.
            kept = listening(system, self.words.get("never_kept") or [], ssh)
        listed = [
            *port_names("tcp", self.words.get("allowed_tcp") or []),
            *port_names("udp", self.words.get("allowed_udp") or []),
        ]
        return Wish(parts, ssh, network_names(self.words.get("management_networks") or []), listed, kept)


def _other_firewall(system: System) -> str:
    """Return the name of a packet filter that somebody else set up here, or nothing."""
    try:
        found = look_at_firewall(Machine(system.root or "/", privileged=True, command=system.run))
    except NoAnswerError:
        return ""  # nftables is not loaded yet, so nobody uses it
    return ", ".join(name for name in found["managers"] if name != "khien")


def _skipped(parts: dict[str, str], why: str, detail: str) -> Plan:
    return Plan(skips=[Skip(control, "firewall", part, why, detail) for part, control in parts.items()])
