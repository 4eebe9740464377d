"""What graders say is read as they mean it."""

import pytest

from tests.lab.grade import table
from tests.lab.graders import Grade, read_lynis, read_openscap

_LYNIS = """\
hardening_index=58
warning[]=PKGS-7392|Found one or more vulnerable packages.|-|-|
suggestion[]=SSH-7408|Consider hardening SSH configuration|MaxSessions (set 10 to 2)|-|
suggestion[]=SSH-7408|Consider hardening SSH configuration|MaxSessions (set 10 to 2)|-|
suggestion[]=BANN-7126|Add a legal banner to /etc/issue|-|-|
"""
_RULE = '<rule-result idref="xccdf_org.ssgproject.content_rule_{}"><result>{}</result></rule-result>'
_XCCDF = f"""\
<Benchmark xmlns="http://checklists.nist.gov/xccdf/1.2"><TestResult>
{_RULE.format("sshd_disable_root_login", "fail")}{_RULE.format("grub2_password", "notapplicable")}
{_RULE.format("package_audit_installed", "pass")}{_RULE.format("package_telnet_removed", "pass")}
{_RULE.format("other", "notselected")}
</TestResult></Benchmark>
"""


def test_lynis_is_read_with_its_index_and_each_remark_once() -> None:
    index, warnings, suggestions = read_lynis(_LYNIS)

    assert index == 58
    assert warnings == ("PKGS-7392: Found one or more vulnerable packages.",)
    assert suggestions == (
        "SSH-7408: Consider hardening SSH configuration (MaxSessions (set 10 to 2))",
        "BANN-7126: Add a legal banner to /etc/issue",
    )


def test_a_lynis_that_came_to_no_end_is_no_grade() -> None:
    with pytest.raises(ValueError, match="no hardening_index"):
        read_lynis("warning[]=A|b|-|-|\n")


def test_openscap_counts_the_rules_of_its_profile_alone() -> None:
    counts, failed = read_openscap(_XCCDF)

    assert counts == {"fail": 1, "notapplicable": 1, "pass": 2}
    assert failed == ("sshd_disable_root_login",)


def test_the_table_has_before_and_after_and_lists_what_is_left() -> None:
    was = Grade(58, ("w",), ("a", "b"), {"pass": 60, "fail": 2}, ("one", "two"))
    now = Grade(75, (), ("b",), {"pass": 61, "fail": 1, "error": 1}, ("three",), {"lynis": "3.0.8-1"})

    lines = list(table({"d12": (was, now)}))

    assert "| d12 | Lynis 3.0.8-1: hardening index | 58 | 75 |" in lines
    assert any(line.endswith(": error | 0 | 1 |") for line in lines)
    assert [line for line in lines if line.startswith("- ")] == ["- b", "- three", "- three"]
