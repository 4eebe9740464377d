"""Probes about how a host is reached read what sshd, the packet filter and the services would do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.khien_probes import banners, firewall, snmp, sshd
from ansible.module_utils.khien_probes.machine import NoAnswerError
from recorded_host import make_machine

NFT = Path(__file__).parents[1] / "fixtures" / "nft"
IPV6 = {"/proc/net/if_inet6": "fe80000000000000008cfefffe000001 02 40 20 80 host0\n"}
DEBIAN = {"/etc/os-release": 'NAME="Debian GNU/Linux"\nID=debian\n'}


def filtered(tmp_path: Path, said: Any, **more: str) -> Any:
    recorded = {"/usr/sbin/nft": "", **(more or {"/sys/module/nf_tables/": ""})}
    machine = make_machine(
        tmp_path, recorded, modes={"/usr/sbin/nft": "0755"}, commands={"/usr/sbin/nft --json": said}
    )
    return firewall.firewall(machine)


INPUT = '{"chain": {"family": "inet", "table": "f", "name": "in", "hook": "input", "policy": "%s"}}'
RULE = '{"rule": {"family": "inet", "table": "f", "chain": "in", "expr": %s}}'


@pytest.mark.parametrize(
    ("entries", "filters", "default"),
    [
        ([], False, "accept"),
        ([INPUT % "accept"], False, "accept"),
        ([INPUT % "drop"], True, "drop"),
        ([INPUT % "accept", RULE % '[{"match": {}}, {"drop": null}]'], True, "accept"),
        ([INPUT % "accept", RULE % '[{"counter": {}}, {"reject": {}}]'], True, "drop"),
        ([INPUT % "accept", RULE % '[{"limit": {}}, {"drop": null}]'], True, "accept"),
    ],
)
def test_the_packet_filter_is_judged_by_policy_and_last_rule(
    tmp_path: Path, entries: list[str], filters: bool, default: str
) -> None:
    found = filtered(tmp_path, '{{"nftables": [{}]}}'.format(", ".join(entries)))

    assert (found["filters"], found["input"]) == (filters, default)


def test_a_host_that_never_used_nftables_is_not_asked_for_its_rules(tmp_path: Path) -> None:
    modular = {
        "/proc/modules": "ext4 1 0 - Live 0x0\n",
        "/proc/sys/kernel/osrelease": "6.1\n",
        "/lib/modules/6.1/modules.builtin": "kernel/fs/fuse/fuse.ko\n",
    }
    drops = '{"nftables": [%s]}' % (INPUT % "drop")

    assert filtered(tmp_path / "never", [1, "would load a module"], **modular)["backend"] == "none"
    modular["/lib/modules/6.1/modules.builtin"] = "kernel/net/netfilter/nf_tables.ko\n"
    assert filtered(tmp_path / "builtin", drops, **modular)["backend"] == "nftables"
    assert filtered(tmp_path / "monolithic", drops, **{"/etc/passwd": ""})["backend"] == "nftables"
    del modular["/lib/modules/6.1/modules.builtin"]
    with pytest.raises(NoAnswerError, match="without loading it"):
        filtered(tmp_path / "container", [1, "would load a module"], **modular)


def test_the_older_packet_filter_is_read_when_its_tables_are_loaded(tmp_path: Path) -> None:
    recorded = {"/usr/sbin/iptables": "", "/proc/net/ip_tables_names": "filter\n"}
    said = "-P INPUT ACCEPT\n-A INPUT -i lo -j ACCEPT\n-A INPUT -j DROP\n"
    machine = make_machine(
        tmp_path,
        recorded,
        modes={"/usr/sbin/iptables": "0755"},
        commands={"/usr/sbin/iptables -S": said},
    )

    found = firewall.firewall(machine)
    assert (found["backend"], found["filters"], found["input"]) == ("iptables", True, "drop")
    assert (found["loopback"], found["ipv6"], found["managers"]) == ("open", "off", ["iptables"])


def recorded_filter(tmp_path: Path, name: str, **more: str) -> Any:
    recorded = {"/usr/sbin/nft": "", "/sys/module/nf_tables/": "", **IPV6, **more}
    said = (NFT / name).read_text(encoding="utf-8")
    machine = make_machine(
        tmp_path, recorded, modes={"/usr/sbin/nft": "0755"}, commands={"/usr/sbin/nft --json": said}
    )
    return firewall.firewall(machine)


def test_what_ufw_made_of_its_rules_is_read_through_its_chains(tmp_path: Path) -> None:
    found = recorded_filter(tmp_path, "ufw.json", **{"/etc/ufw/ufw.conf": "ENABLED=yes\n"})

    assert found == {
        "backend": "nftables",
        "filters": True,
        "input": "drop",
        "forward": "off",
        "loopback": "open",
        "established": True,
        "ipv6": "covered",
        "logged": True,
        "ssh": "anywhere",
        "managers": ["ufw"],
    }


def test_what_firewalld_made_of_its_zones_is_read_through_its_chains(tmp_path: Path) -> None:
    found = recorded_filter(tmp_path, "firewalld.json", **{"/proc/sys/net/ipv4/ip_forward": "1\n"})

    assert found["managers"] == ["firewalld"]
    assert (found["input"], found["forward"], found["ssh"]) == ("drop", "drop", "anywhere")
    assert (found["established"], found["logged"], found["ipv6"]) == (True, False, "covered")


def test_the_table_of_the_role_protects_loopback_and_logs(tmp_path: Path) -> None:
    found = recorded_filter(tmp_path, "khien.json")

    assert found["managers"] == ["khien"]
    assert (found["loopback"], found["logged"], found["ipv6"], found["input"]) == (
        "protected",
        True,
        "covered",
        "drop",
    )


def match(left: dict[str, Any], right: Any, op: str = "==") -> dict[str, Any]:
    return {"match": {"op": op, "left": left, "right": right}}


PORT = {"payload": {"protocol": "tcp", "field": "dport"}}
SENDER = {"payload": {"protocol": "ip", "field": "saddr"}}
NETWORK = {"prefix": {"addr": "192.0.2.0", "len": 24}}


@pytest.mark.parametrize(
    ("expressions", "answer"),
    [
        ([match(PORT, 22), {"accept": None}], "anywhere"),
        ([match(PORT, {"set": [22, 80]}), {"accept": None}], "anywhere"),
        ([match(PORT, {"range": [1, 1024]}), {"accept": None}], "anywhere"),
        ([match({"meta": {"key": "iifname"}}, "eth0"), match(PORT, 22), {"accept": None}], "anywhere"),
        ([{"accept": None}], "anywhere"),
        ([match(SENDER, NETWORK), match(PORT, 22), {"accept": None}], "named"),
        ([match(SENDER, NETWORK), {"accept": None}], "named"),
        ([match(PORT, 80), {"accept": None}], "closed"),
        ([match({"ct": {"key": "state"}}, {"set": ["established"]}), {"accept": None}], "closed"),
        ([match({"meta": {"key": "iifname"}}, "lo"), {"accept": None}], "closed"),
        ([match({"meta": {"key": "l4proto"}}, "icmp"), {"accept": None}], "closed"),
    ],
)
def test_whom_ssh_answers_is_read_from_the_rules(tmp_path: Path, expressions: list[Any], answer: str) -> None:
    entries = [INPUT % "drop", RULE % json.dumps(expressions)]

    assert filtered(tmp_path, '{{"nftables": [{}]}}'.format(", ".join(entries)))["ssh"] == answer


def test_a_ban_list_is_no_second_firewall(tmp_path: Path) -> None:
    ours = INPUT.replace('"f"', '"khien_filter"') % "drop"
    bans = [INPUT % "accept", RULE % json.dumps([match(SENDER, "@bans"), {"drop": None}])]

    found = filtered(tmp_path, '{{"nftables": [{}]}}'.format(", ".join([ours, *bans])))
    assert found["managers"] == ["khien"]


def sshd_says(tmp_path: Path, said: str) -> Any:
    return make_machine(
        tmp_path,
        {"/usr/sbin/sshd": "", "/etc/ssh/sshd_config": ""},
        modes={"/usr/sbin/sshd": "0755"},
        commands={"/usr/sbin/sshd -T": said},
    )


def test_limits_of_sshd_come_as_numbers(tmp_path: Path) -> None:
    machine = sshd_says(tmp_path, "maxstartups 10:30:60\nrekeylimit 1073741824 3600\n")

    assert sshd.sshd_limits(machine) == {
        "startups_begin": 10,
        "startups_rate": 30,
        "startups_full": 60,
        "rekey_bytes": 1073741824,
        "rekey_seconds": 3600,
    }


def test_limits_that_cannot_be_read_are_no_answer(tmp_path: Path) -> None:
    with pytest.raises(NoAnswerError, match="maxstartups"):
        sshd.sshd_limits(sshd_says(tmp_path, "rekeylimit 0 0\n"))


def test_whom_sshd_admits_is_listed_and_nobody_listed_means_everybody(tmp_path: Path) -> None:
    listed = sshd_says(tmp_path / "a", "allowusers bo\nallowusers da\nallowgroups ssh admins\n")

    assert sshd.sshd_access(listed) == ["user bo", "user da", "group ssh", "group admins"]
    assert sshd.sshd_access(sshd_says(tmp_path / "b", "port 22\n")) == []
    assert sshd.sshd_access(make_machine(tmp_path / "c")) is None


def test_a_server_built_without_kerberos_takes_no_tickets(tmp_path: Path) -> None:
    assert sshd.sshd_option(sshd_says(tmp_path, "port 22\n"), "gssapiauthentication") == ["no"]


@pytest.mark.parametrize(
    ("text", "letters", "tells"),
    [
        ("Debian GNU/Linux 12 \\n \\l\n", 14, ["Debian"]),
        ("\\S\nKernel \\r on an \\m\n", 10, ["\\S", "\\m", "\\r"]),
        ("Chỉ người được phép.\n", 16, []),
        ("", 0, []),
    ],
)
def test_a_banner_is_weighed_by_its_letters_and_what_it_tells(
    tmp_path: Path, text: str, letters: int, tells: list[str]
) -> None:
    machine = make_machine(tmp_path, {**DEBIAN, "/etc/issue": text})

    assert banners.banner(machine, "/etc/issue") == {"letters": letters, "tells": tells}
    assert banners.banner(machine, "/etc/motd") is None


def test_communities_of_snmp_are_found_without_being_told(tmp_path: Path) -> None:
    recorded = {
        "/usr/sbin/snmpd": "",
        "/etc/snmp/snmpd.conf": "rocommunity geheim 192.0.2.1\n# rwcommunity x\n",
    }
    machine = make_machine(tmp_path / "on", recorded, modes={"/usr/sbin/snmpd": "0755"})
    assert snmp.snmp_communities(machine) == ["/etc/snmp/snmpd.conf: rocommunity"]

    recorded["/etc/systemd/system/snmpd.service"] = ""  # masked
    masked = make_machine(tmp_path / "masked", recorded, modes={"/usr/sbin/snmpd": "0755"})
    assert snmp.snmp_communities(masked) is None
    assert snmp.snmp_communities(make_machine(tmp_path / "none")) is None
