"""Audit rules count by what they record, however they are written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.khien_probes import audit
from ansible.module_utils.khien_probes.audit_rule import covered, read_demand, read_rule, read_rules
from ansible.module_utils.khien_probes.machine import NoAnswerError
from recorded_host import make_machine

ROOT = Path(__file__).parents[2]
CHMOD = "-a always,exit -S chmod,fchmod -F auid>=1000 -F auid!=unset"
BOTH = "-a always,exit -F arch=b64 -S %s\n-a always,exit -F arch=b32 -S %s"


def is_covered(demand: str, rules: str) -> bool:
    wanted = read_demand(demand)
    assert wanted is not None
    return covered(wanted, read_rules(rules))


@pytest.mark.parametrize(
    "rules",
    [
        BOTH % (("chmod,fchmod -F auid>=1000 -F auid!=unset",) * 2),
        BOTH % (("chmod -S fchmod -F auid!=4294967295 -F auid>=1000 -k x",) * 2),
        BOTH % (("fchmod,chmod,open -F auid>=500 -F auid!=-1 -F key=x",) * 2),
        BOTH % (("chmod,fchmod",) * 2),
        BOTH % (("all -F auid>=1000",) * 2),
        "\n".join([BOTH % ("chmod", "chmod"), BOTH % ("fchmod -F auid!=-1", "fchmod -F auid!=-1")]),
        "-a exit,always -F arch=x86_64 -S chmod,fchmod\n-A always,exit -F arch=i386 -S chmod,fchmod",
    ],
)
def test_calls_are_covered_in_any_style_and_by_wider_rules(rules: str) -> None:
    assert is_covered(CHMOD, rules)


@pytest.mark.parametrize(
    "rules",
    [
        "",
        "-a always,exit -F arch=b64 -S chmod,fchmod",
        BOTH % ("chmod,fchmod", "chmod"),
        BOTH % (("chmod,fchmod -F auid>=2000",) * 2),
        BOTH % (("chmod,fchmod -F uid=0",) * 2),
        BOTH % (("chmod,fchmod -F dir=/etc",) * 2),
        (BOTH % ("chmod,fchmod", "chmod,fchmod")).replace("always", "never"),
        "-a always,exit -S chmod,fchmod",
        "-w /etc -p wa",
    ],
)
def test_narrower_rules_and_rules_of_one_architecture_do_not_cover(rules: str) -> None:
    assert not is_covered(CHMOD, rules)


@pytest.mark.parametrize(
    ("rules", "holds"),
    [
        ("-w /etc/sudoers.d/ -p wa", True),
        ("-w /etc/sudoers.d", True),
        ("-a always,exit -F dir=/etc/sudoers.d -F perm=wa -F key=x", True),
        ("-a always,exit -S all -F path=/etc/sudoers.d -F perm=rwa", True),
        ("-w /etc -p wa", True),
        ("-a always,exit -F path=/etc -F perm=wa", False),
        ("-w /etc/sudoers.d -p w", False),
        ("-w /etc/sudoers -p wa", False),
        ("-w /etc/sudoers.d -p w\n-w /etc/sudoers.d -p a", True),
        ("-a always,exit -F arch=b64 -F dir=/etc/sudoers.d -F perm=wa", False),
    ],
)
def test_watches_and_path_rules_are_the_same(rules: str, holds: bool) -> None:
    assert is_covered("-w /etc/sudoers.d -p wa", rules) is holds


def test_failure_of_any_kind_is_wider_than_one_kind_of_failure() -> None:
    demand = "-a always,exit -S open -F exit=-EACCES"

    assert is_covered(demand, BOTH % (("open -F success=0",) * 2))
    assert not is_covered(demand, BOTH % (("open -F exit=-EPERM",) * 2))
    assert not is_covered(demand, BOTH % (("open -F success=1",) * 2))


def test_compared_fields_have_no_order() -> None:
    assert is_covered("-a always,exit -S execve -C auid!=euid", BOTH % (("execve -C euid!=auid",) * 2))


@pytest.mark.parametrize("line", ["", "# -w /x -p wa", "-D", "-b 8192", "No rules", "-e 2", "-w '/broken"])
def test_what_is_no_rule_is_passed_over(line: str) -> None:
    assert read_rule(line) is None


def rules(tmp_path: Path, loaded: str, **kept: str) -> Any:
    files = {f"/etc/audit/rules.d/{name}.rules": text for name, text in kept.items()}
    machine = make_machine(
        tmp_path,
        {"/usr/sbin/auditctl": "", "/etc/passwd": "", **files},
        modes={"/usr/sbin/auditctl": "0755"},
        commands={"/usr/sbin/auditctl -l": loaded},
    )
    return audit.audit_rules(machine, ["-w /etc/passwd -p wa", "-w /not/here -p wa"])


def test_a_rule_that_the_next_start_forgets_is_told_apart_from_one_that_is_missing(tmp_path: Path) -> None:
    assert rules(tmp_path, "-w /etc/passwd -p wa\n") == {
        "not_loaded": [],
        "not_kept": ["-w /etc/passwd -p wa"],
    }


def test_a_rule_on_disk_that_is_not_loaded_is_told(tmp_path: Path) -> None:
    assert rules(tmp_path, "No rules\n", a="-w /etc/passwd -p wa\n") == {
        "not_loaded": ["-w /etc/passwd -p wa"],
        "not_kept": [],
    }


def test_without_tools_there_is_nothing_and_without_root_no_answer(tmp_path: Path) -> None:
    assert audit.audit_rules(make_machine(tmp_path / "a"), ["-w /etc/passwd -p wa"]) is None
    machine = make_machine(
        tmp_path / "b",
        {"/usr/sbin/auditctl": ""},
        modes={"/usr/sbin/auditctl": "0755"},
        privileged=False,
    )
    with pytest.raises(PermissionError):
        audit.audit_status(machine)


def test_an_audit_that_does_not_answer_is_no_answer(tmp_path: Path) -> None:
    machine = make_machine(
        tmp_path,
        {"/usr/sbin/auditctl": ""},
        modes={"/usr/sbin/auditctl": "0755"},
        commands={"/usr/sbin/auditctl": [1, "Operation not permitted"]},
    )
    with pytest.raises(NoAnswerError, match="not permitted"):
        audit.audit_status(machine)


@pytest.mark.parametrize(
    ("text", "room"),
    [
        ("max_log_file = 32\nnum_logs = 10\nmax_log_file_action = ROTATE\n", 320),
        ("max_log_file = 8\nmax_log_file_action = keep_logs\n", 1 << 20),
        ("max_log_file = 8\nmax_log_file_action = suspend\n", 0),
        ("log_format = RAW\n", 40),
    ],
)
def test_the_room_of_the_log_is_what_its_settings_make_together(tmp_path: Path, text: str, room: int) -> None:
    assert audit.audit_log_room(make_machine(tmp_path, {"/etc/audit/auditd.conf": text})) == room


def test_every_rule_that_a_control_demands_is_one_that_the_role_loads() -> None:
    controls = yaml.safe_load((ROOT / "roles/audit/controls.yml").read_text(encoding="utf-8"))["controls"]
    variables = yaml.safe_load((ROOT / "roles/audit/vars/main.yml").read_text(encoding="utf-8"))
    fragments = variables["__audit_rule_fragments"]

    for control in controls:
        demands = [rule for check in control["checks"] for rule in check["probe"].get("rules", [])]
        own = "".join(one["text"] for one in fragments if one["control"] == control["id"])
        assert all(is_covered(demand, own) for demand in demands), control["id"]
        assert bool(demands) == bool(own), control["id"]
