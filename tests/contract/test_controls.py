"""Every control is complete, known to the collector, documented, and says the same in both languages."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from pathlib import Path

import ansible.module_utils
import pytest
import yaml

from khien.adapters.controls_yaml import YamlControls
from khien.domain.control import Control
from khien.domain.expectation import OPERATORS
from khien.domain.probe_kind import PROBE_KINDS
from khien.domain.text import Bilingual
from khien.reports.controls_markdown import controls_markdown

ROOT = Path(__file__).parents[2]
CONTROLS = YamlControls(ROOT / "roles").controls()
VIETNAMESE = re.compile(
    "[ăâđêôơưàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ]", re.IGNORECASE
)


@pytest.fixture(params=CONTROLS, ids=lambda control: control.id)
def control(request: pytest.FixtureRequest) -> Control:
    one: Control = request.param
    return one


def texts(control: Control) -> dict[str, Bilingual]:
    return {
        "title": control.title,
        "rationale": control.rationale,
        "side_effects": control.side_effects,
        "way_back": control.way_back,
    }


def test_there_is_a_baseline() -> None:
    assert len(CONTROLS) >= 40


def test_both_languages_are_there_and_are_two(control: Control) -> None:
    for name, text in texts(control).items():
        assert text.en != text.vi, name
        assert VIETNAMESE.search(text.vi), name
        assert not VIETNAMESE.search(text.en), name


def test_it_is_checked_with_known_probes_and_operators(control: Control) -> None:
    assert control.checks
    for check in control.checks:
        assert check.probe.kind in PROBE_KINDS
        assert check.operator in OPERATORS


def test_it_has_references_of_the_province_and_an_own_wording(control: Control) -> None:
    assert control.references["tcvn11930"]
    assert control.references["tcvn14423"]
    assert not re.match(r"(?i)ensure\b", control.title.en), "other catalogues' titles begin so"


def test_its_role_says_what_it_does(control: Control) -> None:
    assert (ROOT / "roles" / control.role / "README.md").is_file()


def test_a_variable_that_enforces_it_exists_where_its_role_has_tasks(control: Control) -> None:
    role = ROOT / "roles" / control.role
    if control.fix_variable is None or not (role / "tasks").is_dir():
        return
    defaults = yaml.safe_load((role / "defaults" / "main.yml").read_text(encoding="utf-8"))
    assert control.fix_variable in defaults


def test_the_page_of_controls_is_up_to_date() -> None:
    page = (ROOT / "docs" / "controls.md").read_text(encoding="utf-8")

    assert page == controls_markdown(CONTROLS), "run: khien controls list --markdown > docs/controls.md"


def test_the_collector_answers_exactly_the_kinds_that_controls_may_ask() -> None:
    folder = str(ROOT / "plugins" / "module_utils")
    if folder not in ansible.module_utils.__path__:
        ansible.module_utils.__path__.append(folder)
    from ansible.module_utils.khien_probes.kinds import KINDS

    found = {kind: list(inspect.signature(answer).parameters)[1:] for kind, answer in KINDS.items()}
    assert found == {kind: list(parameters) for kind, parameters in PROBE_KINDS.items()}


# What a managed host runs: Python 3.9 and its standard library, Ansible's module_utils, and our own.
SHIPPED = sorted(
    [*(ROOT / "plugins" / "module_utils").rglob("*.py"), *(ROOT / "plugins" / "modules").glob("*.py")]
)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.name)
def test_what_runs_on_hosts_needs_nothing_but_old_python(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 9))

    for node in ast.walk(tree):
        assert not isinstance(node, ast.Match), "match came with Python 3.10"
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        for name in names:
            known = name.split(".")[0] in sys.stdlib_module_names or name.startswith("ansible.module_utils")
            assert known, name
