"""Hardening real hosts: plan, approve, run, prove, undo – and what is refused on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.disks import files_below
from tests.lab.host import Host
from tests.lab.khien_command import Khien, installation, states
from tests.lab.lab import Lab

# Every run plays several playbooks, and the guard waits.
pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]

# Roles of the test under the real names: what is tested here is the run, not what a baseline wants.
ROLES = Path(__file__).parent / "content" / "harden_roles"
CONTROLS = (
    "cron_protected",
    "account_umask",
    "network_redirects_refused",
    "sshd_tries_limited",
    "sshd_banner",
)
ONLY = [word for name in CONTROLS for word in ("--control", name)]
DROP_IN = "/etc/khien-test.d/10-test.conf"


@pytest.fixture
def hosts(fresh_hosts: Callable[..., list[Host]]) -> list[Host]:
    """Give a fresh Debian 12 and a fresh Debian 13."""
    return fresh_hosts("bookworm", "trixie")


@pytest.fixture
def khien(lab: Lab, hosts: list[Host], tmp_path: Path) -> Iterator[Khien]:
    """Give an installation whose hardening roles are those of the test."""
    inventory = lab.inventory_of(hosts, tmp_path / "inventory")
    with installation(inventory, harden_guard_seconds=30) as khien:
        khien.environment["ANSIBLE_ROLES_PATH"] = f"{ROLES}:{ROLES.parents[3] / 'roles'}"
        yield khien


def observations(khien: Khien, hosts: list[Host]) -> dict[str, object]:
    """Return what every host answers to every probe, but for what moves by itself."""
    khien.call("verify")
    answers: dict[str, object] = {}
    for host in hosts:
        for finding in khien.json("host", "show", host.name)["findings"]:
            for seen in finding["evidence"]:
                answers[f"{host.name} {seen['probe_id']}"] = seen["value"]
    return answers


def of(document: dict[str, Any], host: Host) -> dict[str, Any]:
    """Return what a document of a run says about one host."""
    (found,) = [one for one in document["hosts"] if one["host"] == host.name]
    return dict(found)


def test_what_was_planned_and_approved_is_done_once_proven_and_undone(
    khien: Khien, hosts: list[Host]
) -> None:
    before, answers = [files_below(host, "/etc") for host in hosts], observations(khien, hosts)

    plan = khien.json("harden", "--plan", *ONLY)["plan"]
    assert [files_below(host, "/etc") for host in hosts] == before
    assert plan["changes_total"] > 0
    name = plan["id"]
    refused = khien.call("plan", "run", name)
    assert (refused.returncode, "not approved" in refused.stderr) == (4, True)
    assert khien.json("plan", "approve", name, "--hash", plan["hash"][:8])["plan"]["approved"]

    done = khien.json("plan", "run", name)

    assert set(states(done).values()) == {"changed"}
    for host in hosts:
        hardening = of(done, host)["hardening"]
        assert hardening["as_predicted"] is True
        assert all(control["as_predicted"] for control in hardening["controls"])
        assert hardening["changes_applied"] == len(plan["predictions"][host.name]["changes"])
        assert {guard["state"] for guard in hardening["guards"]} == {"disarmed"}
        proof = {control["control"]: control for control in hardening["controls"]}
        assert (proof["sshd_tries_limited"]["was"], proof["sshd_tries_limited"]["is"]) == ("fail", "pass")
        assert proof["sshd_banner"]["why_not"]["code"] == "not_opted_in"
        left = {control["why_not"]["code"] for control in proof.values() if control["why_not"]}
        assert {"not_selected", "report_only"} <= left
    assert khien.call("run", "show", done["run"]["id"]).returncode == 0

    again = khien.json("harden", "--plan", *ONLY)
    assert again["plan"]["changes_total"] == 0
    assert set(states(again).values()) == {"ok"}

    undone = khien.json("undo", done["run"]["id"], "--yes")
    assert set(states(undone).values()) == {"changed"}
    assert all(of(undone, host)["undo"]["refused"] == [] for host in hosts)
    assert [files_below(host, "/etc") for host in hosts] == before
    assert observations(khien, hosts) == answers


def test_a_host_changed_since_the_plan_is_left_out_and_says_what_differs(
    khien: Khien, hosts: list[Host]
) -> None:
    drifted, steady = hosts
    name = khien.json("harden", "--plan", *ONLY)["plan"]["id"]
    khien.json("plan", "approve", name)
    drifted.exec(["chmod", "0640", "/etc/crontab"])

    done = khien.json("plan", "run", name)

    assert states(done) == {drifted.name: "not_started", steady.name: "changed"}
    reason = of(done, drifted)["reason"]
    assert reason["code"] == "drifted_since_plan"
    assert reason["arguments"]["thing"] == "/etc/crontab"
    assert drifted.exec(["test", "-e", DROP_IN], check=False).returncode == 1


def test_what_somebody_changed_after_the_run_is_not_undone_unless_forced(
    khien: Khien, hosts: list[Host]
) -> None:
    touched, other = hosts
    before = files_below(touched, "/etc")
    done = khien.json("harden", "--yes", *ONLY)
    hardened = done["run"]["id"]
    touched.write(DROP_IN, "mine = 1\n")

    foretold = khien.json("undo", hardened, "--check")
    undone = khien.json("undo", hardened, "--yes")

    for document in (foretold, undone):
        assert of(document, touched)["state"] == "failed"
        assert [one["thing"] for one in of(document, touched)["undo"]["refused"]] == [DROP_IN]
        assert of(document, other)["state"] == "changed"
    assert touched.exec(["cat", DROP_IN]).stdout == "mine = 1\n"
    forced = khien.json("undo", hardened, "--force", "--yes", "--limit", touched.name)
    assert states(forced) == {touched.name: "changed"}
    assert files_below(touched, "/etc") == before


def test_a_change_that_locks_out_is_taken_back_and_named(khien: Khien, hosts: list[Host]) -> None:
    before = [files_below(host, "/etc") for host in hosts]

    done = khien.json("harden", "--yes", *ONLY, "-e", "test_breaks_sshd=true")

    for host in hosts:
        end = of(done, host)
        assert (end["state"], end["reason"]["code"]) == ("failed", "guard_reverted")
        assert end["reason"]["arguments"]["area"] == "sshd"
        assert "/etc/ssh/sshd_config.d/00-khien-test.conf" in end["reason"]["arguments"]["things"]
        proof = {control["control"]: control for control in end["hardening"]["controls"]}
        assert proof["sshd_tries_limited"]["why_not"]["code"] == "guard_reverted"
    # The other areas stay until they are undone.
    undone = khien.json("undo", done["run"]["id"], "--yes")
    assert set(states(undone).values()) == {"changed"}
    assert [files_below(host, "/etc") for host in hosts] == before
