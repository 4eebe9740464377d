"""What a checkpoint can keep and put back: files, sysctls, units, accounts, packages, mounts, firewalls.

A thing has a kind, a key, and a state that is a JSON value. Undo sets the state that was read before.
Whatever is in this file must run alone on a host without a network: the lock-out guard copies it there.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shlex
import shutil
import stat
import tempfile
from typing import Any, Mapping, Optional, Protocol

from .system import ApplyError, System

State = Any
_LARGEST_FILE = 8 * 1024 * 1024
# What the file system itself decides, or what only a matching kernel may set.
_FOREIGN_ATTRIBUTES = ("security.ima", "security.evm")


class Blobs(Protocol):
    """Where the contents of files are kept."""

    def put(self, data: bytes) -> str:
        """Keep bytes; return the name that finds them again."""
        ...

    def get(self, name: str) -> bytes:
        """Return kept bytes."""
        ...


class NoBlobs:
    """Names contents and keeps none: enough to compare."""

    def put(self, data: bytes) -> str:
        """Return the name of these bytes."""
        return hashlib.sha256(data).hexdigest()

    def get(self, name: str) -> bytes:
        """There is nothing to return."""
        raise ApplyError("the content %s was not kept" % name[:12])


def look(system: System, kind: str, key: str, blobs: Blobs) -> State:
    """Return the present state of a thing.

    Raises:
        ApplyError: it cannot be kept.
    """
    if kind == "file":
        return _file_state(system, key, blobs)
    return _LOOK[kind](system, key)


def put_back(system: System, kind: str, key: str, state: State, blobs: Blobs) -> None:
    """Give a thing the state that was read from it.

    Raises:
        ApplyError: it cannot be done.
    """
    if kind == "file":
        _set_file(system, key, state, blobs)
    else:
        _SET[kind](system, key, state)


def shown(kind: str, state: State) -> str:
    """Return a state in few words, in no human language."""
    if state is None:
        return "∅"
    if kind == "file":
        name = {"file": state.get("content", "")[:12], "link": "→ %s" % state.get("target", "")}
        return "%s %s:%s %s" % (
            state["mode"],
            state["uid"],
            state["gid"],
            name.get(state["type"], state["type"]),
        )
    if kind == "audit":
        return "%d rules" % len(state)
    if kind == "nft":
        return "%d rules" % str(state).count("\n")
    if isinstance(state, Mapping):
        return " ".join("%s=%s" % (key, state[key]) for key in sorted(state))
    return str(state)


def _file_state(system: System, path: str, blobs: Blobs) -> State:
    place = system.path(path)
    try:
        found = os.lstat(place)
    except (FileNotFoundError, NotADirectoryError):
        return None
    state: dict[str, Any] = {
        "mode": "%04o" % stat.S_IMODE(found.st_mode),
        "uid": found.st_uid,
        "gid": found.st_gid,
    }
    if stat.S_ISLNK(found.st_mode):
        return {**state, "type": "link", "target": os.readlink(place)}
    state["attributes"] = _attributes(place)
    if stat.S_ISDIR(found.st_mode):
        return {**state, "type": "folder"}
    if not stat.S_ISREG(found.st_mode):
        return {**state, "type": "special"}
    if found.st_size > _LARGEST_FILE:
        raise ApplyError("%s is too large to be kept: %d bytes" % (path, found.st_size))
    return {**state, "type": "file", "content": blobs.put(system.read(path) or b"")}


def _attributes(place: str) -> dict[str, str]:
    """Return extended attributes: POSIX ACLs, SELinux labels, capabilities, what users set."""
    try:
        names = os.listxattr(place)
    except OSError:
        return {}
    return {
        name: base64.b64encode(os.getxattr(place, name)).decode()
        for name in sorted(names)
        if name not in _FOREIGN_ATTRIBUTES
    }


def _set_file(system: System, path: str, state: State, blobs: Blobs) -> None:
    place = system.path(path)
    if state is None:
        _remove(place)
        return
    mode, uid, gid = int(state["mode"], 8), state["uid"], state["gid"]
    if state["type"] == "link":
        _remove(place)
        os.symlink(state["target"], place)
        os.lchown(place, uid, gid)
        return
    if state["type"] == "file":
        data = blobs.get(state["content"])
        present = None if os.path.islink(place) else system.read(path)
        if present != data or not os.path.isfile(place):
            if os.path.isdir(place) and not os.path.islink(place):
                raise ApplyError("%s is a folder now" % path)
            os.makedirs(os.path.dirname(place), mode=0o755, exist_ok=True)
            system.write(path, data, mode, uid, gid)
    elif state["type"] == "folder":
        if os.path.islink(place):
            raise ApplyError("%s is a link now" % path)
        os.makedirs(place, exist_ok=True)
    elif not os.path.lexists(place):
        raise ApplyError("%s was no plain file and is gone" % path)
    os.chown(place, uid, gid)
    os.chmod(place, mode)
    _set_attributes(place, state.get("attributes", {}))


def _set_attributes(place: str, wanted: Mapping[str, str]) -> None:
    for name in _attributes(place):
        if name not in wanted:
            os.removexattr(place, name)
    for name, value in wanted.items():
        os.setxattr(place, name, base64.b64decode(value))


def _remove(place: str) -> None:
    if os.path.isdir(place) and not os.path.islink(place):
        # Only a folder that we made, and only when nobody put anything into it.
        if not os.listdir(place):
            os.rmdir(place)
        return
    if os.path.lexists(place):
        os.unlink(place)


def _sysctl_path(key: str) -> str:
    return "/proc/sys/" + (key if "/" in key else key.replace(".", "/"))


def _sysctl_state(system: System, key: str) -> State:
    text = system.text(_sysctl_path(key))
    return None if text is None else " ".join(text.split())


def _set_sysctl(system: System, key: str, state: State) -> None:
    if state is None:
        return
    try:
        with open(system.path(_sysctl_path(key)), "w", encoding="ascii") as stream:
            stream.write(str(state) + "\n")
    except OSError as problem:
        raise ApplyError("%s cannot be set to %s: %s" % (key, state, problem)) from problem


def _unit_state(system: System, name: str) -> State:
    code, output = system.run(
        ["systemctl", "show", "--property=LoadState,ActiveState,UnitFileState", "--", name]
    )
    words = dict(line.split("=", 1) for line in output.split("\n") if "=" in line)
    if code != 0 or words.get("LoadState") in (None, "not-found"):
        return None
    return {
        "enabled": words.get("UnitFileState", ""),
        "active": words.get("ActiveState") in ("active", "activating", "reloading"),
        "masked": words.get("LoadState") == "masked",
    }


def _set_unit(system: System, name: str, state: State) -> None:
    present = _unit_state(system, name)
    if state is None:
        # It came with the task: its file or its package goes next, and nothing of it may stay behind.
        if present is not None:
            system.must_run(["systemctl", "disable", "--now", "--", name])
        return
    if present is None:
        raise ApplyError("there is no unit %s any more" % name)
    if present["masked"] and not state["masked"]:
        system.must_run(["systemctl", "unmask", "--", name])
    if state["masked"] and not present["masked"]:
        system.must_run(["systemctl", "mask", "--", name])
    if state["enabled"] in ("enabled", "disabled") and not state["masked"]:
        now = (_unit_state(system, name) or {}).get("enabled")
        if now != state["enabled"]:
            verb = "enable" if state["enabled"] == "enabled" else "disable"
            system.must_run(["systemctl", verb, "--", name])
    now_active = (_unit_state(system, name) or {}).get("active")
    if now_active != state["active"]:
        system.must_run(["systemctl", "start" if state["active"] else "stop", "--", name])


_SHADOW_FIELDS = {"password": 1, "min_days": 3, "max_days": 4, "warn_days": 5, "inactive_days": 6}
_CHAGE = {"min_days": "-m", "max_days": "-M", "warn_days": "-W", "inactive_days": "-I"}


def account_row(system: System, file: str, user: str) -> Optional[list[str]]:
    """Return the fields of an account in passwd or shadow."""
    for line in (system.text(file) or "").split("\n"):
        row = line.split(":")
        if row[0] == user and len(row) > 6:
            return row
    return None


def _account_state(system: System, key: str) -> State:
    user, _colon, field = key.rpartition(":")
    if field == "shell":
        row = account_row(system, "/etc/passwd", user)
        return None if row is None else row[6]
    row = account_row(system, "/etc/shadow", user)
    if row is None:
        return None
    if field == "password":
        # Only whether it is locked or empty: a hash stays where it is.
        return "empty" if not row[1] else "locked" if row[1][0] in "!*" else "set"
    return row[_SHADOW_FIELDS[field]]


def _set_account(system: System, key: str, state: State) -> None:
    user, _colon, field = key.rpartition(":")
    present = _account_state(system, key)
    if present == state or present is None:
        return
    if field == "shell":
        system.must_run(["usermod", "--shell", str(state), user])
    elif field == "password":
        _set_password_state(system, user, str(state))
    else:
        system.must_run(["chage", _CHAGE[field], str(state) or "-1", user])


def _set_password_state(system: System, user: str, state: str) -> None:
    if state == "locked":
        system.must_run(["usermod", "--lock", user])
    elif state == "set":
        system.must_run(["usermod", "--unlock", user])
    else:
        system.must_run(["passwd", "--delete", user])


def _package_state(system: System, name: str) -> State:
    if system.family == "debian":
        code, output = system.run(["dpkg-query", "-W", "-f", "${db:Status-Abbrev}\t${Version}\n", name])
        rows = [line.split("\t") for line in output.split("\n") if "\t" in line]
        installed = [row[1] for row in rows if row[0].startswith("ii") or row[0].startswith("hi")]
        return installed[0] if code == 0 and installed else None
    code, output = system.run(["rpm", "-q", "--qf", "%{EVR}\n", name])
    return output.split("\n")[0] if code == 0 else None


def _set_package(system: System, name: str, state: State) -> None:
    present = _package_state(system, name)
    if present == state:
        return
    if state is None:
        remove_packages(system, [name])
    elif system.family == "debian":
        install_packages(system, ["%s=%s" % (name, state)])
    else:
        install_packages(system, ["%s-%s" % (name, state)])


def install_packages(system: System, names: list[str]) -> None:
    """Install packages with the host's own tool, without recommended ones, keeping configuration files."""
    if system.family == "debian":
        options = [
            *("-y", "--no-install-recommends", "--no-remove", "-o", "DPkg::Lock::Timeout=120"),
            *("-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"),
        ]
        system.must_run(["apt-get", "install", *options, "--", *names], 900)
    elif shutil.which("dnf"):
        system.must_run(["dnf", "install", "-y", "--setopt=install_weak_deps=False", *names], 900)
    else:
        raise ApplyError("no package tool that is known here: %s" % ", ".join(names))


