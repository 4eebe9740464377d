"""Asks ssh itself where a host is dialled, as whom, with which keys and through what."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from khien.domain.host import Host

_SSH_SECONDS = 10


@dataclass(frozen=True, slots=True)
class SshSettings:
    """How one host is reached by SSH."""

    address: str
    port: int
    user: str
    lookup_name: str
    """The name under which known_hosts keeps its key."""
    key_files: tuple[Path, ...]
    known_hosts: tuple[Path, ...]
    """Files with known host keys; a new one goes into the first."""
    uses_agent: bool = True
    proxy: tuple[str, ...] = ()
    """A command whose input and output are the connection; empty for a direct one."""


class UnclearSettingsError(Exception):
    """Only Ansible can tell how the host is reached; the message names the variable."""

    def __init__(self, variable: str) -> None:
        self.variable = variable
        super().__init__(variable)


def read_ssh_settings(host: Host, known_hosts: Path) -> SshSettings:
    """Return how ssh would reach the host when Ansible calls it.

    `ssh -G` knows every option, ssh_config, Match and Include of the installed version; nothing is dialled.

    Args:
        host: the host as the inventory describes it.
        known_hosts: the file of known host keys, where the inventory names none.

    Raises:
        UnclearSettingsError: a variable holds a template, or ssh does not understand the arguments.
    """
    for name, value in host.connection.items():
        if isinstance(value, str) and ("{{" in value or "{%" in value):
            raise UnclearSettingsError(name)
    options = _effective_options(host, known_hosts)

    def one(name: str) -> str:
        return options.get(name, [""])[0]

    address, port, alias = one("hostname") or host.address, int(one("port") or 22), one("hostkeyalias")
    user_files = one("userknownhostsfile")
    # ssh -G prints no quotes, so a path of ours with a space in it would fall apart.
    files = [user_files] if user_files == str(known_hosts) else shlex.split(user_files)
    files += shlex.split(one("globalknownhostsfile"))
    return SshSettings(
        address=address,
        port=port,
        user=one("user"),
        lookup_name=alias.lower() if alias else lookup_name(address, port),
        key_files=tuple(_path(name) for name in options.get("identityfile", ()) if name != "none"),
        known_hosts=tuple(_path(name) for name in files if name != "none"),
        uses_agent=one("identitiesonly") != "yes" and one("identityagent") != "none",
        proxy=_proxy(options, address, port),
    )


def lookup_name(address: str, port: int) -> str:
    """Return the name under which known_hosts keeps the key of a host."""
    return address.lower() if port == 22 else f"[{address.lower()}]:{port}"


def _effective_options(host: Host, known_hosts: Path) -> Mapping[str, list[str]]:
    try:
        done = subprocess.run(
            _question(host, known_hosts),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=_SSH_SECONDS,
            check=False,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired) as exc:
        raise UnclearSettingsError("ssh -G") from exc
    if done.returncode != 0:
        raise UnclearSettingsError("ansible_ssh_common_args")
    options: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        name, _space, value = line.partition(" ")
        options.setdefault(name, []).append(value)
    return options


def _question(host: Host, known_hosts: Path) -> list[str]:
    """Build the command in Ansible's own order: of an option given twice, ssh takes the first."""
    connection = host.connection
    command = ["ssh", "-G", "-T"]
    for option, variable in (("Port", "ansible_port"), ("User", "ansible_user")):
        if given := connection.get(variable):
            command += ["-o", f"{option}={given}"]
    if key := connection.get("ansible_ssh_private_key_file"):
        command += ["-o", f'IdentityFile="{Path(str(key)).expanduser()}"']
    for variable in ("ansible_ssh_common_args", "ansible_ssh_extra_args"):
        try:
            command += shlex.split(str(connection.get(variable) or ""))
        except ValueError as exc:
            raise UnclearSettingsError(variable) from exc
    # The usual file is left to ssh, so that a UserKnownHostsFile of ssh_config keeps its word.
    if known_hosts != Path.home() / ".ssh" / "known_hosts":
        command += ["-o", f'UserKnownHostsFile="{known_hosts}"']
    return [*command, "--", host.address]


def _proxy(options: Mapping[str, list[str]], address: str, port: int) -> tuple[str, ...]:
    command = options.get("proxycommand", ["none"])[0]
    if command != "none":
        tokens = {"%": "%", "h": address, "p": str(port), "r": options["user"][0], "n": address}
        expanded = re.sub(r"%(.)", lambda match: tokens.get(match[1], match[0]), command)
        return ("/bin/sh", "-c", f"exec {expanded}")
    jump = options.get("proxyjump", ["none"])[0]
    if jump == "none":
        return ()
    before, _comma, last = jump.rpartition(",")
    user, _at, place = last.rpartition("@")
    parts = re.fullmatch(r"\[(.+)\](?::(\d+))?|([^:]+)(?::(\d+))?", place)
    if parts is None:
        raise UnclearSettingsError("ProxyJump")
    words = ["ssh", "-T", "-o", "BatchMode=yes", "-W", f"[{address}]:{port}"]
    words += ["-l", user] if user else []
    words += ["-p", port_of_jump] if (port_of_jump := parts[2] or parts[4]) else []
    words += ["-J", before] if before else []
    return (*words, "--", parts[1] or parts[3])


def _path(name: str) -> Path:
    return Path(name).expanduser()
