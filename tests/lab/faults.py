"""What can go wrong with a host, on demand."""

import shlex
from typing import Literal

from tests.lab.errors import LabError
from tests.lab.host import Host

Lock = Literal["lists", "frontend", "dpkg"]
_LOCKS: dict[Lock, str] = {
    "lists": "/var/lib/apt/lists/lock",
    "frontend": "/var/lib/dpkg/lock-frontend",
    "dpkg": "/var/lib/dpkg/lock",
}
_HOLDER = "/run/khien-lab/apt-get"


def hang(host: Host) -> None:
    """Stop its sshd: the kernel still takes connections, and nobody greets."""
    if host.record.kind == "machine":
        raise LabError(f"{host.name} has no way in but its sshd: nothing could wake it again")
    # Since Debian 13 open connections belong to sshd-session.
    host.exec(["pkill", "-STOP", "^sshd"])
    host.wait_until(lambda: not host.greets(0.3), "its sshd still greets", 10)


def wake(host: Host) -> None:
    """Let its sshd go on."""
    host.exec(["pkill", "-CONT", "^sshd"])


def hold_apt_lock(host: Host, seconds: float = 600, which: Lock = "frontend") -> int:
    """Let a process named apt-get hold a package lock; return its pid as the host counts."""
    script = (
        "import fcntl, sys, time\n"
        "open('/proc/self/comm', 'w').write('apt-get')\n"
        "lock = open(sys.argv[1], 'w')\n"
        "fcntl.lockf(lock, fcntl.LOCK_EX)\n"
        "open('/run/khien-lab/held', 'w').write(open('/proc/self/stat').read().split()[0])\n"
        "time.sleep(float(sys.argv[2]))\n"
    )
    host.exec(["rm", "-f", "/run/khien-lab/held"])
    host.write(_HOLDER, script)
    words = " ".join(shlex.quote(word) for word in ("python3", _HOLDER, _LOCKS[which], str(seconds)))
    host.exec(["sh", "-c", f"setsid {words} >/dev/null 2>&1 </dev/null &"])
    host.wait_until(
        lambda: bool(host.exec(["cat", "/run/khien-lab/held"], check=False).stdout),
        "the lock is not held",
        20,
    )
    return int(host.exec(["cat", "/run/khien-lab/held"]).stdout)


def release_apt_lock(host: Host) -> None:
    """End the process that holds the lock."""
    pid = host.exec(["cat", "/run/khien-lab/held"], check=False).stdout.strip()
    if pid:
        host.exec(["kill", "-KILL", pid], check=False)
        host.wait_until(
            lambda: host.exec(["test", "-d", f"/proc/{pid}"], check=False).returncode != 0, "it lives on", 10
        )


def fill_disk(host: Host) -> None:
    """Leave no room on its disk."""
    host.exec(["sh", "-c", "cat /dev/zero > /var/khien-lab-fill 2>/dev/null || true"])


def free_disk(host: Host) -> None:
    """Give the room back."""
    host.exec(["rm", "-f", "/var/khien-lab-fill"])
