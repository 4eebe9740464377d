"""Processes that the lab starts and ends by pid and start time, never by name."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A process that cannot be mistaken for a later one with the same pid."""

    pid: int
    started: int

    @property
    def is_alive(self) -> bool:
        """Whether exactly this process still runs."""
        return self.pid > 1 and identify(self.pid) == self

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal if it still is the one we started."""
        if self.is_alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def end(self, patience_seconds: float = 5) -> None:
        """End it: politely first, then for certain."""
        self.signal(signal.SIGTERM)
        deadline = time.monotonic() + patience_seconds
        while self.is_alive and time.monotonic() < deadline:
            time.sleep(0.05)
        self.signal(signal.SIGKILL)
        while self.is_alive:
            time.sleep(0.02)


def identify(pid: int) -> Process | None:
    """Return the process that has this pid now; a zombie is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else Process(pid, int(fields[19]))


def start_detached(argv: Sequence[str | Path], log: Path) -> Process:
    """Start a process in a session of its own."""
    with log.open("ab") as output:
        child = subprocess.Popen(
            [str(word) for word in argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    found = identify(child.pid)
    child.returncode = 0  # nobody waits for it here; `reap` keeps zombies away
    return found or Process(child.pid, 0)


def reap() -> None:
    """Take the exit codes of children that ended, so that none stays as a zombie."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def to_text(process: Process | None) -> str:
    """Return a process as text for a state file."""
    return f"{process.pid} {process.started}" if process else ""


def from_text(text: str) -> Process | None:
    """Return the process that a state file names."""
    parts = text.split()
    return Process(int(parts[0]), int(parts[1])) if len(parts) == 2 else None
