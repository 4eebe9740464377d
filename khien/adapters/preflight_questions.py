"""The one read-only shell script that preflight runs on a host, and the reading of its answers."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from khien.application.judge_readiness import DoorAnswers, FreeSpace, HeldLock
from khien.domain.host import Host
from khien.domain.text import safe_text

_MARK = "khien1"
_PLACES = "/ /var /var/cache/apt /boot /tmp"
_LOCKS = (
    "/var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock "
    "/var/lib/rpm/.rpm.lock /usr/lib/sysimage/rpm/.rpm.lock"
)
# Ansible's own order of looking for an interpreter.
_PYTHONS = "python3.14 python3.13 python3.12 python3.11 python3.10 python3.9 /usr/bin/python3 python3"

# POSIX sh, nothing but reading, no argument from outside but the two quoted settings on top of it.
# The shell reads the script from its input, so all of it is one function, whose commands get another input.
# Locks are looked up in /proc/locks: every user may read it, and trying the lock itself would disturb apt.
# Their device numbers differ from stat's on overlay file systems, so a lock is known by its inode alone.
_SCRIPT = r"""
say() { printf 'MARK %s\n' "$*"; }
look() {
say now "$(date +%s)"
read -r boot </proc/sys/kernel/random/boot_id && say boot_id "$boot"
read -r up rest </proc/uptime && say uptime_seconds "${up%%.*}"
if [ -n "$become_user" ] && [ "$(id -un)" != "$become_user" ]; then
    if command -v sudo >/dev/null; then
        words=$(LC_ALL=C sudo -n -H -u "$become_user" /bin/sh -c : 2>&1)
        say sudo $? "$words"
    else
        say sudo 127 sudo: command not found
    fi
fi
version='import sys; sys.stdout.write("%d.%d.%d" % sys.version_info[:3])'
if [ -n "$interpreter" ]; then
    found=$(eval "$interpreter -c \"\$version\"") && say python "$found" "$interpreter"
else
    for candidate in PYTHONS; do
        path=$(command -v "$candidate") || continue
        found=$("$path" -c "$version") && say python "$found" "$path" && break
    done
fi
for place in PLACES; do
    [ -d "$place" ] || continue
    say disk "$place" "$(df -Pk "$place" | tail -n 1 | sed 's/.* \([0-9][0-9]*\)  *[0-9]*% \(.*\)/\1 \2/')"
done
for file in LOCKS; do
    node=$(stat -c %i "$file") || continue
    while read -r number kind advice mode pid where rest; do
        case "$kind $mode $where" in
            "POSIX WRITE "*":$node")
                name=
                read -r name <"/proc/$pid/comm"
                say lock "$file" "$pid" "$name"
                ;;
        esac
    done </proc/locks
done
if [ -f /var/lib/dpkg/status ]; then
    for file in /var/lib/dpkg/updates/[0-9]*; do
        [ -e "$file" ] && say journal "$file" && break
    done
    awk '/^Package: / { name = $2 }
         /^Status: / && ($3 != "ok" || $4 !~ /^(installed|not-installed|config-files)$/) { print name }' \
        /var/lib/dpkg/status | head -n 6 | while read -r name; do say unfinished "$name"; done
