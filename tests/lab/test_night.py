"""A night on real hosts by way of the command: verify, predict, patch, verify; cut, hung and busy hosts."""

import os
import pty
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab.faults import hang, hold_apt_lock, release_apt_lock, wake
from tests.lab.host import Host
from tests.lab.khien_command import KHIEN, Khien, installation, states
from tests.lab.lab import Lab
from tests.lab.repository import Repository

pytestmark = pytest.mark.lab

SECURE, PLAIN = "khien-secure", "khien-plain"
PENDING = "patch_security_updates_none_pending"


def versions(host: Host) -> dict[str, str]:
    listing = host.exec(["dpkg-query", "-W", "-f", "${Package} ${Version}\n"]).stdout
    return dict(line.split(" ", 1) for line in listing.splitlines())


def changes(document: dict, host: str) -> dict[str, tuple[str, str]]:
    (entry,) = [entry for entry in document["hosts"] if entry["host"] == host]
    return {c["name"]: (c["from_version"], c["to_version"]) for c in entry["updates"]["changes"]}


def verdict(khien: Khien, host: str, control: str) -> str:
    findings = khien.json("host", "show", host)["findings"]
    (found,) = [finding["verdict"] for finding in findings if finding["control"] == control]
    return str(found)


def wait_for(question: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.2)


@pytest.fixture
def prepared(repository: Repository) -> Callable[..., None]:
    """Give a function that leaves one security update and one plain update waiting on hosts."""

    def prepare(*hosts: Host, postinst: str = "") -> None:
        for name in (SECURE, PLAIN):
            repository.publish(name, "1.0")
        for host in hosts:
            host.use_own_repository_only()
            host.exec(["sh", "-c", f"apt-get -q update && apt-get -qy install {SECURE} {PLAIN}"])
        repository.publish(SECURE, "1.1", suite="security", postinst=postinst)
        repository.publish(PLAIN, "1.1", suite="main")

    return prepare


def test_a_whole_night(
    fresh_hosts: Callable[..., list[Host]], prepared: Callable[..., None], lab: Lab, tmp_path: Path
) -> None:
    hosts = fresh_hosts("bookworm", "trixie")
    prepared(*hosts)
    before = {host.name: versions(host) for host in hosts}
    with installation(lab.inventory_of(hosts, tmp_path / "inventory")) as khien:
        verified = khien.json("verify")
        assert states(verified) == {host.name: "ok" for host in hosts}
        assert all(host["verdicts"]["applicable"] > 20 for host in verified["hosts"])

        predicted = khien.json("patch", "--check")
        assert {host.name: versions(host) for host in hosts} == before

        patched = khien.json("patch", "--yes")
        assert states(patched) == {host.name: "changed" for host in hosts}
        for host in hosts:
            assert changes(predicted, host.name) == {SECURE: ("1.0", "1.1")}
            assert changes(patched, host.name) == changes(predicted, host.name)
            assert versions(host) == {**before[host.name], SECURE: "1.1"}

        again = khien.json("patch", "--yes")
        assert states(again) == {host.name: "ok" for host in hosts}

        khien.json("verify")
        assert {verdict(khien, host.name, PENDING) for host in hosts} == {"pass"}
        fleet = {host["name"]: host for host in khien.json("hosts")["hosts"]}
        assert {entry["pending_security"] for entry in fleet.values()} == {0}


def test_a_host_cut_off_during_its_transaction_ends_it_and_retry_brings_it_to_done(
    fresh_hosts: Callable[..., list[Host]], prepared: Callable[..., None], lab: Lab, tmp_path: Path
) -> None:
    cut, other = fresh_hosts("bookworm", "trixie")
    prepared(cut, other, postinst="touch /run/khien-began; sleep 20")
    with installation(lab.inventory_of([cut, other], tmp_path / "inventory")) as khien:
        run = khien.start("patch", "--yes")
        wait_for(lambda: cut.exec(["test", "-e", "/run/khien-began"], check=False).returncode == 0)
        cut.cut()
        try:
            ended = khien.json("run", "attach", run)
            assert states(ended) == {cut.name: "unreachable", other.name: "changed"}
            (lost,) = [entry for entry in ended["hosts"] if entry["host"] == cut.name]
            assert lost["reason"]["code"] == "transaction_continues"
            wait_for(lambda: versions(cut).get(SECURE) == "1.1")
            wait_for(lambda: cut.exec(["dpkg", "--audit"]).stdout == "")
        finally:
            cut.mend()
        cut.wait_ready()

        retried = khien.json("run", "retry", run, "--yes")

        assert set(states(retried).values()) <= {"ok", "changed"}
        assert list(states(retried)) == [cut.name]
        assert changes(retried, cut.name) == {SECURE: ("1.0", "1.1")}


