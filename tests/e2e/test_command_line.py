"""The command as people and scripts call it, verifying this machine read-only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
KHIEN = Path(sys.executable).with_name("khien")


class Installation:
    """A state of its own, so that tests see nothing of each other or of the person's own."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("KHIEN_")},
            "KHIEN_STATE_DIR": str(state),
            "KHIEN_RUNTIME_DIR": str(state / "run"),
            "XDG_CONFIG_HOME": str(state / "config"),
            "LANG": "C.UTF-8",
        }

    def __call__(self, *arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [KHIEN, *arguments],
            check=False,
            capture_output=True,
            text=True,
            env=self.environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == expect, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *arguments: str, expect: int = 0) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self(*arguments, "--json", expect=expect).stdout)
        return document


@pytest.fixture(scope="module")
def khien() -> Iterator[Installation]:
    with tempfile.TemporaryDirectory(prefix="khe") as folder:
        yield Installation(Path(folder))


@pytest.fixture(scope="module")
def verified(khien: Installation) -> dict[str, Any]:
    """This machine, verified once; no test machine is without findings."""
    return khien.json("verify", "-i", "inventory/local", expect=1)


def test_verifying_this_machine_gives_a_run_with_its_denominators(verified: dict[str, Any]) -> None:
    assert verified["schema"] == "khien.run/1"
    assert verified["run"]["state"] == "finished"
    assert (verified["run"]["hosts"]["ok"], verified["run"]["hosts_total"]) == (1, 1)
    (host,) = verified["hosts"]
    counts = host["verdicts"]
    assert counts["applicable"] == sum(counts[k] for k in ("passed", "failed", "waived", "unknown"))
    assert counts["applicable"] > 20


def test_the_host_shows_each_finding_with_its_evidence(khien: Installation, verified: dict[str, Any]) -> None:
    host = khien.json("host", "show", "localhost")

    judged = [f for f in host["findings"] if f["verdict"] in ("pass", "fail")]
    assert judged
    assert all(finding["evidence"] for finding in judged)
    assert {o["answer"] for f in judged for o in f["evidence"]} == {"answered"}
    assert host["history"][0]["run"] == verified["run"]["id"]
    assert "localhost" in khien("host", "show", "localhost").stdout


def test_runs_are_listed_shown_and_logged(khien: Installation, verified: dict[str, Any]) -> None:
    run = verified["run"]["id"]

    assert run in {entry["id"] for entry in khien.json("runs")["runs"]}
    assert khien.json("run", "show", run[:17])["run"]["id"] == run
    log = khien.json("run", "log", run)
    assert [(line["host"], line["status"]) for line in log["lines"]] == [("localhost", "ok")]


def test_a_run_leaves_neither_process_nor_file_of_ansible_behind(
    khien: Installation, verified: dict[str, Any]
) -> None:
    assert list((khien.state / "run").iterdir()) == []
    names = {path.name for path in khien.state.rglob("*") if path.is_file()}
    assert not any("event" in name or name in ("command", "envvars", "extravars") for name in names)
    assert all(path.stat().st_size == 0 for path in (khien.state / "logs").iterdir())


def test_secrets_of_the_caller_reach_nothing_that_is_kept(khien: Installation) -> None:
    canary = "canary-4711-never-keep"
    environment = {**khien.environment, "SOME_TOKEN": canary}
    subprocess.run(
        [KHIEN, "verify", "-i", "inventory/local"],
        env=environment,
        cwd=ROOT,
        check=False,
        capture_output=True,
    )

    kept = [path for path in khien.state.rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if canary.encode() in path.read_bytes()]


def test_a_detached_run_can_be_attached_to(khien: Installation) -> None:
    started = khien.json("verify", "-i", "inventory/local", "--detach")

    attached = khien.json("run", "attach", started["run"]["id"], expect=1)

    assert attached["run"]["state"] == "finished"


def test_a_plan_is_printed_with_its_hash_and_starts_nothing(khien: Installation) -> None:
    before = len(khien.json("runs")["runs"])

    plan = khien.json("patch", "-i", "inventory/local", "--plan")

    assert (plan["schema"], plan["hosts"], len(plan["hash"])) == ("khien.plan/1", ["localhost"], 64)
    assert len(khien.json("runs")["runs"]) == before


def test_changing_hosts_needs_a_yes(khien: Installation) -> None:
    refused = khien("patch", "-i", "inventory/local", expect=4)

    assert "localhost" in refused.stderr
    assert refused.stdout == ""


def test_a_read_only_installation_changes_nothing(khien: Installation) -> None:
    environment = {**khien.environment, "KHIEN_READ_ONLY": "true"}
    done = subprocess.run(
        [KHIEN, "patch", "-i", "inventory/local", "--yes"],
        env=environment,
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, "read-only" in done.stderr) == (4, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "-i", "inventory/local", "-l", "no_such_host"),
        ("verify", "-i", "no/such/inventory"),
        ("host", "show", "nowhere"),
        ("run", "show", "nothing"),
        ("run", "retry", "nothing"),
        ("--lang", "xx", "hosts"),
        ("no-such-command",),
    ],
)
def test_wrong_use_is_said_on_stderr_with_exit_code_2(
    khien: Installation, arguments: tuple[str, ...]
) -> None:
    done = khien(*arguments, expect=2)

    assert done.stderr.strip()
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_run_without_anything_to_retry_says_so(khien: Installation, verified: dict[str, Any]) -> None:
    done = khien("run", "retry", verified["run"]["id"], expect=2)

    assert "No host" in done.stderr


def test_the_report_is_a_page_of_its_own(khien: Installation, verified: dict[str, Any]) -> None:
    page = khien.state / "page.html"
    khien("report", "--html", str(page))

    text = page.read_text()
    assert "localhost" in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "<script" not in text
    document = json.loads(khien("report", "--json", "-").stdout)
    assert document["schema"] == "khien.report/1"


def test_verifying_changes_nothing_on_the_machine(khien: Installation) -> None:
    watched = [Path("/etc"), Path("/var/lib/dpkg"), Path("/var/lib/apt"), Path("/var/cache/apt")]

    def picture() -> dict[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        for top in watched:
            for path in top.rglob("*"):
                try:
                    status = path.lstat()
                except OSError:
                    continue
                found[str(path)] = (status.st_mtime_ns, status.st_size)
        return found

    before = picture()
    khien("verify", "-i", "inventory/local", expect=1)

    assert picture() == before


def test_both_spellings_of_the_version_agree(khien: Installation) -> None:
    assert khien("--version").stdout == khien("--lang", "en", "--version").stdout
