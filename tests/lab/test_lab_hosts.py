"""Lab hosts are real: they boot, restart, lose power, cable or room, hang, and come back."""

import select
import socket
import subprocess
from collections.abc import Callable

import pytest

from tests.lab.errors import LabError
from tests.lab.faults import fill_disk, free_disk, hang, hold_apt_lock, release_apt_lock, wake
from tests.lab.host import Host

pytestmark = pytest.mark.lab

Give = Callable[..., Host]


@pytest.mark.parametrize("codename", ["bookworm", "trixie"])
def test_a_fresh_host_boots_without_a_failed_unit_and_lets_automation_become_root(
    fresh_host: Give, codename: str
) -> None:
    host = fresh_host(codename)

    seen = host.ssh("sudo -n id -un; . /etc/os-release; echo $VERSION_CODENAME; hostname")
    host.wait_until(lambda: _state(host) in ("running", "degraded"), "does not finish its boot")

    assert seen.stdout.split() == ["root", codename, host.name]
    assert host.exec(["systemctl", "--failed", "--no-legend", "--plain"]).stdout == ""


def test_a_fresh_host_fetches_nothing_by_itself(fresh_host: Give) -> None:
    host = fresh_host()

    lists = host.exec(["find", "/var/lib/apt/lists", "-type", "f", "-not", "-name", "lock"])
    timers = host.exec(["systemctl", "is-enabled", "apt-daily.timer", "apt-daily-upgrade.timer"], check=False)

    assert lists.stdout == ""
    assert timers.stdout.split() == ["masked", "masked"]


def test_a_restarted_service_runs_again_while_another_host_has_the_same_one(
    fresh_hosts: Callable[..., list[Host]],
) -> None:
    first, second = fresh_hosts("bookworm", "trixie")
    before = second.exec(["pgrep", "-x", "cron"]).stdout

    first.exec(["systemctl", "restart", "cron"])

    assert first.exec(["systemctl", "is-active", "cron"]).stdout == "active\n"
    assert second.exec(["pgrep", "-x", "cron"]).stdout == before


def test_each_host_has_sysctls_of_its_own_network_and_may_filter_packets(
    fresh_hosts: Callable[..., list[Host]],
) -> None:
    first, second = fresh_hosts("bookworm", "trixie")
    name = "net.ipv4.conf.all.accept_redirects"
    untouched = second.exec(["sysctl", "-n", name]).stdout
    other = "0" if untouched == "1\n" else "1"

    first.exec(["sysctl", "-w", f"{name}={other}"])
    first.exec(["nft", "add", "table", "inet", "khien"])

    assert first.exec(["sysctl", "-n", name]).stdout == f"{other}\n"
    assert second.exec(["sysctl", "-n", name]).stdout == untouched
    assert "khien" not in second.exec(["nft", "list", "tables"]).stdout


def test_a_host_that_restarts_itself_comes_back_with_its_disk(fresh_host: Give) -> None:
    host = fresh_host()
    host.write("/etc/kept", "kept\n")
    before = host.boot_id()

    host.ssh("sudo systemctl reboot")
    host.wait_until(lambda: host.boot_id() not in ("", before), "does not restart")
    host.wait_ready()

    assert host.ssh("cat /etc/kept").stdout == "kept\n"


def test_a_power_cut_keeps_the_disk_and_a_reset_gives_that_of_a_fresh_installation(fresh_host: Give) -> None:
    host = fresh_host("trixie")
    host.write("/etc/kept", "kept\n")
    identity = host.exec(["cat", "/etc/ssh/ssh_host_ed25519_key"]).stdout

    host.power_off()
    dead = (host.is_running, host.greets(), host.boot_id())
    with pytest.raises(LabError, match="not running"):
        host.exec(["true"])
    host.power_on()
    after_cut = host.ssh("cat /etc/kept").stdout
    host.reset()

    assert dead == (False, False, "")
    assert after_cut == "kept\n"
    assert host.exec(["test", "-e", "/etc/kept"], check=False).returncode == 1
    assert host.exec(["cat", "/etc/ssh/ssh_host_ed25519_key"]).stdout == identity


