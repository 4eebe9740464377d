"""`khien report`, `config` and `doctor` over a real store, a real inventory and real files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from khien.bootstrap import services
from khien.cli import config, doctor, report
from khien.domain.finding import Finding, Verdict
from khien.domain.observation import HostFacts, ObservationSet
from khien.domain.plan import Plan
from khien.domain.run import Run, RunId, RunOptions, RunState, Verb
from khien.errors import InputError, KhienError, UsageError
from khien.i18n import choose_language, current_language
from tests.fakes.province import HOSTILE

INVENTORY = """\
[so_y_te]
web1.example.org
web2.example.org
[so_tai_chinh]
db1.example.org
[so_y_te:vars]
khien_agency=so_y_te
[so_tai_chinh:vars]
khien_agency=so_tai_chinh
"""


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installation of its own, in English, whose one verified host is hostile."""
    (tmp_path / "hosts.ini").write_text(INVENTORY, encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("KHIEN_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("KHIEN_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("KHIEN_INVENTORY", str(tmp_path / "hosts.ini"))
    before = current_language()
    choose_language("en")
    yield tmp_path
    choose_language(before)


@pytest.fixture
def verified() -> None:
    everything = services()
    now = datetime.now(UTC) - timedelta(hours=1)
    run_id = RunId("20261123-000000-abcd")
    plan = Plan(Verb.VERIFY, RunOptions(), ("web1.example.org",), now)
    everything.runs.create_run(
        Run(run_id, Verb.VERIFY, RunState.CREATED, RunOptions(), "an", now, plan.hash), plan
    )
    findings = (
        Finding("sshd_root_login_off", Verdict.PASS, "as_expected"),
        Finding("left_the_catalogue", Verdict.FAIL, "not_as_expected", HOSTILE),
    )
    observations = ObservationSet(
        "web1.example.org", now, HostFacts("debian", "debian", "13", "=cmd|' /C calc'!A0")
    )
    everything.fleet.record_verification(run_id, observations, findings)
    everything.database.close()


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command("report")(report.report)
    app.command("doctor")(doctor.doctor)
    app.add_typer(config.app, name="config")
    result = CliRunner().invoke(app, arguments)
    if isinstance(result.exception, KhienError):
        raise result.exception
    return result


@pytest.mark.usefixtures("verified")
def test_json_on_stdout_counts_every_host_of_the_inventory() -> None:
    document = json.loads(run("report", "--json", "-").stdout)

    assert document["schema"] == "khien.report/1"
    assert document["totals"]["hosts"] == {
        "total": 3,
        "compliant": 0,
        "fresh": 1,
        "stale": 0,
        "never_verified": 2,
        "not_in_inventory": 0,
    }
    assert [agency["agency"] for agency in document["agencies"]] == ["so_tai_chinh", "so_y_te"]


@pytest.mark.usefixtures("verified")
def test_the_page_and_the_document_are_written_for_their_owner_only(tmp_path: Path) -> None:
    page, document = tmp_path / "out.html", tmp_path / "out.json"

    result = run("report", "--html", str(page), "--json", str(document))

    assert result.exit_code == 0
    assert result.stdout == ""
    assert page.stat().st_mode & 0o777 == document.stat().st_mode & 0o777 == 0o600
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.read_text(encoding="utf-8")
    assert json.loads(document.read_text(encoding="utf-8"))["schema"] == "khien.report/1"
    assert sorted(path.name for path in tmp_path.glob("*out*")) == ["out.html", "out.json"]


def test_a_page_that_was_opened_to_others_stays_so_when_it_is_written_again(tmp_path: Path) -> None:
    page = tmp_path / "out.html"
    page.write_text("old")
    page.chmod(0o644)

    run("report", "--html", str(page))

    assert page.stat().st_mode & 0o777 == 0o644
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere/out\.html cannot be written: No such file"):
        run("report", "--html", str(tmp_path / "nowhere" / "out.html"))


@pytest.mark.usefixtures("verified")
def test_without_a_file_the_figures_are_printed() -> None:
    result = run("report")

    assert "0 of 3 hosts are compliant." in result.stdout
    assert (
        "1 of 3 hosts were verified in the last 48 hours; 0 are stale, 2 were never verified."
        in result.stdout
    )
    assert "\x1b" not in result.stdout


def test_the_scope_narrows_the_hosts_and_is_named() -> None:
    by_agency = json.loads(run("report", "--agency", "so_tai_chinh", "--json", "-").stdout)
    by_pattern = json.loads(run("report", "-l", "web*", "--json", "-").stdout)

    assert (by_agency["totals"]["hosts"]["total"], by_agency["scope"]) == (1, "--agency so_tai_chinh")
    assert (by_pattern["totals"]["hosts"]["total"], by_pattern["scope"]) == (2, "--limit web*")


def test_another_inventory_brings_its_own_hosts(tmp_path: Path) -> None:
    (tmp_path / "other.ini").write_text("mail1.example.org\n")

    document = json.loads(run("report", "-i", str(tmp_path / "other.ini"), "--json", "-").stdout)

    assert [host["name"] for host in document["hosts"]] == ["mail1.example.org"]
    assert document["hosts"][0]["in_inventory"] is True


def test_an_unknown_agency_is_answered_with_the_known_ones() -> None:
    with pytest.raises(
        UsageError, match=r"No host is of the agency so_yte\. Known are: so_tai_chinh, so_y_te\."
    ):
        run("report", "--agency", "so_yte")


def test_config_show_says_where_each_value_comes_from(installation: Path) -> None:
    file = installation / ".config/khien/khien.toml"
    file.parent.mkdir(parents=True)
    file.write_text('forks = 9\nstore_url = "postgresql://khien:geheim@db.example.org/khien"\n')
    file.chmod(0o600)

    shown = run("config", "show")
    document = json.loads(run("config", "show", "--json").stdout)

    assert "geheim" not in shown.stdout + json.dumps(document)
    assert document["schema"] == "khien.config/1"
    assert document["settings"]["forks"] == {"value": 9, "origin": f"{file}:1", "variable": "KHIEN_FORKS"}
    assert document["settings"]["store_url"]["value"] == "postgresql://khien:***@db.example.org/khien"
    assert document["settings"]["state_dir"]["origin"] == "environment KHIEN_STATE_DIR"
    assert document["settings"]["language"]["variable"] == "KHIEN_LANG"


def test_config_check_names_what_is_wrong_and_what_is_not_used(
    installation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KHIEN_FROKS", "3")
    fine = run("config", "check")
    file = installation / ".config/khien/khien.toml"
    file.parent.mkdir(parents=True)
    file.write_text("\nforks = 0\n")
    file.chmod(0o600)

    assert fine.exit_code == 0
    assert "KHIEN_FROKS names no setting" in fine.stderr
    with pytest.raises(InputError, match=r"khien\.toml:2: “forks” must be"):
        run("config", "check")


@pytest.mark.usefixtures("verified")
def test_doctor_looks_at_everything_and_tells_by_its_exit_code() -> None:
    result = run("doctor", "--json")

    document = json.loads(result.stdout)
    by_id = {check["id"]: check for check in document["checks"]}
    assert document["schema"] == "khien.doctor/1"
    assert by_id["store"]["text"] == "The store opens and its schema is current."
    assert by_id["inventory"]["text"] == "The inventory holds 3 hosts."
    assert (document["healthy"], result.exit_code) == (
        all(check["health"] != "problem" for check in document["checks"]),
        0 if document["healthy"] else 5,
    )


def test_doctor_finds_the_private_files_of_a_dead_run(installation: Path) -> None:
    services().database.close()
    leftover = installation / "runtime" / "20261122-x"
    leftover.mkdir(parents=True, mode=0o700)

    result = run("doctor")

    assert result.exit_code == 5
    assert "A run that died left private files" in result.stdout


def test_doctor_passes_on_what_the_inventory_complains_of_and_goes_on(installation: Path) -> None:
    (installation / "hosts.ini").write_text("[broken\n")

    result = run("doctor", "--json")

    by_id = {check["id"]: check for check in json.loads(result.stdout)["checks"]}
    assert result.exit_code == 5
    assert by_id["inventory"]["health"] == "problem"
    assert "hosts.ini" in by_id["inventory"]["text"]
    assert by_id["clock"]["text"]


def test_doctor_makes_no_store_where_there_is_none(installation: Path) -> None:
    result = run("doctor", "--json")

    by_id = {check["id"]: check for check in json.loads(result.stdout)["checks"]}
    assert by_id["store"]["text"] == "There is no store yet; the first run makes it."
    assert not (installation / "state" / "khien.db").exists()


def test_the_state_folder_is_private_whatever_makes_it_first(installation: Path) -> None:
    run("report", "--json", "-")

    assert (installation / "state").stat().st_mode & 0o777 == 0o700
