"""Runs the host's own commands: in the C locale, without a terminal, within a time limit."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass
from typing import Protocol, Sequence

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

NEVER_ASK = {
    "APT_LISTBUGS_FRONTEND": "none",
    "APT_LISTCHANGES_FRONTEND": "none",
    "DEBIAN_FRONTEND": "noninteractive",
    "DEBIAN_PRIORITY": "critical",
    "NEEDRESTART_MODE": "l",
    "NEEDRESTART_SUSPEND": "1",
    "UCF_FORCE_CONFFOLD": "1",
}
"""Environment in which no package tool asks a question."""


@dataclass(frozen=True)
class Output:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str = ""
    timed_out: bool = False


class Run(Protocol):
    """Runs a command to its end."""

    def __call__(self, argv: Sequence[str], timeout: float = 300) -> Output:
        """Return what the command said; a missing command has the code 127."""
        ...


class PatchError(Exception):
    """A host cannot be patched now: a reason code and one sentence."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def environment() -> dict[str, str]:
    """Return the environment for package tools: fixed, but for the proxies the caller was given."""
    proxies = {key: value for key, value in os.environ.items() if key.lower().endswith("_proxy")}
    return {**proxies, **NEVER_ASK, "HOME": "/root", "LC_ALL": "C.UTF-8", "PATH": _PATH, "TERM": "dumb"}


def run_command(argv: Sequence[str], timeout: float = 300) -> Output:
    """Run a command to its end, or kill it with all its children when the time is over."""
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
            start_new_session=True,
            umask=0o022,  # apt fetches as a user of its own, who must be able to read
            errors="replace",
            encoding="utf-8",
        )
    except OSError as error:
        return Output(127, "", str(error))
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = _rest(process)
        return Output(-signal.SIGKILL, out, err, timed_out=True)
    return Output(process.returncode, out, err)


def _rest(process: subprocess.Popen[str]) -> tuple[str, str]:
    # A child that left the session may keep the pipes open; its words are not worth waiting for.
    try:
        return process.communicate(timeout=5)
    except subprocess.TimeoutExpired:
        return "", ""
