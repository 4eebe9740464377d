"""Shakes hands with an SSH service, logs in and runs one command; blocking, for a thread of its own."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import paramiko
from paramiko.pkey import UnknownKeyType

from khien.adapters.ssh_door import Connection, DoorError
from khien.adapters.ssh_settings import SshSettings
from khien.application.trust_hosts import HostKey
from khien.domain.reason import ReasonCode
from khien.domain.text import safe_text

_LOG_CHANNEL = "khien.ssh"
_MOST_OUTPUT = 256_000
# Servers end the conversation after a handful of refused keys (MaxAuthTries): a full agent is not emptied.
_MOST_AGENT_KEYS = 4

# paramiko reports every broken connection to its log as well, and Python prints what nobody listens to.
logging.getLogger(_LOG_CHANNEL).addHandler(logging.NullHandler())
logging.getLogger(_LOG_CHANNEL).propagate = False


class KeyRing:
    """The private keys of this machine's files, each read once for all hosts."""

    def __init__(self) -> None:
        self._keys: dict[Path, paramiko.PKey | None] = {}
        self._lock = threading.Lock()

    def key(self, path: Path) -> paramiko.PKey | None:
        """Return the key in a file, or None when there is none that opens without a passphrase."""
        with self._lock:
            if path not in self._keys:
                try:
                    self._keys[path] = paramiko.PKey.from_path(path)
                # A key of a kind that the cryptography library does not know ends as ValueError.
                except (OSError, paramiko.SSHException, UnknownKeyType, ValueError):
                    self._keys[path] = None
            return self._keys[path]


def shake_hands(
    connection: Connection, settings: SshSettings, recorded: Sequence[HostKey], *, seconds: float
) -> tuple[paramiko.Transport, HostKey]:
    """Agree on the encryption and return the key that the host showed; nothing is sent of the login.

    Raises:
        DoorError: the service does not speak SSH, or not in time.
    """
    connection.sock.setblocking(True)
    transport = paramiko.Transport(connection.sock)
    transport.set_log_channel(_LOG_CHANNEL)
    transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = seconds
    options = transport.get_security_options()
    known = {key.key_type.replace("ssh-rsa", "rsa-sha2-512") for key in recorded}
    # As ssh does: ask first for the kind of key that is recorded, or a host with two keys looks changed.
    options.key_types = tuple(sorted(options.key_types, key=lambda name: name not in known))
    finished = threading.Event()
    transport.start_client(event=finished)
    finished.wait(seconds)
    if not finished.is_set() or not transport.is_active():
        transport.close()
        if not transport.remote_version:
            raise DoorError(ReasonCode.NO_BANNER, address=settings.address, port=settings.port)
        raise DoorError(ReasonCode.CONNECTION_LOST, message=_why(transport.get_exception()))
    shown = transport.get_remote_server_key()
    return transport, HostKey(shown.get_name(), shown.asbytes())


def log_in(
    transport: paramiko.Transport, settings: SshSettings, keys: KeyRing, *, password: str | None
) -> None:
    """Log in with the first key, or the password, that the host takes.

    Raises:
        DoorError: it takes none of them.
    """
    tried: list[str] = []
    user = settings.user
    try:
        for name, key in _private_keys(settings, keys, tried):
            tried.append(name)
            try:
                if not transport.auth_publickey(user, key):
                    return
            except paramiko.BadAuthenticationType:
                break
            except paramiko.AuthenticationException:
                continue
        if password is not None:
            tried.append("password")
            if not transport.auth_password(user, password):
                return
    except (paramiko.SSHException, EOFError, OSError):
        # The host ended the conversation, which is its way of saying no for good.
        pass
    if tried:
        raise DoorError(ReasonCode.LOGIN_REFUSED, user=user, tried=", ".join(tried))
    raise DoorError(ReasonCode.LOGIN_REFUSED, user=user)


def run_script(transport: paramiko.Transport, script: str, *, seconds: float) -> str:
    """Feed a script to /bin/sh on the host and return what it printed.

    Raises:
        DoorError: the connection ended, or the script did not, in time.
    """
    return run_command(transport, "/bin/sh -s", script, seconds=seconds)[1]


def run_command(transport: paramiko.Transport, command: str, text: str, *, seconds: float) -> tuple[int, str]:
    """Run one command with a text as its input; return its exit code and what it printed.

    Raises:
        DoorError: the connection ended, or the command did not, in time.
    """
    deadline = time.monotonic() + seconds
    try:
        with transport.open_session(timeout=seconds) as channel:
            channel.set_combine_stderr(True)
            channel.settimeout(seconds)
            channel.exec_command(command)
            channel.sendall(text.encode())
            channel.shutdown_write()
            output = bytearray()
            while len(output) < _MOST_OUTPUT:
                channel.settimeout(max(0.01, deadline - time.monotonic()))
                part = channel.recv(32_768)
                if not part:
                    break
                output += part
            code = channel.recv_exit_status() if channel.status_event.wait(1) else -1
            return code, output.decode(errors="replace")
    except TimeoutError as exc:
        raise DoorError(ReasonCode.PREFLIGHT_TIMEOUT, seconds=round(seconds)) from exc
    except (paramiko.SSHException, EOFError, OSError) as exc:
        raise DoorError(ReasonCode.CONNECTION_LOST, message=_why(exc)) from exc


def _private_keys(
    settings: SshSettings, keys: KeyRing, tried: list[str]
) -> Iterator[tuple[str, paramiko.PKey]]:
    for path in settings.key_files:
        if (key := keys.key(path)) is not None:
            yield str(path), key
        elif path.is_file():
            tried.append(f"{path} (?)")
    if settings.uses_agent and os.environ.get("SSH_AUTH_SOCK"):
        # An agent answers one question at a time, so every thread talks to it on a line of its own.
        agent = paramiko.Agent()
        try:
            for agent_key in agent.get_keys()[:_MOST_AGENT_KEYS]:
                yield f"ssh-agent {safe_text(agent_key.comment or '', 60)}".strip(), agent_key
        finally:
            agent.close()


def _why(error: BaseException | None) -> str:
    return safe_text(error or "", 300) or "SSH"
