"""Looking at SSH doors: real sshd, dead and hung services, wrong keys, many hosts."""

from __future__ import annotations

import getpass
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from khien.adapters import ssh_door
from khien.adapters.ssh_preflight import SshPreflight
from khien.application.ports import PreflightResult
from khien.application.wording import describe
from khien.domain.host import Host
from khien.domain.reason import ReasonCode
from tests.fakes.ssh_service import SSHD, Sshd, answering, free_port, listening, make_key, running_sshd

ANSWER = """Welcome to a noisy login script
khien1 now {now}
khien1 boot_id 7e4e08f0
khien1 uptime_seconds 42
khien1 python 3.11.2 /usr/bin/python3
khien1 disk / 90000000 /
khien1 end
"""
# Every system has echo, and it says the version that is wanted.
NEW_PYTHON, OLD_PYTHON = "/bin/echo 3.9.2", "/bin/echo 3.8.20"


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    if SSHD is None:
        pytest.skip("there is no sshd on this machine")
    with running_sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture(scope="module")
def host_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_key(tmp_path_factory.mktemp("keys") / "host")


@pytest.fixture
def preflight(tmp_path: Path) -> SshPreflight:
    return SshPreflight(known_hosts=tmp_path / "known_hosts", host_seconds=20)


def check_one(preflight: SshPreflight, host: Host, deadline: float = 30) -> PreflightResult:
    (result,) = preflight.check([host], deadline_seconds=deadline)
    return result


def codes(result: PreflightResult) -> list[str]:
    return [trouble.code for trouble in result.troubles]


