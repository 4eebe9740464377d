"""`khien inventory` and `khien preflight` as they are called."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import paramiko
import pytest
from typer.testing import CliRunner, Result

from khien.cli import inventory_trust
from khien.cli.app import app
from khien.errors import InputError, RefusedError, UsageError
from khien.i18n import choose_language
from tests.fakes.ssh_service import answering, free_port, make_key

Call = Callable[..., Result]
EXAMPLE = Path(__file__).parents[3] / "inventory" / "example"


@pytest.fixture
def khien(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    for name, value in {
        "KHIEN_STATE_DIR": str(tmp_path / "state"),
        "KHIEN_KNOWN_HOSTS": str(tmp_path / "known_hosts"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }.items():
        monkeypatch.setenv(name, value)
    choose_language("en")
    runner = CliRunner()

    def call(*arguments: object) -> Result:
        return runner.invoke(app, [str(argument) for argument in arguments])

    return call


def inventory(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "hosts.yml").write_text(text, encoding="utf-8")
    return folder


class TestCheckAndList:
    def test_the_example_province_is_fine(self, khien: Call) -> None:
        result = khien("inventory", "check", "-i", EXAMPLE)

        assert (result.exit_code, result.stdout) == (0, "")
        assert "17 hosts" in result.stderr

    def test_each_problem_has_its_line_and_the_exit_code_is_wrong_use(
        self, khien: Call, tmp_path: Path
    ) -> None:
        folder = inventory(tmp_path / "inv", "all:\n  hosts:\n    a:\n      khien_level: 9\n    b:\n")

        result = khien("inventory", "check", "-i", folder)

        assert result.exit_code == 2
        assert f"{folder}/hosts.yml:4: khien_level says 9" in result.stdout

    def test_a_host_of_no_agency_is_named_where_it_stands(self, khien: Call, tmp_path: Path) -> None:
        folder = inventory(tmp_path / "inv", "all:\n  hosts:\n    a:\n      khien_agency: x\n    b:\n")

        document = json.loads(khien("inventory", "check", "-i", folder, "--json").stdout)

        assert (document["schema"], document["good"]) == ("khien.inventory-check/1", False)
        (problem,) = document["problems"]
        assert (problem["file"], problem["line"]) == (f"{folder}/hosts.yml", 5)
        assert "b belongs to no agency" in problem["message"]

    def test_broken_yaml_is_said_once_also_by_a_relative_path(
        self, khien: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        inventory(tmp_path / "inv", "all:\n  hosts:\n    a: {b: 1\n    c:\n")
        monkeypatch.chdir(tmp_path)

        result = khien("inventory", "check", "-i", "inv")

        assert result.exit_code == 2
        assert len(result.stdout.splitlines()) == 1
        assert result.stdout.startswith("inv/hosts.yml:4: ")

    def test_hosts_are_listed_by_agency(self, khien: Call) -> None:
        result = khien("inventory", "list", "-i", EXAMPLE, "-l", "all:!so_y_te_workstations")

        lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
        assert lines[0] == "Sở Y tế (so_y_te): 2 servers, 0 workstations"
        assert "UBND huyện A (ubnd_huyen_a): 1 servers, 2 workstations" in lines
        assert "hya-file1 203.0.113.21 server 2 huyen_a Trần Thị B" in lines
        assert lines[-1] == "5 hosts in all"

    def test_the_list_as_json(self, khien: Call) -> None:
        document = json.loads(khien("inventory", "list", "-i", EXAMPLE, "-l", "hya-pc01", "--json").stdout)

        assert document["schema"] == "khien.inventory/1"
        assert document["hosts"][0] == {
            "name": "hya-pc01",
            "address": "203.0.113.31",
            "transport": "ssh",
            "agency": "ubnd_huyen_a",
            "agency_name": "UBND huyện A",
            "site": "huyen_a",
            "role": "workstation",
            "level": 2,
            "owner": "",
            "window": "",
            "groups": ["ubnd_huyen_a"],
        }

    def test_words_of_the_inventory_are_no_markup_and_no_escapes(self, khien: Call, tmp_path: Path) -> None:
        text = 'all: {hosts: {a: {khien_agency: x, khien_owner: "[bold]me[/bold]\\e[31m"}}}'

        result = khien("inventory", "list", "-i", inventory(tmp_path / "inv", text))

        assert "[bold]me[/bold]" in result.stdout
        assert "\x1b" not in result.stdout


class TestImport:
    LIST = "Danh sách\nTên máy,IP,Đơn vị,Loại\nweb1,198.18.0.1,Sở Y tế,Máy chủ\nx,198.18.0.999,Sở Y tế,PC\n"

    def test_good_rows_are_written_and_refused_ones_reported(self, khien: Call, tmp_path: Path) -> None:
        (tmp_path / "list.csv").write_text(self.LIST, encoding="utf-8")

        result = khien("inventory", "import", tmp_path / "list.csv", "--output", tmp_path / "inv")

        assert result.exit_code == 1
        assert "Refused, row 4: 198.18.0.999 is no address." in result.stdout
        assert "so_y_te.yml is new, with 1 host." in result.stdout
        assert khien("inventory", "check", "-i", tmp_path / "inv").exit_code == 0

    def test_a_dry_run_shows_the_files_and_writes_none(self, khien: Call, tmp_path: Path) -> None:
        (tmp_path / "list.csv").write_text(self.LIST, encoding="utf-8")

        result = khien("inventory", "import", tmp_path / "list.csv", "-o", tmp_path / "inv", "--dry-run")

        assert "+          ansible_host: 198.18.0.1" in result.stdout
        assert not (tmp_path / "inv").exists()

    def test_a_changed_file_needs_force_and_shows_its_difference(self, khien: Call, tmp_path: Path) -> None:
        (tmp_path / "list.csv").write_text(self.LIST, encoding="utf-8")
        target = ("inventory", "import", tmp_path / "list.csv", "-o", tmp_path / "inv")
        khien(*target)
        (tmp_path / "list.csv").write_text(self.LIST.replace("0.1,", "0.7,"), encoding="utf-8")

        refused, forced = khien(*target), khien(*target, "--force")

        assert isinstance(refused.exception, RefusedError)
        assert "-          ansible_host: 198.18.0.1" in refused.stdout
        assert forced.exit_code == 1
        assert "198.18.0.7" in (tmp_path / "inv" / "so_y_te.yml").read_text()

    def test_a_name_that_another_file_has_already_is_refused(self, khien: Call, tmp_path: Path) -> None:
        inventory(tmp_path / "inv", "all: {hosts: {web1: {khien_agency: other}}}")
        (tmp_path / "list.csv").write_text(self.LIST, encoding="utf-8")

        result = khien("inventory", "import", tmp_path / "list.csv", "-o", tmp_path / "inv", "--json")

        document = json.loads(result.stdout)
        assert result.exit_code == 2
        assert document["hosts"] == []
        assert "hosts.yml:1" in document["refused"][0]["text"]

    def test_a_file_that_is_no_table_is_wrong_use(self, khien: Call, tmp_path: Path) -> None:
        (tmp_path / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0")

        assert isinstance(khien("inventory", "import", tmp_path / "old.xls").exception, InputError)


class TestTrustAndPreflight:
    ANSWER = b"khien1 python 3.11.2 /usr/bin/python3\nkhien1 end\n"

    @pytest.fixture
    def host_key(self, tmp_path: Path) -> Path:
        return make_key(tmp_path / "host_key")

    @pytest.fixture
    def ways(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Path]:
        def write(port: int) -> Path:
            text = (
                "all:\n  vars: {khien_agency: x, ansible_host: 127.0.0.1, ansible_user: a, "
                "ansible_ssh_common_args: '-F none -o IdentityFile=none -o IdentitiesOnly=yes'}\n"
                f"  hosts:\n    web1: {{ansible_port: {port}}}\n    away: {{ansible_port: {free_port()}}}\n"
            )
            return inventory(tmp_path / "inv", text)

        return write

    def test_nothing_is_recorded_unless_confirmed(
        self, khien: Call, ways: Callable[[int], Path], host_key: Path, tmp_path: Path
    ) -> None:
        key = paramiko.PKey.from_path(host_key)
        with answering(key, b"") as port:
            result = khien("inventory", "trust", "-i", ways(port))

        assert isinstance(result.exception, RefusedError)
        assert key.fingerprint in result.stdout
        assert "away: 127.0.0.1 refuses connections" in result.stdout
        assert not (tmp_path / "known_hosts").exists()

    def test_once_confirmed_a_key_is_recorded_and_preflight_goes_on_to_the_login(
        self, khien: Call, ways: Callable[[int], Path], host_key: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(inventory_trust, "confirm", lambda question: True)
        with answering(paramiko.PKey.from_path(host_key), self.ANSWER) as port:
            folder = ways(port)
            before = khien("preflight", "-i", folder, "-l", "web1", "--json")
            trusted = khien("inventory", "trust", "-i", folder, "-l", "web1")
            after = khien("preflight", "-i", folder, "-l", "web1", "--json")

        assert trusted.exit_code == 0
        assert [r.exit_code for r in (before, after)] == [3, 3]
        assert _trouble(before) == "host_key_unknown"
        assert _trouble(after) == "login_refused"

    def test_a_changed_key_is_refused_with_yes_and_taken_by_name(
        self, khien: Call, ways: Callable[[int], Path], host_key: Path, tmp_path: Path
    ) -> None:
        former = make_key(tmp_path / "former").with_suffix(".pub").read_text().split()[:2]
        with answering(paramiko.PKey.from_path(host_key), b"") as port:
            recorded = f"[127.0.0.1]:{port} {' '.join(former)}\n"
            (tmp_path / "known_hosts").write_text(recorded)
            call = ("inventory", "trust", "-i", ways(port), "-l", "web1", "--yes")
            refused = khien(*call)
            unchanged = (tmp_path / "known_hosts").read_text()
            replaced = khien(*call, "--replace", "web1")

        assert (refused.exit_code, unchanged) == (4, recorded)
        assert "THE KEY OF web1 HAS CHANGED" in refused.stdout
        assert replaced.exit_code == 0
        assert former[1] not in (tmp_path / "known_hosts").read_text()

    def test_only_expected_fingerprints_are_recorded(
        self, khien: Call, ways: Callable[[int], Path], host_key: Path, tmp_path: Path
    ) -> None:
        key = paramiko.PKey.from_path(host_key)
        wanted = tmp_path / "fingerprints"
        wanted.write_text("256 SHA256:" + "A" * 43 + " root@web1 (ED25519)\n")
        with answering(key, b"") as port:
            call = ("inventory", "trust", "-i", ways(port), "-l", "web1", "-y", "--fingerprints", wanted)
            refused = khien(*call)
            wanted.write_text(f"256 {key.fingerprint} root@web1 (ED25519)\n")
            taken = khien(*call, "--json")

        assert refused.exit_code == 4
        assert taken.exit_code == 0
        assert json.loads(taken.stdout)["hosts"][0]["recorded_now"] is True

    def test_replacing_a_host_that_is_not_looked_at_is_wrong_use(
        self, khien: Call, ways: Callable[[int], Path]
    ) -> None:
        result = khien("inventory", "trust", "-i", ways(free_port()), "--replace", "web9")

        assert isinstance(result.exception, UsageError)

    def test_preflight_says_one_line_a_host_with_what_to_do(
        self, khien: Call, ways: Callable[[int], Path], host_key: Path
    ) -> None:
        with answering(paramiko.PKey.from_path(host_key), b"") as port:
            result = khien("preflight", "-i", ways(port))

        lines = result.stdout.splitlines()
        assert result.exit_code == 3
        assert lines[0].startswith("away  not ready  127.0.0.1 refuses connections")
        assert "Start the SSH service" in lines[0]
        assert lines[1].startswith("web1  not ready  The host key of [127.0.0.1]")
        assert lines[2] == "0 of 2 hosts are ready."

    def test_this_machine_is_ready_without_ssh(self, khien: Call, tmp_path: Path) -> None:
        text = "all: {hosts: {localhost: {ansible_connection: local}}}"

        result = khien("preflight", "-i", inventory(tmp_path / "inv", text))

        assert (result.exit_code, result.stdout) == (0, "localhost  ready\n1 of 1 hosts are ready.\n")


def _trouble(result: Result) -> str:
    document = json.loads(result.stdout)
    assert document["schema"] == "khien.preflight/1"
    code: str = document["hosts"][0]["troubles"][0]["code"]
    return code
