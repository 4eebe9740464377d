"""Patching real hosts with plain ansible-playbook: exactly the security updates, whatever happens on the way."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab.faults import fill_disk, free_disk, hold_apt_lock, release_apt_lock
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.plays import Play, play
from tests.lab.repository import Repository

pytestmark = pytest.mark.lab

FIXED = "1.0+sec1"
_WAIT = "while [ -e /run/kd-wait ]; do sleep 0.1; done"


@pytest.fixture
def inventory(lab: Lab, tmp_path: Path) -> Callable[..., Path]:
    """Give a function that writes an inventory of some hosts."""
    return lambda *hosts: lab.inventory_of(hosts, tmp_path / "inventory")


@pytest.fixture
def host(fresh_host: Callable[..., Host], repository: Repository) -> Iterator[Host]:
    """Give a fresh Debian 12 whose only package source is the lab's own repository."""
    host = fresh_host()
    host.use_own_repository_only()
    yield host
    host.exec(["rm", "-f", "/run/kd-wait"], check=False)


def _install(host: Host, repository: Repository, *names: str) -> None:
    """Publish version 1.0 of packages in the main suite and install them."""
    for name in names:
        repository.publish(name, "1.0")
    _fetch_and_install(host, *names)


def _fetch_and_install(host: Host, *names: str) -> None:
    host.exec(["apt-get", "update"])
    host.exec(["apt-get", "install", "-y", *names])


def _versions(host: Host) -> dict[str, str]:
    text = host.exec(["dpkg-query", "-W", "-f", "${Package} ${Version}\n"]).stdout
    return dict(line.split(" ", 1) for line in text.splitlines())


def _transactions_in_history(host: Host) -> int:
    return host.exec(["cat", "/var/log/apt/history.log"], check=False).stdout.count(
        "/var/lib/khien/transactions/"
    )


def _is_whole(host: Host) -> bool:
    return host.exec(["dpkg", "--audit"]).stdout == ""


def _snapshot(host: Host) -> str:
    """Return every file of the host's disk with its times; where every login writes, only the names."""
    whole = r"find / -xdev \( -path /var/log -o -path /var/tmp -o -path /run -o -path /tmp \) -prune -o -printf '%p %T@ %C@ %s %i\n'"
    return host.exec(["sh", "-c", f"{{ {whole}; find /var/tmp /var/log -print; }} | sort"]).stdout


@pytest.mark.parametrize("codename", ["bookworm", "trixie"])
def test_exactly_what_was_predicted_is_installed_and_then_nothing_is_left(
    fresh_host: Callable[..., Host], repository: Repository, inventory: Callable[..., Path], codename: str
) -> None:
    host = fresh_host(codename)
    host.use_own_repository_only()
    _install(host, repository, "kd-alpha", "kd-beta", "kd-gamma")
    repository.publish("kd-new", "1.0")
    repository.publish("kd-wished", "1.0")
    repository.publish(
        "kd-alpha", FIXED, suite="security", depends="kd-new", fields={"Recommends": "kd-wished"}
    )
    repository.publish("kd-beta", FIXED, suite="security")
    repository.publish("kd-beta", "2.0")
    repository.publish("kd-gamma", "2.0")
    before = _versions(host)
    hosts = inventory(host)

    predicted = play(hosts, "--check", "--diff")
    done = play(hosts, "--diff")
    again = play(hosts)

    expected = {"kd-alpha": ("1.0", FIXED), "kd-beta": ("1.0", FIXED), "kd-new": ("", "1.0")}
    assert predicted.changes(host.name) == expected
    assert predicted.stats(host.name)["changed"] == 1
    assert [report["stage"] for report in done.reports(host.name)] == ["planned", "started", "finished"]
    assert done.report(host.name)["changes"] == predicted.report(host.name)["changes"]
    assert done.stats(host.name)["changed"] == 1
    after = _versions(host)
    assert {name: v for name, v in after.items() if before.get(name) != v} == {
        name: to for name, (_, to) in expected.items()
    }
    assert (again.code, again.changes(host.name), again.stats(host.name)["changed"]) == (0, {}, 0)
    assert _transactions_in_history(host) == 1


