"""This machine's processes: who we are, who still lives, and what a dead run left behind (Linux, /proc)."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from khien.domain.run import ProcessIdentity, RunId

ENGINE_MARK = "KHIEN_ENGINE_RUN"
"""Environment variable that every process below a run's ansible-playbook inherits. Workers leave their
session and their parent (Ansible calls setsid for each), so this is the one thing that still names them."""

_PROC = Path("/proc")
_STATE_FIELD = 0
_START_FIELD = 19


def _first_line(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _stat(pid: int) -> list[str] | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The command name may hold spaces and parentheses; the fields begin after the last one.
    return text[text.rindex(")") + 2 :].split()


class LinuxProcesses:
    """The ProcessTable port on Linux."""

    def __init__(self) -> None:
        self._machine = _first_line(Path("/etc/machine-id")) or os.uname().nodename
        self._boot = _first_line(_PROC / "sys/kernel/random/boot_id")

    def current(self) -> ProcessIdentity:
        """Return who we are."""
        return self.identify(os.getpid())

    def identify(self, pid: int) -> ProcessIdentity:
        """Return the identity of a living process of this machine."""
        fields = _stat(pid)
        started = int(fields[_START_FIELD]) if fields else 0
        return ProcessIdentity(self._machine, self._boot, pid, started)

    def is_alive(self, process: ProcessIdentity) -> bool:
        """Whether exactly that process still lives; one of another machine counts as alive."""
        if process.machine != self._machine:
            return True
        if process.boot != self._boot:
            return False
        fields = _stat(process.pid)
        if fields is None or fields[_STATE_FIELD] == "Z":
            return False
        return int(fields[_START_FIELD]) == process.started

    def end_leftovers(self, run_id: RunId, *, grace_seconds: float = 0.0) -> int:
        """End every process below the run's engine; return how many there were.

        Args:
            run_id: the run whose engine is to leave nothing behind.
            grace_seconds: how long those that were interrupted may tidy up before they are killed.
        """
        found = set(marked_processes(run_id))
        seen = len(found)
        if found and grace_seconds:
            _signal_all(found, signal.SIGINT)
            deadline = time.monotonic() + grace_seconds
            while found and time.monotonic() < deadline:
                time.sleep(0.05)
                found = set(marked_processes(run_id))
        while found:
            _signal_all(found, signal.SIGKILL)
            time.sleep(0.02)
            # Again from the start: a process may have forked between the look and the kill.
            found = set(marked_processes(run_id))
            seen = max(seen, len(found))
        return seen


def marked_processes(run_id: str) -> Iterator[int]:
    """Yield the pid of every living process that carries the run's mark in its environment."""
    mark = f"{ENGINE_MARK}={run_id}".encode()
    for entry in _PROC.iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue  # it ended meanwhile, or belongs to somebody else and so is not ours
        if mark in environment.split(b"\0"):
            yield int(entry.name)


def _signal_all(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
