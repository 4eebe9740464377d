"""The lab's own package repository says exactly what a test published, and hosts' apt believes it."""

import re
import subprocess
from collections.abc import Callable

import pytest

from tests.lab.host import Host
from tests.lab.repository import Repository

pytestmark = pytest.mark.lab


@pytest.fixture
def host(fresh_host: Callable[..., Host]) -> Host:
    """Give a host that knows the lab's repository and no other."""
    host = fresh_host()
    host.use_own_repository_only()
    return host


def test_an_update_of_the_security_suite_is_seen_as_one(host: Host, repository: Repository) -> None:
    repository.publish("kd-tool", "1.0")
    _install(host, "kd-tool")
    repository.publish("kd-tool", "1.1", suite="security")
    repository.publish("kd-tool", "2.0")

    host.exec(["apt-get", "update"])
    policy = host.exec(["apt-cache", "policy", "kd-tool"]).stdout
    offered = host.exec(["apt-get", "-s", "-t", "khienlab-security", "upgrade"]).stdout

    assert "Installed: 1.0" in policy
    assert "Candidate: 2.0" in policy
    assert "Inst kd-tool [1.0] (1.1 Khien-Lab-Security:khienlab-security [all])" in offered


def test_dependencies_scripts_files_and_configuration_are_what_was_asked_for(
    host: Host, repository: Repository
) -> None:
    repository.publish("kd-library", "1:1.0~rc1-1")
    repository.publish(
        "kd-tool",
        "1.0",
        depends="kd-library (>= 1:1.0~)",
        postinst="echo done > /run/kd-tool",
        scripts={"prerm": "touch /run/kd-removed"},
        files={"/usr/bin/kd-tool": "#!/bin/sh\necho I am kd-tool\n"},
        conffiles={"/etc/kd-tool.conf": "colour=green\n"},
        size_kib=64,
        fields={"Provides": "kd-thing"},
    )

    _install(host, "kd-tool")
    said = host.exec(["sh", "-c", "kd-tool; cat /run/kd-tool /etc/kd-tool.conf"]).stdout
    status = host.exec(["dpkg-query", "-W", "-f", "${Version} ${Conffiles} ${Provides}", "kd-tool"]).stdout
    library = host.exec(["dpkg-query", "-W", "-f", "${Version}", "kd-library"]).stdout
    host.exec(["apt-get", "-y", "remove", "kd-tool"])

    assert said == "I am kd-tool\ndone\ncolour=green\n"
    assert "/etc/kd-tool.conf" in status
    assert status.startswith("1.0")
    assert status.endswith("kd-thing")
    assert library == "1:1.0~rc1-1"
    host.exec(["test", "-e", "/run/kd-removed"])


def test_what_is_taken_out_is_offered_no_more(host: Host, repository: Repository) -> None:
    for version in ("1.0", "1.1"):
        repository.publish("kd-tool", version)
    repository.publish("kd-other", "1.0")

    repository.remove("kd-tool", "1.1")
    host.exec(["apt-get", "update"])
    after_one = host.exec(["apt-cache", "madison", "kd-tool"]).stdout
    repository.remove("kd-tool")
    host.exec(["apt-get", "update"])

    assert "1.0" in after_one
    assert "1.1" not in after_one
    assert host.exec(["apt-cache", "madison", "kd-tool"]).stdout == ""
    assert "1.0" in host.exec(["apt-cache", "madison", "kd-other"]).stdout


def test_each_test_finds_the_repository_empty(host: Host, repository: Repository) -> None:
    host.exec(["apt-get", "update"])

    assert "kd-" not in host.exec(["apt-cache", "dumpavail"]).stdout


def test_a_host_without_our_key_refuses_the_repository(host: Host, repository: Repository) -> None:
    host.exec(["sh", "-c", "rm /etc/apt/keyrings/khien-lab.asc"])

    refused = host.exec(["apt-get", "-o", "APT::Update::Error-Mode=any", "update"], check=False)

    assert refused.returncode != 0
    assert "not signed" in refused.stderr + refused.stdout


def test_a_repository_that_hangs_makes_a_real_update_hold_the_lists_lock(
    host: Host, repository: Repository
) -> None:
    argv = host.inside("apt-get", "update")
    repository.hang()
    try:
        with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as hung:
            host.wait_until(lambda: _has_opened_lists_lock(host), "apt-get update takes no lock")
            refusal = host.exec(["apt-get", "update"], check=False, timeout=20).stderr
            still = hung.poll() is None
            repository.wake()
            code = hung.wait(60)
    finally:
        repository.wake()

    assert "(apt-get)" in refusal
    assert (still, code) == (True, 0)


def test_the_distribution_comes_back_when_asked_for(host: Host, repository: Repository) -> None:
    repository.publish("kd-tool", "1.0")
    host.use_distribution()

    both = _sources(host)
    host.use_own_repository_only()

    assert both == {"bookworm", "bookworm-security"}
    assert _sources(host) == {"khienlab", "khienlab-security"}


def _install(host: Host, *names: str) -> None:
    host.exec(["apt-get", "update"])
    host.exec(["apt-get", "-y", "install", *names])


def _has_opened_lists_lock(host: Host) -> bool:
    # Asked without trying the lock: the question must not win it.
    find = "find /proc/[0-9]*/fd -lname /var/lib/apt/lists/lock 2>/dev/null"
    return bool(host.exec(["sh", "-c", find], check=False).stdout)


def _sources(host: Host) -> set[str]:
    said = host.exec(["apt-get", "update", "--print-uris"]).stdout
    return set(re.findall(r"/dists/([a-z-]+)/InRelease", said))
