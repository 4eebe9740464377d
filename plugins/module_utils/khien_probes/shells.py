"""Probes about shells: when they end, what rights new files get, where root looks for programs."""

from __future__ import annotations

import os
import re
import stat
from typing import Optional

from .accounts import login_defs, passwd_rows
from .machine import Machine

_FOR_ALL = ("/etc/profile", "/etc/bash.bashrc", "/etc/bashrc", "/etc/csh.cshrc", "/etc/csh.login")
_OF_ROOT = (".bash_profile", ".bash_login", ".profile", ".bashrc", ".cshrc")
_TMOUT = re.compile(r"\bTMOUT\s*:?=\s*[\"']?([0-9]+)")
_UMASK = re.compile(r"(?:^|[;&|]\s*|\bthen\s+|\belse\s+)umask\s+([0-7]{1,4})\b")
# Red Hat's shells set one only where PAM has set none at all.
_ONLY_WITHOUT_ONE = re.compile(r"`umask`\s+-eq\s+0|\$\(umask\)\s+-eq\s+0")
_PATH = re.compile(r"(?:^|[;\s])(?:export\s+)?PATH=(?:\"([^\"]*)\"|'([^']*)'|(\S+))")
_PATH_WITHOUT_WORDS = "/sbin:/bin:/usr/sbin:/usr/bin"


def shell_timeout(machine: Machine) -> list[int]:
    """Return the idle times in seconds after which login shells end."""
    files = [*_FOR_ALL[:3], *machine.matching("/etc/profile.d/*.sh")]
    return [int(found) for file in files for line in machine.lines(file) for found in _TMOUT.findall(line)]


def shell_umask(machine: Machine, whose: str) -> list[str]:
    """Return the umasks that start files of shells set: for everyone, or root's own."""
    files = [*_FOR_ALL, *machine.matching("/etc/profile.d/*.sh")]
    if whose == "root":
        home = next((row[5] for row in passwd_rows(machine) if row[0] == "root"), "/root")
        files = [home + "/" + name for name in _OF_ROOT]
    lines = (line for file in files for line in machine.lines(file) if not _ONLY_WITHOUT_ONE.search(line))
    return [found.zfill(3) for line in lines for found in _UMASK.findall(line)]


def shells(machine: Machine) -> Optional[list[str]]:
    """Return the shells that count as login shells, or nothing when there is no list."""
    return machine.lines("/etc/shells") if machine.exists("/etc/shells") else None


def root_path(machine: Machine) -> list[str]:
    """Return what is wrong with the folders where root looks for programs."""
    said = login_defs(machine, "ENV_SUPATH")
    paths = [str(said).partition("=")[2] or str(said) if said else _PATH_WITHOUT_WORDS]
    home = next((row[5] for row in passwd_rows(machine) if row[0] == "root"), "/root")
    for name in _OF_ROOT:
        for line in machine.lines(home + "/" + name):
            paths += ["".join(found) for found in _PATH.findall(line)]
    problems = [problem for path in paths for part in path.split(":") for problem in _doubts(machine, part)]
    return sorted(set(problems))


def _doubts(machine: Machine, folder: str) -> list[str]:
    """Return why root should not look for programs in a folder; what the shell fills in cannot be judged."""
    if folder.startswith(("$", "~")):
        return []
    if not folder.startswith("/"):
        return ["%s is no absolute path" % (folder or '""')]
    try:
        status = os.stat(machine.path(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []  # root's files in /usr/local/games and the like need not exist
    doubts = []
    if status.st_uid != 0:
        doubts.append("%s belongs to %d" % (folder, status.st_uid))
    if status.st_mode & stat.S_IWOTH or (status.st_mode & stat.S_IWGRP and status.st_gid != 0):
        doubts.append("%s is writable by others: %04o" % (folder, stat.S_IMODE(status.st_mode)))
    return doubts
