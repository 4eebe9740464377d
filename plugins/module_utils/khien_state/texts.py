"""Files as hardening writes them: with the owner, the mode and the attributes they have or shall have."""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import stat
import tempfile
from typing import Optional

from .system import ApplyError, System


def ids(owner: str, group: str) -> tuple[int, int]:
    """Return the numbers of an owner and a group.

    Raises:
        ApplyError: this host has no such name.
    """
    try:
        uid = int(owner) if owner.isdigit() else pwd.getpwnam(owner).pw_uid
        gid = int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
    except KeyError as problem:
        raise ApplyError("this host does not know %s" % problem) from problem
    return uid, gid


def missing_folders(system: System, path: str) -> list[str]:
    """Return the folders above a path that do not exist yet, the outermost first."""
    missing = []
    folder = os.path.dirname(path)
    while folder != "/" and not system.exists(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    return missing[::-1]


def make_folders(system: System, path: str) -> None:
    """Make the folders above a path, readable by all, writable by root."""
    for folder in missing_folders(system, path):
        os.mkdir(system.path(folder), 0o755)
        os.chmod(system.path(folder), 0o755)  # noqa: S103 - whatever the umask says


def rewrite(system: System, path: str, text: str, *, validate: str = "") -> None:
    """Give an existing file another text; owner, mode and attributes stay."""
    place = os.path.realpath(system.path(path)) if not system.root else system.path(path)
    found = os.stat(place)
    data = text.encode("utf-8", "surrogateescape")
    if validate:
        must_be_valid(system, data, validate, stat.S_IMODE(found.st_mode))
    attributes = {name: os.getxattr(place, name) for name in _attribute_names(place)}
    inside = place[len(system.root) :] if system.root else place
    system.write(inside, data, stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid)
    for name, value in attributes.items():
        os.setxattr(place, name, value)


def _attribute_names(place: str) -> list[str]:
    try:
        return [name for name in os.listxattr(place) if name not in ("security.ima", "security.evm")]
    except OSError:
        return []


def must_be_valid(system: System, data: bytes, command: str, mode: int = 0o600) -> None:
    """Let a checker read a text before it gets its place.

    Raises:
        ApplyError: the checker refuses it.
    """
    with tempfile.NamedTemporaryFile(prefix="khien-", dir=system.path("/run") or None) as file:
        file.write(data)
        file.flush()
        os.fchmod(file.fileno(), mode)
        name = file.name[len(system.root) :]
        words = [name if word == "%s" else word for word in shlex.split(command)]
        code, output = system.run(words, 60)
    if code != 0:
        raise ApplyError("%s refuses the new text: %s" % (words[0], output.strip()[-400:]))


def must_pass(system: System, command: Optional[str]) -> None:
    """Run a checker over what is in place now.

    Raises:
        ApplyError: it complains.
    """
    if command:
        code, output = system.run(shlex.split(command), 60)
        if code != 0:
            raise ApplyError("%s: %s" % (command, output.strip()[-400:]))
