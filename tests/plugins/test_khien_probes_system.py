"""Probes about the kernel's settings, the disks and mandatory access see what is in force and what will be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible.module_utils.khien_probes import (
    boot,
    file_tree,
    files,
    kernel,
    mandatory_access,
    services,
    sysctl_files,
)
from ansible.module_utils.khien_probes.machine import Machine, UnsupportedError
from recorded_host import make_machine

NAMES = {
    "/etc/passwd": f"root:x:0:0::/root:/bin/sh\nme:x:{os.geteuid()}:{os.getegid()}::/:/bin/sh\n",
    "/etc/group": f"root:x:0:\nme:x:{os.getegid()}:\n",
}


def persisted(tmp_path: Path, recorded: dict[str, str], key: str) -> object:
    found = sysctl_files.sysctl_persisted(make_machine(tmp_path, recorded), key)
    return None if found is None else (found["persisted"], found["file"])


def test_the_last_file_by_name_decides_wherever_it_lies(tmp_path: Path) -> None:
    recorded = {
        "/etc/sysctl.d/10-a.conf": "kernel.sysrq = 1\n",
        "/usr/lib/sysctl.d/50-b.conf": "; no\nkernel/sysrq=  16\n",
        "/run/sysctl.d/30-c.conf": "kernel.sysrq = 2\n",
    }

    assert persisted(tmp_path, recorded, "kernel.sysrq") == (16, "/usr/lib/sysctl.d/50-b.conf")
    assert persisted(tmp_path, recorded, "kernel.panic") is None


def test_of_files_with_one_name_only_the_first_folders_is_read(tmp_path: Path) -> None:
    recorded = {
        "/etc/sysctl.d/50-b.conf": "kernel.panic = 5\n",
        "/usr/lib/sysctl.d/50-b.conf": "kernel.panic = 9\nkernel.sysrq = 1\n",
    }

    assert persisted(tmp_path, recorded, "kernel.panic") == (5, "/etc/sysctl.d/50-b.conf")
    assert persisted(tmp_path, recorded, "kernel.sysrq") is None


def test_a_pattern_counts_only_for_names_nobody_spoke_of(tmp_path: Path) -> None:
    recorded = {
        "/etc/sysctl.d/10.conf": "net.ipv4.conf.all.rp_filter = 1\n-net.ipv4.conf.lo.rp_filter\n",
        "/etc/sysctl.d/90.conf": "net.ipv4.conf.*.rp_filter = 2\n-net.ipv4.conf.eth1.rp_filter = 0\n",
    }

    def value(interface: str) -> object:
        found = persisted(tmp_path, recorded, f"net.ipv4.conf.{interface}.rp_filter")
        return found[0] if isinstance(found, tuple) else found

    assert [value(name) for name in ("all", "lo", "eth0", "eth1")] == [1, None, 2, 0]


def test_what_ufw_sets_after_systemd_is_the_last_word(tmp_path: Path) -> None:
    recorded = {
        "/etc/sysctl.d/99.conf": "net.ipv4.conf.all.log_martians = 1\n",
        "/etc/default/ufw": 'IPT_SYSCTL="/etc/ufw/sysctl.conf"\n',
        "/etc/ufw/sysctl.conf": "net/ipv4/conf/all/log_martians=0\n",
        "/etc/ufw/ufw.conf": "ENABLED=no\n",
    }
    off = persisted(tmp_path, recorded, "net.ipv4.conf.all.log_martians")
    on = persisted(
        tmp_path, {**recorded, "/etc/ufw/ufw.conf": "ENABLED=yes\n"}, "net.ipv4.conf.all.log_martians"
    )

    assert off == (1, "/etc/sysctl.d/99.conf")
    assert on == (0, "/etc/ufw/sysctl.conf")


def test_a_setting_is_seen_on_each_interface_and_all_and_default_are_none(tmp_path: Path) -> None:
    base = "/proc/sys/net/ipv4/conf/"
    machine = make_machine(
        tmp_path,
        {base + "all/x": "0\n", base + "default/x": "0\n", base + "eth0.7/x": "1\n", base + "lo/x": "0\n"},
    )

    assert kernel.sysctl_interfaces(machine, "net.ipv4.conf.*.x") == [
        {"interface": "eth0.7", "value": 1},
        {"interface": "lo", "value": 0},
    ]
    assert kernel.sysctl_interfaces(machine, "net.ipv6.conf.*.x") is None


def tree(tmp_path: Path, modes: dict[str, str], **more: str) -> Machine:
    recorded = dict.fromkeys(modes, "") | NAMES | more
    return make_machine(tmp_path, recorded, modes=modes)


def test_the_walk_finds_what_has_rights_it_should_not_have(tmp_path: Path) -> None:
    machine = tree(
        tmp_path,
        {"/srv/a": "0666", "/srv/open/": "0777", "/tmp/": "1777", "/srv/fine": "0644", "/srv/dir/": "0755"},
    )

    assert file_tree.file_tree(machine, "world_writable") == ["/srv/a"]
    assert file_tree.file_tree(machine, "not_sticky") == ["/srv/open"]
    assert file_tree.file_tree(machine, "unowned") == []


def test_links_are_not_followed_and_data_of_packages_is_left_out(tmp_path: Path) -> None:
    machine = tree(
        tmp_path, {"/usr/share/doc/x": "0666", "/var/lib/docker/overlay2/x": "0666", "/opt/x": "0644"}
    )
    (tmp_path / "opt" / "link").symlink_to("/nowhere")

    assert file_tree.file_tree(machine, "world_writable") == []


def test_a_file_whose_number_has_no_name_is_found_unless_a_container_was_given_it(tmp_path: Path) -> None:
    nobody = {"/etc/passwd": "", "/etc/group": ""}
    found = file_tree.file_tree(make_machine(tmp_path, {"/srv/a": "", **nobody}), "unowned")
    given = {"/etc/subuid": f"x:{os.geteuid()}:1\n", "/etc/subgid": f"x:{os.getegid()}:1\n"}

    assert "/srv/a" in found
    assert file_tree.file_tree(make_machine(tmp_path, given), "unowned") == []


def test_where_names_come_from_elsewhere_nobody_can_say_whose_files_are(tmp_path: Path) -> None:
    machine = tree(tmp_path, {}, **{"/etc/nsswitch.conf": "passwd: files sss [NOTFOUND=return]\n"})

    with pytest.raises(UnsupportedError, match="sss"):
        file_tree.file_tree(machine, "unowned")
    assert file_tree.file_tree(machine, "not_sticky") == []


def test_privileged_programs_of_packages_are_known_by_either_spelling(tmp_path: Path) -> None:
    machine = tree(
        tmp_path,
        {"/usr/bin/su": "4755", "/usr/bin/wall": "2755", "/usr/local/bin/sh": "4755"},
        **{
            "/var/lib/dpkg/status": "",
            "/var/lib/dpkg/info/util-linux.list": "/.\n/bin\n/bin/su\n",
            "/var/lib/dpkg/info/rare.list": "/usr/bin/wall\n",
            "/var/lib/dpkg/info/other.list": "/usr/local/bin/sh.1\n",
        },
    )

    assert file_tree.file_tree(machine, "strange_suid") == ["/usr/local/bin/sh"]


def test_on_rpm_systems_the_package_database_is_asked(tmp_path: Path) -> None:
    modes = {"/usr/bin/su": "4755", "/opt/sh": "6755", "/usr/bin/rpm": "0755"}
    said = "file /opt/sh is not owned by any package\nutil-linux-2.37.4-21.el9.x86_64\n"
    machine = make_machine(
        tmp_path, dict.fromkeys(modes, "") | NAMES, modes=modes, commands={"rpm -qf": [1, said]}
    )

    assert file_tree.file_tree(machine, "strange_suid") == ["/opt/sh"]


def test_without_root_the_walk_gives_no_answer(tmp_path: Path) -> None:
    with pytest.raises(PermissionError):
        file_tree.file_tree(make_machine(tmp_path, privileged=False), "world_writable")


@pytest.mark.parametrize(
    ("menu", "own", "has"),
    [
        ('set superusers="a"\npassword_pbkdf2 a grub.pbkdf2.sha512.1.A.B\n', "", True),
        ("password_pbkdf2 a grub.pbkdf2.sha512.1.A.B\n", "", False),
        ('set superusers="root"\npassword_pbkdf2 root ${GRUB2_PASSWORD}\n', "", False),
        (
            'set superusers="root"\npassword_pbkdf2 root ${GRUB2_PASSWORD}\n',
            "GRUB2_PASSWORD=grub.pbkdf2.x\n",
            True,
        ),
    ],
)
def test_a_boot_password_needs_a_hash_and_somebody_who_may(
    tmp_path: Path, menu: str, own: str, has: bool
) -> None:
    machine = make_machine(tmp_path, {"/boot/grub2/grub.cfg": menu, "/boot/grub2/user.cfg": own})

    assert boot.boot_password(machine) == {"password": has}


def test_only_network_shares_are_asked_for_their_options(tmp_path: Path) -> None:
    lines = (
        "1 2 0:1 / /data rw - ext4 /dev/vda rw\n"
        "3 1 0:2 / /srv/a\\040b rw,nosuid - nfs4 h:/x rw\n4 1 0:3 / /srv/c rw,nosuid,nodev - cifs //h/c rw\n"
    )
    machine = make_machine(tmp_path, {"/proc/self/mountinfo": lines})

    assert files.remote_mounts(machine) == {"device_files": ["/srv/a b"], "set_user_id": []}


def test_without_network_shares_there_is_nothing_to_say(tmp_path: Path) -> None:
    lines = "1 2 0:1 / /data rw - ext4 /dev/vda rw\n"

    assert files.remote_mounts(make_machine(tmp_path, {"/proc/self/mountinfo": lines})) is None


def test_core_dumps_are_asked_only_where_systemd_takes_them(tmp_path: Path) -> None:
    config = {"/etc/systemd/coredump.conf.d/x.conf": "[Coredump]\nStorage=none\n"}

    assert services.core_storage(make_machine(tmp_path, config)) is None
    machine = make_machine(tmp_path, {"/usr/bin/coredumpctl": ""}, modes={"/usr/bin/coredumpctl": "0755"})
    assert services.core_storage(machine) == {"storage": "none", "size": "default"}


@pytest.mark.parametrize(
    ("cmdline", "config", "kept"),
    [
        ("ro", "SELINUX=enforcing\n", True),
        ("ro", "SELINUX=permissive\n", False),
        ("ro enforcing=0", "SELINUX=enforcing\n", False),
        ("selinux=0", "# SELINUX=permissive\nSELINUX=enforcing\n", False),
    ],
)
def test_selinux_stays_only_when_file_and_boot_line_agree(
    tmp_path: Path, cmdline: str, config: str, kept: bool
) -> None:
    machine = make_machine(tmp_path, {"/proc/cmdline": cmdline, "/etc/selinux/config": config})

    assert mandatory_access.mandatory_access_boot(machine)["enforcing"] is kept


@pytest.mark.parametrize(
    ("cmdline", "kept"), [("ro", True), ("apparmor=0", False), ("security=selinux", False)]
)
def test_apparmor_stays_when_its_unit_loads_profiles_and_the_boot_line_lets_it(
    tmp_path: Path, cmdline: str, kept: bool
) -> None:
    recorded = {
        "/proc/cmdline": cmdline,
        "/sys/module/apparmor/parameters/enabled": "Y\n",
        "/etc/systemd/system/sysinit.target.wants/apparmor.service": "",
    }

    assert mandatory_access.mandatory_access_boot(make_machine(tmp_path, recorded))["enforcing"] is kept


def test_a_program_that_runs_past_its_profile_is_named(tmp_path: Path) -> None:
    recorded = {
        "/sys/module/apparmor/parameters/enabled": "Y\n",
        "/sys/kernel/security/apparmor/profiles": "/usr/sbin/a (enforce)\nnamed (enforce)\n",
        "/sys/kernel/security/apparmor/policy/profiles/named.1/attach": "/usr/sbin/b\n",
    }
    for number, (exe, context) in enumerate(
        [("a", "/usr/sbin/a (enforce)"), ("b", "unconfined"), ("c", "unconfined")], 10
    ):
        recorded[f"/proc/{number}/attr/current"] = context + "\n"
        (tmp_path / "proc" / str(number)).mkdir(parents=True)
        (tmp_path / "proc" / str(number) / "exe").symlink_to(f"/usr/sbin/{exe}")

    assert mandatory_access.unconfined_services(make_machine(tmp_path, recorded)) == ["/usr/sbin/b"]
