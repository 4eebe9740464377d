"""Looking at a machine: folders, file systems, programs and files with secrets."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from khien.adapters.config_toml import load_settings
from khien.adapters.installation import folder_facts, inspect_installation
from khien.application.installation import InstallationFacts

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def inspect(tmp_path: Path, **environ: str) -> InstallationFacts:
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", **environ}
    loaded = load_settings(environment, system_file=tmp_path / "none.toml", is_root=False)
    return inspect_installation(loaded, environment, NOW)


def test_this_very_installation_is_found(tmp_path: Path) -> None:
    facts = inspect(tmp_path)

    assert facts.python == sys.version_info[:3]
    assert facts.ansible_core.startswith("2.")
    assert facts.ansible_runner
    assert facts.missing_scripts == ()
    assert facts.known_hosts == tmp_path / ".ssh/known_hosts"
    assert facts.known_hosts_exists is False


def test_a_folder_that_does_not_exist_is_judged_by_the_nearest_that_does(tmp_path: Path) -> None:
    facts = folder_facts(tmp_path / "a" / "b")

    assert (facts.path, facts.exists, facts.is_writable) == (tmp_path / "a" / "b", False, True)
    assert facts.free_bytes > 0


def test_a_file_in_the_way_of_a_folder_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")

    assert folder_facts(tmp_path / "state").is_writable is False
    assert folder_facts(tmp_path / "state" / "deeper").is_writable is False


def test_the_rights_and_the_file_system_of_a_folder_are_seen(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)

    assert folder_facts(tmp_path).mode == 0o750
    assert folder_facts(Path("/proc/self")).filesystem == "proc"


def test_without_programs_on_the_path_no_ssh_client_is_found(tmp_path: Path) -> None:
    assert inspect(tmp_path, PATH=str(tmp_path)).ssh == ""


def test_a_program_that_fails_is_as_good_as_none(tmp_path: Path) -> None:
    false_ssh = tmp_path / "ssh"
    false_ssh.write_text("#!/bin/sh\nexit 3\n")
    false_ssh.chmod(0o755)

    assert inspect(tmp_path, PATH=f"{tmp_path}:/usr/bin:/bin").ssh == ""


def test_a_readable_file_with_a_password_is_exposed_and_a_private_one_is_not(tmp_path: Path) -> None:
    file = tmp_path / "extra.toml"
    file.write_text('store_url = "postgresql://khien:geheim@db.example.org/khien"\n')
    file.chmod(0o644)
    exposed = inspect(tmp_path, KHIEN_CONFIG=str(file)).exposed_secret_files
    file.chmod(0o600)
    private = inspect(tmp_path, KHIEN_CONFIG=str(file)).exposed_secret_files

    assert exposed == (file,)
    assert private == ()


def test_a_readable_file_without_a_password_is_nobodys_concern(tmp_path: Path) -> None:
    file = tmp_path / "extra.toml"
    file.write_text('store_url = "postgresql://khien@db.example.org/khien"\nforks = 3\n')
    file.chmod(0o644)

    assert inspect(tmp_path, KHIEN_CONFIG=str(file)).exposed_secret_files == ()
