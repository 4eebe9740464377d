"""A controls.yml is read whole or refused with file, line and what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from khien.adapters.controls_yaml import YamlControls, compile_probes, load_controls
from khien.domain.baseline import Confidence, LevelValues
from khien.domain.control import Severity, Threshold, WhenAbsent
from khien.domain.text import Bilingual
from khien.errors import InputError

GOOD = """\
controls:
  - id: sshd_root_login_off
    title: {en: Root does not log in, vi: Không đăng nhập root}
    rationale: {en: Because, vi: Vì vậy}
    severity: high
    area: access
    os_families: [debian, redhat]
    checks:
      - probe: {kind: sshd_option, option: permitrootlogin}
        expect: {all_equal: "no"}
        when_absent: not_applicable
        timeout: 5
    fix: {variable: sshd_permit_root_login}
    side_effects: {en: None, vi: Không}
    way_back: {en: Undo, vi: Hoàn tác}
    references: {cis_debian12: [5.1.20]}
"""


def write(folder: Path, text: str, role: str = "sshd") -> Path:
    path = folder / role / "controls.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_control_is_read_with_all_its_words(tmp_path: Path) -> None:
    write(tmp_path, GOOD)

    (control,) = YamlControls(tmp_path).controls()

    assert (control.id, control.role, control.severity) == ("sshd_root_login_off", "sshd", Severity.HIGH)
    assert control.title.vi == "Không đăng nhập root"
    assert control.fix_variable == "sshd_permit_root_login"
    assert control.references == {"cis_debian12": ("5.1.20",)}
    (check,) = control.checks
    assert (check.operator, check.expected, check.when_absent) == (
        "all_equal",
        "no",
        WhenAbsent.NOT_APPLICABLE,
    )
    assert check.probe.id == 'sshd_option {"option":"permitrootlogin"}'
    assert check.probe.timeout_seconds == 5


def test_report_only_means_no_variable(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("{variable: sshd_permit_root_login}", "report_only"))

    assert YamlControls(tmp_path).controls()[0].fix_variable is None


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("severity: high", "severity: hihg", 5, "did you mean 'high'"),
        (
            "severity: high",
            "severity: high\n    severty: low",
            6,
            "unknown key 'severty'; did you mean 'severity'",
        ),
        ("    area: access\n", "", 2, "missing: area"),
        ("kind: sshd_option", "kind: sshd_options", 9, "did you mean 'sshd_option'"),
        ("option: permitrootlogin", "options: permitrootlogin", 9, "did you mean 'option'"),
        ("option: permitrootlogin", "option: []", 9, "option of sshd_option must be a text"),
        ('{all_equal: "no"}', '{all_equals: "no"}', 10, "did you mean 'all_equal'"),
        ('{all_equal: "no"}', "{at_least: many}", 10, "at_least wants a whole number"),
        ('{all_equal: "no"}', '{all_equal: "no", equals: 1}', 10, "exactly one operator"),
        ("not_applicable", "ignore", 11, "expected one of: fail, not_applicable, pass"),
        ("timeout: 5", "timeout: 0", 12, "above 0"),
        ("id: sshd_root_login_off", "id: Root Login", 2, "no slug"),
        (", vi: Không đăng nhập root", "", 3, "missing: vi"),
        ("vi: Vì vậy", 'vi: " "', 4, "expected a text"),
        ("[debian, redhat]", "[windows]", 7, "'windows' is not known"),
        ("[debian, redhat]", "[]", 7, "expected some of"),
        ("{cis_debian12: [5.1.20]}", "{}", 16, "expected references"),
        ("[5.1.20]", "[5.1]", 16, "expected a text, found '5.1'"),
        ("fix: {variable: sshd_permit_root_login}", "fix: {variable: Sshd-Root}", 13, "no variable name"),
        ("severity: high", "severity: high\n    severity: low", 6, "stands twice"),
        ("severity: high", "severity: [high", 6, "not valid YAML"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new, 1))

    with pytest.raises(InputError) as caught:
        load_controls([path])

    assert words in str(caught.value)
    assert str(caught.value).startswith(f"{path}:{line}: ")


def test_the_same_id_twice_names_both_places(tmp_path: Path) -> None:
    first, second = write(tmp_path, GOOD), write(tmp_path, "\n" + GOOD, role="zzz")

    with pytest.raises(InputError, match="exists already") as caught:
        YamlControls(tmp_path).controls()

    assert str(caught.value).startswith(f"{second}:3: ")
    assert f"{first}:2" in str(caught.value)


@pytest.mark.parametrize("text", ["", "controls: 5\n", "[]\n", "\x00"])
def test_a_file_that_is_no_list_of_controls_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError):
        load_controls([write(tmp_path, text)])


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_controls([tmp_path / "none" / "controls.yml"])


def test_equal_questions_are_asked_once_with_the_longest_time(tmp_path: Path) -> None:
    longer = GOOD.replace("sshd_root_login_off", "sshd_root_login_off_again").replace(
        "timeout: 5", "timeout: 20"
    )
    write(tmp_path, GOOD)
    write(tmp_path, longer, role="other")

    probes = compile_probes(YamlControls(tmp_path).controls())

    assert probes == [
        {
            "id": 'sshd_option {"option":"permitrootlogin"}',
            "kind": "sshd_option",
            "parameters": {"option": "permitrootlogin"},
            "timeout": 20.0,
        }
    ]


def values(name: str, *numbers: object) -> dict[str, LevelValues]:
    words = Bilingual("en", "vi")
    return {name: LevelValues(name, words, numbers, numbers, "own choice", Confidence.OWN_CHOICE)}


TRIES = GOOD.replace('{all_equal: "no"}', "{all_between: [1, {threshold: ssh_tries}]}")


def test_an_expectation_may_name_a_threshold_of_the_levels(tmp_path: Path) -> None:
    plain = GOOD.replace('{all_equal: "no"}', "{all_at_most: {threshold: ssh_tries}}")

    for text, expected in ((plain, Threshold("ssh_tries")), (TRIES, [1, Threshold("ssh_tries")])):
        (control,) = load_controls([write(tmp_path, text)], values("ssh_tries", 6, 6, 4, 4, 3))
        assert control.checks[0].expected == expected


def test_a_threshold_that_is_not_there_or_does_not_fit_is_named_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, TRIES)

    with pytest.raises(InputError, match="'ssh_tries' is not known; did you mean 'ssh_try'") as unknown:
        load_controls([path], values("ssh_try", 1, 1, 1, 1, 1))
    with pytest.raises(InputError, match="level 3 of a server gives") as unfit:
        load_controls([path], values("ssh_tries", 6, 6, "four", 4, 3))

    assert [str(one.value).startswith(f"{path}:10: ") for one in (unknown, unfit)] == [True, True]


def test_a_check_may_be_for_some_systems_only(tmp_path: Path) -> None:
    (control,) = load_controls(
        [write(tmp_path, GOOD.replace("        timeout: 5", "        only_on: [debian12, rhel9]"))]
    )
    assert control.checks[0].only_on == ("debian12", "rhel9")

    path = write(tmp_path, GOOD.replace("        timeout: 5", "        only_on: [debain12]"))
    with pytest.raises(InputError, match=r":12: 'debain12' is not known; did you mean 'debian12'"):
        load_controls([path])


def test_a_fix_may_be_opt_in(tmp_path: Path) -> None:
    text = GOOD.replace("{variable: sshd_permit_root_login}", "{variable: sshd_x, opt_in: true}")

    assert load_controls([write(tmp_path, GOOD)])[0].fix_opt_in is False
    (control,) = load_controls([write(tmp_path, text)])
    assert (control.fix_variable, control.fix_opt_in) == ("sshd_x", True)
