"""The lock-out guard on real hosts: whatever breaks management access is taken back by the host itself."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab.disks import files_below
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.plays import Play, play

pytestmark = pytest.mark.lab

BREAK = "tests/lab/content/break.yml"
WAYS = ("sshd", "firewall", "sudo", "pam")


class TestGuard:
    def test_four_hosts_locked_out_in_four_ways_come_back_by_themselves(
        self, lab: Lab, fresh_hosts: Callable[..., list[Host]], tmp_path: Path
    ) -> None:
        hosts = fresh_hosts("bookworm", "trixie", "bookworm", "trixie")
        inventory = lab.inventory_of(hosts, tmp_path / "inventory")
        before = {host.name: files_below(host, "/etc") for host in hosts}
        ways = {host.name: way for host, way in zip(hosts, WAYS, strict=True)}

        outcome = play(inventory, playbook=BREAK, breaking_ways=ways, harden_guard_seconds=20)

        culprits = {
            "sshd": "/etc/ssh/sshd_config.d/00-nobody.conf",
            "firewall": "nftables drops port 22",
            "sudo": "/etc/sudoers.d/zz-nobody",
            "pam": "/etc/pam.d/common-account",
        }
        for host in hosts:
            report = outcome.report(host.name)
            assert report["guard"]["state"] == "reverted", outcome.text
            assert report["problem"] == "guard_reverted"
            assert culprits[ways[host.name]] in report["problem_detail"]
            assert host.ssh("sudo", "-n", "true").returncode == 0
            assert files_below(host, "/etc") == before[host.name]
            assert "broken" not in host.exec(["nft", "list", "ruleset"]).stdout

    def test_the_guard_survives_the_controller_and_a_restart_of_the_host(
        self, lab: Lab, fresh_host: Callable[..., Host], tmp_path: Path
    ) -> None:
        host = fresh_host()
        inventory = lab.inventory_of([host], tmp_path / "inventory")
        before = files_below(host, "/etc")
        controller = Play(
            inventory, playbook=BREAK, breaking_ways={host.name: "sshd"}, harden_guard_seconds=20
        )
        host.wait_until(
            lambda: (
                not host.exec(["test", "-e", "/etc/ssh/sshd_config.d/00-nobody.conf"], check=False).returncode
            ),
            "the change does not come",
        )
        host.wait_until(lambda: host.ssh("true").returncode != 0, "somebody still gets in")
        controller.kill()
        host.power_off()
        host.power_on(wait=False)

        host.wait_ready()

        assert host.ssh("sudo", "-n", "true").returncode == 0
        host.wait_until(lambda: files_below(host, "/etc") == before, "not all came back", 30)

    def test_a_host_without_systemd_timers_changes_nothing_guarded(
        self, lab: Lab, fresh_host: Callable[..., Host], tmp_path: Path
    ) -> None:
        host = fresh_host()
        inventory = lab.inventory_of([host], tmp_path / "inventory")
        host.write("/usr/local/sbin/systemctl", "#!/bin/sh\nexit 1\n", 0o755)
        before = files_below(host, "/etc")
        begun = time.monotonic()

        outcome = play(inventory, playbook=BREAK, breaking_ways={host.name: "sudo"}, harden_guard_seconds=600)

        assert outcome.report(host.name)["problem"] == "guard_failed"
        assert files_below(host, "/etc") == before
        assert time.monotonic() - begun < 300
