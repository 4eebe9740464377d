"""Reading the inventory through ansible-inventory, and what is kept of it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from khien.adapters.ansible_inventory import AnsibleInventory
from khien.domain.host import HostRole
from khien.errors import InputError, UsageError

PROVINCE = """
all:
  vars:
    ansible_user: automation
  children:
    so_y_te:
      vars: {khien_agency: so_y_te, khien_agency_name: Sở Y tế, khien_site: center}
      children:
        so_y_te_servers:
          hosts:
            web1: {ansible_host: 198.18.0.1, khien_role: server, khien_level: 3, ansible_password: hunter2}
            old1: {ansible_ssh_host: 198.18.0.2, ansible_ssh_port: 2222, ansible_become_password: hunter2}
        so_y_te_workstations:
          hosts:
            ws[01:02].example.org: {khien_role: workstation, khien_owner: Văn thư}
"""


@pytest.fixture
def province(tmp_path: Path) -> Path:
    path = tmp_path / "inventory"
    path.mkdir()
    (path / "hosts.yml").write_text(PROVINCE, encoding="utf-8")
    return path


@pytest.fixture
def source() -> AnsibleInventory:
    return AnsibleInventory(environment=_environment())


def _environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("ANSIBLE_")}


def test_hosts_carry_the_words_and_the_way_to_reach_them(source: AnsibleInventory, province: Path) -> None:
    hosts = {host.name: host for host in source.hosts([str(province)])}

    assert list(hosts) == ["old1", "web1", "ws01.example.org", "ws02.example.org"]
    web = hosts["web1"]
    assert (web.agency, web.agency_name, web.site, web.level) == ("so_y_te", "Sở Y tế", "center", 3)
    assert web.groups == ("so_y_te", "so_y_te_servers")
    assert web.connection == {"ansible_host": "198.18.0.1", "ansible_user": "automation"}
    assert hosts["ws01.example.org"].role is HostRole.WORKSTATION
    assert hosts["old1"].connection["ansible_host"] == "198.18.0.2"
    assert hosts["old1"].connection["ansible_port"] == 2222


def test_a_password_reaches_neither_the_hosts_nor_the_cache(province: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    source = AnsibleInventory(cache=cache, environment=_environment())

    hosts = source.hosts([str(province)])

    assert "hunter2" not in repr(hosts)
    kept = list(cache.iterdir())
    assert len(kept) == 1
    assert "hunter2" not in kept[0].read_text(encoding="utf-8")
    assert stat.S_IMODE(kept[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700


def test_a_limit_takes_ansible_patterns(source: AnsibleInventory, province: Path) -> None:
    hosts = source.hosts([str(province)], "so_y_te:!so_y_te_servers")

    assert [host.name for host in hosts] == ["ws01.example.org", "ws02.example.org"]


@pytest.mark.parametrize("limit", ["nosuch", "web1,nosuch", "all:!nosuch"])
def test_a_name_that_matches_nothing_is_refused_by_name(
    source: AnsibleInventory, province: Path, limit: str
) -> None:
    with pytest.raises(UsageError, match="nosuch"):
        source.hosts([str(province)], limit)


def test_a_limit_that_excludes_everything_is_refused(source: AnsibleInventory, province: Path) -> None:
    with pytest.raises(UsageError, match="matches no host"):
        source.hosts([str(province)], "web1:!so_y_te")


def test_broken_yaml_names_file_and_line(source: AnsibleInventory, province: Path) -> None:
    (province / "other.yml").write_text("all:\n  hosts:\n    a: {ansible_host: 1\n    b:\n")

    with pytest.raises(InputError) as caught:
        source.hosts([str(province)])

    assert (caught.value.path, caught.value.line) == (province / "other.yml", 4)


def test_a_file_of_the_wrong_shape_is_named_and_hides_ansibles_types(
    source: AnsibleInventory, province: Path
) -> None:
    (province / "other.yml").write_text("all:\n  hosts: [a]\n")

    with pytest.raises(InputError, match="requires a dictionary") as caught:
        source.hosts([str(province)])

    assert caught.value.path == province / "other.yml"
    assert "AnsibleTagged" not in str(caught.value)


@pytest.mark.parametrize("word", ["khien_level: 7", "khien_level: true", "khien_role: servers"])
def test_an_impossible_word_is_refused(source: AnsibleInventory, province: Path, word: str) -> None:
    (province / "other.yml").write_text(f"all: {{hosts: {{a: {{{word}}}}}}}")

    with pytest.raises(UsageError, match=word.split(":")[0]):
        source.hosts([str(province)])


def test_an_inventory_that_is_not_there_is_named(source: AnsibleInventory, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        source.hosts([str(tmp_path / "nowhere")])


def test_a_comma_list_is_an_inventory(source: AnsibleInventory) -> None:
    assert [host.name for host in source.hosts(["b.example.org,a.example.org,"])] == [
        "a.example.org",
        "b.example.org",
    ]


def test_the_default_is_used_when_nothing_is_named(province: Path) -> None:
    source = AnsibleInventory(default=[str(province)], environment=_environment())

    assert len(source.hosts([])) == 4


class TestCache:
    @pytest.fixture
    def cached(self, tmp_path: Path) -> AnsibleInventory:
        return AnsibleInventory(cache=tmp_path / "cache", environment=_environment())

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """Count how often ansible-inventory is really asked."""
        calls: list[int] = []
        real = AnsibleInventory._listing

        def counting(self: AnsibleInventory, *arguments: object) -> object:
            calls.append(1)
            return real(self, *arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(AnsibleInventory, "_listing", counting)
        return calls

    def test_the_second_answer_is_the_same_and_asks_nobody(
        self, cached: AnsibleInventory, province: Path, asked: list[int]
    ) -> None:
        first = cached.hosts([str(province)])
        second = cached.hosts([str(province)])

        assert first == second
        assert len(asked) == 1

    def test_a_changed_group_variable_is_noticed(
        self, cached: AnsibleInventory, province: Path, asked: list[int]
    ) -> None:
        cached.hosts([str(province / "hosts.yml")])
        (province / "group_vars").mkdir()
        (province / "group_vars" / "so_y_te.yml").write_text("khien_window: night\n")

        hosts = cached.hosts([str(province / "hosts.yml")])

        assert {host.window for host in hosts} == {"night"}
        assert len(asked) == 2

    def test_another_limit_is_another_question(
        self, cached: AnsibleInventory, province: Path, asked: list[int]
    ) -> None:
        assert len(cached.hosts([str(province)], "web1")) == 1
        assert len(cached.hosts([str(province)], "old1,web1")) == 2

    def test_a_script_is_asked_every_time(
        self, cached: AnsibleInventory, tmp_path: Path, asked: list[int]
    ) -> None:
        script = tmp_path / "dynamic.sh"
        script.write_text("""#!/bin/sh\necho '{"all": {"hosts": ["a"]}, "_meta": {"hostvars": {}}}'\n""")
        script.chmod(0o755)

        assert cached.hosts([str(script)]) == cached.hosts([str(script)])
        assert len(asked) == 2

    def test_a_plugin_configuration_is_asked_every_time(
        self, cached: AnsibleInventory, province: Path, asked: list[int]
    ) -> None:
        (province / "z.yml").write_text("plugin: constructed\nstrict: false\n")

        cached.hosts([str(province)])
        cached.hosts([str(province)])

        assert len(asked) == 2

    def test_a_damaged_or_foreign_cache_is_ignored(
        self, cached: AnsibleInventory, province: Path, tmp_path: Path, asked: list[int]
    ) -> None:
        hosts = cached.hosts([str(province)])
        for entry in (tmp_path / "cache").iterdir():
            entry.write_text('{"hosts": [{"name": 1')

        assert cached.hosts([str(province)]) == hosts

        (tmp_path / "cache").chmod(0o777)
        assert cached.hosts([str(province)]) == hosts
        assert len(asked) == 3
