"""Patching stock Debian hosts from Debian's own security suite."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.plays import play

pytestmark = [pytest.mark.lab, pytest.mark.slow]

_SOURCE = "deb $(REPO_URI) $(RELEASE) $(COMPONENT)"
_INST = re.compile(r"^Inst (\S+?)(?::\S+)?(?: \[(\S+)\])? \((\S+) ", re.MULTILINE)


def _what_apt_would_install_from_security_alone(host: Host) -> dict[str, tuple[str, str]]:
    """Ask apt itself, with a sources list that has nothing but the security suite."""
    host.exec(["apt-get", "update"])
    words = ["--format", _SOURCE, "Created-By: Packages", "Label: Debian-Security"]
    source = host.exec(["apt-get", "indextargets", *words]).stdout
    host.exec(["sh", "-c", "cat > /run/security.list"], stdin=source)
    only = ["-o", "Dir::Etc::SourceList=/run/security.list", "-o", "Dir::Etc::SourceParts=/dev/null"]
    text = host.exec(["apt-get", "-s", *only, "--with-new-pkgs", "upgrade"]).stdout
    return {name: (before or "", after) for name, before, after in _INST.findall(text)}


@pytest.mark.parametrize("codename", ["bookworm", "trixie"])
def test_debians_security_updates_are_installed_and_nothing_else(
    fresh_host: Callable[..., Host], lab: Lab, tmp_path: Path, codename: str
) -> None:
    host = fresh_host(codename)
    hosts = lab.inventory_of([host], tmp_path / "inventory")
    expected = _what_apt_would_install_from_security_alone(host)
    before = host.exec(["dpkg-query", "-W"]).stdout.splitlines()

    predicted = play(hosts, "--check")
    done = play(hosts)
    again = play(hosts)

    assert expected, "the stock base must have security updates pending"
    assert predicted.changes(host.name) == expected
    assert done.changes(host.name) == expected
    after = host.exec(["dpkg-query", "-W"]).stdout.splitlines()
    assert len(set(after) - set(before)) == len(expected)
    assert host.exec(["dpkg", "--audit"]).stdout == ""
    assert (again.code, again.stats(host.name)["changed"]) == (0, 0)


def test_hosts_with_roots_own_login_and_with_sudo_are_patched_alike(
    fresh_hosts: Callable[..., list[Host]], lab: Lab, tmp_path: Path
) -> None:
    hosts = fresh_hosts(*["trixie"] * 5)
    logins = {host.record.user for host in hosts}

    done = play(lab.inventory_of(hosts, tmp_path / "inventory"))

    assert len(logins) == 2
    assert len({tuple(sorted(done.changes(host.name).items())) for host in hosts}) == 1
    assert all(done.stats(host.name)["changed"] == 1 for host in hosts)
