"""Recorded hosts of three families are collected and judged as a person who reads their files would."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.khien_probes.collect import SCHEMA, collect
from ansible.module_utils.khien_probes.facts import host_facts
from recorded_host import NOW, load_host

from khien.adapters.controls_yaml import YamlControls, compile_probes
from khien.adapters.levels_yaml import load_levels
from khien.adapters.observations_json import read_observations
from khien.domain.evaluate import evaluate
from khien.domain.finding import Finding, Verdict
from khien.domain.host import HostRole

ROOT = Path(__file__).parents[2]
HOSTS = sorted((ROOT / "tests" / "fixtures" / "hosts").glob("*.yml"))
LEVELS = load_levels(ROOT / "compliance" / "levels.yml")
CONTROLS = LEVELS.with_values(YamlControls(ROOT / "roles").controls(), 3, HostRole.SERVER)
# Their answer depends on who unpacks the recorded host.
OWNED_BY_ROOT = {
    "account_dot_files_protected",
    "account_homes_exist",
    "banner_files_protected",
    "cron_folders_protected",
    "cron_jobs_protected",
    "cron_lists_protected",
    "cron_protected",
    "cron_spool_protected",
    "cron_tables_protected",
    "filesystem_account_files_protected",
    "filesystem_boot_menu_protected",
    "filesystem_kernel_files_private",
    "filesystem_log_folder_protected",
    "filesystem_old_passwords_protected",
    "filesystem_password_files_protected",
    "filesystem_program_folders_protected",
    "filesystem_shell_list_protected",
    "filesystem_unit_files_protected",
    "filesystem_unowned_none",
    "sshd_files_protected",
    "sshd_public_keys_protected",
    "sudo_files_protected",
}


def findings(
    file: Path, root: Path, *, privileged: bool = True
) -> tuple[dict[str, Finding], dict[str, object]]:
    machine, recorded = load_host(file, root, privileged=privileged)
    answer = {
        "schema": SCHEMA,
        "observations": collect(machine, compile_probes(CONTROLS), 60),
        "facts": host_facts(machine),
    }
    seen = read_observations("web-01", answer, datetime.fromtimestamp(NOW, UTC))
    assert seen is not None
    return {finding.control_id: finding for finding in evaluate(CONTROLS, seen)}, {
        **recorded,
        "seen": answer["facts"],
    }


@pytest.mark.parametrize("file", HOSTS, ids=lambda file: file.stem)
def test_every_control_is_judged_as_written_down(file: Path, tmp_path: Path) -> None:
    judged, recorded = findings(file, tmp_path)

    expected = {control: verdict for verdict, ids in recorded["verdicts"].items() for control in ids.split()}
    found = {control: str(judged[control].verdict) for control in expected if control in judged}
    if os.geteuid() != 0:
        found |= {control: expected[control] for control in OWNED_BY_ROOT & expected.keys()}
    assert found == expected
    assert recorded["facts"].items() <= recorded["seen"].items()


@pytest.mark.parametrize("file", HOSTS, ids=lambda file: file.stem)
def test_without_root_nothing_passes_that_only_root_could_know(file: Path, tmp_path: Path) -> None:
    as_root, _ = findings(file, tmp_path / "root")
    as_user, _ = findings(file, tmp_path / "user", privileged=False)

    asking_root = {"firewall_on", "sshd_root_login_off", "patch_no_restart_pending"} & _named(file)
    assert {as_user[control].verdict for control in asking_root} <= {Verdict.UNKNOWN}
    assert {as_user[control].reason for control in asking_root} <= {"needs_root"}
    changed = {c for c in as_root if as_user[c].verdict is not as_root[c].verdict}
    assert {as_user[control].verdict for control in changed} == {Verdict.UNKNOWN}


def test_every_control_is_judged_on_some_recorded_host() -> None:
    """A recording may be about a few roles only; together they are about every control."""
    assert {control.id for control in CONTROLS} <= set().union(*map(_named, HOSTS))


def _named(file: Path) -> set[str]:
    verdicts = yaml.safe_load(file.read_text(encoding="utf-8"))["verdicts"]
    return {control for ids in verdicts.values() for control in ids.split()}