def test_the_difference_shows_packages_with_their_versions(
    host: Host, repository: Repository, inventory: Callable[..., Path]
) -> None:
    _install(host, repository, "kd-alpha")
    repository.publish("kd-alpha", FIXED, suite="security")

    predicted = play(inventory(host), "--check", "--diff")

    differences = [line["result"]["diff"] for line in predicted.lines if "diff" in line.get("result", {})]
    assert (differences[0]["before"], differences[0]["after"]) == ("kd-alpha 1.0\n", f"kd-alpha {FIXED}\n")


def test_check_mode_changes_nothing_on_the_host(
    host: Host, repository: Repository, inventory: Callable[..., Path]
) -> None:
    _install(host, repository, "kd-alpha")
    repository.publish("kd-alpha", FIXED, suite="security")
    hook = 'APT::Update::Post-Invoke { "touch /etc/hooked"; };\nAPT::Update::Pre-Invoke { "touch /etc/hooked"; };\n'
    host.write("/etc/apt/apt.conf.d/90hook", hook)
    hosts = inventory(host)
    before = _snapshot(host)

    predicted = play(hosts, "--check")

    assert predicted.changes(host.name) == {"kd-alpha": ("1.0", FIXED)}
    after = _snapshot(host)
    assert after == before, sorted(set(after.splitlines()) ^ set(before.splitlines()))


def test_holds_and_pins_of_the_host_are_honoured_and_none_brings_another_version(
    host: Host, repository: Repository, inventory: Callable[..., Path]
) -> None:
    _install(host, repository, "kd-held", "kd-pinned", "kd-vendor", "kd-alpha")
    for name in ("kd-held", "kd-pinned", "kd-alpha"):
        repository.publish(name, FIXED, suite="security")
    for version in ("2.0", "3.0"):
        repository.publish("kd-vendor", version)
    host.exec(["apt-mark", "hold", "kd-held"])
    host.write("/etc/apt/preferences", "Package: kd-pinned\nPin: version 1.0\nPin-Priority: 600\n")
    vendor = "Package: kd-vendor\nPin: release n=khienlab\nPin-Priority: 700\n"
    host.write("/etc/apt/preferences.d/vendor.pref", vendor)
    hosts = inventory(host)

    predicted = play(hosts, "--check")
    done = play(hosts)

    assert predicted.changes(host.name) == done.changes(host.name) == {"kd-alpha": ("1.0", FIXED)}
    assert predicted.report(host.name)["held"] == done.report(host.name)["held"] == ["kd-held"]
    assert _versions(host)["kd-vendor"] == "1.0"


def test_an_update_that_would_remove_something_is_kept_back_and_named(
    host: Host, repository: Repository, inventory: Callable[..., Path]
) -> None:
    _install(host, repository, "kd-alpha", "kd-rival")
    repository.publish("kd-alpha", FIXED, suite="security", fields={"Conflicts": "kd-rival"})

    done = play(inventory(host))

    assert (done.code, done.changes(host.name)) == (0, {})
    assert done.report(host.name)["kept_back"] == ["kd-alpha"]
    assert _versions(host)["kd-rival"] == "1.0"


def test_a_source_that_the_host_never_wants_gives_no_dependency(
    host: Host, repository: Repository, inventory: Callable[..., Path]
) -> None:
    _install(host, repository, "kd-alpha")
    repository.publish("kd-new", "1.0")
    repository.publish("kd-alpha", FIXED, suite="security", depends="kd-new")
    host.write("/etc/apt/preferences", "Package: *\nPin: release n=khienlab\nPin-Priority: -1\n")

    done = play(inventory(host))

    assert done.changes(host.name) == {}
    assert done.report(host.name)["kept_back"] == ["kd-alpha"]


def test_a_host_cut_off_during_its_transaction_finishes_it_and_tells_when_it_is_back(
    host: Host, repository: Repository, inventory: Callable[..., Path]
) -> None:
    _install(host, repository, "kd-alpha", "kd-beta")
    repository.publish("kd-alpha", FIXED, suite="security", postinst=_WAIT)
    repository.publish("kd-beta", FIXED, suite="security")
    host.exec(["touch", "/run/kd-wait"])
    hosts = inventory(host)
    running = Play(hosts)
    running.lines_until(host.name, "started")

    host.cut()
    lost = running.wait(60)
    host.exec(["rm", "/run/kd-wait"])
    host.wait_until(lambda: _versions(host)["kd-alpha"] == FIXED and _is_whole(host), "did not finish dpkg")
    host.mend()
    back = play(hosts)
    again = play(hosts)

    assert lost.statuses(host.name)[-1] == "unreachable"
    assert back.code == 0
    assert back.changes(host.name) == {"kd-alpha": ("1.0", FIXED), "kd-beta": ("1.0", FIXED)}
    assert back.stats(host.name)["changed"] == 1
    assert again.stats(host.name)["changed"] == 0
    assert _transactions_in_history(host) == 1


