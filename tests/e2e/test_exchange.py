"""What was found on this machine goes out in every format, and what other tools found comes in beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fluidattacks_core.sarif import SarifLog
from junitparser import JUnitXml
from oscal_bindings import AssessmentResultsDocument

from tests.e2e.test_command_line import Installation

FIXTURES = Path(__file__).parents[1] / "fixtures" / "exchange"


@pytest.fixture(scope="module")
def khien(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    installation = Installation(tmp_path_factory.mktemp("khx"))
    installation("verify", "-i", "inventory/local", expect=1)
    return installation


def test_this_machine_is_exported_with_the_counts_that_the_report_has(khien: Installation) -> None:
    counts = khien.json("host", "show", "localhost")["host"]["verdicts"]

    oscal = json.loads(khien("export", "--format", "oscal").stdout)
    AssessmentResultsDocument.model_validate(oscal)
    (result,) = oscal["assessment-results"]["results"]
    states = [finding["target"]["status"]["state"] for finding in result["findings"]]
    assert states.count("satisfied") == counts["passed"]
    assert len(states) == counts["applicable"]

    sarif = json.loads(khien("export", "--format", "sarif").stdout)
    SarifLog.model_validate(sarif)
    kinds = [one["kind"] for one in sarif["runs"][0]["results"]]
    assert kinds.count("pass") == counts["passed"]
    assert kinds.count("open") == counts["unknown"]
    assert kinds.count("notApplicable") == counts["not_applicable"]

    junit = JUnitXml.fromstring(khien("export", "--format", "junit").stdout.encode())
    assert (junit.failures, junit.errors) == (counts["failed"], counts["unknown"])
    assert junit.skipped == counts["waived"] + counts["not_applicable"]


def test_a_workbook_is_written_to_a_file(khien: Installation) -> None:
    file = khien.state / "out.xlsx"
    khien("export", "--format", "xlsx", "-o", str(file))

    assert file.read_bytes()[:2] == b"PK"


def test_results_of_other_tools_change_none_of_our_figures(khien: Installation) -> None:
    before = khien.json("host", "show", "localhost")["host"]["verdicts"]

    khien("import", str(FIXTURES / "inspec.json"), str(FIXTURES / "openscap-arf.xml"), "--host", "localhost")

    shown = khien.json("host", "show", "localhost")
    assert {one["tool"] for one in shown["imports"]} == {"InSpec", "OpenSCAP"}
    assert shown["host"]["verdicts"] == before
    assert len(khien.json("imports")["imports"]) == 2


def test_a_bad_file_is_said_on_stderr_with_its_line(khien: Installation) -> None:
    bad = khien.state / "bad.xml"
    bad.write_text("<a>\n<b>\n</a>\n")

    done = khien("import", str(bad), "--host", "localhost", expect=2)

    assert "bad.xml:3: " in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
