"""Seeing the keys that hosts show."""

from __future__ import annotations

from pathlib import Path

import paramiko
import pytest

from khien.adapters.known_hosts import KnownHosts
from khien.adapters.ssh_key_scan import SshKeyScan
from khien.application.trust_hosts import KeyState
from khien.domain.host import Host
from khien.domain.reason import ReasonCode
from tests.fakes.ssh_service import answering, free_port, listening, make_key


@pytest.fixture
def host_key(tmp_path: Path) -> Path:
    return make_key(tmp_path / "host_key")


def at(port: int, name: str = "web1", **connection: object) -> Host:
    return Host(
        name,
        connection={
            "ansible_host": "127.0.0.1",
            "ansible_port": port,
            "ansible_ssh_common_args": "-F none",
            **connection,
        },
    )


def test_what_is_recorded_is_known_the_next_time(host_key: Path, tmp_path: Path) -> None:
    known_hosts = tmp_path / "known_hosts"
    scan = SshKeyScan(known_hosts=known_hosts)
    with answering(paramiko.PKey.from_path(host_key), b"") as port:
        (first,) = scan.scan([at(port)], deadline_seconds=20)
        KnownHosts().record([first], replace=False)
        (second,) = scan.scan([at(port)], deadline_seconds=20)

    assert (first.state, second.state) == (KeyState.NEW, KeyState.KNOWN)
    assert first.key is not None
    assert first.key.fingerprint == paramiko.PKey.from_path(host_key).fingerprint
    assert first.lookup_name == f"[127.0.0.1]:{port}"


def test_a_changed_key_is_shown_beside_the_recorded_one(host_key: Path, tmp_path: Path) -> None:
    former = make_key(tmp_path / "former")
    with answering(paramiko.PKey.from_path(host_key), b"") as port:
        key = former.with_suffix(".pub").read_text().split()[:2]
        (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{port} {' '.join(key)}\n")
        (shown,) = SshKeyScan(known_hosts=tmp_path / "known_hosts").scan([at(port)], deadline_seconds=20)

    assert shown.state is KeyState.CHANGED
    assert [k.fingerprint for k in shown.recorded] == [paramiko.PKey.from_path(former).fingerprint]


def test_the_file_is_the_one_that_the_inventory_names(host_key: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    args = f"-F none -o UserKnownHostsFile={own}"
    nowhere = "-F none -o UserKnownHostsFile=/dev/null -o GlobalKnownHostsFile=/dev/null"
    with answering(paramiko.PKey.from_path(host_key), b"") as port:
        hosts = [
            at(port, "a"),
            at(port, "b", ansible_ssh_common_args=args),
            at(port, "c", ansible_ssh_common_args=nowhere),
        ]
        shown = SshKeyScan(known_hosts=tmp_path / "usual").scan(hosts, deadline_seconds=20)

    assert [entry.file for entry in shown] == [tmp_path / "usual", own, tmp_path / "usual"]


def test_hosts_that_show_no_key_say_why(tmp_path: Path) -> None:
    scan = SshKeyScan(known_hosts=tmp_path / "known_hosts", host_seconds=2)
    with listening() as silent:
        hosts = [
            at(free_port(), "off"),
            at(silent, "hung"),
            Host("here", connection={"ansible_connection": "local"}),
        ]
        shown = scan.scan(hosts, deadline_seconds=20)

    assert [entry.state for entry in shown] == [KeyState.UNSEEN] * 3
    assert [entry.reason.code for entry in shown] == [
        ReasonCode.TCP_REFUSED,
        ReasonCode.NO_BANNER,
        ReasonCode.TRANSPORT_UNSUPPORTED,
    ]
