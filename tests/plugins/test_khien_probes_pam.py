"""PAM's stacks are read as PAM reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.khien_probes import groups, pam, passwords
from recorded_host import make_machine

FAILLOCK = "auth requisite pam_faillock.so preauth\nauth sufficient pam_unix.so\nauth [default=die] pam_faillock.so authfail\n"


def modules(tmp_path: Path, files: dict[str, str], service: str = "sshd", stack: str = "auth") -> list[str]:
    machine = make_machine(tmp_path, {f"/etc/pam.d/{name}": text for name, text in files.items()})
    return [rule.module for rule in pam.stack_of(machine, service, stack)]


def test_includes_and_substacks_are_opened_where_they_stand(tmp_path: Path) -> None:
    files = {
        "sshd": "auth required a.so\n@include common\nauth substack sub\nauth required /lib/security/d.so\n",
        "common": "auth required b.so\naccount required x.so\n",
        "sub": "-auth optional c.so\nsession required y.so\n",
    }

    assert modules(tmp_path, files) == ["a.so", "b.so", "c.so", "d.so"]


def test_comments_long_lines_and_other_stacks_do_not_count(tmp_path: Path) -> None:
    files = {"sshd": "# auth required a.so\nAUTH required \\\n  b.so one # two\naccount required c.so\n"}

    assert modules(tmp_path, files) == ["b.so"]


def test_a_file_that_includes_itself_ends(tmp_path: Path) -> None:
    assert set(modules(tmp_path, {"sshd": "auth required a.so\n@include sshd\n"})) == {"a.so"}


def test_a_rule_keeps_its_control_and_its_arguments(tmp_path: Path) -> None:
    line = "auth [success=1 default=ignore] pam_x.so user=a [query=select x from y] try\n"
    machine = make_machine(tmp_path, {"/etc/pam.d/su": line})

    assert pam.pam_stack(machine, "su", "auth") == [
        {
            "module": "pam_x.so",
            "control": "[success=1 default=ignore]",
            "arguments": ["user=a", "query=select x from y", "try"],
        }
    ]
    assert pam.pam_stack(machine, "none", "auth") is None


def test_an_administrators_file_hides_the_distributions(tmp_path: Path) -> None:
    machine = make_machine(
        tmp_path,
        {
            "/usr/lib/pam.d/su": "auth required old.so\n",
            "/usr/lib/pam.d/sudo": "auth required only.so\n",
            "/etc/pam.d/su": "auth required new.so\n",
        },
    )

    assert [pam.stack_of(machine, name, "auth")[0].module for name in ("su", "sudo")] == ["new.so", "only.so"]


def failures(tmp_path: Path, **files: str) -> Any:
    recorded = {f"/etc/pam.d/{name}": text for name, text in files.items()}
    recorded["/etc/security/faillock.conf"] = "deny = 5\nunlock_time = 900\n"
    return passwords.login_failures(make_machine(tmp_path, recorded))


def test_failures_count_only_where_both_calls_of_faillock_stand(tmp_path: Path) -> None:
    assert failures(tmp_path / "none", sshd="auth required pam_faillock.so preauth\n") is None
    assert failures(tmp_path / "both", sshd=FAILLOCK)["deny"] == 5


def test_one_service_that_counts_nothing_is_named(tmp_path: Path) -> None:
    found = failures(tmp_path, sshd=FAILLOCK, sudo="auth required pam_unix.so\n", login=FAILLOCK)

    assert found["unguarded"] == ["sudo"]


def test_arguments_of_the_rule_win_over_the_file(tmp_path: Path) -> None:
    found = failures(tmp_path, sshd=FAILLOCK.replace("authfail", "authfail deny=50 even_deny_root"))

    assert (found["deny"], found["even_deny_root"]) == (50, True)


@pytest.mark.parametrize(
    ("rule", "defs", "method"),
    [
        ("pam_unix.so obscure yescrypt", "ENCRYPT_METHOD MD5\n", "yescrypt"),
        ("pam_unix.so md5 shadow", "ENCRYPT_METHOD SHA512\n", "md5"),
        ("pam_unix.so obscure", "ENCRYPT_METHOD SHA512\n", "sha512"),
        ("pam_unix.so obscure", "", "des"),
    ],
)
def test_what_pam_says_about_hashes_wins_over_login_defs(
    tmp_path: Path, rule: str, defs: str, method: str
) -> None:
    recorded = {"/etc/pam.d/passwd": f"password required {rule}\n", "/etc/login.defs": defs}

    assert passwords.password_hash(make_machine(tmp_path, recorded))["method"] == method


def test_the_shortest_wait_after_a_failed_login_counts(tmp_path: Path) -> None:
    recorded = {
        "/etc/pam.d/login": "auth optional pam_faildelay.so delay=5000000\n",
        "/etc/pam.d/sshd": "auth optional pam_faildelay.so\n",
        "/etc/login.defs": "FAIL_DELAY 3\n",
    }
    assert passwords.login_delay(make_machine(tmp_path / "a", recorded)) == 3

    recorded["/etc/pam.d/sshd"] = "auth required pam_unix.so\n"
    assert passwords.login_delay(make_machine(tmp_path / "b", recorded)) == 0


def test_services_without_the_configured_umask_are_named(tmp_path: Path) -> None:
    recorded = {
        "/etc/pam.d/login": "session optional pam_umask.so\n",
        "/etc/pam.d/sshd": "session required pam_unix.so\n",
    }

    assert passwords.umask_in_force(make_machine(tmp_path / "a", recorded)) == ["sshd"]
    assert passwords.umask_in_force(make_machine(tmp_path / "b")) is None


def su(tmp_path: Path, rules: str) -> Any:
    recorded = {
        "/etc/pam.d/su": rules,
        "/etc/group": "wheel:x:10:a\nquantri:x:998:b\n",
        "/etc/passwd": "c:x:1000:998::/home/c:/bin/sh\n",
    }
    return groups.su_rule(make_machine(tmp_path, recorded))


@pytest.mark.parametrize(
    "rule",
    ["sufficient pam_wheel.so trust use_uid", "required pam_wheel.so deny group=x", "required pam_x.so"],
)
def test_su_is_open_unless_a_group_is_demanded(tmp_path: Path, rule: str) -> None:
    assert su(tmp_path, f"auth sufficient pam_rootok.so\nauth {rule}\nauth required pam_unix.so\n") == {
        "restricted": False,
        "group": None,
        "members": None,
    }


def test_a_group_that_is_asked_after_the_password_restricts_nobody(tmp_path: Path) -> None:
    rules = "auth sufficient pam_unix.so\nauth required pam_wheel.so use_uid\n"

    assert su(tmp_path, rules)["restricted"] is False


def test_the_group_of_su_and_its_members_are_told(tmp_path: Path) -> None:
    found = su(tmp_path, "auth required pam_wheel.so use_uid group=quantri\n")

    assert found == {"restricted": True, "group": "quantri", "members": ["b", "c"]}
