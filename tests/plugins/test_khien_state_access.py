"""The kinds firewall and units_off plan from what the host's own programs say of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.khien_state.firewalls import nft
from ansible.module_utils.khien_state.kinds import resource
from ansible.module_utils.khien_state.resource import BadWordsError, Plan
from ansible.module_utils.khien_state.system import System

NFT = Path(__file__).parents[1] / "fixtures" / "nft"
ALL = ("base", "refuse", "established", "loopback", "ipv6", "log", "boot")
LISTENING = "header\n 0: 00000000:0016 0:0 0A 0 0 0 0 0 1\n 1: 00000000:0050 0:0 0A 0 0 0 0 0 2\n"
DISCOVERY = "header\n 0: 00000000:14E9 0:0 07 0 0 0 0 0 3\n"


class Answering(System):
    """A host below a folder whose programs say what a test tells them to; any other one is not there."""

    def __init__(self, root: Path, says: dict[str, str | tuple[int, str]]) -> None:
        super().__init__(str(root))
        self.says = says

    def run(
        self, argv: Sequence[str], limit: float = 120.0, env: dict[str, str] | None = None
    ) -> tuple[int, str]:
        line = " ".join(argv)
        said = next((text for start, text in self.says.items() if line.startswith(start)), (127, "not there"))
        return (0, said) if isinstance(said, str) else said


def host(tmp_path: Path, *, with_nft: bool = True, more: dict[str, Any] | None = None) -> Answering:
    for path, text in {
        "etc/os-release": 'ID=debian\nVERSION_ID="13"\n',
        "proc/net/tcp": LISTENING,
        "proc/net/udp": DISCOVERY,
        "run/.keep": "",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    if with_nft:
        (tmp_path / "usr/sbin").mkdir(parents=True)
        (tmp_path / "usr/sbin/nft").touch(0o755)
    empty = {"/usr/sbin/nft --json": '{"nftables": []}'}
    words: dict[str, Any] = {
        "sshd -T": "port 2222\nlistenaddress 0.0.0.0:2222\n",
        **(empty if more is None else more),
    }
    return Answering(tmp_path, words)


def firewall(*parts: str, **more: Any) -> dict[str, Any]:
    entries = [{"control": "c_" + part, "part": part} for part in parts or ALL]
    return {"kind": "firewall", "entries": entries, "never_kept": ["udp/5353"], **more}


def planned(system: System, words: dict[str, Any]) -> Plan:
    return resource(words).plan(system, frozenset())


def text_of(system: System, **more: Any) -> str:
    """Return the file that a plan would write."""
    written: dict[str, str] = {}
    plan = planned(system, firewall(*ALL, *more.pop("parts", ()), **more))
    assert plan.act is not None
    for cell in plan.act.__closure__ or ():
        if isinstance(cell.cell_contents, str):
            written["text"] = cell.cell_contents
    return written["text"]


class TestNftables:
    def test_each_control_is_told_what_it_brings(self, tmp_path: Path) -> None:
        plan = planned(host(tmp_path), firewall())

        assert {change.control for change in plan.changes} == {"c_" + part for part in ALL}
        assert ("nft", nft.TABLE) in plan.things
        assert ("unit", nft.UNIT) in plan.things

    def test_ssh_on_its_own_port_and_what_listens_now_stay_open(self, tmp_path: Path) -> None:
        text = text_of(host(tmp_path))

        assert "tcp dport { 2222 } accept" in text
        assert "tcp dport { 22, 80 } accept" in text, "an SSH of before, perhaps, but it answers now"
        assert "5353" not in text, "never kept"
        assert "policy drop;" in text

    def test_what_listens_later_does_not_open_itself_the_way(self, tmp_path: Path) -> None:
        system = host(tmp_path)
        (tmp_path / "etc/khien").mkdir()
        (tmp_path / "etc/khien/firewall.nft").write_text(text_of(system))
        (tmp_path / "proc/net/tcp").write_text(LISTENING + " 2: 00000000:1F90 0:0 0A 0 0 0 0 0 9\n")

        assert nft.kept_before(system) == ["tcp/22", "tcp/80"]
        assert "8080" not in text_of(system)

    def test_what_is_not_listed_can_be_closed(self, tmp_path: Path) -> None:
        text = text_of(host(tmp_path), close_unlisted=True, allowed_tcp=[443], allowed_udp=[514])

        assert "tcp dport { 443 } accept" in text
        assert "udp dport { 514 } accept" in text
        assert "80" not in text.replace("fe80", "")

    def test_ssh_can_be_kept_to_networks_of_both_families(self, tmp_path: Path) -> None:
        text = text_of(
            host(tmp_path), parts=("management",), management_networks=["192.0.2.0/24", "2001:db8::/32"]
        )

        assert "ip saddr { 192.0.2.0/24 } tcp dport { 2222 } accept" in text
        assert "ip6 saddr { 2001:db8::/32 } tcp dport { 2222 } accept" in text
        assert "\t\ttcp dport { 2222 }" not in text

    @pytest.mark.parametrize(
        "wrong",
        [{"allowed_tcp": ["http"]}, {"allowed_udp": [70000]}, {"management_networks": ["192.0.2.1/24"]}],
    )
    def test_a_port_or_a_network_that_is_none_stops_the_role(self, tmp_path: Path, wrong: Any) -> None:
        with pytest.raises(BadWordsError):
            planned(host(tmp_path), firewall(**wrong))

    def test_another_ones_rules_are_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "sys/module/nf_tables").mkdir(parents=True)
        theirs = (NFT / "khien.json").read_text().replace("khien_filter", "filter")
        system = host(tmp_path, more={"/usr/sbin/nft --json": theirs})

        plan = planned(system, firewall())

        assert plan.act is None
        assert {(skip.why, skip.detail) for skip in plan.skips} == {("other_system", "inet filter")}

    def test_without_nft_there_is_nothing_to_set_unless_its_package_comes(self, tmp_path: Path) -> None:
        system = host(tmp_path, with_nft=False)
        words = firewall(from_package="nftables")

        assert {skip.why for skip in planned(system, words).skips} == {"absent"}
        assert resource(words).plan(system, frozenset({"nftables"})).changes

    def test_parts_that_nobody_opted_into_are_reported(self, tmp_path: Path) -> None:
        words = firewall()
        words["entries"].append({"control": "c_forward", "part": "forward", "opted_in": False})

        skips = planned(host(tmp_path), words).skips

        assert [(skip.control, skip.why) for skip in skips] == [("c_forward", "not_opted_in")]


UFW = """Status: active
Logging: off
Default: allow (incoming), allow (outgoing), disabled (routed)
"""


class TestOthers:
    def test_ufw_is_set_where_it_is_in_use(self, tmp_path: Path) -> None:
        system = host(tmp_path, more={"ufw status": UFW, "ufw show added": "ufw allow in on lo\n"})

        changes = {change.control: change.after for change in planned(system, firewall()).changes}

        assert changes["c_refuse"] == "deny; open: 2222/tcp 22/tcp 80/tcp"
        assert changes["c_loopback"] == "deny from 127.0.0.0/8 ; deny from ::1"
        assert changes["c_log"] == "low"

    def test_ufw_as_wished_needs_nothing(self, tmp_path: Path) -> None:
        rules = "ufw deny from 127.0.0.0/8\nufw deny from ::1\nufw allow in on lo\n"
        status = UFW.replace("off", "on (low)").replace("Default: allow", "Default: deny")
        system = host(
            tmp_path,
            more={"ufw status": status, "ufw show added": rules, "systemctl is-enabled": "enabled"},
        )

        assert planned(system, firewall()).changes == []

    def test_firewalld_is_set_where_it_is_in_use(self, tmp_path: Path) -> None:
        says = {
            "firewall-cmd --state": "running\n",
            "firewall-cmd --get-default-zone": "public\n",
            "firewall-cmd --permanent --zone=public --get-target": "ACCEPT\n",
            "firewall-cmd --permanent --zone=public --query": (1, "no"),
            "firewall-cmd --get-log-denied": "off\n",
        }
        plan = planned(host(tmp_path, more=says), firewall())

        assert {c.control for c in plan.changes} == {"c_refuse", "c_loopback", "c_log", "c_boot"}
        assert ("file", "/etc/firewalld/zones/public.xml") in plan.things


def unit(
    name: str, active: str = "inactive", enabled: str = "enabled", load: str = "loaded", at: str = "/usr"
) -> str:
    return (
        f"Id={name}\nLoadState={load}\nActiveState={active}\n"
        f"UnitFileState={enabled}\nFragmentPath={at}/lib/systemd/system/{name}\n"
    )


def off(*blocks: str, tmp_path: Path, **more: Any) -> Plan:
    system = Answering(tmp_path, {"systemctl show": "\n".join(blocks)})
    return planned(system, {"kind": "units_off", "names": ["x"], "control": "c_off", **more})


class TestUnitsOff:
    def test_units_that_run_or_would_are_stopped_and_masked_sockets_first(self, tmp_path: Path) -> None:
        plan = off(unit("cups.service", "active"), unit("cups.socket"), tmp_path=tmp_path)

        assert [(change.thing, change.before, change.after) for change in plan.changes] == [
            ("cups.socket", "enabled", "masked"),
            ("cups.service", "running enabled", "masked"),
        ]
        assert plan.things == [("unit", "cups.socket"), ("unit", "cups.service")]

    def test_what_is_masked_or_missing_needs_no_word(self, tmp_path: Path) -> None:
        masked = unit("a.service", enabled="masked", load="masked")
        missing = unit("b.service", load="not-found")

        plan = off(masked, missing, tmp_path=tmp_path)
        assert (plan.changes, plan.skips, plan.act) == ([], [], None)

    def test_a_unit_under_two_names_is_one(self, tmp_path: Path) -> None:
        plan = off(unit("smbd.service", "active"), unit("smbd.service", "active"), tmp_path=tmp_path)

        assert [change.thing for change in plan.changes] == ["smbd.service"]

    def test_an_own_unit_file_is_disabled_for_it_cannot_be_masked(self, tmp_path: Path) -> None:
        own = "Id=x.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\nFragmentPath=/etc/systemd/system/x.service\n"

        assert [change.after for change in off(own, tmp_path=tmp_path).changes] == ["disabled"]

    def test_units_that_the_host_needs_stay_and_are_reported(self, tmp_path: Path) -> None:
        units = [unit("cups.service", "active"), unit("avahi-daemon.service", "active")]

        plan = off(*units, tmp_path=tmp_path, **{"except": ["cups.service"]})
        assert [change.thing for change in plan.changes] == ["avahi-daemon.service"]
        assert [(skip.thing, skip.why) for skip in plan.skips] == [("cups.service", "not_opted_in")]

    def test_nobody_asked_for_it_and_so_it_is_only_said(self, tmp_path: Path) -> None:
        plan = off(unit("named.service", "active"), tmp_path=tmp_path, opted_in="False")

        assert (plan.changes, [skip.thing for skip in plan.skips]) == ([], ["named.service"])
