"""Probes about logs, the clock, malware protection and package sources read settings as the programs do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.khien_probes import clock, logs, malware, sources
from ansible.module_utils.khien_probes.machine import NoAnswerError, UnsupportedError
from recorded_host import make_machine

RUNNING = {"/run/systemd/system/": ""}


def retention(tmp_path: Path, **files: str) -> Any:
    recorded = {
        "/etc/logrotate.conf": files.get("main", "weekly\nrotate 4\n"),
        "/etc/logrotate.d/rsyslog": files.get("rsyslog", ""),
        "/etc/systemd/journald.conf": files.get("journal", ""),
    }
    return logs.log_retention(make_machine(tmp_path, recorded))


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("/var/log/syslog {\n rotate 13\n weekly\n}\n", 91),
        ("/var/log/syslog\n/var/log/mail.log\n{\n\trotate 30\n\tdaily\n}\n", 30),
        ("/var/log/messages {\n missingok\n}\n", 28),
        ("/var/log/secure {\n rotate 12\n monthly\n maxage 90\n}\n", 90),
        ("/var/log/syslog {\n rotate 99\n size 10M\n}\n", 0),
        ("/var/log/syslog {\n rotate 9\n postrotate\n  rotate 1\n endscript\n}\n", 63),
        ("/var/log/other.log {\n rotate 1\n}\n", None),
    ],
)
def test_log_files_are_kept_as_long_as_their_block_says(tmp_path: Path, text: str, days: int | None) -> None:
    assert retention(tmp_path, rsyslog=text)["files_days"] == days


@pytest.mark.parametrize(
    ("span", "days"),
    [("", 36500), ("0", 36500), ("90day", 90), ("3month", 91), ("1h", 0), ("2week 1day", 15)],
)
def test_the_journals_time_span_is_read_as_systemd_reads_it(tmp_path: Path, span: str, days: int) -> None:
    assert retention(tmp_path, journal=f"[Journal]\nMaxRetentionSec={span}\n")["journal_days"] == days


def test_a_time_span_that_nobody_understands_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(NoAnswerError):
        retention(tmp_path, journal="MaxRetentionSec=3fortnights\n")


def rsyslog(tmp_path: Path, text: str) -> Any:
    files = {"/usr/sbin/rsyslogd": "", "/etc/rsyslog.conf": text}
    return logs.rsyslog(make_machine(tmp_path, files, modes={"/usr/sbin/rsyslogd": "0755"}))


def test_both_languages_of_rsyslog_are_understood(tmp_path: Path) -> None:
    found = rsyslog(
        tmp_path,
        "$FileCreateMode 0640\n$InputTCPServerRun 514\n*.* @@(o)log1.example.org:514\nmail.* -/var/log/mail.log\n"
        'action(type="omfile" file="/x" fileCreateMode="0600")\naction(type="omfwd"\n  target="log2.example.org" protocol="tcp")\n',
    )

    assert found == {
        "file_modes": ["0640", "0600"],
        "receives": ["$InputTCPServerRun"],
        "sends_to": ["log1.example.org", "log2.example.org"],
        "sends_unencrypted_to": ["log1.example.org", "log2.example.org"],
    }


def test_without_a_word_about_it_rsyslog_makes_files_for_everybody(tmp_path: Path) -> None:
    assert rsyslog(tmp_path, "")["file_modes"] == ["0644"]
    assert logs.rsyslog(make_machine(tmp_path / "none")) is None


def test_confidential_logs_and_logs_that_anybody_changes_are_found_wherever_they_lie(tmp_path: Path) -> None:
    files = {
        f"/var/log/{name}": "" for name in ("auth.log.1", "dpkg.log", "app/x.log", "journal/1/system.journal")
    }
    modes = {
        "/var/log/auth.log.1": "0644",
        "/var/log/dpkg.log": "0644",
        "/var/log/app/x.log": "0666",
        "/var/log/journal/1/system.journal": "0644",
    }

    assert logs.log_files(make_machine(tmp_path, files, modes=modes)) == {
        "changeable": ["/var/log/app/x.log"],
        "readable": ["/var/log/auth.log.1", "/var/log/journal/1/system.journal"],
    }


def test_a_process_of_chrony_that_is_roots_counts_more_than_its_configuration(tmp_path: Path) -> None:
    files = {
        "/etc/chrony/chrony.conf": "user _chrony\nallow\nport 0\n",
        "/proc/7/comm": "chronyd\n",
        "/proc/7/status": "Uid:\t0\t0\t0\t0\n",
    }

    assert clock.chrony(make_machine(tmp_path, files)) == {"user": "root", "serves": []}


def test_a_time_service_that_tells_nothing_is_no_answer(tmp_path: Path) -> None:
    machine = make_machine(tmp_path, RUNNING, units={"ntpsec.service": {"ActiveState": "active"}})

    with pytest.raises(NoAnswerError):
        clock.clock(machine)


def test_signatures_are_as_old_as_they_say_and_not_as_their_file(tmp_path: Path) -> None:
    head = "ClamAV-VDB:22 Nov 2026 09-12 +0700:27700:1:90:X:X:svc:1\n"
    files = {**RUNNING, "/usr/bin/clamscan": "", "/var/lib/clamav/daily.cvd": head}
    machine = make_machine(tmp_path, files, modes={"/usr/bin/clamscan": "0755"})

    assert malware.malware_signatures(machine) == {"age_hours": 24, "updates_itself": False}


def test_a_signature_file_that_is_none_is_no_answer(tmp_path: Path) -> None:
    files = {**RUNNING, "/usr/bin/clamscan": "", "/var/lib/clamav/daily.cvd": "nonsense"}

    with pytest.raises(NoAnswerError):
        malware.malware_signatures(make_machine(tmp_path, files, modes={"/usr/bin/clamscan": "0755"}))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("deb [signed-by=/x.asc] http://m.example.org s main\n", True),
        ("deb http://m.example.org s main\n", False),
        ("# deb http://m.example.org s main\n", True),
    ],
)
def test_a_source_that_names_no_key_is_found(tmp_path: Path, text: str, named: bool) -> None:
    files = {"/etc/os-release": "ID=debian\n", "/etc/apt/sources.list": text}

    assert sources.keyless_sources(make_machine(tmp_path, files)) == (
        [] if named else ["/etc/apt/sources.list"]
    )


def test_each_package_tool_answers_for_its_own_systems_only(tmp_path: Path) -> None:
    machine = make_machine(tmp_path, {"/etc/os-release": "ID=debian\n"})

    assert sources.apt_option(machine, "APT::Sandbox::User") is None
    with pytest.raises(UnsupportedError):
        sources.dnf_option(machine, "localpkg_gpgcheck")