def test_a_cut_host_is_silent_goes_on_and_is_back_when_mended(fresh_host: Give) -> None:
    host = fresh_host()

    host.cut()
    silent = not host.greets(0.5)
    inside = host.exec(["echo", "alive"]).stdout
    host.mend()
    host.wait_ready()

    assert (silent, inside) == (True, "alive\n")


@pytest.mark.parametrize("codename", ["bookworm", "trixie"])
def test_a_hung_host_takes_connections_and_says_nothing_until_it_wakes(
    fresh_host: Give, codename: str
) -> None:
    host = fresh_host(codename)

    hang(host)
    with socket.create_connection((host.address, 22), timeout=2) as connection:
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):
            connection.recv(4)
    wake(host)

    assert host.ssh("echo", "back").stdout == "back\n"


@pytest.mark.parametrize("codename", ["bookworm", "trixie"])
def test_a_connection_that_is_open_hangs_with_its_host(fresh_host: Give, codename: str) -> None:
    host = fresh_host(codename)
    with subprocess.Popen(
        host.ssh_command("cat"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as session:
        assert session.stdin is not None
        assert session.stdout is not None
        session.stdin.write(b"before\n")
        before = session.stdout.read(100)

        hang(host)
        session.stdin.write(b"hung\n")
        silent = not select.select([session.stdout], [], [], 0.7)[0]
        wake(host)
        after = session.stdout.read(100)
        session.stdin.close()

    assert (before, silent, after) == (b"before\n", True, b"hung\n")


@pytest.mark.parametrize("which", ["lists", "frontend"])
def test_a_held_lock_stops_apt_until_it_is_released(fresh_host: Give, which: str) -> None:
    host = fresh_host()
    host.use_own_repository_only()
    command = ["apt-get", "update"] if which == "lists" else ["apt-get", "-y", "install", "bash"]

    pid = hold_apt_lock(host, 600, which)  # type: ignore[arg-type]
    refused = host.exec(command, check=False)
    name = host.exec(["cat", f"/proc/{pid}/comm"]).stdout
    release_apt_lock(host)

    assert refused.returncode != 0
    assert f"process {pid} (apt-get)" in refused.stderr
    assert name == "apt-get\n"
    assert host.exec(command, check=False).returncode == 0


def test_a_full_disk_takes_no_byte_and_then_again(fresh_host: Give) -> None:
    host = fresh_host()

    fill_disk(host)
    full = host.exec(["sh", "-c", "head -c 100000 /dev/zero > /var/tmp/more"], check=False)
    free_disk(host)

    assert full.returncode != 0
    assert "No space left" in full.stderr
    host.exec(["sh", "-c", "head -c 100000 /dev/zero > /var/tmp/more"])


def test_a_wrong_host_key_is_noticed(fresh_host: Give) -> None:
    host = fresh_host()
    host.exec(["rm", "/etc/ssh/ssh_host_ed25519_key"])
    host.exec(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/etc/ssh/ssh_host_ed25519_key"])
    host.exec(["systemctl", "restart", "ssh"])

    refused = host.ssh("true")

    assert refused.returncode == 255
    assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in refused.stderr


def test_a_failing_command_on_a_host_tells_what_it_said(fresh_host: Give) -> None:
    host = fresh_host()

    with pytest.raises(LabError, match="no such thing"):
        host.exec(["sh", "-c", "echo no such thing >&2; exit 3"])

    done = subprocess.run(host.inside("sh", "-c", "exit 7"), check=False)
    assert done.returncode == 7


def _state(host: Host) -> str:
    return host.exec(["systemctl", "is-system-running"], check=False).stdout.strip()
