"""The transaction is what apt says, but for versions that are no security updates."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible.module_utils.khien_patch.command import Output, PatchError
from ansible.module_utils.khien_patch.plan import (
    Change,
    Sources,
    Workplace,
    last_error,
    make_plan,
    parse_simulation,
    read_sources,
    with_origins,
)

# Recorded with apt 2.6 and 3.0.
SIMULATION = """\
Reading package lists...
Building dependency tree...
Reading state information...
Calculating upgrade...
The following NEW packages will be installed:
  kd-dep
The following packages have been kept back:
  kd-one kd-two
  kd-three
The following packages will be upgraded:
  kd-alpha libc6:i386
2 upgraded, 1 newly installed, 0 to remove and 3 not upgraded.
Inst libc6:i386 [2.41-11] (2.41-12 Debian-Security:13/stable-security, Debian:13.1/stable [i386]) [libc6:amd64 ]
Inst kd-dep (1.0 Debian:12/stable [all])
Inst kd-alpha [1.0] (1.0+deb12u1 Debian-Security:12/stable-security [all]) []
Conf kd-dep (1.0 Debian:12/stable [all])
Conf kd-alpha (1.0+deb12u1 Debian-Security:12/stable-security [all])
"""
ALPHA = Change("kd-alpha", "all", "1.0", "1.0+deb12u1", "Debian-Security")


class Apt:
    """Answers as apt does for packages with an installed, a security and a vendor's version."""

    def __init__(self, workplace: Workplace, holds: str = "") -> None:
        self.workplace = workplace
        self.holds = holds
        self.commands: list[list[str]] = []

    def __call__(self, argv: Sequence[str], timeout: float = 300) -> Output:
        self.commands.append(list(argv))
        if argv[0] == "apt-mark":
            return Output(0, self.holds)
        if argv[0] == "apt-cache":
            return Output(0, "".join(self._policy(name) for name in argv[argv.index("policy") + 1 :]))
        return Output(0, self._simulate("--ignore-hold" in argv))

    def _simulate(self, ignores_holds: bool) -> str:
        excepted = Path(self.workplace.preferences).read_text()
        text = ""
        if ignores_holds or "kd-alpha" not in self.holds:
            text += "Inst kd-alpha [1.0] (1.0+deb12u1 Debian-Security:12/stable-security [all])\n"
        else:
            text += "The following packages have been kept back:\n  kd-alpha\n"
        if "Pin: version 3.0" not in excepted:
            text += "Inst kd-gamma [1.0] (3.0 Vendor:1/vendor [all])\n"
        elif "Pin: version 2.0" not in excepted:
            text += "Inst kd-gamma [1.0] (2.0 Vendor:1/vendor [all])\n"
        return text

    def _policy(self, name: str) -> str:
        head = f"{name}:\n  Installed: 1.0\n  Candidate: 3.0\n  Version table:\n"
        if name == "kd-alpha":
            return (
                head + "     1.0+deb12u1 500\n       1234 http://198.18.0.1/s\n *** 1.0 50\n         50 x\n"
            )
        table = (
            "     3.0 700\n         50 http://198.18.0.1/v\n     2.0 700\n         50 http://198.18.0.1/v\n"
        )
        return head + table + " *** 1.0 700\n         50 x\n"


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return Workplace(str(tmp_path), ("-o", "Dir::Cache=elsewhere/"))


def test_a_simulation_is_read_in_the_order_of_names() -> None:
    simulation = parse_simulation(SIMULATION)

    assert simulation.changes == (
        ALPHA,
        Change("kd-dep", "all", "", "1.0", "Debian"),
        Change("libc6:i386", "i386", "2.41-11", "2.41-12", "Debian-Security"),
    )
    assert [change.kind for change in simulation.changes] == ["upgrade", "install", "upgrade"]
    assert simulation.kept_back == ("kd-one", "kd-two", "kd-three")


def test_downgrades_and_removals_are_noticed() -> None:
    simulation = parse_simulation(
        "The following packages will be DOWNGRADED:\n  kd-old\nRemv kd-gone [1.0]\n"
    )

    assert simulation.downgraded == ("kd-old",)
    assert simulation.changes[0].kind == "remove"


