"""Reading inventory files word by word, each problem with its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from khien.adapters.inventory_files import InventoryFiles
from khien.application.check_inventory import Severity, SourceContents
from khien.errors import UsageError

CASES = sorted((Path(__file__).parents[2] / "fixtures" / "inventory" / "check").glob("*"))


def read(folder: Path) -> SourceContents:
    return InventoryFiles().read([str(folder)])


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_problem_is_found_at_its_line(case: Path) -> None:
    expected = yaml.safe_load((case / "expected.yml").read_text(encoding="utf-8"))

    contents = read(case / "inventory")

    found = [
        [
            str(p.place.path.relative_to(case / "inventory")) if p.place else None,
            p.place.line if p.place else None,
            p.severity.value,
            p.message,
        ]
        for p in contents.problems
    ]
    wanted = [[e["file"], e["line"], e.get("severity", "error")] for e in expected]
    assert sorted(f[:3] for f in found) == sorted(wanted), found
    for entry in expected:
        assert any(f[:2] == [entry["file"], entry["line"]] and entry["says"] in f[3] for f in found), (
            entry,
            found,
        )


def test_there_are_cases() -> None:
    assert len(CASES) >= 5


@pytest.mark.parametrize(
    "text",
    [
        "all:\n  hosts:\n    a: {ansible_password: hunter2}\n",
        "all:\n  vars:\n    ansible_become_password: hunter2\n",
        "all:\n  hosts:\n    a: {ansible_ssh_pass: 0hunter2}\n",
        "all:\n  hosts:\n    a: {ansible_winrm_password: !unsafe 'hunter2{{'}\n",
    ],
)
def test_a_password_in_clear_text_is_named_by_its_line_and_never_printed(text: str, tmp_path: Path) -> None:
    write(tmp_path, "hosts.yml", text)

    (problem,) = read(tmp_path).problems

    assert problem.place is not None
    assert problem.place.line == 3
    assert "clear text" in problem.message
    assert "hunter2" not in problem.message


@pytest.mark.parametrize(
    "value",
    [
        "!vault |\n        $ANSIBLE_VAULT;1.1;AES256\n        6162",
        '"{{ vault_password }}"',
        '""',
    ],
)
def test_a_vaulted_or_looked_up_password_is_fine(value: str, tmp_path: Path) -> None:
    write(tmp_path, "hosts.yml", f"all:\n  hosts:\n    a:\n      ansible_password: {value}\n")

    assert read(tmp_path).problems == ()


def test_what_only_ansible_can_read_is_said_and_not_judged(tmp_path: Path) -> None:
    script = write(tmp_path, "dynamic.sh", "#!/bin/sh\n")
    script.chmod(0o755)
    plugin = write(tmp_path, "z.yml", "plugin: constructed\n")
    vaulted = write(tmp_path, "group_vars/all.yml", "$ANSIBLE_VAULT;1.1;AES256\n6162\n")

    contents = read(tmp_path)

    assert set(contents.not_read) == {script, plugin, vaulted}
    assert contents.problems == ()


def test_a_host_that_is_defined_twice_with_two_addresses_names_both_places(tmp_path: Path) -> None:
    first = write(tmp_path, "a.yml", "all:\n  hosts:\n    web1:\n      ansible_host: 198.18.0.1\n")
    write(tmp_path, "b.yml", "all:\n  hosts:\n    web1:\n      ansible_host: 198.18.0.2\n")

    (problem,) = read(tmp_path).problems

    assert str(problem.place) == f"{tmp_path / 'b.yml'}:4"
    assert f"{first}:4" in problem.message


def test_ranges_stand_for_every_host(tmp_path: Path) -> None:
    write(tmp_path, "hosts", "[web]\nweb[08:11].example.org\ndb-[a:c]:2222\n")

    contents = read(tmp_path)

    assert [host.name for host in contents.hosts] == [
        *(f"web{n:02}.example.org" for n in range(8, 12)),
        *("db-a", "db-b", "db-c"),
    ]
    assert {v.value for v in contents.variables if v.name == "ansible_port"} == {"2222"}


def test_an_address_of_version_six_is_no_name_with_a_port(tmp_path: Path) -> None:
    write(tmp_path, "hosts", "2001:db8::1\n[2001:db8::2]:2222\n")

    contents = read(tmp_path)

    assert [host.name for host in contents.hosts] == ["2001:db8::1", "2001:db8::2"]
    assert contents.problems == ()


def test_a_key_that_others_may_read_is_a_warning(tmp_path: Path) -> None:
    key = write(tmp_path, "keys/id", "secret")
    key.chmod(0o644)
    inventory = tmp_path / "inventory"
    write(inventory, "hosts.yml", f"all: {{vars: {{ansible_ssh_private_key_file: {key}}}}}\n")

    (problem,) = read(inventory).problems
    assert problem.severity is Severity.WARNING

    key.chmod(0o600)
    assert read(inventory).problems == ()


def test_five_thousand_hosts_are_read(tmp_path: Path) -> None:
    lines = "".join(f"    h{n}: {{ansible_host: 198.18.{n // 250}.{n % 250}}}\n" for n in range(5000))
    write(tmp_path, "hosts.yml", f"all:\n  vars: {{khien_agency: big}}\n  hosts:\n{lines}")

    contents = read(tmp_path)

    assert (len(contents.hosts), contents.problems) == (5000, ())


def test_an_inventory_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        read(tmp_path / "nowhere")
