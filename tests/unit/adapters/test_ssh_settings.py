"""How ssh would reach a host when Ansible calls it."""

from __future__ import annotations

from pathlib import Path

import pytest

from khien.adapters.ssh_settings import SshSettings, UnclearSettingsError, read_ssh_settings
from khien.domain.host import Host


@pytest.fixture
def known_hosts(tmp_path: Path) -> Path:
    return tmp_path / "known hosts"


def read(known_hosts: Path, args: str = "", **connection: object) -> SshSettings:
    variables = {"ansible_ssh_common_args": f"-F none {args}", **connection}
    return read_ssh_settings(Host("web1", connection=variables), known_hosts)


def test_the_variables_of_the_inventory_count(known_hosts: Path, tmp_path: Path) -> None:
    settings = read(
        known_hosts,
        ansible_host="198.18.0.1",
        ansible_port=2222,
        ansible_user="automation",
        ansible_ssh_private_key_file=str(tmp_path / "a key"),
    )

    assert (settings.address, settings.port, settings.user) == ("198.18.0.1", 2222, "automation")
    assert settings.key_files == (tmp_path / "a key",)
    assert settings.lookup_name == "[198.18.0.1]:2222"
    assert settings.known_hosts[0] == known_hosts
    assert settings.proxy == ()


def test_a_variable_stands_before_the_arguments_as_on_ansibles_command_line(known_hosts: Path) -> None:
    assert read(known_hosts, "-o User=other -p 2200", ansible_user="automation").user == "automation"
    assert read(known_hosts, "-o User=other -p 2200").port == 2200


def test_known_hosts_and_alias_of_the_arguments_count(known_hosts: Path) -> None:
    settings = read(known_hosts, "-o 'UserKnownHostsFile=/a /b' -o HostKeyAlias=Relay", ansible_port=2222)

    assert settings.known_hosts[:2] == (Path("/a"), Path("/b"))
    assert settings.lookup_name == "relay"


def test_the_persons_own_configuration_counts(known_hosts: Path, tmp_path: Path) -> None:
    included = tmp_path / "more"
    included.write_text("Host web*\n  HostName 198.18.0.9\n  Port 2022\n  IdentitiesOnly yes\n")
    config = tmp_path / "config"
    config.write_text(f"Include {included}\n")

    settings = read_ssh_settings(
        Host("web1", connection={"ansible_ssh_common_args": f"-F {config}"}), known_hosts
    )

    assert (settings.address, settings.port, settings.uses_agent) == ("198.18.0.9", 2022, False)


@pytest.mark.parametrize(
    ("args", "proxy"),
    [
        ("-o ProxyCommand='nc -X 5 %h %p'", ("/bin/sh", "-c", "exec nc -X 5 198.18.0.1 22")),
        (
            "-J relay.example.org",
            ("ssh", "-T", "-o", "BatchMode=yes", "-W", "[198.18.0.1]:22", "--", "relay.example.org"),
        ),
        (
            "-o ProxyJump=a@one.example.org:2200,b@two.example.org:2201",
            (
                *("ssh", "-T", "-o", "BatchMode=yes", "-W", "[198.18.0.1]:22", "-l", "b", "-p", "2201"),
                *("-J", "a@one.example.org:2200", "--", "two.example.org"),
            ),
        ),
    ],
)
def test_the_way_through_a_relay(args: str, proxy: tuple[str, ...], known_hosts: Path) -> None:
    assert read(known_hosts, args, ansible_host="198.18.0.1").proxy == proxy


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ansible_host", "{{ address }}"),
        ("ansible_ssh_extra_args", "-o 'open"),
        ("ansible_ssh_common_args", "-o Nonsense=1"),
    ],
)
def test_what_only_ansible_understands_is_named(variable: str, value: str, known_hosts: Path) -> None:
    with pytest.raises(UnclearSettingsError, match=variable):
        read_ssh_settings(Host("web1", connection={variable: value}), known_hosts)


def test_a_name_that_looks_like_an_option_is_no_option(known_hosts: Path) -> None:
    host = Host("web1", connection={"ansible_host": "-oProxyCommand=touch /tmp/trap"})

    with pytest.raises(UnclearSettingsError):
        read_ssh_settings(host, known_hosts)