def remove_packages(system: System, names: list[str]) -> None:
    """Remove exactly these packages, with their configuration; fail when others would go along."""
    present = [name for name in names if _package_state(system, name) is not None]
    if not present:
        return
    if system.family == "debian":
        system.must_run(["dpkg", "--purge", *present], 600)
    else:
        system.must_run(["rpm", "-e", *present], 600)


def mount_options(system: System, path: str) -> Optional[list[str]]:
    """Return the options of what is mounted at a path, or None when nothing is."""
    options = None
    for line in (system.text("/proc/self/mounts") or "").split("\n"):
        words = line.split(" ")
        if len(words) > 3 and words[1].replace("\\040", " ") == path:
            options = words[3].split(",")
    return options


_MOUNT_WORDS = ("nodev", "nosuid", "noexec")


def _mount_state(system: System, path: str) -> State:
    options = mount_options(system, path)
    return None if options is None else ",".join(word for word in _MOUNT_WORDS if word in options)


def _set_mount(system: System, path: str, state: State) -> None:
    options = mount_options(system, path)
    if state is None or options is None:
        return
    wanted = str(state).split(",") if state else []
    opposite = {"nodev": "dev", "nosuid": "suid", "noexec": "exec"}
    words = [word if word in wanted else opposite[word] for word in _MOUNT_WORDS]
    system.must_run(["mount", "-o", "remount," + ",".join(words), path])


