"""The whole of it on fresh hosts: verify, harden to level 3 with the real roles, verify, undo, verify."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from khien.adapters.controls_yaml import YamlControls
from tests.lab.disks import files_below
from tests.lab.host import Host
from tests.lab.khien_command import Khien, installation, states
from tests.lab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]

ROOT = Path(__file__).parents[2]
CONTROLS = {control.id: control for control in YamlControls(ROOT / "roles").controls()}
# What time does by itself, whoever looks.
MOVING = ("restart_needed", "security_updates", "time_servers")


def findings(khien: Khien, host: Host) -> dict[str, dict[str, Any]]:
    """Return what is known of a host, by control."""
    return {one["control"]: one for one in khien.json("host", "show", host.name)["findings"]}


def answers(khien: Khien, hosts: list[Host]) -> dict[str, object]:
    """Verify hosts and return every answer but for what moves by itself."""
    assert khien.call("verify").returncode in (0, 1)
    return {
        f"{host.name} {seen['probe_id']}": seen["value"]
        for host in hosts
        for finding in findings(khien, host).values()
        for seen in finding["evidence"]
        if not seen["probe_id"].startswith(MOVING)
    }


def owned_and_open(khien: Khien, host: Host) -> dict[str, str]:
    """Return the findings that hardening owns and that neither pass nor are waived nor do not apply."""
    return {
        name: f"{one['verdict']}: {one['detail']}"
        for name, one in findings(khien, host).items()
        if CONTROLS[name].fix_variable and not CONTROLS[name].fix_opt_in and CONTROLS[name].role != "patch"
        if one["verdict"] not in ("pass", "waived", "not_applicable")
    }


def test_fresh_hosts_come_to_level_three_exactly_as_predicted_and_all_the_way_back(
    lab: Lab, fresh_hosts: Callable[..., list[Host]], tmp_path: Path
) -> None:
    hosts = fresh_hosts("bookworm", "trixie")
    for host in hosts:
        host.exec(["apt-get", "update", "-q"])
    inventory = lab.inventory_of(hosts, tmp_path / "inventory")
    with installation(inventory, harden_guard_seconds=60) as khien:
        before = answers(khien, hosts)
        disks = [files_below(host, "/etc") for host in hosts]
        failed_before = [len(owned_and_open(khien, host)) for host in hosts]

        done = khien.json("harden", "--level", "3", "--yes")

        assert set(states(done).values()) == {"changed"}, done
        for one in done["hosts"]:
            assert all(row["as_predicted"] is not False for row in one["hardening"]["controls"]), one
        assert min(failed_before) > 30
        assert [owned_and_open(khien, host) for host in hosts] == [{}, {}]

        for host in hosts:
            assert host.ssh("echo people still work here > /dev/null").returncode == 0

        again = khien.json("harden", "--level", "3", "--yes")
        assert set(states(again).values()) == {"ok"}, again

        undone = khien.json("undo", done["run"]["id"], "--yes")
        assert set(states(undone).values()) == {"changed"}, undone
        after = answers(khien, hosts)
        assert {
            key: (value, after.get(key)) for key, value in before.items() if after.get(key) != value
        } == {}
        assert [files_below(host, "/etc") for host in hosts] == disks
