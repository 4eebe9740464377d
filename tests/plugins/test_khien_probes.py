"""Probes read configuration as the programs themselves would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.khien_probes import (
    accounts,
    files,
    kernel,
    packages,
    passwords,
    services,
    shells,
    sources,
    sshd,
    sudo,
)
from ansible.module_utils.khien_probes.machine import Machine, NoAnswerError, UnsupportedError
from recorded_host import make_machine

DEBIAN = {"/etc/os-release": "ID=debian\n"}


def test_the_last_value_of_login_defs_counts_and_octal_stays_as_written(tmp_path: Path) -> None:
    machine = make_machine(
        tmp_path, {"/etc/login.defs": "UMASK 022\nUMASK 027\n#UMASK 0\nPASS_MAX_DAYS 60 # days\n"}
    )

    assert accounts.login_defs(machine, "UMASK") == "027"
    assert accounts.login_defs(machine, "PASS_MAX_DAYS") == 60
    assert accounts.login_defs(machine, "NONE") is None


def test_accounts_with_the_same_name_or_number_are_found(tmp_path: Path) -> None:
    passwd = "root:x:0:0::/:/bin/sh\nbo:x:5:5::/:/bin/sh\nbo:x:6:6::/:/bin/sh\nda:x:6:6::/:/bin/false\n+nis::::::\n"
    machine = make_machine(tmp_path, {"/etc/passwd": passwd})

    assert accounts.accounts(machine, "duplicated") == ["name bo", "uid 6"]


@pytest.mark.parametrize(
    ("word", "state"), [("", "empty"), ("!", "locked"), ("*", "locked"), ("!$6$x", "locked"), ("$y$x", "set")]
)
def test_the_state_of_roots_password(tmp_path: Path, word: str, state: str) -> None:
    machine = make_machine(tmp_path, {"/etc/shadow": f"root:{word}:1:0:99999:7:::\n"})

    assert accounts.accounts(machine, "root_password") == state


def test_without_shadow_there_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(NoAnswerError):
        accounts.accounts(make_machine(tmp_path), "root_password")


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("TMOUT=600", [600]),
        ("declare -xr TMOUT=900", [900]),
        (": ${TMOUT:=300}", [300]),
        ("# TMOUT=1", []),
        ("TMOUT=$OTHER", []),
    ],
)
def test_shell_timeouts_are_found(tmp_path: Path, line: str, seconds: list[int]) -> None:
    assert shells.shell_timeout(make_machine(tmp_path, {"/etc/profile.d/x.sh": line + "\n"})) == seconds


def quality(tmp_path: Path, line: str, main: str = "", part: str = "") -> Any:
    recorded = {
        "/etc/pam.d/common-password": line + "\n",
        "/etc/security/pwquality.conf": main,
        "/etc/security/pwquality.conf.d/50-x.conf": part,
    }
    return passwords.password_quality(make_machine(tmp_path, recorded))


def test_password_quality_counts_only_where_pam_asks_for_it(tmp_path: Path) -> None:
    assert quality(tmp_path, "password required pam_unix.so", "minlen = 20") is None


def test_the_main_file_wins_over_drop_ins_and_the_pam_line_over_both(tmp_path: Path) -> None:
    found = quality(
        tmp_path, "password requisite pam_pwquality.so minclass=4", "minlen = 14", "minlen = 20\nminclass=2"
    )

    assert (found["minlen"], found["classes"], found["enforce_for_root"]) == (14, 4, False)


def test_password_history_of_the_older_module_is_found_too(tmp_path: Path) -> None:
    stack = {"/etc/pam.d/system-auth": "password sufficient pam_unix.so remember=12 sha512\n"}

    found = passwords.password_history(make_machine(tmp_path, stack))
    assert found == {"remember": 12, "enforce_for_root": False, "use_authtok": False}


def effective(tmp_path: Path, config: dict[str, str], said: str = "permitrootlogin no\n") -> Any:
    machine = make_machine(
        tmp_path,
        {"/usr/sbin/sshd": "", **config},
        modes={"/usr/sbin/sshd": "0755"},
        commands={"/usr/sbin/sshd -T": said},
    )
    return sshd.sshd_option(machine, "PermitRootLogin")


def test_a_match_block_that_loosens_an_option_is_seen_wherever_it_is_included(tmp_path: Path) -> None:
    config = {
        "/etc/ssh/sshd_config": "Include sshd_config.d/*.conf\nPermitRootLogin no\nMatch User backup\n  permitrootlogin=yes\n",
        "/etc/ssh/sshd_config.d/a.conf": 'Match Group admin\nPermitRootLogin "prohibit-password"\n',
        "/etc/ssh/sshd_config.d/b.conf": "PermitRootLogin no\n",
    }

    assert effective(tmp_path, config) == ["no", "prohibit-password", "yes"]


def test_match_all_belongs_to_everyone_and_is_in_force_already(tmp_path: Path) -> None:
    config = {"/etc/ssh/sshd_config": "Match User x\nX11Forwarding no\nMatch all\nPermitRootLogin no\n"}

    assert effective(tmp_path, config) == ["no"]


def test_without_an_ssh_server_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert sshd.sshd_option(make_machine(tmp_path, {"/etc/ssh/sshd_config": ""}), "permitrootlogin") is None


def test_an_option_the_server_does_not_know_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(NoAnswerError):
        effective(tmp_path, {"/etc/ssh/sshd_config": ""}, said="port 22\n")


def test_a_server_that_refuses_its_configuration_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(NoAnswerError, match="bad line"):
        effective(tmp_path, {"/etc/ssh/sshd_config": ""}, said=[255, "bad line 3"])  # type: ignore[arg-type]


def rules(tmp_path: Path, text: str, **parts: str) -> Any:
    included = {f"/etc/sudoers.d/{name}": part for name, part in parts.items()}
    return sudo.sudo_rules(make_machine(tmp_path, {"/etc/sudoers": text, **included}))


def test_sudo_rules_follow_includes_continuations_and_negations(tmp_path: Path) -> None:
    found = rules(
        tmp_path,
        "Defaults use_pty\nbo ALL=(ALL) \\\n  NOPASSWD: /bin/true\n# x ALL=NOPASSWD: ALL\n#1000 ALL=(ALL) NOPASSWD:ALL\n@includedir /etc/sudoers.d\n",
        local="Defaults !use_pty\nDefaults:bo !authenticate\nUser_Alias X = a\n",
        **{"off.bak": "y ALL=NOPASSWD: ALL\n"},
    )

    assert (found["use_pty"], found["nopasswd"], found["no_authenticate"]) == (
        False,
        ["#1000", "bo"],
        [":bo"],
    )


def test_a_sudoers_file_that_includes_itself_ends(tmp_path: Path) -> None:
    assert rules(tmp_path, "Defaults use_pty\n@include /etc/sudoers\n")["use_pty"] is True


def test_a_sysctl_that_the_kernel_lacks_is_absent(tmp_path: Path) -> None:
    machine = make_machine(tmp_path, {"/proc/sys/net/x": "4096\t16384\n", "/proc/sys/net/y": "-1\n"})

    assert [kernel.sysctl(machine, key) for key in ("net.x", "net.y", "net.z")] == ["4096 16384", -1, None]


def test_a_module_is_blocked_only_by_an_install_line_that_does_nothing(tmp_path: Path) -> None:
    recorded = {
        "/proc/sys/kernel/osrelease": "6.1\n",
        "/lib/modules/6.1/modules.dep": "kernel/drivers/usb/storage/usb-storage.ko:\n",
        "/etc/modprobe.d/a.conf": "blacklist usb-storage\n",
    }
    assert kernel.kernel_module(make_machine(tmp_path, recorded), "usb_storage") == {
        "loaded": False,
        "blocked": False,
    }

    recorded["/etc/modprobe.d/a.conf"] = "install usb_storage /bin/false\n"
    assert kernel.kernel_module(make_machine(tmp_path, recorded), "usb-storage") == {
        "loaded": False,
        "blocked": True,
    }
    assert kernel.kernel_module(make_machine(tmp_path, recorded), "firewire-core") is None


def test_the_last_mount_on_a_path_counts(tmp_path: Path) -> None:
    lines = (
        "1 2 0:1 / /tmp rw - ext4 /dev/vda rw\n3 1 0:2 / /tmp rw,noexec,nosuid shared:1 - tmpfs tmpfs rw\n"
    )
    machine = make_machine(tmp_path, {"/proc/self/mountinfo": lines})

    assert files.mount(machine, "/tmp") == {"type": "tmpfs", "options": ["noexec", "nosuid", "rw"]}
    assert files.mount(machine, "/var/tmp") is None


def test_a_unit_under_two_names_is_counted_once(tmp_path: Path) -> None:
    machine = make_machine(
        tmp_path,
        {"/run/systemd/system/": ""},
        units={
            name: {"Id": "chrony.service", "ActiveState": "active"}
            for name in ("chrony.service", "chronyd.service")
        },
    )

    assert services.units(machine, ["chrony.service", "chronyd.service"])["active"] == ["chrony.service"]


def test_without_systemd_units_cannot_be_known(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError):
        services.units(make_machine(tmp_path), ["auditd.service"])


def test_the_journal_in_memory_is_lost_at_a_restart(tmp_path: Path) -> None:
    assert services.journal_storage(make_machine(tmp_path))["persistent"] is False


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        (
            "/etc/apt/sources.list",
            "deb [trusted=yes arch=amd64] http://x y main\n",
            ["/etc/apt/sources.list"],
        ),
        ("/etc/apt/sources.list", "# deb [trusted=yes] http://x y main\n", []),
        (
            "/etc/apt/sources.list.d/x.sources",
            "Types: deb\nTrusted:yes\n",
            ["/etc/apt/sources.list.d/x.sources"],
        ),
        ("/etc/apt/sources.list.d/x.sources", "Types: deb\nTrusted: yes\nEnabled: no\n", []),
        (
            "/etc/apt/apt.conf.d/99x",
            'APT { Get { AllowUnauthenticated "true"; }; };',
            ["apt.conf: apt::get::allowunauthenticated"],
        ),
        (
            "/etc/apt/apt.conf.d/99x",
            'APT::Get::AllowUnauthenticated "1"; // x',
            ["apt.conf: apt::get::allowunauthenticated"],
        ),
        ("/etc/apt/apt.conf.d/99x", '// APT::Get::AllowUnauthenticated "1";', []),
        ("/etc/apt/apt.conf.d/99x.bak", 'APT::Get::AllowUnauthenticated "1";', []),
    ],
)
def test_unsigned_package_sources_are_found(tmp_path: Path, path: str, text: str, found: list[str]) -> None:
    assert sources.package_sources(make_machine(tmp_path, {**DEBIAN, path: text})) == found


def test_updates_come_by_themselves_only_when_nothing_stops_them(tmp_path: Path) -> None:
    recorded = {
        **DEBIAN,
        "/usr/bin/unattended-upgrade": "",
        "/etc/apt/apt.conf.d/20auto-upgrades": 'APT::Periodic::Unattended-Upgrade "1";\n',
    }
    modes = {"/usr/bin/unattended-upgrade": "0755"}
    assert (
        sources.automatic_updates(make_machine(tmp_path, recorded, modes=modes))["method"]
        == "unattended-upgrades"
    )

    recorded["/etc/systemd/system/apt-daily-upgrade.timer"] = ""  # masked
    assert sources.automatic_updates(make_machine(tmp_path, recorded, modes=modes))["method"] == "none"


def test_rpm_and_dnf_are_asked_where_what_they_write_is_forgotten(tmp_path: Path) -> None:
    asked: list[list[str]] = []

    def run(argv: list[str], _limit: float) -> tuple[int, str]:
        asked.append(argv)
        return 0, "=bash\n"

    make_machine(tmp_path, {"/usr/bin/rpm": ""}, modes={"/usr/bin/rpm": "0755"})

    as_root = packages.packages(Machine(str(tmp_path), privileged=True, command=run), ["bash"])
    as_user = packages.packages(Machine(str(tmp_path), privileged=False, command=run), ["bash"])

    assert as_root == as_user == ["bash"]
    assert [argv[0] for argv in asked] == ["unshare", "rpm"]


def test_where_traces_cannot_be_avoided_there_is_no_answer(tmp_path: Path) -> None:
    make_machine(tmp_path, {"/usr/bin/rpm": ""}, modes={"/usr/bin/rpm": "0755"})
    refusing = Machine(
        str(tmp_path), privileged=True, command=lambda _argv, _limit: (1, "unshare: not permitted")
    )

    with pytest.raises(NoAnswerError, match="without leaving traces"):
        packages.packages(refusing, ["bash"])
