"""Preflight on real hosts: each thing that can be wrong is said, and nothing on the host is touched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from khien.adapters.ansible_inventory import AnsibleInventory
from khien.adapters.ssh_preflight import SshPreflight
from khien.application.ports import PreflightResult
from khien.application.wording import describe
from khien.domain.reason import ReasonCode
from tests.lab.faults import fill_disk, free_disk, hang, hold_apt_lock, release_apt_lock, wake
from tests.lab.host import Host
from tests.lab.lab import Lab

pytestmark = pytest.mark.lab

Look = Callable[..., dict[str, PreflightResult]]


@pytest.fixture
def look(lab: Lab, tmp_path: Path) -> Look:
    """Give a function that looks at hosts by way of their own inventory."""

    def check(
        *hosts: Host, secrets: dict[str, str] | None = None, seconds: float = 10
    ) -> dict[str, PreflightResult]:
        inventory = lab.inventory_of(list(hosts), tmp_path / "inventory")
        found = AnsibleInventory().hosts([str(inventory)])
        preflight = SshPreflight(known_hosts=tmp_path / "known_hosts", secrets=secrets, host_seconds=seconds)
        return {result.host: result for result in preflight.check(found, deadline_seconds=30)}

    return check


def codes(result: PreflightResult) -> list[str]:
    return [trouble.code for trouble in result.troubles]


def warnings(result: PreflightResult) -> list[str]:
    return [warning.code for warning in result.warnings]


def state(host: Host) -> str:
    """Return what a look could change: files of the system, the package state, the processes' lock files."""
    script = (
        "find /etc /var/lib/dpkg /var/lib/apt /usr /boot -xdev -newer /run/khien-look -printf '%p\\n' | sort"
    )
    return host.exec(["sh", "-c", script]).stdout


def test_good_hosts_are_ready_and_nothing_on_them_changes(
    fresh_hosts: Callable[..., list[Host]], look: Look
) -> None:
    old, new = fresh_hosts("bookworm", "trixie")
    for host in (old, new):
        host.exec(["touch", "/run/khien-look"])

    results = look(old, new)

    assert all(result.ready and not result.warnings for result in results.values()), results
    boot = old.exec(["cat", "/proc/sys/kernel/random/boot_id"]).stdout.strip()
    assert results[old.name].facts["boot_id"] == boot
    assert str(results[new.name].facts["python_version"]).startswith("3.13")
    assert (state(old), state(new)) == ("", "")


def test_cut_off_and_hung_hosts_delay_nobody_and_are_told_apart(
    fresh_hosts: Callable[..., list[Host]], look: Look
) -> None:
    good, hung, cut, closed = fresh_hosts("bookworm", "bookworm", "bookworm", "bookworm")
    hang(hung)
    cut.cut()
    closed.exec(["systemctl", "stop", "ssh.service", "ssh.socket"], check=False)
    try:
        results = look(good, hung, cut, closed, seconds=5)
    finally:
        wake(hung)
        cut.mend()

    assert results[good.name].ready
    assert codes(results[hung.name]) == [ReasonCode.NO_BANNER]
    assert codes(results[cut.name])[0] in (ReasonCode.TCP_TIMEOUT, ReasonCode.NO_ROUTE)
    assert codes(results[closed.name]) == [ReasonCode.TCP_REFUSED]
    assert results[good.name].milliseconds < results[hung.name].milliseconds


@pytest.mark.parametrize("which", ["frontend", "dpkg", "lists"])
def test_a_held_package_lock_names_its_holder(
    which: str, fresh_host: Callable[..., Host], look: Look
) -> None:
    host = fresh_host("trixie")
    pid = hold_apt_lock(host, which=which)  # type: ignore[arg-type]
    held = look(host)[host.name]
    release_apt_lock(host)

    assert codes(held) == [ReasonCode.PACKAGE_LOCK_HELD]
    assert (held.troubles[0].arguments["holder"], held.troubles[0].arguments["pid"]) == ("apt-get", pid)
    assert look(host)[host.name].ready


def test_packages_left_half_way_are_found_without_root(fresh_host: Callable[..., Host], look: Look) -> None:
    host = fresh_host("bookworm")
    host.exec(
        ["sed", "-i", "/^Package: tar$/,/^Status:/s/ok installed/ok half-configured/", "/var/lib/dpkg/status"]
    )

    result = look(host)[host.name]

    assert codes(result) == [ReasonCode.PACKAGES_BROKEN]
    assert "tar" in describe(result.troubles[0])
    host.exec(
        ["sed", "-i", "/^Package: tar$/,/^Status:/s/ok half-configured/ok installed/", "/var/lib/dpkg/status"]
    )
    host.exec(["touch", "/var/lib/dpkg/updates/0001"])
    assert codes(look(host)[host.name]) == [ReasonCode.PACKAGES_BROKEN]


def test_a_full_disk_is_named_with_what_is_needed(fresh_host: Callable[..., Host], look: Look) -> None:
    host = fresh_host("bookworm")
    fill_disk(host)
    try:
        result = look(host)[host.name]
    finally:
        free_disk(host)

    assert codes(result) == [ReasonCode.DISK_FULL]
    assert result.troubles[0].arguments["path"] == "/"


def test_sudo_with_a_password_without_a_rule_and_without_sudo(
    fresh_host: Callable[..., Host], look: Look
) -> None:
    host = fresh_host("bookworm")
    user = host.ssh("id", "-un").stdout.strip()
    host.exec(["sh", "-c", f"rm -f /etc/sudoers.d/*; echo '{user}:right-word' | chpasswd"])
    host.exec(["sh", "-c", f"echo '{user} ALL=(ALL) ALL' > /etc/sudoers.d/with-password"])

    asked = look(host)[host.name]
    right = look(host, secrets={"become_password": "right-word"})[host.name]
    wrong = look(host, secrets={"become_password": "wrong-word"})[host.name]
    host.exec(["sh", "-c", "mv /usr/bin/sudo /usr/bin/sudo.away"])
    without = look(host)[host.name]

    assert warnings(asked) == [ReasonCode.SUDO_NEEDS_PASSWORD]
    assert warnings(right) == []
    assert warnings(wrong) in ([ReasonCode.SUDO_REFUSED], [ReasonCode.SUDO_NEEDS_PASSWORD])
    assert warnings(without) == [ReasonCode.SUDO_REFUSED]
    assert "-word" not in repr([asked, right, wrong, without])


def test_a_host_without_python_and_a_login_that_is_closed(
    fresh_host: Callable[..., Host], look: Look
) -> None:
    host = fresh_host("trixie")
    user = host.ssh("id", "-un").stdout.strip()
    host.exec(["sh", "-c", "rm -f /usr/bin/python3*"])
    assert codes(look(host)[host.name]) == [ReasonCode.PYTHON_MISSING]

    host.exec(["usermod", "-s", "/usr/sbin/nologin", user])
    closed = look(host)[host.name]
    host.exec(["sh", "-c", f"rm -rf ~{user}/.ssh"])
    refused = look(host)[host.name]

    assert codes(closed) == [ReasonCode.LOGIN_REFUSED]
    assert "not available" in describe(closed.troubles[0])
    assert codes(refused) == [ReasonCode.LOGIN_REFUSED]
