"""Files of OpenSCAP, Lynis and InSpec: what they say, honestly; what they must not do."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest

from khien.adapters.foreign import ForeignResults
from khien.domain.imported import ForeignReport, ImportedResult, Said, SaidCounts
from khien.errors import InputError, UsageError

FIXTURES = Path(__file__).parents[3] / "fixtures" / "exchange"
XCCDF = "http://checklists.nist.gov/xccdf/1.2"


def read(path: Path, format_name: str = "auto") -> ForeignReport:
    (report,) = ForeignResults().read(path, format_name).reports
    return report


def said(report: ForeignReport) -> dict[str, ImportedResult]:
    return {result.rule: result for result in report.results}


def a_result(words: str, *, attributes: str = 'end-time="2026-11-20T08:00:00+07:00"') -> str:
    return f'<TestResult xmlns="{XCCDF}" id="r" {attributes}>{words}</TestResult>'


def rule(word: str, name: str = "xccdf_org.example_rule_a") -> str:
    return f'<rule-result idref="{name}"><result>{word}</result></rule-result>'


class TestOpenScap:
    def test_a_recorded_xccdf_is_read_with_its_origin(self) -> None:
        report = read(FIXTURES / "openscap-xccdf.xml")

        assert (report.tool, report.tool_version) == ("OpenSCAP", "1.3.7")
        assert (report.profile, report.benchmark) == ("standard", "DEBIAN-11 0.1.65")
        assert (report.target, report.score) == ("web1", "75.000000")
        assert report.collected_at == datetime(2026, 11, 25, 2, 28, 35, tzinfo=UTC)
        assert SaidCounts.of(report.results) == SaidCounts(17, 1, 0, 26, 0, 5)
        assert said(report)["file_permissions_etc_shadow"].said is Said.PASS

    def test_a_recorded_arf_says_the_same_of_its_rules(self) -> None:
        whole, part = read(FIXTURES / "openscap-xccdf.xml"), read(FIXTURES / "openscap-arf.xml")

        assert part.results
        assert all(said(whole)[name].said is result.said for name, result in said(part).items())
        assert (part.tool, part.target) == (whole.tool, whole.target)

    @pytest.mark.parametrize(
        ("word", "meaning"),
        [
            ("pass", Said.PASS),
            ("fixed", Said.PASS),
            ("fail", Said.FAIL),
            ("notapplicable", Said.NOT_APPLICABLE),
            ("error", Said.UNKNOWN),
            ("unknown", Said.UNKNOWN),
            ("notchecked", Said.UNKNOWN),
            ("notselected", Said.NOT_ASSESSED),
            ("informational", Said.NOT_ASSESSED),
        ],
    )
    def test_each_word_of_the_format_has_its_meaning(self, tmp_path: Path, word: str, meaning: Said) -> None:
        (tmp_path / "r.xml").write_text(a_result(rule(word)))

        (result,) = read(tmp_path / "r.xml").results

        assert (result.rule, result.said, result.word) == ("a", meaning, word)

    def test_several_results_in_one_file_are_several_reports(self, tmp_path: Path) -> None:
        one = a_result("<target>a</target>" + rule("pass"))
        two = a_result("<target>b</target>" + rule("fail"))
        (tmp_path / "r.xml").write_text(f"<all>{one}{two}</all>")

        reports = ForeignResults().read(tmp_path / "r.xml", "auto").reports

        assert [(report.target, report.results[0].said) for report in reports] == [
            ("a", "pass"),
            ("b", "fail"),
        ]

    def test_a_large_arf_is_read_as_a_stream(self, tmp_path: Path) -> None:
        unwanted = '<Rule xmlns="x" id="r"><description>' + "words " * 150 + "</description></Rule>\n"
        with (tmp_path / "arf.xml").open("w") as file:
            file.write("<arf>")
            file.writelines(unwanted for _ in range(8192))
            file.write(a_result(rule("pass")) + "</arf>")

        tracemalloc.start()
        try:
            report = read(tmp_path / "arf.xml")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

        assert report.results[0].said is Said.PASS
        assert peak < (tmp_path / "arf.xml").stat().st_size / 4

    @pytest.mark.parametrize(
        ("text", "line", "words"),
        [
            ("<a>\n<b>\n</a>", 3, "not well-formed"),
            ("<a/>", None, "no TestResult"),
            (f'<TestResult xmlns="{XCCDF}" end-time="2026-11-20T08:00:00Z"/>', 1, "no rule-result"),
            (a_result(rule("pass"), attributes=""), 1, "no end-time"),
            (a_result(rule("pass"), attributes='end-time="lately"'), 1, "no end-time"),
            ("<a>\n" + a_result("\n" + rule("perfect")) + "</a>", 3, "“perfect”"),
            (a_result("\n\n<rule-result><result>pass</result></rule-result>"), 3, "no idref"),
            (a_result("<rule-result idref='x'/>"), 1, "XCCDF does not know"),
        ],
    )
    def test_what_cannot_be_used_is_named_with_its_line(
        self, tmp_path: Path, text: str, line: int | None, words: str
    ) -> None:
        (tmp_path / "r.xml").write_text(text)

        with pytest.raises(InputError, match=words) as caught:
            read(tmp_path / "r.xml")

        assert (caught.value.path.name, caught.value.line) == ("r.xml", line)

    @pytest.mark.parametrize(
        "head",
        [
            '<!DOCTYPE a [<!ENTITY x "y">]>',
            '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
            '<!DOCTYPE a SYSTEM "http://example.org/a.dtd">',
            '<!DOCTYPE a [<!ENTITY l "lol"><!ENTITY m "&l;&l;&l;&l;&l;&l;&l;&l;">]>',
        ],
    )
    def test_document_types_and_entities_are_refused(self, tmp_path: Path, head: str) -> None:
        (tmp_path / "r.xml").write_text(f'<?xml version="1.0"?>\n{head}<a>{a_result(rule("pass"))}</a>')

        with pytest.raises(InputError, match="document type or entities"):
            read(tmp_path / "r.xml")


class TestLynis:
    def test_a_recorded_report_is_read_with_its_origin(self) -> None:
        report = read(FIXTURES / "lynis-report.dat")

        assert (report.tool, report.tool_version, report.target) == ("Lynis", "3.0.8", "web1")
        assert (report.score, report.profile) == ("57", "all")
        assert report.zone_assumed

    def test_it_never_says_that_something_passed(self) -> None:
        report = read(FIXTURES / "lynis-report.dat")
        counts = SaidCounts.of(report.results)

        assert (counts.passed, counts.unknown) == (0, 0)
        assert counts.failed == 12
        assert said(report)["PKGS-7392"].word == "warning"
        assert said(report)["KRNL-5820"].word == "suggestion"
        assert {r.word for r in report.results if r.said is Said.NOT_ASSESSED} == {
            "executed",
            "skipped",
            "suggestion",
        }
        assert said(report)["LYNIS"].said is Said.NOT_ASSESSED

    @pytest.mark.parametrize(
        ("text", "line", "words"),
        [
            ("# Lynis Report\nlynis_version=3\nno equals sign\n", 3, "key=value"),
            ("# Lynis Report\nlynis_version=3\nwarning[]=x y|z|-|-|\n", 3, "no id of a test"),
            ("# Lynis Report\nlynis_version=3\n", None, "did not reach its end"),
            ("# Lynis Report\nos=Linux\n", None, "no lynis_version"),
            ("# Lynis Report\nlynis_version=" + "3" * 300_000, 2, "too long"),
        ],
    )
    def test_what_cannot_be_used_is_named_with_its_line(
        self, tmp_path: Path, text: str, line: int | None, words: str
    ) -> None:
        (tmp_path / "r.dat").write_text(text)

        with pytest.raises(InputError, match=words) as caught:
            read(tmp_path / "r.dat")

        assert caught.value.line == line


class TestInSpec:
    def test_each_control_is_judged_by_all_its_results(self) -> None:
        report = read(FIXTURES / "inspec.json")

        assert {name: (result.said, result.word) for name, result in said(report).items()} == {
            "os-passed": (Said.PASS, "passed"),
            "os-failed": (Said.FAIL, "failed"),
            "os-skipped": (Said.UNKNOWN, "skipped"),
            "os-error": (Said.UNKNOWN, "error"),
            "os-waived": (Said.WAIVED, "waived"),
            "os-waiver-expired": (Said.FAIL, "failed"),
            "os-silent": (Said.UNKNOWN, "no results"),
        }
        assert said(report)["os-waived"].detail.startswith("until the new server")
        assert said(report)["os-failed"].identifiers == ("RHEL-09-255045",)

    def test_its_moment_is_that_of_the_last_result_and_it_names_no_machine(self) -> None:
        report = read(FIXTURES / "inspec.json")

        assert report.collected_at == datetime(2026, 11, 20, 1, 0, 3, tzinfo=UTC)
        assert (report.target, report.zone_assumed) == ("", False)
        assert (report.tool_version, report.benchmark) == ("5.22.36", "linux-baseline 2.9.0")

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ('{\n"version": }', "not well-formed JSON"),
            ('{"version": "5"}', "profiles: Field required"),
            ('{"version": "5", "profiles": []}', "profiles"),
            (
                '{"version": "5", "profiles": [{"name": "p", "controls": [{}]}]}',
                r"profiles\.0\.controls\.0\.id",
            ),
            ('{"version": "5", "profiles": [{"name": "p", "controls": [{"id": "a"}]}]}', "no control in it"),
            ("[" * 100_000, "nested too deeply"),
            ("\xff", "UTF-8"),
        ],
    )
    def test_what_cannot_be_used_is_named(self, tmp_path: Path, text: str, words: str) -> None:
        (tmp_path / "r.json").write_bytes(text.encode("latin-1"))

        with pytest.raises(InputError, match=words):
            read(tmp_path / "r.json", "inspec")

    def test_a_status_that_inspec_does_not_know_is_named_with_its_place(self, tmp_path: Path) -> None:
        document = json.loads((FIXTURES / "inspec.json").read_text())
        document["profiles"][0]["controls"][1]["results"][0]["status"] = "great"
        (tmp_path / "r.json").write_text(json.dumps(document))

        with pytest.raises(InputError, match=r"profiles\.0\.controls\.1: the status is “great”"):
            read(tmp_path / "r.json")


def test_the_file_is_fingerprinted() -> None:
    path = FIXTURES / "lynis-report.dat"

    assert ForeignResults().read(path, "auto").sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_of_no_known_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear sir or madam\n")

    with pytest.raises(InputError, match=r"letter\.txt: this is no result of OpenSCAP"):
        read(tmp_path / "letter.txt")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.xml: cannot be read: No such file"):
        read(tmp_path / "nowhere.xml")


def test_a_format_that_we_do_not_know_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--format takes one of: auto, openscap, lynis, inspec"):
        ForeignResults().read(tmp_path / "x", "nessus")