fi
say end
}
look </dev/null 2>/dev/null
"""


def script_for(host: Host) -> str:
    """Return the script for a host, with its own become user and interpreter."""
    tries_sudo = wants_sudo(host) is not False and become_method(host) == "sudo"
    settings = {
        "become_user": become_user(host) if tries_sudo else "",
        "interpreter": wanted_interpreter(host),
    }
    body = _SCRIPT.replace("MARK", _MARK).replace("PYTHONS", _PYTHONS)
    body = body.replace("PLACES", _PLACES).replace("LOCKS", _LOCKS)
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items()) + body


def become_user(host: Host) -> str:
    """Return whom Ansible becomes on the host."""
    return str(host.connection.get("ansible_become_user") or "root")


def become_method(host: Host) -> str:
    """Return how Ansible becomes another user on the host."""
    return str(host.connection.get("ansible_become_method") or "sudo").rsplit(".", 1)[-1]


def wants_sudo(host: Host) -> bool | None:
    """Whether the inventory asks for sudo; None when it leaves that to the playbook."""
    value = host.connection.get("ansible_become")
    if value is None:
        return None
    return str(value).strip().lower() in {"true", "yes", "on", "1", "y", "t"}


def wanted_interpreter(host: Host) -> str:
    """Return the interpreter that the inventory names, quoted for a shell; empty when Ansible searches."""
    named = str(host.connection.get("ansible_python_interpreter") or "")
    return "" if named.startswith("auto") else shlex.join(shlex.split(named))


@dataclass(slots=True)
class _Reading:
    sudo: tuple[int, str] | None = None
    python: tuple[str, tuple[int, ...]] = ("", ())
    free: list[FreeSpace] = field(default_factory=list)
    locks: list[HeldLock] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    has_journal: bool = False
    facts: dict[str, str | int] = field(default_factory=dict)
    now: int | None = None
    is_complete: bool = False

    def take(self, key: str, rest: str) -> None:
        match key:
            case "now":
                self.now = int(rest)
            case "sudo":
                code, _space, message = rest.partition(" ")
                self.sudo = (int(code), safe_text(message, 300))
            case "python":
                version, _space, path = rest.partition(" ")
                self.python = (safe_text(path, 200), tuple(int(part) for part in version.split(".")))
            case "disk":
                path, free_kb, mount = rest.split(" ", 2)
                self.free.append(FreeSpace(path, safe_text(mount, 200), int(free_kb) // 1024))
            case "lock":
                path, pid, *name = rest.split(" ", 2)
                self.locks.append(HeldLock(path, int(pid), safe_text("".join(name), 50)))
            case "unfinished":
                self.unfinished.append(safe_text(rest, 100))
            case "journal":
                self.has_journal = True
            case "boot_id":
                self.facts["boot_id"] = safe_text(rest, 40)
            case "uptime_seconds":
                self.facts["uptime_seconds"] = int(rest)
            case "end":
                self.is_complete = True


def read_answers(
    output: str, host: Host, user: str, *, asked_at: float, answered_at: float
) -> DoorAnswers | None:
    """Turn the script's output into answers; None when the host did not run it to its end.

    Args:
        output: what came back, greetings of login scripts included.
        host: the host that was asked.
        user: the account of the login.
        asked_at: the controller's clock when the script was sent.
        answered_at: the controller's clock when the last answer had arrived.
    """
    reading = _Reading()
    for line in output.splitlines():
        mark, _space, answer = line.partition(" ")
        if mark != _MARK:
            continue
        key, _space, rest = answer.partition(" ")
        try:
            reading.take(key, rest.strip())
        except ValueError:
            continue  # an answer that is not as the script gives it counts as not given
    if not reading.is_complete:
        return None
    path, version = reading.python
    skew = _skew(reading.now, asked_at, answered_at)
    return DoorAnswers(
        user=user,
        sudo_wanted=wants_sudo(host) is True,
        sudo_code=reading.sudo[0] if reading.sudo else None,
        sudo_message=reading.sudo[1] if reading.sudo else "",
        python_path=path,
        python_version=version,
        wanted_python=wanted_interpreter(host),
        free=tuple(reading.free),
        skew_seconds=skew,
        locks=tuple(reading.locks),
        unfinished_packages=tuple(reading.unfinished),
        has_unfinished_journal=reading.has_journal,
        facts=_facts(reading, skew),
    )


def _skew(remote: int | None, asked_at: float, answered_at: float) -> int:
    """Return how far the host's clock is outside the time in which it must have been read."""
    if remote is None:
        return 0
    if remote + 1 < asked_at:
        return -round(asked_at - remote)
    return round(remote - answered_at) if remote > answered_at else 0


def _facts(reading: _Reading, skew: int) -> Mapping[str, str | int]:
    path, version = reading.python
    facts: dict[str, str | int] = {**reading.facts, "clock_skew_seconds": skew}
    if path:
        facts |= {"python": path, "python_version": ".".join(map(str, version))}
    facts |= {f"free_mb:{place.path}": place.free_mb for place in reading.free}
    return facts
