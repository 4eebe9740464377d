"""Hosts with a kernel of their own do what containers cannot, and come and go as containers do."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.errors import LabError
from tests.lab.faults import hang
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.lifecycle import bring_up, take_down
from tests.lab.machine import machine_obstacle
from tests.lab.settings import CHECKOUT, read_settings

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(bool(machine_obstacle()), reason=machine_obstacle()),
]

_LIVE_AND_WAIT = """
import os, signal, sys
from tests.lab.lifecycle import bring_up
from tests.lab.processes import identify
from tests.lab.settings import read_settings
bring_up(read_settings(sys.argv[1]), 0, owner=identify(os.getpid()), machines=1)
print("up", flush=True)
signal.pause()
"""


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def machine(request: pytest.FixtureRequest, lab: Lab) -> Iterator[Host]:
    """Give one machine to all tests of this page, which leave it running."""
    [host] = lab.fresh_machines(request.param)
    yield host
    lab.give_back([host])


def test_it_boots_whole_and_lets_automation_become_root(machine: Host) -> None:
    seen = machine.ssh("sudo -n id -un; . /etc/os-release; echo $VERSION_CODENAME; hostname")

    machine.wait_until(lambda: _state(machine) in ("running", "degraded"), "does not finish its boot", 200)

    assert seen.stdout.split() == ["root", machine.record.codename, machine.name]
    assert machine.exec(["systemctl", "--failed", "--no-legend", "--plain"]).stdout == ""
    assert machine.exec(["systemd-detect-virt"]).stdout == "qemu\n"


def test_what_root_asks_arrives_word_by_word(machine: Host) -> None:
    said = machine.exec(["sh", "-c", 'printf "%s|" "$@"; id -un', "sh", "a b", "$HOME", "it's"])
    machine.write("/root/kept", "one\ntwo\n", 0o600)

    assert said.stdout == "a b|$HOME|it's|root\n"
    assert machine.exec(["cat", "/root/kept"]).stdout == "one\ntwo\n"
    with pytest.raises(LabError, match="no such thing"):
        machine.exec(["sh", "-c", "echo no such thing >&2; exit 3"])


def test_its_kernel_is_its_own(machine: Host) -> None:
    outside = Path("/proc/sys/kernel/kptr_restrict").read_text()

    machine.exec(["sysctl", "-w", "kernel.kptr_restrict=2"])
    machine.exec(["modprobe", "dm-mod"])
    machine.exec(
        ["sh", "-c", "apt-get -qq update && apt-get -qq install -y --no-install-recommends auditd"],
        timeout=900,
    )
    machine.exec(["auditctl", "-w", "/etc/shadow", "-p", "wa", "-k", "khien"])

    assert machine.exec(["sysctl", "-n", "kernel.kptr_restrict"]).stdout == "2\n"
    assert Path("/proc/sys/kernel/kptr_restrict").read_text() == outside
    assert "dm_mod" in machine.exec(["lsmod"]).stdout
    assert "/etc/shadow" in machine.exec(["auditctl", "-l"]).stdout


def test_a_cut_cable_silences_it_until_it_is_mended(machine: Host) -> None:
    machine.cut()
    silent = not machine.greets(0.5)
    machine.mend()
    machine.wait_ready()

    assert silent


def test_a_fault_that_nobody_could_end_is_refused(machine: Host) -> None:
    with pytest.raises(LabError, match="no way in"):
        hang(machine)


def test_it_keeps_its_disk_over_a_restart_and_a_power_cut_and_a_reset_gives_a_fresh_one(
    machine: Host,
) -> None:
    machine.exec(["sh", "-c", "echo kept > /etc/kept && sync"])
    before = machine.boot_id()

    machine.exec(["systemctl", "reboot"], check=False)
    machine.wait_until(
        lambda: machine.boot_id() not in ("", before), "does not restart", machine.boot_seconds
    )
    machine.wait_ready()
    after_restart = machine.ssh("cat /etc/kept").stdout
    machine.power_off()
    dead = (machine.is_running, machine.greets(), machine.boot_id())
    with pytest.raises(LabError, match="not running"):
        machine.exec(["true"])
    machine.power_on()
    after_cut = machine.ssh("cat /etc/kept").stdout
    machine.reset()

    assert (after_restart, after_cut) == ("kept\n", "kept\n")
    assert dead == (False, False, "")
    assert machine.exec(["test", "-e", "/etc/kept"], check=False).returncode == 1


def test_what_a_killed_session_left_is_removed_by_the_next_lab() -> None:
    killed, following = (read_settings(f"test-vm{word}-{os.getpid()}") for word in ("killed", "next"))
    with subprocess.Popen(
        [sys.executable, "-c", _LIVE_AND_WAIT, killed.name], stdout=subprocess.PIPE, cwd=CHECKOUT
    ) as session:
        assert session.stdout is not None
        assert session.stdout.readline() == b"up\n"
        [left] = Lab(killed).hosts
        keeper, link = left._supervisor(), Path("/sys/class/net", left.network.link(left.record.number))
        session.kill()
    assert keeper is not None
    alive = keeper.is_alive and link.exists()

    try:
        bring_up(following, 0)
    finally:
        assert take_down(following) == []

    assert alive, "the machine of a killed session ended by itself: nothing was proved"
    assert not keeper.is_alive
    assert not link.exists()
    assert not killed.folder.exists()


def _state(host: Host) -> str:
    return host.exec(["systemctl", "is-system-running"], check=False).stdout.strip()