def test_after_a_killed_controller_the_next_run_waits_for_the_transaction_instead_of_a_second_one(
    host: Host, repository: Repository, inventory: Callable[..., Path]
) -> None:
    _install(host, repository, "kd-alpha")
    repository.publish("kd-alpha", FIXED, suite="security", postinst=_WAIT)
    host.exec(["touch", "/run/kd-wait"])
    hosts = inventory(host)
    first = Play(hosts, patch_transaction_id="run-1")
    first.lines_until(host.name, "started")
    first.kill()

    second = Play(hosts, patch_transaction_id="run-2")
    host.wait_until(lambda: _runs_python(host), "did not get the second run")
    host.exec(["rm", "/run/kd-wait"])
    done = second.wait()

    assert done.code == 0
    assert done.changes(host.name) == {"kd-alpha": ("1.0", FIXED)}
    assert done.report(host.name)["transaction"] == "run-1"
    assert _transactions_in_history(host) == 1
    assert _is_whole(host)


def test_a_power_cut_during_the_transaction_is_refused_and_repaired_when_told(
    host: Host, repository: Repository, inventory: Callable[..., Path]
) -> None:
    _install(host, repository, "kd-alpha")
    repository.publish("kd-alpha", FIXED, suite="security", postinst=_WAIT)
    host.exec(["touch", "/run/kd-wait"])
    hosts = inventory(host)
    running = Play(hosts)
    running.lines_until(host.name, "started")
    host.wait_until(lambda: not _is_whole(host), "did not come to the middle")
    host.power_off()
    running.wait(120)
    host.power_on()

    refused = play(hosts)
    predicted = play(hosts, "--check")
    repaired = play(hosts, patch_repair_interrupted=True)

    assert refused.report(host.name)["problem"] == "packages_broken"
    assert "kd-alpha" in refused.report(host.name)["problem_detail"]
    assert refused.report(host.name)["changes"], "what the cut transaction did must be told"
    assert predicted.report(host.name)["problem"] == "packages_broken"
    assert repaired.code == 0
    assert _is_whole(host)
    assert _versions(host)["kd-alpha"] == FIXED


def test_a_held_lock_is_waited_for(
    host: Host, repository: Repository, inventory: Callable[..., Path]
) -> None:
    _install(host, repository, "kd-alpha")
    repository.publish("kd-alpha", FIXED, suite="security")
    hold_apt_lock(host, 3, "frontend")

    done = play(inventory(host))

    assert done.changes(host.name) == {"kd-alpha": ("1.0", FIXED)}


@pytest.mark.parametrize("lock", ["lists", "frontend"])
def test_a_lock_held_too_long_is_reported_with_its_holder(
    host: Host, repository: Repository, inventory: Callable[..., Path], lock: str
) -> None:
    pid = hold_apt_lock(host, 600, lock)  # type: ignore[arg-type]

    failed = play(inventory(host), patch_lock_wait_seconds=1)

    report = failed.report(host.name)
    assert report["problem"] == "package_lock_held"
    assert f"process {pid} (apt-get)" in report["problem_detail"]
    release_apt_lock(host)


def test_a_failing_package_fails_the_host_by_name_and_is_repaired_when_told(
    host: Host, repository: Repository, inventory: Callable[..., Path]
) -> None:
    _install(host, repository, "kd-alpha", "kd-beta")
    repository.publish("kd-alpha", FIXED, suite="security", postinst="test ! -e /etc/kd-fail")
    repository.publish("kd-beta", FIXED, suite="security")
    host.exec(["touch", "/etc/kd-fail"])
    hosts = inventory(host)

    failed = play(hosts)
    refused = play(hosts)
    host.exec(["rm", "/etc/kd-fail"])
    repaired = play(hosts, patch_repair_interrupted=True)

    report = failed.report(host.name)
    assert (report["problem"], report["stage"]) == ("transaction_failed", "finished")
    assert "Not configured: kd-alpha." in report["problem_detail"]
    assert failed.changes(host.name)["kd-beta"] == ("1.0", FIXED)
    assert failed.stats(host.name)["failures"] == 1
    assert refused.report(host.name)["problem"] == "packages_broken"
    assert "kd-alpha" in refused.report(host.name)["problem_detail"]
    assert (repaired.code, _is_whole(host)) == (0, True)