def test_a_hung_host_is_named_and_delays_nobody(
    fresh_hosts: Callable[..., list[Host]], prepared: Callable[..., None], lab: Lab, tmp_path: Path
) -> None:
    hung, other = fresh_hosts("bookworm", "trixie")
    prepared(hung, other)
    with installation(lab.inventory_of([hung, other], tmp_path / "inventory")) as khien:
        hang(hung)
        try:
            done = khien.json("patch", "--yes")
        finally:
            wake(hung)

        assert states(done) == {hung.name: "unreachable", other.name: "changed"}
        (silent,) = [entry for entry in done["hosts"] if entry["host"] == hung.name]
        assert silent["reason"]["code"] == "no_banner"
        assert khien.call("run", "show", done["run"]["id"]).returncode == 0


def test_a_lock_held_too_long_is_reported_with_its_holder(
    fresh_hosts: Callable[..., list[Host]], prepared: Callable[..., None], lab: Lab, tmp_path: Path
) -> None:
    (host,) = fresh_hosts("bookworm")
    prepared(host)
    inventory = lab.inventory_of([host], tmp_path / "inventory")
    with installation(inventory, package_lock_wait_seconds=3) as khien:
        pid = hold_apt_lock(host, 120, "lists")
        done = khien.json("patch", "--yes")

        assert states(done) == {host.name: "failed"}
        words = done["hosts"][0]["reason"]
        assert words["code"] == "package_lock_held"
        assert str(pid) in words["text"]
        assert "apt-get" in words["text"]

        release_apt_lock(host)
        assert states(khien.json("run", "retry", done["run"]["id"], "--yes")) == {host.name: "changed"}


def test_cancelling_stops_the_run_and_the_host_ends_what_it_began(
    fresh_hosts: Callable[..., list[Host]], prepared: Callable[..., None], lab: Lab, tmp_path: Path
) -> None:
    (host,) = fresh_hosts("bookworm")
    prepared(host, postinst="touch /run/khien-began; sleep 10")
    with installation(lab.inventory_of([host], tmp_path / "inventory")) as khien:
        run = khien.start("patch", "--yes")
        wait_for(lambda: host.exec(["test", "-e", "/run/khien-began"], check=False).returncode == 0)

        cancelled = khien.json("run", "cancel", run, "--yes")

        assert cancelled["run"]["state"] == "cancelled"
        assert states(cancelled) == {host.name: "unknown"}
        assert cancelled["hosts"][0]["reason"]["code"] == "transaction_continues"
        assert list(khien.runtime.iterdir()) == []
        retried = khien.json("run", "retry", run, "--yes")
        assert states(retried) in ({host.name: "ok"}, {host.name: "changed"})
        assert changes(retried, host.name) == {SECURE: ("1.0", "1.1")}


def test_two_runs_never_change_the_same_host_at_once(
    fresh_hosts: Callable[..., list[Host]], prepared: Callable[..., None], lab: Lab, tmp_path: Path
) -> None:
    (host,) = fresh_hosts("bookworm")
    prepared(host, postinst="touch /run/khien-began; sleep 8")
    with installation(lab.inventory_of([host], tmp_path / "inventory")) as khien:
        first = khien.start("patch", "--yes")
        wait_for(lambda: host.exec(["test", "-e", "/run/khien-began"], check=False).returncode == 0)

        second = khien.call("patch", "--yes")

        assert second.returncode == 4
        assert first in second.stdout
        assert states(khien.json("run", "attach", first)) == {host.name: "changed"}


def test_plain_words_from_a_hostile_host(
    fresh_hosts: Callable[..., list[Host]], lab: Lab, tmp_path: Path
) -> None:
    (host,) = fresh_hosts("bookworm")
    nasty = "Evil\x1b]0;owned\x07\x1b[2J[bold red]x[/]<script>alert(1)</script>=cmd|calc"
    host.exec(["sed", "-i", "/^PRETTY_NAME/d", "/usr/lib/os-release"])
    text = host.exec(["cat", "/usr/lib/os-release"]).stdout
    host.write("/usr/lib/os-release", f'PRETTY_NAME="{nasty}"\n{text}')
    with installation(lab.inventory_of([host], tmp_path / "inventory")) as khien:
        khien.json("verify")
        page = khien.state / "page.html"
        khien.call("report", "--html", str(page))

        for shown in (
            khien.call("hosts").stdout,
            khien.call("host", "show", host.name).stdout,
            page.read_text(),
        ):
            assert "Evil" in shown
            assert "\x1b" not in shown
            assert "\x07" not in shown
        assert "<script>alert" not in page.read_text()
        assert "[bold red]x[/]" in khien.call("hosts").stdout


def test_a_closed_terminal_stops_no_run(
    fresh_hosts: Callable[..., list[Host]], lab: Lab, tmp_path: Path
) -> None:
    (host,) = fresh_hosts("trixie")
    with installation(lab.inventory_of([host], tmp_path / "inventory")) as khien:
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvpe(KHIEN, [str(KHIEN), "verify"], khien.environment)
        wait_for(lambda: bool(khien.json("runs")["runs"]))
        os.close(terminal)  # the kernel sends SIGHUP to whoever had it
        os.waitpid(pid, 0)

        (run,) = khien.json("runs")["runs"]

        assert khien.json("run", "attach", run["id"])["run"]["state"] == "finished"
