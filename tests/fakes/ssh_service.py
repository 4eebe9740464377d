"""A private sshd on a loopback port, and services that only pretend to be one."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import paramiko

from khien.domain.host import Host

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")


@dataclass(frozen=True, slots=True)
class Sshd:
    """A running sshd that lets the user of the tests in with one key."""

    port: int
    key_file: Path
    host_key: Path
    known_hosts: Path

    def host(self, name: str = "lab1", **connection: object) -> Host:
        """Return it as a host of an inventory."""
        return Host(
            name=name,
            connection={
                "ansible_host": "127.0.0.1",
                "ansible_port": self.port,
                "ansible_user": getpass.getuser(),
                "ansible_ssh_private_key_file": str(self.key_file),
                "ansible_ssh_common_args": f"-F none -o UserKnownHostsFile={self.known_hosts}",
                **connection,
            },
        )

    def trust(self, public_key: Path | None = None) -> None:
        """Record its key, or another one in its place."""
        key = (public_key or self.host_key.with_suffix(".pub")).read_text().split()[:2]
        self.known_hosts.write_text(f"# kept\n[127.0.0.1]:{self.port} {' '.join(key)}\n")


def make_key(path: Path, kind: str = "ed25519") -> Path:
    """Make a key pair without a passphrase."""
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(path)], check=True)
    return path


@contextmanager
def running_sshd(folder: Path) -> Iterator[Sshd]:
    """Run sshd in the foreground on a free port until the block ends."""
    assert SSHD is not None
    key = make_key(folder / "login_key")
    host_key = make_key(folder / "host_key")
    (folder / "authorized_keys").write_text(key.with_suffix(".pub").read_text())
    port = free_port()
    config = folder / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {host_key}\nPidFile none\nUsePAM no\n"
        f"AuthorizedKeysFile {folder / 'authorized_keys'}\nStrictModes no\nPermitRootLogin yes\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\nMaxStartups 400:30:500\nMaxSessions 500\n"
    )
    if getpass.getuser() == "root":
        Path("/run/sshd").mkdir(exist_ok=True)
    process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stderr=subprocess.PIPE)
    assert process.stderr is not None
    drain = threading.Thread(target=process.stderr.read, daemon=True)
    try:
        for line in process.stderr:
            if b"Server listening" in line:
                break
        else:
            raise AssertionError("sshd did not start")
        drain.start()
        yield Sshd(port, key, host_key, folder / "known_hosts")
    finally:
        process.kill()
        process.wait()
        if drain.is_alive():
            drain.join(5)
        process.stderr.close()


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextmanager
def listening(first_words: bytes = b"") -> Iterator[int]:
    """Accept connections, say some words at most, and never answer."""
    server = socket.create_server(("127.0.0.1", 0), backlog=512)
    held: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                client, _address = server.accept()
            except OSError:
                return
            held.append(client)
            if first_words:
                client.sendall(first_words)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)
        for client in held:
            client.close()


class _Door(paramiko.ServerInterface):
    def __init__(self, password: str, answer: bytes) -> None:
        self._password = password
        self._answer = answer

    def check_auth_password(self, username: str, password: str) -> int:
        return paramiko.AUTH_SUCCESSFUL if password == self._password else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        threading.Thread(target=self._reply, args=(channel,), daemon=True).start()
        return True

    def _reply(self, channel: paramiko.Channel) -> None:
        while channel.recv(4096):
            pass
        channel.sendall(self._answer)
        channel.send_exit_status(0)
        channel.close()


@contextmanager
def answering(key: paramiko.PKey, answer: bytes, *, password: str = "let-me-in") -> Iterator[int]:
    """Be an SSH service that lets everybody in with a password and gives one answer to every command."""
    server = socket.create_server(("127.0.0.1", 0), backlog=512)
    transports: list[paramiko.Transport] = []

    def accept() -> None:
        while True:
            try:
                client, _address = server.accept()
            except OSError:
                return
            transport = paramiko.Transport(client)
            transport.set_log_channel("khien.ssh")
            transport.add_server_key(key)
            transports.append(transport)
            transport.start_server(event=threading.Event(), server=_Door(password, answer))

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)
        for transport in transports:
            transport.close()