class TestRealSshd:
    @pytest.fixture(autouse=True)
    def trusted(self, sshd: Sshd) -> None:
        sshd.trust()

    def test_a_good_host_is_ready_and_says_what_it_is(self, sshd: Sshd, preflight: SshPreflight) -> None:
        result = check_one(preflight, sshd.host(ansible_python_interpreter=NEW_PYTHON))

        assert (result.ready, result.troubles) == (True, ())
        assert result.facts["boot_id"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        assert abs(int(result.facts["clock_skew_seconds"])) <= 1
        assert int(result.facts["free_mb:/"]) > 0

    def test_an_unknown_key_is_shown_and_neither_taken_nor_recorded(
        self, sshd: Sshd, preflight: SshPreflight
    ) -> None:
        sshd.known_hosts.unlink()

        result = check_one(preflight, sshd.host())

        assert codes(result) == [ReasonCode.HOST_KEY_UNKNOWN]
        fingerprint = paramiko.PKey.from_path(sshd.host_key).fingerprint
        assert result.troubles[0].arguments["fingerprint"] == fingerprint
        assert not sshd.known_hosts.exists()

    def test_a_changed_key_is_refused_with_both_fingerprints(
        self, sshd: Sshd, preflight: SshPreflight, tmp_path: Path
    ) -> None:
        former = make_key(tmp_path / "former")
        sshd.trust(former.with_suffix(".pub"))

        result = check_one(preflight, sshd.host())

        assert codes(result) == [ReasonCode.HOST_KEY_CHANGED]
        assert result.troubles[0].arguments["recorded"] == paramiko.PKey.from_path(former).fingerprint

    def test_a_key_of_another_kind_in_known_hosts_is_no_reason_to_trust(
        self, sshd: Sshd, preflight: SshPreflight, tmp_path: Path
    ) -> None:
        sshd.trust(make_key(tmp_path / "rsa", "rsa").with_suffix(".pub"))

        assert codes(check_one(preflight, sshd.host())) == [ReasonCode.HOST_KEY_CHANGED]

    def test_a_wrong_login_is_refused_with_what_was_tried(
        self, sshd: Sshd, preflight: SshPreflight, tmp_path: Path
    ) -> None:
        other = make_key(tmp_path / "other")

        result = check_one(preflight, sshd.host(ansible_ssh_private_key_file=str(other)))

        assert codes(result) == [ReasonCode.LOGIN_REFUSED]
        assert str(other) in describe(result.troubles[0])

    def test_a_missing_and_an_old_python_are_told_apart(self, sshd: Sshd, preflight: SshPreflight) -> None:
        missing = check_one(preflight, sshd.host(ansible_python_interpreter="/opt/python/bin/python3"))
        old = check_one(preflight, sshd.host(ansible_python_interpreter=OLD_PYTHON))

        assert codes(missing) == [ReasonCode.PYTHON_MISSING]
        assert missing.troubles[0].arguments["path"] == "/opt/python/bin/python3"
        assert codes(old) == [ReasonCode.PYTHON_TOO_OLD]

    def test_an_interpreter_path_cannot_smuggle_in_a_command(
        self, sshd: Sshd, preflight: SshPreflight, tmp_path: Path
    ) -> None:
        trap = tmp_path / "trap"

        check_one(preflight, sshd.host(ansible_python_interpreter=f"'x; touch {trap};'"))

        assert not trap.exists()

    def test_sudo_that_is_not_asked_for_is_only_a_warning(self, sshd: Sshd, preflight: SshPreflight) -> None:
        common = {"ansible_python_interpreter": NEW_PYTHON, "ansible_become_user": "no-such-user"}
        asked = check_one(preflight, sshd.host(ansible_become="yes", **common))
        not_asked = check_one(preflight, sshd.host(**common))
        refused = check_one(preflight, sshd.host(ansible_become=False, **common))

        assert set(codes(asked)) <= {ReasonCode.SUDO_REFUSED, ReasonCode.SUDO_NEEDS_PASSWORD}
        assert asked.troubles
        assert not_asked.ready
        assert [warning.code for warning in not_asked.warnings] == codes(asked)
        assert refused.warnings == ()

    def test_a_proxy_command_is_gone_through(self, sshd: Sshd, preflight: SshPreflight) -> None:
        command = (
            f"ssh -F none -W 127.0.0.1:%p -i {sshd.key_file} -p {sshd.port} "
            f"-o UserKnownHostsFile={sshd.known_hosts} {getpass.getuser()}@127.0.0.1"
        )
        args = f'-F none -o UserKnownHostsFile={sshd.known_hosts} -o ProxyCommand="{command}"'
        reached = sshd.host(ansible_ssh_common_args=args, ansible_python_interpreter=NEW_PYTHON)

        assert check_one(preflight, reached).ready

    def test_a_jump_host_that_refuses_is_named_in_its_own_words(
        self, sshd: Sshd, preflight: SshPreflight, tmp_path: Path
    ) -> None:
        args = f"-F none -o UserKnownHostsFile={tmp_path / 'empty'} -J nobody@127.0.0.1:{free_port()}"

        result = check_one(preflight, sshd.host(ansible_ssh_common_args=args))

        assert codes(result) == [ReasonCode.CONNECTION_LOST]
        assert "refused" in describe(result.troubles[0]).lower()


class TestNoSshAtAll:
    def test_each_dead_door_has_its_own_reason_and_delays_nobody(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def resolve(name: str, *rest: object, **more: object) -> object:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")

        monkeypatch.setattr(ssh_door.socket, "getaddrinfo", resolve)
        preflight = SshPreflight(known_hosts=tmp_path / "kh", host_seconds=3)
        with listening() as silent, listening(b"HTTP/1.0 400 Bad Request\r\n\r\n") as web:
            hosts = [
                _at("silent", silent),
                _at("web", web),
                _at("closed", free_port()),
                Host("nameless", connection={"ansible_host": "nameless.example.org"}),
            ]
            results = {r.host: codes(r) for r in preflight.check(hosts, deadline_seconds=20)}

        assert results == {
            "silent": [ReasonCode.NO_BANNER],
            "web": [ReasonCode.NO_BANNER],
            "closed": [ReasonCode.TCP_REFUSED],
            "nameless": [ReasonCode.NAME_UNRESOLVED],
        }

    def test_a_name_service_that_hangs_ends_with_the_deadline(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        release = threading.Event()
        monkeypatch.setattr(ssh_door.socket, "getaddrinfo", lambda *_a, **_k: release.wait(60) and [])
        preflight = SshPreflight(known_hosts=tmp_path / "kh", host_seconds=60)
        host = Host("nameless", connection={"ansible_host": "nameless.example.org"})

        result = check_one(preflight, host, deadline=0.5)
        release.set()

        assert codes(result) == [ReasonCode.PREFLIGHT_TIMEOUT]

    def test_a_service_that_hangs_after_its_first_words_ends_with_its_own_limit(self, tmp_path: Path) -> None:
        preflight = SshPreflight(known_hosts=tmp_path / "kh", host_seconds=1)
        with listening(b"SSH-2.0-OpenSSH_9.2\r\n") as mute:
            result = check_one(preflight, _at("mute", mute))

        assert set(codes(result)) <= {ReasonCode.PREFLIGHT_TIMEOUT, ReasonCode.CONNECTION_LOST}
        assert not result.ready

    def test_hosts_without_ssh_are_left_to_ansible_or_named(self, preflight: SshPreflight) -> None:
        def by(connection: str) -> Host:
            return Host(connection, connection={"ansible_connection": connection})

        local, winrm, podman = preflight.check(
            [by("ansible.builtin.local"), by("winrm"), by("containers.podman.podman")], deadline_seconds=5
        )

        assert (local.ready, local.warnings) == (True, ())
        assert codes(winrm) == [ReasonCode.TRANSPORT_UNSUPPORTED]
        assert podman.ready
        assert podman.warnings[0].code == ReasonCode.NOT_CHECKED_DIRECTLY

    @pytest.mark.parametrize(
        ("variable", "value"),
        [
            ("ansible_user", "{{ login }}"),
            ("ansible_ssh_common_args", "-o NoSuchOption=1"),
            ("ansible_ssh_extra_args", "-o 'unclosed"),
        ],
    )
    def test_what_only_ansible_understands_is_a_warning_and_no_false_alarm(
        self, preflight: SshPreflight, variable: str, value: str
    ) -> None:
        result = check_one(preflight, Host("web1", connection={variable: value}))

        assert result.ready
        assert result.warnings[0].code == ReasonCode.NOT_CHECKED_DIRECTLY


class TestManyHosts:
    def _trusted(self, port: int, host_key: Path, known_hosts: Path) -> None:
        key = host_key.with_suffix(".pub").read_text().split()[:2]
        known_hosts.write_text(f"[127.0.0.1]:{port} {' '.join(key)}\n")

    def test_three_hundred_hosts_have_an_answer_each_though_some_hang(
        self, host_key: Path, tmp_path: Path
    ) -> None:
        known = tmp_path / "known_hosts"
        preflight = SshPreflight(
            known_hosts=known, secrets={"connection_password": "let-me-in"}, host_seconds=12
        )
        answer = ANSWER.format(now=round(time.time())).encode()
        with answering(paramiko.PKey.from_path(host_key), answer) as port, listening() as silent:
            self._trusted(port, host_key, known)
            hosts = [_at(f"h{n:03}", silent if n % 30 == 0 else port) for n in range(300)]
            results = preflight.check(hosts, deadline_seconds=120)

        assert [r.host for r in results] == [h.name for h in hosts]
        assert [r.host for r in results if not r.ready] == [f"h{n:03}" for n in range(0, 300, 30)]
        assert results[1].facts["python_version"] == "3.11.2"

    def test_the_deadline_of_all_gives_every_host_a_result(self, tmp_path: Path) -> None:
        preflight = SshPreflight(known_hosts=tmp_path / "kh", host_seconds=60)
        with listening() as silent:
            hosts = [_at(f"h{n}", silent) for n in range(200)]
            results = preflight.check(hosts, deadline_seconds=1)

        assert len(results) == 200
        assert {code for r in results for code in codes(r)} <= {
            ReasonCode.PREFLIGHT_TIMEOUT,
            ReasonCode.NO_BANNER,
        }

    def test_a_password_appears_nowhere(
        self, host_key: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        known = tmp_path / "known_hosts"
        preflight = SshPreflight(
            known_hosts=known,
            secrets={"connection_password": "s3cret-word", "become_password": "s3cret-word"},
        )
        asks = b"khien1 sudo 1 sudo: a password is required\nkhien1 end\ns3cret-word\n"
        with answering(paramiko.PKey.from_path(host_key), asks, password="s3cret-word") as port:
            self._trusted(port, host_key, known)
            results = preflight.check([_at("right", port)], deadline_seconds=30)
            results += preflight.with_secrets({"connection_password": "s3cret-wrong"}).check(
                [_at("wrong", port)], deadline_seconds=30
            )

        assert codes(results[1]) == [ReasonCode.LOGIN_REFUSED]
        assert "s3cret" not in repr(results) + repr(preflight) + repr(vars(preflight)) + caplog.text

    def test_a_shell_that_is_no_shell_is_quoted(self, host_key: Path, tmp_path: Path) -> None:
        known = tmp_path / "known_hosts"
        preflight = SshPreflight(known_hosts=known, secrets={"connection_password": "let-me-in"})
        said = b"\x1b[31mThis account is currently not available.\n"
        with answering(paramiko.PKey.from_path(host_key), said) as port:
            self._trusted(port, host_key, known)
            result = check_one(preflight, _at("nologin", port))

        assert codes(result) == [ReasonCode.LOGIN_REFUSED]
        assert result.troubles[0].arguments["message"] == "This account is currently not available."


def _at(name: str, port: int) -> Host:
    return Host(
        name,
        connection={
            "ansible_host": "127.0.0.1",
            "ansible_port": port,
            "ansible_user": "automation",
            "ansible_ssh_common_args": "-F none -o IdentityFile=none -o IdentitiesOnly=yes",
        },
    )
