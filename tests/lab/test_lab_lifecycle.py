"""Labs come, go, stand beside each other, and leave nothing; what a killed one left, the next one removes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab.cli import main
from tests.lab.errors import LabError
from tests.lab.host import Host
from tests.lab.lab import Lab, is_instance
from tests.lab.lifecycle import bring_up, obstacle, take_down
from tests.lab.processes import identify
from tests.lab.settings import CHECKOUT, Settings, read_settings

pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(obstacle()), reason=obstacle())]

_LIVE_AND_WAIT = """
import os, signal, sys
from tests.lab.lifecycle import bring_up
from tests.lab.processes import identify
from tests.lab.settings import read_settings
bring_up(read_settings(sys.argv[1]), 2, owner=identify(os.getpid()))
print("up", flush=True)
signal.pause()
"""


def _settings(word: str) -> Settings:
    return read_settings(f"test-{word}-{os.getpid()}")


def test_a_lab_that_goes_leaves_no_process_mount_link_or_folder() -> None:
    settings = _settings("gone")
    lab = bring_up(settings, 2)
    processes = [*lab.processes(), *(host._supervisor() for host in lab.hosts)]
    leaders = [identify(host.leader_pid()) for host in lab.hosts]
    links = [lab.network.bridge, *(lab.network.link(host.record.number) for host in lab.hosts)]

    assert take_down(settings) == []

    assert not any(process and process.is_alive for process in processes)
    assert not any(leader and leader.is_alive for leader in leaders)
    assert not any(Path("/sys/class/net", link).exists() for link in links)
    assert not set(links) & set(_namespaces())
    assert str(settings.folder) not in Path("/proc/self/mountinfo").read_text()
    assert not settings.folder.exists()


def test_what_a_killed_session_left_is_removed_by_the_next_lab_and_living_ones_stay(lab: Lab) -> None:
    killed, following = _settings("killed"), _settings("next")
    with subprocess.Popen(
        [sys.executable, "-c", _LIVE_AND_WAIT, killed.name], stdout=subprocess.PIPE, cwd=CHECKOUT
    ) as session:
        assert session.stdout is not None
        assert session.stdout.readline() == b"up\n"
        left = Lab(killed)
        leaders = [identify(host.leader_pid()) for host in left.hosts]
        session.kill()
    alive = all(leader and leader.is_alive for leader in leaders)

    try:
        bring_up(following, 0)
    finally:
        assert take_down(following) == []

    assert alive, "the hosts of a killed session ended by themselves: nothing was proved"
    assert not killed.folder.exists()
    assert not any(leader and leader.is_alive for leader in leaders)
    assert str(killed.folder) not in Path("/proc/self/mountinfo").read_text()
    assert is_instance(lab.folder)
    assert all(process.is_alive for process in lab.processes())


@pytest.mark.parametrize("depth", [0, 1, 2], ids=["outermost", "supervisor", "nspawn"])
def test_a_host_ends_whole_when_a_process_that_keeps_it_is_killed(
    fresh_host: Callable[..., Host], depth: int
) -> None:
    host = fresh_host()
    leader = identify(host.leader_pid())
    assert leader is not None
    keepers = _ancestors(leader.pid, host._supervisor().pid)

    os.kill(keepers[depth], signal.SIGKILL)

    host.wait_until(lambda: not leader.is_alive, "lives on")
    host.wait_until(lambda: not host.is_running, "is said to run")
    host.power_on()
    assert host.ssh("echo", "back").stdout == "back\n"


def test_labs_beside_each_other_share_no_address(lab: Lab) -> None:
    settings = _settings("beside")
    other = bring_up(settings, 0)
    try:
        assert other.network.bridge != lab.network.bridge
        assert not {other.network.address(n) for n in range(1, 250)} & {
            lab.network.address(n) for n in range(1, 250)
        }
    finally:
        assert take_down(settings) == []


def test_a_second_end_finds_nothing_to_do() -> None:
    assert take_down(_settings("never")) == []


def test_a_folder_that_no_lab_made_is_left_alone_by_the_end(tmp_path: Path) -> None:
    settings = Settings("lab", tmp_path, tmp_path / "cache")
    settings.folder.mkdir()
    (settings.folder / "instance.json").write_text(json.dumps({"index": 3, "mirror": {}}))

    assert take_down(settings) == []

    assert (settings.folder / "instance.json").exists()


def test_a_folder_that_no_lab_made_is_never_taken_over_by_a_lab(tmp_path: Path) -> None:
    settings = Settings("project", tmp_path, read_settings().cache)
    settings.folder.mkdir()
    (settings.folder / "precious").write_text("kept")

    with pytest.raises(LabError, match="no lab made it"):
        bring_up(settings, 0)

    assert take_down(settings) == []
    assert [file.name for file in settings.folder.iterdir()] == ["precious"]


def test_ansible_reaches_all_hosts_of_the_inventory_and_knows_their_keys(
    fresh_hosts: Callable[..., list[Host]], lab: Lab, tmp_path: Path
) -> None:
    hosts = fresh_hosts("bookworm", "trixie")
    inventory = lab.inventory_of(hosts, tmp_path / "inventory")
    ansible = Path(sys.executable).with_name("ansible")
    if not ansible.exists():
        pytest.skip("ansible is not beside this Python")
    environment = {**os.environ, "ANSIBLE_SSH_CONTROL_PATH_DIR": str(tmp_path / "cp")}

    done = subprocess.run(
        [ansible, "-i", inventory, "all", "-o", "-b", "-m", "command", "-a", "id -un"],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    for host in hosts:
        assert f"{host.name} | CHANGED | rc=0 | (stdout) root" in done.stdout


def test_the_command_line_shows_the_hosts_and_returns_what_a_command_returned(
    fresh_host: Callable[..., Host],
    lab: Lab,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    host = fresh_host()
    monkeypatch.setenv("KHIEN_LAB", lab.settings.name)

    assert main(["status", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capfd.readouterr().out)}
    code = main(["exec", host.name, "--", "sh", "-c", "echo said; exit 5"])

    assert rows[host.name]["address"] == host.address
    assert (rows[host.name]["power"], rows[host.name]["ssh"]) == ("on", "answers")
    assert (code, capfd.readouterr().out) == (5, "said\n")


@pytest.mark.parametrize("name", ["../../etc", "a/b", ".", "", "Lab", "-rf", "x" * 40])
def test_a_name_that_could_be_a_path_is_refused(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KHIEN_LAB", name)
    if not name:
        assert read_settings().name == "lab"
        return

    assert main(["status"]) == 1
    assert "no name for a lab" in capsys.readouterr().err


def _ancestors(pid: int, top: int) -> list[int]:
    """Return the processes above one up to a given one, the highest first."""
    found: list[int] = []
    while pid != top:
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        found.insert(0, pid)
    return found


def _namespaces() -> list[str]:
    return subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout.split()
