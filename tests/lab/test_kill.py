"""Processes of a run are killed at random moments: no outcome is lost or invented, no host is harmed."""

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from khien.adapters.processes import marked_processes
from tests.lab.host import Host
from tests.lab.khien_command import Khien, installation, states
from tests.lab.lab import Lab
from tests.lab.repository import Repository

pytestmark = pytest.mark.lab

SEED = 20261124
PACKAGE = "khien-parcel"
FINAL = {"ok", "changed", "failed", "unreachable", "not_started", "skipped", "unknown"}


def installed_version(host: Host) -> str:
    return host.exec(["dpkg-query", "-W", "-f", "${Version}", PACKAGE]).stdout.strip()


def upgrades(host: Host, version: str) -> int:
    """Count the times dpkg's log says that the package was upgraded to a version."""
    log = host.exec(["cat", "/var/log/dpkg.log"]).stdout
    return sum(f" upgrade {PACKAGE}" in line and line.rstrip().endswith(version) for line in log.splitlines())


def run_processes(khien: Khien, run: str) -> list[int]:
    """Return the pids of the run process itself."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"khien.cli.run_process" in words and run.encode() in words:
                found.append(int(entry.name))
    return found


def engine_processes(khien: Khien) -> list[int]:
    """Return the pid of ansible-playbook, once it was started."""
    found = []
    for path in khien.runtime.glob("*/engine.pid"):
        text = path.read_text()
        found += [int(text)] if text else []
    return found


def kill(pids: list[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def wait_until_gone(khien: Khien, run: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        left = [*marked_processes(run), *run_processes(khien, run)]
        if not left and not list(khien.runtime.glob("*")):
            return
        time.sleep(0.1)
    raise AssertionError(f"left on the controller: {left}, {list(khien.runtime.glob('*'))}")


def finish(khien: Khien, run: str) -> dict[str, str]:
    """Retry until every host is done, and return what became of each over all tries."""
    outcome = states(khien.json("run", "show", run))
    for _ in range(3):
        if not set(outcome.values()) - {"ok", "changed"}:
            return outcome
        done = khien.json("run", "retry", run, "--yes")
        run = done["run"]["id"]
        outcome.update(states(done))
    return outcome


def rounds_of(khien: Khien, hosts: list[Host], repository: Repository, rounds: int) -> None:
    luck = random.Random(SEED)
    names = {host.name for host in hosts}
    for number in range(1, rounds + 1):
        version = f"1.{number}"
        repository.publish(PACKAGE, version, suite="security", postinst="sleep 1")
        victims = luck.choice(("run", "engine", "both"))
        moment = luck.uniform(0.2, 7.0)
        run = khien.start("patch", "--yes")
        time.sleep(moment)  # the random moment is the test
        if victims in ("run", "both"):
            kill(run_processes(khien, run))
        if victims in ("engine", "both"):
            kill(engine_processes(khien))
        where = f"round {number}: {victims} killed after {moment:.2f} s, run {run}"

        ended = khien.json("run", "attach", run)
        wait_until_gone(khien, run)
        became = states(ended)
        assert ended["run"]["state"] in ("finished", "interrupted", "broken"), where
        assert set(became) == names, where
        assert set(became.values()) <= FINAL, where
        for host in hosts:
            if became[host.name] == "changed":
                assert installed_version(host) == version, where  # nothing is claimed that is not so

        assert set(finish(khien, run).values()) <= {"ok", "changed"}, where
        for host in hosts:
            assert installed_version(host) == version, where
            assert host.exec(["dpkg", "--audit"]).stdout == "", where
            assert upgrades(host, version) == 1, where


@pytest.fixture
def parcel(
    fresh_hosts: Callable[..., list[Host]], repository: Repository, lab: Lab, tmp_path: Path
) -> tuple[list[Host], Path]:
    """Three hosts with one package of our own installed, and their inventory."""
    hosts = fresh_hosts("bookworm", "trixie", "bookworm")
    repository.publish(PACKAGE, "1.0")
    for host in hosts:
        host.use_own_repository_only()
        host.exec(["sh", "-c", f"apt-get -q update && apt-get -qy install {PACKAGE}"])
        assert installed_version(host) == "1.0"
    return hosts, lab.inventory_of(hosts, tmp_path / "inventory")


@pytest.mark.parametrize(
    "rounds", [3, pytest.param(20, marks=pytest.mark.slow)], ids=["three-times", "twenty-times"]
)
def test_killing_a_run_loses_invents_and_harms_nothing(
    parcel: tuple[list[Host], Path], repository: Repository, rounds: int
) -> None:
    hosts, inventory = parcel
    with installation(inventory) as khien:
        rounds_of(khien, hosts, repository, rounds)
