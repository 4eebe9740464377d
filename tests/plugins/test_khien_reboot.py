"""Whether a host must be restarted, why, and which services run replaced code."""

from pathlib import Path

import pytest
from ansible.module_utils.khien_reboot import outdated_units, reboot_need

DEBIAN = (
    "Linux version 6.1.0-35-amd64 (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14) 12.2.0) "
    "#1 SMP PREEMPT_DYNAMIC Debian 6.1.137-1 (2025-05-07)\n"
)
LIBRARY = "7f7-7f8 r-xp 000c5000 00:12c 1446199                   /usr/lib/libcrypto.so.3{}\n"
RUNNING = "ii  linux-image-6.1.0-35-amd64 6.1.137-1\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "proc/sys/kernel").mkdir(parents=True)
    (tmp_path / "proc/sys/kernel/osrelease").write_text("6.1.0-35-amd64\n")
    (tmp_path / "proc/version").write_text(DEBIAN)
    return tmp_path


def _process(root: Path, pid: int, maps: str, cgroup: str) -> None:
    folder = root / "proc" / str(pid)
    folder.mkdir(parents=True)
    (folder / "maps").write_text(maps)
    (folder / "cgroup").write_text(cgroup)


def test_a_host_that_runs_what_is_installed_needs_nothing(root: Path) -> None:
    assert reboot_need(lambda argv: RUNNING, str(root)) == {"needed": False, "reasons": [], "services": []}


def test_a_request_of_packages_names_them(root: Path) -> None:
    (root / "run").mkdir()
    (root / "run/reboot-required").touch()
    (root / "run/reboot-required.pkgs").write_text("dbus\nlinux-image\ndbus\n")

    need = reboot_need(lambda argv: "", str(root))

    assert need["needed"]
    assert need["reasons"] == ["requested by dbus, linux-image"]


def test_a_newer_kernel_of_the_same_flavour_is_a_reason(root: Path) -> None:
    kernels = (
        "ii  linux-image-6.1.0-9-amd64 6.1.27-1\n"
        "ii  linux-image-6.1.0-37-amd64 6.1.140-1\n"
        "ii  linux-image-6.9.0-1-cloud-amd64 6.9-1\n"
        "rc  linux-image-6.2.0-1-amd64 6.2-1\n"
        "ii  linux-image-amd64 6.1.140-1\n"
    )

    need = reboot_need(lambda argv: RUNNING + kernels, str(root))

    assert need["reasons"] == ["kernel 6.1.0-37-amd64 is installed, 6.1.0-35-amd64 is running"]


def test_a_kernel_updated_under_its_own_name_is_a_reason(root: Path) -> None:
    need = reboot_need(lambda argv: "ii  linux-image-6.1.0-35-amd64 6.1.140-1\n", str(root))

    assert need["reasons"] == ["kernel 6.1.140-1 is installed, 6.1.137-1 is running"]


def test_a_container_is_not_judged_by_the_kernel_of_its_machine(root: Path) -> None:
    (root / "proc/sys/kernel/osrelease").write_text("6.18.0-custom\n")

    assert not reboot_need(lambda argv: RUNNING, str(root))["needed"]


def test_units_with_replaced_libraries_are_named(root: Path) -> None:
    gone = LIBRARY.format(" (deleted)")
    _process(root, 1, gone, "9:name=systemd:/\n0::/init.scope\n")
    _process(root, 20, gone, "1:name=systemd:/system.slice/ssh.service\n")
    _process(root, 21, gone, "0::/system.slice/ssh.service\n")
    _process(root, 30, LIBRARY.format(""), "0::/system.slice/cron.service\n")
    _process(root, 40, gone, "0::/user.slice/user-0.slice/session-3.scope\n")

    assert outdated_units(str(root)) == ["init.scope", "ssh.service"]


@pytest.mark.parametrize(
    "line",
    [
        "7f7-7f8 r--p 0 00:12c 1 /usr/lib/libcrypto.so.3 (deleted)\n",
        "7f7-7f8 rwxs 0 00:01 1 /memfd:code (deleted)\n",
        "7f7-7f8 r-xp 0 00:01 1 /tmp/jit (deleted)\n",
        "7f7-7f8 r-xp 0 00:00 0\n",
        "spoilt\n",
    ],
)
def test_data_and_anonymous_memory_are_no_replaced_code(root: Path, line: str) -> None:
    _process(root, 20, line, "0::/system.slice/x.service\n")

    assert outdated_units(str(root)) == []