def _nft_state(system: System, key: str) -> State:
    """Return all rules (`ruleset`), or those of one table (`inet khien_filter`); None: no such table."""
    words = [key] if key == "ruleset" else ["table", *key.split()]
    code, output = system.run(["nft", "--stateless", "list", *words])
    return output if code == 0 else None


def _set_nft(system: System, key: str, state: State) -> None:
    if key == "ruleset":
        first = "flush ruleset\n" if state is not None else ""
    else:
        first = "table %s\ndelete table %s\n" % (key, key)
    text = first + str(state or "")
    if not text:
        return
    with tempfile.NamedTemporaryFile("w", prefix="khien-", suffix=".nft", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        system.must_run(["nft", "-f", file.name])


def _audit_state(system: System, _key: str) -> State:
    """Return the audit rules that the kernel has, in their order; None: nobody can ask, so nobody set any."""
    code, output = system.run(["auditctl", "-l"])
    if code != 0:
        return None
    return [line for line in output.split("\n") if line.startswith("-")]


def _set_audit(system: System, _key: str, state: State) -> None:
    if system.run(["auditctl", "-s"])[0] != 0:
        return
    system.must_run(["auditctl", "-D"])
    for rule in state or []:
        system.must_run(["auditctl", *shlex.split(rule)])


_LOOK = {
    "account": _account_state,
    "audit": _audit_state,
    "mount": _mount_state,
    "nft": _nft_state,
    "package": _package_state,
    "sysctl": _sysctl_state,
    "unit": _unit_state,
}
_SET = {
    "account": _set_account,
    "audit": _set_audit,
    "mount": _set_mount,
    "nft": _set_nft,
    "package": _set_package,
    "sysctl": _set_sysctl,
    "unit": _set_unit,
}
