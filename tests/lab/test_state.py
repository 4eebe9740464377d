"""khien_state and khien_undo on real hosts: what check mode says is what happens, and undo brings all of it back."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab.disks import files_below
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.plays import play

pytestmark = pytest.mark.lab

SAMPLE = "tests/lab/content/sample.yml"


def _prepare(host: Host) -> None:
    host.write("/etc/khien-doomed", "doomed\n", 0o604)
    host.write("/etc/khien-open", "open\n", 0o666)
    host.exec(["sh", "-c", "useradd --system --shell /bin/sh khien-daemon"])
    # An attribute has to survive, too.
    host.exec(
        ["python3", "-c", "import os; os.setxattr('/etc/khien-doomed', 'user.note', b'kept')"], check=False
    )


def _state_of(host: Host) -> dict[str, str]:
    questions = {
        "packages": ["dpkg-query", "-W"],
        "cron": ["systemctl", "show", "--property=ActiveState,UnitFileState", "cron.service"],
        "redirects": ["sysctl", "net.ipv4.conf.all.send_redirects"],
        "passwd": ["cat", "/etc/passwd"],
        "shadow": ["cat", "/etc/shadow"],
    }
    return {name: host.exec(argv).stdout for name, argv in questions.items()}


class TestState:
    def test_predicted_is_done_once_and_undo_brings_it_all_back(
        self, lab: Lab, fresh_hosts: Callable[..., list[Host]], tmp_path: Path
    ) -> None:
        hosts = fresh_hosts("bookworm", "trixie")
        inventory = lab.inventory_of(hosts, tmp_path / "inventory")
        for host in hosts:
            _prepare(host)
            host.exec(["apt-get", "update", "-q"])
        before = {host.name: (files_below(host, "/etc", "/var/lib/khien"), _state_of(host)) for host in hosts}

        check = play(inventory, "--check", playbook=SAMPLE)
        assert {
            host.name: (files_below(host, "/etc", "/var/lib/khien"), _state_of(host)) for host in hosts
        } == before
        real = play(inventory, playbook=SAMPLE, harden_run_id="run-1")
        again = play(inventory, playbook=SAMPLE, harden_run_id="run-2")

        for host in hosts:
            predicted, done = check.report(host.name), real.report(host.name)
            assert real.code == 0, real.text
            assert done["changes"] == predicted["changes"]
            assert {change["control"] for change in done["changes"]} == {
                *(
                    "sample_package",
                    "sample_one",
                    "sample_two",
                    "sample_absent",
                    "sample_mode",
                    "sample_umask",
                ),
                *("sample_warn", "sample_redirects", "sample_cron", "sample_shell", "sample_age"),
                *("sample_ensure", "sample_action"),
            }
            assert {skip["control"]: skip["why"] for skip in done["skipped"]} == {
                "sample_four": "not_opted_in",
                "sample_kernel": "in_container",
                "sample_none": "absent",
                "sample_no_unit": "absent",
            }
            assert done["guard"]["state"] == "disarmed"
            assert again.report(host.name)["changes"] == []
            assert host.exec(["sysctl", "-n", "net.ipv4.conf.all.send_redirects"]).stdout.strip() == "0"
            assert host.exec(["cat", "/etc/khien-sample.d/deep/10-sample.conf"]).stdout.count("=") == 2
            host.exec(["dpkg", "-s", "tree"])

        dry = play(inventory, "--check", playbook="playbooks/undo.yml", undo_run="run-1")
        undone = play(inventory, playbook="playbooks/undo.yml", undo_run="run-1", harden_run_id="run-3")

        for host in hosts:
            report = undone.report(host.name)
            assert undone.code == 0, undone.text
            assert report["refused"] == []
            assert report["restored"] == dry.report(host.name)["restored"]
            files, state = files_below(host, "/etc"), _state_of(host)
            assert files == {
                path: words for path, words in before[host.name][0].items() if path.startswith("/etc")
            }
            assert state == before[host.name][1]

    def test_undo_refuses_what_somebody_changed_since_and_force_puts_it_back(
        self, lab: Lab, fresh_host: Callable[..., Host], tmp_path: Path
    ) -> None:
        host = fresh_host()
        inventory = lab.inventory_of([host], tmp_path / "inventory")
        host.write("/etc/khien-open", "open\n", 0o666)
        before = host.exec(["cat", "/etc/login.defs"]).stdout
        play(inventory, playbook=SAMPLE, harden_run_id="run-1")
        host.exec(["sh", "-c", "echo '# by hand' >> /etc/login.defs"])

        refused = play(inventory, playbook="playbooks/undo.yml", undo_run="run-1")
        forced = play(inventory, playbook="playbooks/undo.yml", undo_run="run-1", undo_force=True)

        words = refused.report(host.name)["refused"]
        assert [(one["thing"], one["why"]) for one in words] == [("/etc/login.defs", "changed_since")]
        assert host.exec(["stat", "-c", "%a", "/etc/khien-open"]).stdout.strip() == "666"
        assert forced.report(host.name)["refused"] == []
        assert host.exec(["cat", "/etc/login.defs"]).stdout == before

    def test_a_task_that_fails_half_way_leaves_nothing_behind(
        self, lab: Lab, fresh_host: Callable[..., Host], tmp_path: Path
    ) -> None:
        host = fresh_host()
        inventory = lab.inventory_of([host], tmp_path / "inventory")
        # The reload comes last, after all is changed.
        host.write(
            "/usr/local/sbin/systemctl",
            '#!/bin/sh\n[ $1 = daemon-reload ] && [ -e /etc/khien-sample.d ] && exit 1\nexec /usr/bin/systemctl "$@"\n',
            0o755,
        )
        before = files_below(host, "/etc")

        failed = play(inventory, playbook=SAMPLE, harden_run_id="run-1")

        report = failed.report(host.name)
        assert report["problem"] in ("action_failed", "guard_failed"), failed.text
        assert files_below(host, "/etc") == before
        assert "run-1" not in host.exec(["sh", "-c", "find /var/lib/khien -name manifest.json"]).stdout

    def test_a_run_that_the_host_keeps_nothing_of_cannot_be_undone(
        self, lab: Lab, fresh_host: Callable[..., Host], tmp_path: Path
    ) -> None:
        host = fresh_host()
        inventory = lab.inventory_of([host], tmp_path / "inventory")

        undone = play(inventory, playbook="playbooks/undo.yml", undo_run="never-was")

        assert undone.report(host.name)["problem"] == "no_checkpoint"
        assert undone.stats(host.name)["failures"] == 1