def test_unmet_dependencies_are_broken_packages_and_are_mended_when_told(
    host: Host, repository: Repository, inventory: Callable[..., Path]
) -> None:
    repository.publish("kd-base", "1.0")
    repository.publish("kd-needy", "1.0", depends="kd-base")
    _fetch_and_install(host, "kd-needy")
    repository.publish("kd-needy", FIXED, suite="security", depends="kd-base")
    host.exec(["dpkg", "--force-depends", "--purge", "kd-base"])
    hosts = inventory(host)

    predicted, refused = play(hosts, "--check"), play(hosts)
    repaired = play(hosts, patch_repair_interrupted=True)

    assert predicted.report(host.name)["problem"] == refused.report(host.name)["problem"] == "packages_broken"
    assert repaired.code == 0
    assert repaired.changes(host.name) == {"kd-base": ("", "1.0"), "kd-needy": ("1.0", FIXED)}


def test_changed_configuration_files_stay(
    host: Host, repository: Repository, inventory: Callable[..., Path]
) -> None:
    repository.publish("kd-alpha", "1.0", conffiles={"/etc/kd-alpha.conf": "first\n"})
    _fetch_and_install(host, "kd-alpha")
    host.exec(["sh", "-c", "echo ours > /etc/kd-alpha.conf"])
    repository.publish("kd-alpha", FIXED, suite="security", conffiles={"/etc/kd-alpha.conf": "second\n"})

    done = play(inventory(host))

    assert done.code == 0
    assert host.exec(["cat", "/etc/kd-alpha.conf"]).stdout == "ours\n"


def test_a_service_that_an_update_stopped_is_named(
    host: Host, repository: Repository, inventory: Callable[..., Path]
) -> None:
    unit = "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
    files = {"/lib/systemd/system/kd-alpha.service": unit}
    start = "systemctl daemon-reload; systemctl enable --now kd-alpha"
    repository.publish("kd-alpha", "1.0", files=files, postinst=start)
    _fetch_and_install(host, "kd-alpha")
    repository.publish("kd-alpha", FIXED, suite="security", files=files, postinst="systemctl stop kd-alpha")

    failed = play(inventory(host))

    report = failed.report(host.name)
    assert report["problem"] == "service_down_after"
    assert report["problem_detail"].endswith("kd-alpha.service.")
    assert failed.changes(host.name) == {"kd-alpha": ("1.0", FIXED)}


def test_security_lists_that_cannot_be_fetched_are_no_clean_bill(
    host: Host, repository: Repository, inventory: Callable[..., Path]
) -> None:
    _install(host, repository, "kd-alpha")
    hosts = inventory(host)
    repository.hang()
    try:
        hung = play(hosts, patch_lists_timeout_seconds=2)
        predicted = play(hosts, "--check", patch_lists_timeout_seconds=2)
    finally:
        repository.wake()
    host.exec(["sed", "-i", "/-security/d", "/etc/apt/sources.list.d/khien-lab.list"])
    without = play(hosts)

    assert hung.report(host.name)["problem"] == "lists_failed"
    assert predicted.report(host.name)["problem"] == "lists_failed"
    assert without.report(host.name)["problem"] == "lists_failed"
    assert "security origin" in without.report(host.name)["problem_detail"]


def test_a_host_is_restarted_when_told_and_looked_at_again(
    host: Host, repository: Repository, inventory: Callable[..., Path]
) -> None:
    _install(host, repository, "kd-alpha")
    repository.publish("kd-alpha", FIXED, suite="security", postinst="touch /run/reboot-required")
    hosts, before = inventory(host), host.boot_id()

    done = play(hosts, patch_reboot="if_needed")

    assert done.code == 0
    assert host.boot_id() not in ("", before)
    assert done.reports(host.name)[-2]["reboot"]["needed"]
    assert not done.report(host.name)["reboot"]["needed"]
    assert done.changes(host.name) == {"kd-alpha": ("1.0", FIXED)}


