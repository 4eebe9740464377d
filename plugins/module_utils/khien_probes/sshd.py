"""Probes about the SSH server: the configuration in force, as the server itself reads it."""

from __future__ import annotations

import shlex
from typing import Optional

from .machine import Machine, NoAnswerError

_CONFIG = "/etc/ssh/sshd_config"
_DEEPEST_INCLUDE = 8
_LISTS = ("ciphers", "hostkeyalgorithms", "kexalgorithms", "macs", "pubkeyacceptedalgorithms")
# Ways to log in that a server may be built without; then sshd -T does not name them.
_BUILT_IN_OR_NOT = ("gssapiauthentication", "kerberosauthentication")
_WHO_MAY = (("allowusers", "user"), ("allowgroups", "group"))


def sshd_option(machine: Machine, option: str) -> Optional[list[str]]:
    """Return the value in force and then those of Match blocks, or nothing without an SSH server.

    Of an option that is a list by itself its entries are returned.
    """
    settings = effective(machine)
    if settings is None:
        return None
    values = settings.get(option.lower())
    if values is None and option.lower() in _BUILT_IN_OR_NOT:
        values = ["no"]
    if values is None:
        raise NoAnswerError("this version of sshd does not know %s" % option)
    if option.lower() in _LISTS:
        return values[0].split(",")
    return [" ".join(values), *_in_match_blocks(machine).get(option.lower(), [])]


def sshd_access(machine: Machine) -> Optional[list[str]]:
    """Return the users and groups that the server's configuration names as allowed; none: everybody is."""
    settings = effective(machine)
    if settings is None:
        return None
    return [
        "%s %s" % (word, name)
        for option, word in _WHO_MAY
        for value in settings.get(option, [])
        for name in value.split()
    ]


def sshd_limits(machine: Machine) -> Optional[dict[str, int]]:
    """Return the numbers that sshd writes several to an option: waiting logins, and when keys are renewed."""
    settings = effective(machine)
    if settings is None:
        return None
    begin, rate, full = _numbers(settings, "maxstartups", 3)
    rekey_bytes, rekey_seconds = _numbers(settings, "rekeylimit", 2)
    return {
        "startups_begin": begin,
        "startups_rate": rate,
        "startups_full": full,
        "rekey_bytes": rekey_bytes,
        "rekey_seconds": rekey_seconds,
    }


def _numbers(settings: dict[str, list[str]], option: str, count: int) -> list[int]:
    words = " ".join(settings.get(option, [])).replace(":", " ").split()
    if len(words) != count or not all(word.isdigit() for word in words):
        raise NoAnswerError("sshd -T: %s %s" % (option, " ".join(words)))
    return [int(word) for word in words]


def effective(machine: Machine) -> Optional[dict[str, list[str]]]:
    """Return all options in force by their lower-case names, or nothing without an SSH server."""
    server = machine.program("sshd")
    if server is None or not machine.exists(_CONFIG):
        return None
    return _effective(machine, server)


def _effective(machine: Machine, server: str) -> dict[str, list[str]]:
    # Reading it needs the host keys: as an ordinary user sshd could only complain.
    if not machine.privileged:
        raise PermissionError("sshd -T reads the host keys")
    code, output = machine.run([server, "-T"])
    if code != 0:
        raise NoAnswerError("sshd -T: %s" % output.strip()[-300:])
    settings: dict[str, list[str]] = {}
    for line in output.split("\n"):
        key, _space, value = line.strip().partition(" ")
        settings.setdefault(key, []).append(value)
    return settings


def _in_match_blocks(machine: Machine) -> dict[str, list[str]]:
    """Return the values that options get for some users, groups or addresses only."""
    return machine.once("sshd match blocks", lambda: _read_match_blocks(machine))


def _read_match_blocks(machine: Machine) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    _walk(machine, _CONFIG, found, conditional=False, depth=0)
    return found


def _walk(machine: Machine, path: str, found: dict[str, list[str]], conditional: bool, depth: int) -> None:
    inside = conditional
    for line in machine.lines(path):
        words = _words(line)
        key = words[0].lower()
        if key == "match":
            inside = conditional or [word.lower() for word in words[1:]] != ["all"]
        elif key == "include" and depth < _DEEPEST_INCLUDE:
            for pattern in words[1:]:
                full = pattern if pattern.startswith("/") else "/etc/ssh/" + pattern
                for file in machine.matching(full):
                    _walk(machine, file, found, inside, depth + 1)
        elif inside and len(words) > 1:
            found.setdefault(key, []).append(" ".join(words[1:]))


def _words(line: str) -> list[str]:
    """Split a line as sshd does: an equals sign may stand between option and value."""
    key, _space, rest = line.replace("\t", " ").partition(" ")
    if "=" in key:
        key, _equals, first = key.partition("=")
        rest = first + " " + rest
    try:
        return [key, *shlex.split(rest.lstrip().lstrip("="))]
    except ValueError:
        return [key, rest.strip()]
