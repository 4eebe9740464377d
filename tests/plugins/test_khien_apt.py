"""The module's entry: its documentation and its arguments say the same; its answers keep the report's schema."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from ansible.module_utils.khien_patch.plan import Change
from ansible.module_utils.khien_patch.result import Result

from khien.adapters.patch_json import read_patch_report

_PLUGINS = Path(__file__).parents[2] / "plugins"


@pytest.fixture(scope="module")
def entry() -> ModuleType:
    spec = importlib.util.spec_from_file_location("khien_apt_entry", _PLUGINS / "modules/khien_apt.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Ansible:
    """Stands in for AnsibleModule: keeps the answer."""

    def __init__(self, *, check_mode: bool = False, diff: bool = True) -> None:
        self.check_mode = check_mode
        self._diff = diff
        self.answer: dict[str, Any] = {}

    def exit_json(self, **answer: object) -> None:
        self.answer = self.answer or answer

    def fail_json(self, **answer: object) -> None:
        self.answer = {"failed": True, **answer}


ALPHA = Change("kd-alpha", "all", "1.0", "1.1", "Debian-Security")


def test_documentation_and_arguments_say_the_same(entry: ModuleType) -> None:
    documented = yaml.safe_load(entry.DOCUMENTATION)["options"]
    for option in documented.values():
        del option["description"]

    assert documented == entry._SPEC


@pytest.mark.parametrize("name", ["20261123-235012-abcd", "a", "A_1-b"])
def test_ids_of_runs_are_accepted(entry: ModuleType, name: str) -> None:
    assert entry._ID.fullmatch(name)


@pytest.mark.parametrize("name", ["../etc", "a/b", "", ".hidden", "-x", "a b", "x" * 65, "a\n"])
def test_ids_that_would_leave_their_folder_are_refused(entry: ModuleType, name: str) -> None:
    assert not entry._ID.fullmatch(name)


@pytest.mark.parametrize(
    ("stage", "check_mode", "changed"),
    [
        ("planned", True, True),
        ("planned", False, False),
        ("started", False, False),
        ("finished", False, True),
    ],
)
def test_a_change_counts_once_when_predicted_and_once_when_done(
    entry: ModuleType, stage: str, check_mode: bool, changed: bool
) -> None:
    module = Ansible(check_mode=check_mode)

    entry._answer(module, Result(stage, (ALPHA,)))

    assert module.answer["changed"] is changed
    assert ("diff" in module.answer) is changed


def test_the_difference_is_made_only_when_asked_for(entry: ModuleType) -> None:
    module = Ansible(diff=False)

    entry._answer(module, Result("finished", (ALPHA,)))

    assert "diff" not in module.answer


def test_a_problem_fails_the_host_in_one_sentence_and_keeps_the_report(entry: ModuleType) -> None:
    module = Ansible()

    entry._answer(
        module, Result("finished", (ALPHA,), problem="transaction_failed", problem_detail="It broke.")
    )

    assert module.answer["failed"]
    assert module.answer["msg"] == "It broke."
    report = read_patch_report(module.answer["khien"])
    assert report is not None
    assert (report.problem, report.problem_detail, len(report.changes)) == (
        "transaction_failed",
        "It broke.",
        1,
    )


def test_the_controller_understands_a_full_report(entry: ModuleType) -> None:
    need = {"needed": True, "reasons": ["requested by dbus"], "services": ["ssh.service"]}
    removed = Change("kd-gone", "amd64", "1.0", "")
    new = Change("kd-new", "all", "", "1.0", "Debian")

    report = read_patch_report(
        Result("finished", (ALPHA, removed, new), ("kd-held",), ("kd-kept",), need, "run-1").report()
    )

    assert report is not None
    assert report.problem == ""
    assert [change.kind.value for change in report.changes] == ["upgrade", "remove", "install"]
    assert report.reboot is not None
    assert (report.held, report.kept_back, report.reboot.needed) == (("kd-held",), ("kd-kept",), True)
