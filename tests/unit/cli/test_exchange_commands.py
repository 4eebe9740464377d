"""`khien export`, `khien import` and `khien imports` over a real store, a real inventory and real files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import Result
from typer.testing import CliRunner

from khien.bootstrap import services
from khien.cli.app import app
from khien.domain.finding import Finding, Verdict, VerdictCounts
from khien.domain.observation import HostFacts, ObservationSet
from khien.domain.plan import Plan
from khien.domain.run import Run, RunId, RunOptions, RunState, Verb
from khien.errors import InputError, KhienError, UsageError
from khien.i18n import choose_language, current_language
from tests.fakes.province import HOSTILE

FIXTURES = Path(__file__).parents[2] / "fixtures" / "exchange"
RUN = RunId("20261123-000000-abcd")
HOST = "web1.example.org"


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installation of its own, in English, with one verified host of three."""
    (tmp_path / "hosts.ini").write_text("web1.example.org\nweb2.example.org\ndb1.example.org\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("KHIEN_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("KHIEN_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("KHIEN_INVENTORY", str(tmp_path / "hosts.ini"))
    before = current_language()
    choose_language("en")
    everything = services()
    at = datetime.now(UTC) - timedelta(hours=1)
    plan = Plan(Verb.VERIFY, RunOptions(), (HOST,), at)
    everything.runs.create_run(
        Run(RUN, Verb.VERIFY, RunState.CREATED, RunOptions(), "an", at, plan.hash), plan
    )
    findings = (
        Finding("shadow_file_permissions", Verdict.FAIL, "not_as_expected", HOSTILE),
        Finding("left_the_catalogue", Verdict.PASS, "as_expected", "=1+1"),
    )
    observations = ObservationSet(HOST, at, HostFacts("debian", "debian", "13"))
    everything.fleet.record_verification(RUN, observations, findings)
    everything.database.close()
    yield tmp_path
    choose_language(before)


def khien(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, KhienError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def document(*arguments: str | Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(khien(*arguments, "--json").stdout)
    return value


class TestExport:
    @pytest.mark.parametrize("format_name", ["oscal", "sarif", "junit", "csv", "xlsx"])
    def test_every_format_is_written_for_its_owner_only_and_names_every_host(
        self, tmp_path: Path, format_name: str
    ) -> None:
        file = tmp_path / "out"

        result = khien("export", "--format", format_name, "-o", file)

        assert result.stdout == ""
        assert "3 hosts exported: 1 verified lately, 0 stale, 2 never verified." in result.stderr
        assert file.stat().st_mode & 0o777 == 0o600
        if format_name == "xlsx":
            rows = openpyxl.load_workbook(io.BytesIO(file.read_bytes()))["hosts"].iter_rows(
                min_row=2, values_only=True
            )
            assert {row[0] for row in rows} == {HOST, "web2.example.org", "db1.example.org"}
        else:
            text = file.read_text(encoding="utf-8")
            assert all(name in text for name in (HOST, "web2.example.org", "db1.example.org"))
            assert "\x1b" not in text
            assert "\u202e" not in text

    def test_without_a_file_the_document_alone_is_on_stdout(self) -> None:
        rows = list(csv.DictReader(io.StringIO(khien("export", "--format", "csv", "-l", "web*").stdout)))

        assert [(row["host"], row["verdict"]) for row in rows] == [
            (HOST, "pass"),
            (HOST, "fail"),
            ("web2.example.org", "never_verified"),
        ]
        assert rows[0]["run"] == RUN
        assert rows[0]["detail"] == "'=1+1"

    def test_wrong_use_is_said(self) -> None:
        with pytest.raises(UsageError, match="--format takes one of: oscal, sarif, junit, csv, xlsx"):
            khien("export", "--format", "pdf")
        with pytest.raises(UsageError, match="--bom is for --format csv only"):
            khien("export", "--format", "sarif", "--bom")


class TestImport:
    def test_results_stand_beside_ours_and_count_in_none_of_our_figures(self) -> None:
        before = services().console.host(HOST).status.counts

        done = document("import", FIXTURES / "openscap-xccdf.xml", FIXTURES / "lynis-report.dat")

        assert [(one["host"], one["tool"]) for one in done["added"]] == [(HOST, "OpenSCAP"), (HOST, "Lynis")]
        assert done["added"][0]["said"] == {
            "passed": 17, "failed": 1, "waived": 0, "not_applicable": 26,
            "unknown": 0, "not_assessed": 5, "applicable": 18,
        }  # fmt: skip
        after = services().console.host(HOST)
        assert after.status.counts == before == VerdictCounts(passed=1, failed=1)
        assert len(after.findings) == 2

    def test_the_host_shows_where_ours_and_theirs_differ(self) -> None:
        ids = {
            control.id
            for control in services().catalogue.controls()
            if "file_permissions_etc_shadow" in control.references.get("ssg", ())
        }
        khien("import", FIXTURES / "openscap-xccdf.xml")

        shown = document("host", "show", HOST)
        printed = khien("host", "show", HOST).stdout

        (imported,) = shown["imports"]
        rows = [row for row in imported["compared"] if row["rule"] == "file_permissions_etc_shadow"]
        assert {row["control"] for row in rows} == ids != set()
        assert {row["theirs"] for row in rows} == {"pass"}
        assert "OpenSCAP 1.3.7 · standard · DEBIAN-11 0.1.65 · collected" in printed
        assert "17 of 18 rules passed, 1 failed, 26 not applicable, 5 not assessed" in printed

    def test_the_same_file_is_not_brought_in_twice(self) -> None:
        file = FIXTURES / "openscap-arf.xml"
        khien("import", file)

        again = document("import", file, file)

        assert again["added"] == []
        assert {one["id"] for one in again["already_there"]} == {1}
        assert len(document("imports")["imports"]) == 1

    def test_nothing_is_kept_when_one_file_is_unusable(self, tmp_path: Path) -> None:
        (tmp_path / "bad.xml").write_text("<a>\n<b></a>")

        with pytest.raises(InputError, match=r"bad\.xml:2: this is not well-formed XML"):
            khien("import", FIXTURES / "openscap-xccdf.xml", tmp_path / "bad.xml")

        assert document("imports")["imports"] == []

    def test_a_file_that_names_no_host_wants_one_named(self) -> None:
        with pytest.raises(InputError, match=r"inspec\.json: .*name it with --host"):
            khien("import", FIXTURES / "inspec.json")
        with pytest.raises(UsageError, match=r"nowhere is no host of the inventory"):
            khien("import", FIXTURES / "inspec.json", "--host", "nowhere")

        assert document("import", FIXTURES / "inspec.json", "--host", HOST)["added"][0]["tool"] == "InSpec"

    def test_a_machine_that_is_no_host_of_ours_is_refused(self, tmp_path: Path) -> None:
        text = (FIXTURES / "lynis-report.dat").read_text().replace("hostname=web1", "hostname=\x1b[31mmail7")
        (tmp_path / "r.dat").write_text(text)

        with pytest.raises(InputError, match="it is about mail7, which is no host of the inventory"):
            khien("import", tmp_path / "r.dat")

    def test_results_from_the_future_are_refused(self, tmp_path: Path) -> None:
        text = (FIXTURES / "openscap-xccdf.xml").read_text().replace('end-time="2026', 'end-time="2226')
        (tmp_path / "r.xml").write_text(text)

        with pytest.raises(InputError, match="one of the clocks is wrong"):
            khien("import", tmp_path / "r.xml")

    def test_the_list_says_origin_and_age_and_an_import_can_be_forgotten(self) -> None:
        khien("import", FIXTURES / "lynis-report.dat")

        listed = khien("imports", "-l", "web1*").stdout
        assert "Lynis 3.0.8" in listed
        assert "(zone assumed)" in listed
        assert " ago" in listed

        assert "Import 1 (Lynis, web1.example.org) was removed." in khien("imports", "--forget", "1").stderr
        assert document("imports")["imports"] == []
        with pytest.raises(UsageError, match="There is no import 1"):
            khien("imports", "--forget", "1")

    def test_hostile_words_reach_neither_screen_nor_document(self, tmp_path: Path) -> None:
        text = (FIXTURES / "inspec.json").read_text()
        value = json.loads(text)
        value["profiles"][0]["name"] = HOSTILE
        value["profiles"][0]["controls"][0]["title"] = HOSTILE
        value["version"] = "[bold]=1\u202e"
        (tmp_path / "r.json").write_text(json.dumps(value))
        khien("import", tmp_path / "r.json", "--host", HOST)

        for said in (
            khien("imports").stdout,
            khien("host", "show", HOST).stdout,
            khien("imports", "--json").stdout,
            khien("host", "show", HOST).stdout,
        ):
            assert not set(said) & {"\x1b", "\u202e", "\x00", "\x9b"}
        assert "[bold]" in khien("imports").stdout  # shown as it is, never taken for markup