def test_a_version_that_a_host_pin_raises_is_excepted_with_all_its_siblings(workplace: Workplace) -> None:
    apt = Apt(workplace)

    plan = make_plan(apt, workplace, Sources((), ()), "")

    assert plan.changes == (ALPHA,)
    preferences = Path(workplace.preferences).read_text()
    assert "Pin: version 3.0" in preferences
    assert "Pin: version 2.0" in preferences
    assert "Pin: version 1.0\n" not in preferences
    assert sum(command[0] == "apt-get" for command in apt.commands) == 2


def test_a_held_package_with_a_security_update_is_named(workplace: Workplace) -> None:
    plan = make_plan(Apt(workplace, holds="kd-alpha\nkd-gamma\n"), workplace, Sources((), ()), "")

    assert (plan.changes, plan.held, plan.kept_back) == ((), ("kd-alpha",), ())


def test_every_apt_command_uses_the_options_of_the_workplace(workplace: Workplace) -> None:
    apt = Apt(workplace, holds="kd-alpha")

    make_plan(apt, workplace, Sources((), ()), "")

    assert all("Dir::Cache=elsewhere/" in command for command in apt.commands)


def test_a_package_of_another_architecture_is_planned_by_its_plain_name(workplace: Workplace) -> None:
    def apt(argv: Sequence[str], timeout: float = 300) -> Output:
        if argv[0] == "apt-cache":
            assert argv[-1] == "libc6:i386"
            return Output(0, "libc6:i386:\n     2 500\n       1234 x\n")
        return Output(0, "Inst libc6:i386 [1] (2 Debian-Security:13/x [i386])\n" if "-s" in argv else "")

    plan = make_plan(apt, workplace, Sources((), ()), "")

    assert plan.changes == (Change("libc6", "i386", "1", "2", "Debian-Security"),)


def test_planning_ends_when_apt_cannot_be_kept_from_other_versions(workplace: Workplace) -> None:
    def stubborn(argv: Sequence[str], timeout: float = 300) -> Output:
        return Output(0, "Inst kd-gamma [1.0] (3.0 Vendor:1/vendor [all])\n" if "-s" in argv else "")

    with pytest.raises(PatchError, match=r"no security updates: kd-gamma 3\.0"):
        make_plan(stubborn, workplace, Sources((), ()), "")


def test_an_apt_that_fails_says_why(workplace: Workplace) -> None:
    def failing(argv: Sequence[str], timeout: float = 300) -> Output:
        return Output(100, "x", "W: old\nE: broken\n")

    with pytest.raises(PatchError, match="apt-get failed: E: broken") as caught:
        make_plan(failing, workplace, Sources((), ()), "")

    assert caught.value.code == "transaction_failed"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("E: Unmet dependencies. Try 'apt --fix-broken install'", "packages_broken"),
        ("E: something else", "transaction_failed"),
    ],
)
def test_unmet_dependencies_are_broken_packages(workplace: Workplace, said: str, code: str) -> None:
    with pytest.raises(PatchError) as caught:
        make_plan(lambda argv, timeout=300: Output(100, "", said), workplace, Sources((), ()), "")

    assert caught.value.code == code


def test_sources_that_apt_cannot_read_are_failed_lists(workplace: Workplace) -> None:
    with pytest.raises(PatchError, match="Malformed") as caught:
        read_sources(lambda argv, timeout=300: Output(100, "", "E: Malformed entry 1"), workplace, ["n=x"])

    assert caught.value.code == "lists_failed"


@pytest.mark.parametrize(
    ("output", "line"),
    [
        (Output(1, "one\ntwo", ""), "two"),
        (Output(1, "", "W: Failed to fetch x\nW: Some index files failed"), "W: Failed to fetch x"),
        (Output(1, "dpkg: error processing kd\nlast", ""), "dpkg: error processing kd"),
        (Output(-9, "", "", timed_out=True), "it took too long and was ended"),
        (Output(1, "", ""), "it said nothing"),
    ],
)
def test_the_most_telling_line_is_chosen(output: Output, line: str) -> None:
    assert last_error(output) == line


def test_changes_seen_in_dpkg_get_their_planned_origin() -> None:
    seen = (Change("kd-alpha", "all", "1.0", "1.0+deb12u1"), Change("kd-other", "all", "1", "2"))

    assert [c.origin for c in with_origins(seen, (ALPHA,))] == ["Debian-Security", ""]
