"""Probes about accounts, groups, homes, shells, sudo and timed jobs see what a person would."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.khien_probes import accounts, files, groups, homes, shells, sudo, timed_jobs
from ansible.module_utils.khien_probes.machine import NoAnswerError
from recorded_host import NOW, make_machine

PASSWD = (
    "root:x:0:0::/root:/bin/bash\nlan:x:1000:1000::/home/lan:/bin/bash\nminh:x:1001:0::/home/minh:/bin/sh\n"
)


def listed(tmp_path: Path, which: str, passwd: str = PASSWD, shadow: str = "") -> Any:
    return accounts.accounts(make_machine(tmp_path, {"/etc/passwd": passwd, "/etc/shadow": shadow}), which)


def test_a_list_nobody_knows_is_no_answer(tmp_path: Path) -> None:
    for ask in (accounts.accounts, groups.groups, homes.home_files):
        with pytest.raises(NoAnswerError):
            ask(make_machine(tmp_path), "nonsense")


def test_accounts_that_were_born_in_the_group_of_root_do_not_count(tmp_path: Path) -> None:
    passwd = PASSWD + "sync:x:5:0::/sbin:/bin/sync\noperator:x:11:0::/root:/sbin/nologin\n"

    assert listed(tmp_path, "gid_zero", passwd) == ["minh"]


@pytest.mark.parametrize(
    ("word", "weak"),
    [
        ("$y$j9T$x", False),
        ("$6$x", False),
        ("$2b$x", False),
        ("$5$x", True),
        ("$1$x", True),
        ("ab0123", True),
    ],
)
def test_old_hashes_are_told_from_new_ones(tmp_path: Path, word: str, weak: bool) -> None:
    found = listed(tmp_path, "weak_hash", shadow=f"lan:{word}:1:0:60:7:::\nroot:!:1:0:60:7:::\n")

    assert found == (["lan"] if weak else [])


def test_a_change_of_tomorrow_is_a_time_zone_and_one_of_next_week_is_none(tmp_path: Path) -> None:
    today = int(NOW // 86400)
    shadow = f"lan:$y$x:{today + 1}:0:60:7:::\nminh:$y$x:{today + 7}:0:60:7:::\n"

    assert listed(tmp_path, "changed_in_future", shadow=shadow) == ["minh"]


def test_an_account_that_never_closes_is_minus_one(tmp_path: Path) -> None:
    found = listed(tmp_path, "inactive_days", shadow="lan:$y$x:1:0:60:7:45::\nminh:$y$x:1:0:60:7:::\n")

    assert [one["days"] for one in found] == [45, -1]


def test_a_password_behind_a_refusing_shell_is_found(tmp_path: Path) -> None:
    passwd = PASSWD + "ftp:x:99:99::/srv:/sbin/nologin\nbin:x:1:1::/:/sbin/nologin\n"

    assert listed(tmp_path, "without_shell_unlocked", passwd, "ftp:$6$x:1::::::\nbin:*:1::::::\n") == ["ftp"]


def test_entries_of_a_directory_service_and_hashes_in_passwd_are_found(tmp_path: Path) -> None:
    passwd = PASSWD + "+::::::\nbo:$1$x:1002:1000::/:/bin/sh\n"

    assert listed(tmp_path / "a", "legacy_entries", passwd) == ["/etc/passwd: +"]
    assert listed(tmp_path / "b", "unshadowed", passwd) == ["bo"]


@pytest.mark.parametrize(
    ("which", "found"),
    [
        ("duplicated", ["name x", "gid 7"]),
        ("gid_zero", ["root", "toor"]),
        ("missing", ["lan: 1000"]),
        ("shadow_members", ["minh"]),
    ],
)
def test_groups(tmp_path: Path, which: str, found: list[str]) -> None:
    group = "root:x:0:\ntoor:x:0:\nshadow:x:42:minh\nx:x:7:\nx:x:8:\ny:x:7:\n"
    if which == "duplicated":
        group = group.replace("toor:x:0:\n", "")
    machine = make_machine(tmp_path, {"/etc/passwd": PASSWD, "/etc/group": group})

    assert groups.groups(machine, which) == found


def test_the_last_word_for_new_accounts_counts(tmp_path: Path) -> None:
    machine = make_machine(tmp_path, {"/etc/default/useradd": "# INACTIVE=-1\nINACTIVE=30\nINACTIVE=-1\n"})

    assert accounts.useradd_default(machine, "INACTIVE") == -1
    assert accounts.useradd_default(machine, "NONE") is None


def test_homes_that_are_missing_or_no_folder_are_told(tmp_path: Path) -> None:
    machine = make_machine(
        tmp_path, {"/etc/passwd": PASSWD, "/home/minh": "a file"}, modes={"/home/minh": "0644"}
    )

    assert [(home["name"], home["state"], home["mode"]) for home in homes.homes(machine)] == [
        ("lan", "missing", "0000"),
        ("minh", "not_a_folder", "0644"),
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_home_of_somebody_else_is_told(tmp_path: Path) -> None:
    recorded = {"/etc/passwd": PASSWD, "/home/lan/": "", "/home/minh/": ""}
    machine = make_machine(tmp_path, recorded, owners={"/home/lan": 1000, "/home/minh": 1000})

    assert [home["state"] for home in homes.homes(machine)] == ["ok", "foreign_owner"]


def test_files_that_programs_obey_are_found_without_reading_them(tmp_path: Path) -> None:
    recorded = {
        "/etc/passwd": PASSWD,
        "/home/lan/.netrc": "",
        "/home/lan/.rhosts": "",
        "/root/.forward": "",
        "/etc/hosts.equiv": "",
    }
    machine = make_machine(tmp_path, recorded)
    (tmp_path / "home/minh").mkdir()
    (tmp_path / "home/minh/.shosts").symlink_to("/nowhere")

    assert homes.home_files(machine, "secrets") == ["/home/lan/.netrc", "/root/.forward"]
    assert homes.home_files(machine, "trust") == [
        "/etc/hosts.equiv",
        "/home/lan/.rhosts",
        "/home/minh/.shosts",
    ]


def test_dot_files_that_others_can_write_to_are_found_and_links_are_not_followed(tmp_path: Path) -> None:
    recorded = {"/etc/passwd": PASSWD, "/root/.bashrc": "", "/root/.profile": "", "/root/open": ""}
    modes = {"/root/.bashrc": "0664", "/root/.profile": "0644", "/root/open": "0666"}
    machine = make_machine(tmp_path, recorded, modes=modes)
    (tmp_path / "root/.link").symlink_to("open")
    if os.geteuid() != 0:
        pytest.skip("whoever unpacks owns the files")

    assert homes.home_files(machine, "exposed") == ["/root/.bashrc"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("umask 022", ["022"]),
        ("  umask 27", ["027"]),
        ("if [ x ]; then umask 0077; fi", ["0077"]),
        ("[ `umask` -eq 0 ] && umask 022", []),
        ("# umask 022", []),
        ("echo umask 022", []),
    ],
)
def test_umasks_of_start_files(tmp_path: Path, line: str, found: list[str]) -> None:
    machine = make_machine(
        tmp_path, {"/etc/passwd": PASSWD, "/etc/profile.d/x.sh": line, "/root/.bashrc": line}
    )

    assert shells.shell_umask(machine, "all") == found
    assert shells.shell_umask(machine, "root") == found


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("PATH=$PATH:~/bin:/opt/x", []),
        ('export PATH=".:$PATH"', [". is no absolute path"]),
        ("PATH=/usr/bin::/bin", ['"" is no absolute path']),
        ("MYPATH=.", []),
    ],
)
def test_places_where_root_looks_for_programs(tmp_path: Path, line: str, found: list[str]) -> None:
    assert shells.root_path(make_machine(tmp_path, {"/root/.profile": line + "\n"})) == found


@pytest.mark.skipif(os.geteuid() != 0, reason="only root owns what root may trust")
def test_a_folder_that_others_can_write_to_is_no_place_for_roots_programs(tmp_path: Path) -> None:
    recorded = {"/etc/login.defs": "ENV_SUPATH PATH=/a:/b:/c\n", "/a/": "", "/b/": "", "/c/": ""}
    machine = make_machine(tmp_path, recorded, modes={"/a": "0755", "/b": "0777"}, owners={"/c": 7})

    assert shells.root_path(machine) == ["/b is writable by others: 0777", "/c belongs to 7"]


def test_the_last_limit_of_everyone_counts(tmp_path: Path) -> None:
    recorded = {
        "/etc/security/limits.conf": "* hard maxlogins 99\n@x hard maxlogins 1\n* soft maxlogins 2\n",
        "/etc/security/limits.d/50-x.conf": "* - maxlogins 10\n",
    }

    assert files.user_limit(make_machine(tmp_path, recorded), "maxlogins") == 10
    assert files.user_limit(make_machine(tmp_path, recorded), "nproc") is None


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("Defaults timestamp_timeout=2.5", "timestamp_timeout", 3),
        ("Defaults timestamp_timeout=-1", "timestamp_timeout", -1),
        ("Defaults !timestamp_timeout", "timestamp_timeout", 0),
        ("Defaults:lan timestamp_timeout=99", "timestamp_timeout", 5),
        ("Defaults !env_reset", "env_reset", False),
        ('Defaults secure_path="/a:/b"', "secure_path", "/a:/b"),
        ("Defaults targetpw, rootpw, !targetpw", "foreign_password", ["rootpw"]),
        ("ALL ALL=(ALL:ALL) NOPASSWD: ALL", "everyone", ["ALL ALL=(ALL:ALL) NOPASSWD: ALL"]),
        ("%ALL ALL=(ALL) ALL", "everyone", []),
        ("ALL ALL=(ALL) /bin/true", "everyone", []),
    ],
)
def test_settings_of_sudo(tmp_path: Path, line: str, field: str, value: object) -> None:
    found = sudo.sudo_rules(make_machine(tmp_path, {"/etc/sudoers": line + "\n"}))

    assert found is not None
    assert found[field] == value


def test_debians_sudo_remembers_longer_than_others_unless_told(tmp_path: Path) -> None:
    machine = make_machine(tmp_path, {"/etc/sudoers": "", "/etc/os-release": "ID=debian\n"})

    found = sudo.sudo_rules(machine)

    assert found is not None
    assert found["timestamp_timeout"] == 15


def test_who_may_leave_timed_jobs_behind(tmp_path: Path) -> None:
    recorded = {"/usr/bin/crontab": "", "/etc/cron.allow": "root\n# x\nbackup\n", "/etc/cron.deny": ""}
    machine = make_machine(tmp_path, recorded, modes={"/usr/bin/crontab": "0755"})

    found = timed_jobs.timed_job_users(machine, "cron")

    assert found == {"listed": True, "named": ["root", "backup"], "deny_list": True}
    assert timed_jobs.timed_job_users(machine, "at") is None


def test_the_service_behind_cron_is_found_under_either_name(tmp_path: Path) -> None:
    recorded = {"/run/systemd/system/": ""}
    crond = {"crond.service": {"LoadState": "loaded", "ActiveState": "inactive", "UnitFileState": "enabled"}}

    assert timed_jobs.timed_job_service(make_machine(tmp_path, recorded)) is None
    assert timed_jobs.timed_job_service(make_machine(tmp_path, recorded, units=crond)) == {
        "enabled": True,
        "active": False,
    }
