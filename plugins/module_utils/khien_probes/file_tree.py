"""Probe about what lies on the host's own disks with rights it should not have: one walk answers all of it.

A walk costs a system call for every file, so folders that only packages fill and that hold nothing but data,
and the layers of container images, are left out. It takes the lowest priority and gives up after a while.
"""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress

from .dpkg import has_dpkg
from .machine import Machine, NoAnswerError, UnsupportedError
from .traceless import run_without_trace

_DISKS = {"btrfs", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay", "tmpfs", "xfs", "zfs"}
# Mounted there is what belongs to the system itself, to containers or to a person's session.
_FOREIGN = (
    "/proc",
    "/sys",
    "/dev/",
    "/run",
    "/snap",
    "/var/lib/docker",
    "/var/lib/containers",
    "/var/lib/kubelet",
)
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - looked at, not written to
_LEFT_OUT = frozenset(
    {
        *(
            "/usr/share",
            "/usr/include",
            "/usr/src",
            "/usr/lib/modules",
            "/usr/lib/firmware",
            "/usr/lib/locale",
        ),
        *("/usr/lib/python3", "/var/lib/dpkg", "/var/lib/apt", "/var/lib/rpm", "/usr/lib/sysimage"),
        *("/var/lib/docker", "/var/lib/containers", "/var/lib/containerd", "/var/lib/kubelet"),
    }
)
_LONGEST_SECONDS = 25.0
_MOST_SHOWN = 40
_SUSPECT = stat.S_ISUID | stat.S_ISGID | stat.S_IWOTH
_DYNAMIC_USERS = range(61184, 65520)  # systemd gives these to services for as long as they run
# Where most of a system's privileged programs come from, asked first.
_USUAL_PACKAGES = (
    *(
        "passwd",
        "login",
        "sudo",
        "util-linux",
        "mount",
        "openssh-client",
        "libpam-modules-bin",
        "cron",
        "dbus",
    ),
    *("bsdutils", "login.defs", "util-linux-extra", "polkitd", "fuse3", "dbus-daemon", "systemd-cron"),
)


def file_tree(machine: Machine, find: str) -> list[str]:
    """Return what lies about: world_writable, not_sticky, unowned or strange_suid.

    Without root much of the tree is out of sight, so there is no answer.
    """
    if not machine.privileged:
        raise PermissionError("only root sees all folders")
    if find == "unowned":
        _names_must_be_local(machine)
    found = machine.once("file tree", lambda: _look(machine))
    paths = _strange(machine, sorted(found["suid"])) if find == "strange_suid" else found[find]
    return sorted(paths)[:_MOST_SHOWN]


def _look(machine: Machine) -> dict[str, list[str]]:
    walk = _Walk(machine)
    calm = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        os.setpriority(os.PRIO_PROCESS, 0, 19)
        walk.all_disks()
    finally:
        _return_to(calm)
    return walk.found


def _names_must_be_local(machine: Machine) -> None:
    for line in machine.lines("/etc/nsswitch.conf"):
        base, _colon, sources = line.partition(":")
        strangers = {word for word in sources.split() if word[0] != "["} - {"files", "systemd", "compat"}
        if base.strip() in ("passwd", "group") and strangers:
            raise UnsupportedError("names also come from %s" % ", ".join(sorted(strangers)))


class _Walk:
    """One walk over all disks, and what it comes across."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._users = _Numbers(machine, "/etc/passwd", "/etc/subuid")
        self._groups = _Numbers(machine, "/etc/group", "/etc/subgid")
        self.found: dict[str, list[str]] = {"world_writable": [], "not_sticky": [], "unowned": [], "suid": []}

    def all_disks(self) -> None:
        """Go through every disk once."""
        ends = time.monotonic() + _LONGEST_SECONDS
        seen = set()
        for start in _starts(self._machine):
            try:
                status = os.lstat(self._machine.path(start))
            except OSError:
                continue  # unmounted meanwhile
            if (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                self._walk(start, status.st_dev, ends)

    def _walk(self, start: str, device: int, ends: float) -> None:
        folders = [start.rstrip("/")]
        while folders:
            folder = folders.pop()
            if time.monotonic() > ends:
                raise NoAnswerError(
                    "the disks hold more files than can be looked at in %g s" % _LONGEST_SECONDS
                )
            self._folder(folder, device, folders)

    def _folder(self, folder: str, device: int, folders: list[str]) -> None:
        """Look at one folder and note those below it; this loop runs for every file of the host."""
        users, groups, is_folder = self._users.known, self._groups.known, stat.S_ISDIR
        try:
            with os.scandir(self._machine.path(folder or "/")) as entries:
                for entry in entries:
                    if entry.is_symlink():
                        continue
                    try:
                        status = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue  # gone since the folder was opened
                    mode = status.st_mode
                    if is_folder(mode) and status.st_dev == device:
                        path = folder + "/" + entry.name
                        if path not in _LEFT_OUT:
                            folders.append(path)
                    if mode & _SUSPECT or status.st_uid not in users or status.st_gid not in groups:
                        self._judge(folder + "/" + entry.name, status)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return  # a network folder of somebody else's, or gone

    def _judge(self, path: str, status: os.stat_result) -> None:
        mode = status.st_mode
        if status.st_uid not in self._users or status.st_gid not in self._groups:
            self.found["unowned"].append(path)
        if stat.S_ISDIR(mode):
            if mode & (stat.S_IWOTH | stat.S_ISVTX) == stat.S_IWOTH:
                self.found["not_sticky"].append(path)
        elif stat.S_ISREG(mode):
            if mode & stat.S_IWOTH:
                self.found["world_writable"].append(path)
            if mode & (stat.S_ISUID | stat.S_ISGID):
                self.found["suid"].append(path)


def _return_to(priority: int) -> None:
    # Root without the right to hurry asks the few questions that remain slowly.
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, priority)


def _starts(machine: Machine) -> list[str]:
    starts = ["/"]
    for line in machine.lines("/proc/self/mountinfo", comment=""):
        left, _dash, right = line.partition(" - ")
        words, kind = left.split(), right.split()
        if len(words) > 4 and kind and kind[0] in _DISKS:
            path = words[4].replace("\\040", " ")
            if path == _SHARED_MEMORY or not path.startswith(_FOREIGN):
                starts.append(path)
    return starts


class _Numbers:
    """The numbers that have a name, with those handed out to containers and short-lived services."""

    def __init__(self, machine: Machine, names: str, ranges: str) -> None:
        rows = (line.split(":") for line in machine.lines(names, comment=""))
        self.known = {int(row[2]) for row in rows if len(row) > 2 and row[2].isdigit()}
        self._ranges = [_DYNAMIC_USERS, *(_range(line) for line in machine.lines(ranges))]

    def __contains__(self, number: int) -> bool:
        return number in self.known or any(number in one for one in self._ranges)


def _range(line: str) -> range:
    words = line.split(":")
    if len(words) == 3 and words[1].isdigit() and words[2].isdigit():
        return range(int(words[1]), int(words[1]) + int(words[2]))
    return range(0)


def _strange(machine: Machine, paths: list[str]) -> list[str]:
    """Return those of the privileged programs that no package brought."""
    if not paths:
        return []
    if has_dpkg(machine):
        return _not_from_dpkg(machine, paths)
    if not machine.program("rpm"):
        raise UnsupportedError("no package manager says where programs come from")
    _code, output = run_without_trace(machine, "rpm", "-qf", *paths)
    lines = output.split("\n")
    return [path for path in paths if "file %s is not owned by any package" % path in lines]


def _not_from_dpkg(machine: Machine, paths: list[str]) -> list[str]:
    info = "/var/lib/dpkg/info"
    lists = [name for name in machine.names(info) if name.endswith(".list")]
    usual = [name for name in lists if name[:-5].split(":")[0] in _USUAL_PACKAGES]
    # Before /bin became a link to /usr/bin, packages named their programs without /usr.
    wanted = {path: [b"\n%s\n" % spelling.encode() for spelling in (path, path[4:])] for path in paths}
    for name in [*usual, *(name for name in lists if name not in usual)]:
        if not wanted:
            break
        with open(machine.path(info + "/" + name), "rb") as stream:
            data = b"\n" + stream.read()
        for path in [path for path, spellings in wanted.items() if any(one in data for one in spellings)]:
            del wanted[path]
    return sorted(wanted)
