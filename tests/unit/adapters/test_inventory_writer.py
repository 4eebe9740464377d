"""Writing imported hosts, and that Ansible reads back what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from khien.adapters.ansible_inventory import AnsibleInventory
from khien.adapters.inventory_files import InventoryFiles
from khien.adapters.inventory_writer import inventory_files, write_inventory_files
from khien.application.import_inventory import ListedHost
from khien.domain.host import HostRole
from khien.errors import RefusedError

WEB = ListedHost(
    "web1",
    "so_y_te",
    "Sở Y tế",
    "198.18.0.1",
    2222,
    "admin",
    HostRole.SERVER,
    3,
    "Nguyễn Văn A",
    "tỉnh lỵ",
    "đêm",
)


def test_ansible_reads_back_what_was_meant(tmp_path: Path) -> None:
    strange = [
        ListedHost("1e3", "so_y_te", "", "198.18.0.2", owner="yes"),
        ListedHost("on", "so_y_te", "", "198.18.0.3", owner="{{ lookup('pipe', 'touch trap') }}"),
        ListedHost("w-2", "so_y_te", "", "2001:db8::1", owner="=cmd|' /C calc'!A0", site="a: b # c\n'\""),
        ListedHost("pc1", "ubnd_a", "UBND A", "198.18.0.4", role=HostRole.WORKSTATION, is_windows=True),
    ]
    write_inventory_files(inventory_files([WEB, *strange], tmp_path), overwrite=False)

    hosts = {host.name: host for host in AnsibleInventory().hosts([str(tmp_path)])}

    assert sorted(path.name for path in tmp_path.iterdir()) == ["so_y_te.yml", "ubnd_a.yml"]
    assert set(hosts) == {"web1", "1e3", "on", "w-2", "pc1"}
    web = hosts["web1"]
    assert (web.agency, web.agency_name, web.level, web.owner, web.site, web.window) == (
        "so_y_te",
        "Sở Y tế",
        3,
        "Nguyễn Văn A",
        "tỉnh lỵ",
        "đêm",
    )
    assert web.connection == {"ansible_host": "198.18.0.1", "ansible_port": 2222, "ansible_user": "admin"}
    assert [hosts[name].owner for name in ("1e3", "on", "w-2")] == [host.owner for host in strange[:3]]
    assert hosts["w-2"].site == "a: b # c\n'\""
    assert hosts["pc1"].transport == "winrm"
    assert InventoryFiles().read([str(tmp_path)]).problems == ()


def test_a_template_in_a_cell_is_marked_as_text(tmp_path: Path) -> None:
    (file,) = inventory_files([ListedHost("a", "x", "", owner="{{ lookup('pipe', 'id') }}")], tmp_path)

    assert "khien_owner: !unsafe '{{ lookup(''pipe'', ''id'') }}'" in file.content


def test_the_same_hosts_give_the_same_file(tmp_path: Path) -> None:
    other = ListedHost("aaa", "so_y_te", "Sở Y tế", "198.18.0.9")

    assert inventory_files([WEB, other], tmp_path) == inventory_files([other, WEB], tmp_path)


def test_a_file_that_says_something_else_is_kept_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "so_y_te.yml").write_text("all: {}\n")
    files = inventory_files([WEB, ListedHost("b", "another", "", "198.18.0.2")], tmp_path)

    with pytest.raises(RefusedError, match=r"so_y_te\.yml"):
        write_inventory_files(files, overwrite=False)

    assert (tmp_path / "so_y_te.yml").read_text() == "all: {}\n"
    assert not (tmp_path / "another.yml").exists()
    assert "-all: {}" in files[1].difference()


def test_force_overwrites_and_the_second_time_nothing_changes(tmp_path: Path) -> None:
    (tmp_path / "so_y_te.yml").write_text("all: {}\n")
    write_inventory_files(inventory_files([WEB], tmp_path), overwrite=True)

    (again,) = inventory_files([WEB], tmp_path)

    assert not again.is_changed
    write_inventory_files([again], overwrite=False)