def test_a_host_that_does_not_come_back_from_its_restart_is_reported_so(
    host: Host, repository: Repository, inventory: Callable[..., Path]
) -> None:
    _install(host, repository, "kd-alpha")
    repository.publish("kd-alpha", FIXED, suite="security")
    running = Play(inventory(host), patch_reboot="always", patch_reboot_timeout_seconds=5)
    running.lines_until(host.name, "finished")
    before = host.boot_id()
    host.wait_until(lambda: host.boot_id() != before, "did not go down")
    host.cut()

    failed = running.wait(120)

    assert failed.report(host.name)["problem"] == "reboot_failed"
    assert failed.changes(host.name) == {"kd-alpha": ("1.0", FIXED)}
    assert failed.stats(host.name)["failures"] == 1


def test_a_slow_host_delays_no_other(
    fresh_hosts: Callable[..., list[Host]], repository: Repository, inventory: Callable[..., Path]
) -> None:
    slow, quick = fresh_hosts("bookworm", "trixie")
    for each in (slow, quick):
        each.use_own_repository_only()
    repository.publish("kd-alpha", "1.0")
    for each in (slow, quick):
        _fetch_and_install(each, "kd-alpha")
    repository.publish("kd-alpha", FIXED, suite="security", postinst=_WAIT)
    slow.exec(["touch", "/run/kd-wait"])
    running = Play(inventory(slow, quick))

    seen = running.lines_until(quick.name, "finished")
    slow.exec(["rm", "/run/kd-wait"])
    rest = running.wait()

    assert not any(
        line["result"].get("khien", {}).get("stage") == "finished"
        for line in seen
        if line["host"] == slow.name
    )
    assert rest.changes(slow.name) == {"kd-alpha": ("1.0", FIXED)}


def test_a_host_without_apt_is_left_alone_and_says_so(host: Host, inventory: Callable[..., Path]) -> None:
    host.exec(["mv", "/usr/bin/apt-get", "/usr/bin/apt-get.away"])

    failed = play(inventory(host))

    assert failed.report(host.name)["problem"] == "unsupported_system"


def test_a_security_source_without_packages_is_no_trouble(
    host: Host, repository: Repository, inventory: Callable[..., Path]
) -> None:
    _install(host, repository, "kd-alpha")
    repository.publish("kd-alpha", "2.0")

    done = play(inventory(host))

    assert (done.code, done.changes(host.name)) == (0, {})


def test_a_full_disk_is_told_and_breaks_nothing(
    host: Host, repository: Repository, inventory: Callable[..., Path]
) -> None:
    _install(host, repository, "kd-alpha")
    repository.publish("kd-alpha", FIXED, suite="security", size_kib=20_000)
    hosts = inventory(host)
    fill_disk(host)
    try:
        predicted, failed = play(hosts, "--check"), play(hosts)
    finally:
        free_disk(host)
    mended = play(hosts)

    for outcome in (predicted, failed):
        report = outcome.report(host.name)
        assert report["problem"] in ("disk_full", "lists_failed", "transaction_failed"), outcome.text
        assert "space" in report["problem_detail"], outcome.text
    assert _is_whole(host)
    assert mended.changes(host.name) == {"kd-alpha": ("1.0", FIXED)}


def test_a_report_is_told_again_until_the_controller_says_that_it_has_it(
    host: Host, repository: Repository, inventory: Callable[..., Path]
) -> None:
    _install(host, repository, "kd-alpha")
    repository.publish("kd-alpha", FIXED, suite="security")
    hosts = inventory(host)

    first = play(hosts, patch_acknowledge=False, patch_transaction_id="run-1")
    again = play(hosts, patch_acknowledge=False, patch_transaction_id="run-2")
    known = play(hosts, patch_acknowledge=False, patch_known_transactions=["run-1"])

    assert first.changes(host.name) == again.changes(host.name) == {"kd-alpha": ("1.0", FIXED)}
    assert again.report(host.name)["transaction"] == "run-1"
    assert (known.changes(host.name), known.stats(host.name)["changed"]) == ({}, 0)


def test_a_wrong_variable_stops_the_role_before_its_first_task(
    host: Host, inventory: Callable[..., Path]
) -> None:
    failed = play(inventory(host), patch_reboot="maybe")

    assert failed.statuses(host.name) == ["failed"]


def _runs_python(host: Host) -> bool:
    """Tell whether a module of Ansible runs on the host."""
    return "python3" in host.exec(["sh", "-c", "cat /proc/[0-9]*/comm"], check=False).stdout
