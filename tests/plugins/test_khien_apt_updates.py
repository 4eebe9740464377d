"""Pending security updates are worked out exactly, or not at all."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.khien_probes.machine import Machine, NoAnswerError
from ansible.module_utils.khien_probes.packages import security_updates
from recorded_host import make_machine

LISTS = "/var/lib/apt/lists/"
SECURITY = LISTS + "m_debian-security_dists_bookworm-security_"
RELEASE = "Origin: Debian\nLabel: Debian-Security\nCodename: bookworm-security\n"
PACKAGES = SECURITY + "main_binary-amd64_Packages"
DAY = 86400


def package(name: str, version: str, architecture: str = "amd64", status: str = "") -> str:
    said = f"Status: {status}\n" if status else ""
    return f"Package: {name}\n{said}Architecture: {architecture}\nVersion: {version}\nDescription: x\n y\n\n"


def host(
    root: Path, installed: str, offered: str | bytes, *, ending: str = "", age: int = 0, **more: Any
) -> Machine:
    machine = make_machine(
        root,
        {"/var/lib/dpkg/status": installed, SECURITY + "InRelease": RELEASE, **more.pop("files", {})},
        ages={SECURITY + "InRelease": age},
        **more,
    )
    data = offered if isinstance(offered, bytes) else offered.encode()
    (root / (PACKAGES + ending).lstrip("/")).write_bytes(data)
    return machine


def names(found: dict[str, Any]) -> list[str]:
    return ["{name}:{arch} {from} {to}".format(**row) for row in found["packages"]]


OPENSSL = package("openssl", "3.0.15-1", status="install ok installed")


def test_a_newer_version_in_a_security_repository_waits(tmp_path: Path) -> None:
    found = security_updates(host(tmp_path, OPENSSL, package("openssl", "3.0.17-1")), 7)

    assert names(found) == ["openssl:amd64 3.0.15-1 3.0.17-1"]
    assert found["packages"][0]["origin"] == "Debian-Security"


@pytest.mark.parametrize("version", ["3.0.15-1", "3.0.9-1", "3.0.15-1~rc1"])
def test_the_same_or_an_older_version_is_nothing(tmp_path: Path, version: str) -> None:
    assert security_updates(host(tmp_path, OPENSSL, package("openssl", version)), 7)["packages"] == []


def test_of_several_versions_the_newest_waits(tmp_path: Path) -> None:
    offered = "".join(package("openssl", v) for v in ("3.0.16-1", "3.0.18-1", "3.0.17-1"))

    assert names(security_updates(host(tmp_path, OPENSSL, offered), 7)) == ["openssl:amd64 3.0.15-1 3.0.18-1"]


def test_architectures_do_not_mix_but_a_package_may_move_to_all(tmp_path: Path) -> None:
    installed = OPENSSL + package("tzdata", "1", status="install ok installed")
    offered = package("openssl", "9", "i386") + package("tzdata", "2", "all")

    assert names(security_updates(host(tmp_path, installed, offered), 7)) == ["tzdata:amd64 1 2"]


def test_what_is_not_installed_does_not_wait_and_half_installed_does(tmp_path: Path) -> None:
    installed = package("nano", "1", status="deinstall ok config-files") + package(
        "jq", "1", status="install ok unpacked"
    )
    offered = package("nano", "2") + package("jq", "2")

    assert names(security_updates(host(tmp_path, installed, offered), 7)) == ["jq:amd64 1 2"]


def test_a_hold_is_honoured_and_told_apart(tmp_path: Path) -> None:
    found = security_updates(
        host(tmp_path, package("jq", "1", status="hold ok installed"), package("jq", "2")), 7
    )

    assert (found["packages"], found["held"]) == ([], ["jq"])


def test_other_repositories_do_not_count_as_security(tmp_path: Path) -> None:
    files = {
        LISTS
        + "m_debian_dists_bookworm_InRelease": "Label: Debian\nSuite: stable\nMD5Sum:\n x 1 Suite: x-security\n",
        LISTS + "m_debian_dists_bookworm_main_binary-amd64_Packages": package("openssl", "4"),
    }

    assert security_updates(host(tmp_path, OPENSSL, "", files=files), 7)["packages"] == []


@pytest.mark.parametrize(
    "release",
    ["Origin: Ubuntu\nSuite: noble-security\n", "Origin: Khien-Lab\nCodename: lab-security\n", RELEASE],
)
def test_security_repositories_are_known_by_label_or_suite(tmp_path: Path, release: str) -> None:
    machine = host(tmp_path, OPENSSL, package("openssl", "4"), files={SECURITY + "InRelease": release})

    assert len(security_updates(machine, 7)["packages"]) == 1


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip.compress), (".xz", lzma.compress)])
def test_packed_lists_are_read(tmp_path: Path, ending: str, pack: Any) -> None:
    machine = host(tmp_path, OPENSSL, pack(package("openssl", "4").encode()), ending=ending)

    assert len(security_updates(machine, 7)["packages"]) == 1


def test_lists_packed_by_apt_alone_are_unpacked_by_apt(tmp_path: Path) -> None:
    commands = {"/usr/lib/apt/apt-helper cat-file " + PACKAGES + ".lz4": package("openssl", "4")}
    machine = host(tmp_path, OPENSSL, b"\x04\x22\x4d\x18", ending=".lz4", commands=commands)

    assert len(security_updates(machine, 7)["packages"]) == 1


def test_lists_that_are_too_old_prove_nothing(tmp_path: Path) -> None:
    with pytest.raises(NoAnswerError, match="9 days old"):
        security_updates(host(tmp_path, OPENSSL, "", age=9 * DAY + 60), 7)


def test_a_fetch_that_found_nothing_new_makes_lists_fresh(tmp_path: Path) -> None:
    partial = LISTS + "partial/"
    machine = host(tmp_path, OPENSSL, "", age=30 * DAY, files={partial: ""})
    make_machine(tmp_path, ages={partial: 2 * DAY})

    assert security_updates(machine, 7)["lists_age_seconds"] == 2 * DAY


def test_lists_never_fetched_prove_nothing(tmp_path: Path) -> None:
    machine = make_machine(tmp_path, {"/var/lib/dpkg/status": OPENSSL, LISTS: ""})

    with pytest.raises(NoAnswerError, match="never fetched"):
        security_updates(machine, 7)


def test_lists_without_a_security_repository_prove_nothing(tmp_path: Path) -> None:
    files = {"/var/lib/dpkg/status": OPENSSL, LISTS + "m_dists_x_InRelease": "Label: Debian\nSuite: stable\n"}

    with pytest.raises(NoAnswerError, match="no package list is of a security repository"):
        security_updates(make_machine(tmp_path, files), 7)


def test_a_release_without_its_packages_proves_nothing_unless_it_has_none(tmp_path: Path) -> None:
    files = {
        "/var/lib/dpkg/status": OPENSSL,
        SECURITY + "InRelease": RELEASE + "SHA256:\n aa 42 main/binary-amd64/Packages\n",
    }
    with pytest.raises(NoAnswerError, match="incomplete"):
        security_updates(make_machine(tmp_path / "a", files), 7)

    files[SECURITY + "InRelease"] = RELEASE + "SHA256:\n aa 0 main/binary-amd64/Packages\n"
    assert (
        security_updates(make_machine(tmp_path / "b", files, ages={SECURITY + "InRelease": 0}), 7)["packages"]
        == []
    )
