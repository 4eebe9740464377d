"""Waits for the locks of apt and dpkg, and says who holds them."""

from __future__ import annotations

import fcntl
import os
import struct
import time
from dataclasses import dataclass
from typing import Callable, Optional, Sequence

from .command import PatchError

LOCKS = (
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
    "/var/lib/apt/lists/lock",
    "/var/cache/apt/archives/lock",
)
_PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class Holder:
    """A process that holds a lock."""

    path: str
    pid: int
    name: str


def find_holder(locks: Sequence[str] = LOCKS) -> Optional[Holder]:
    """Return who holds one of the locks; nobody when all are free."""
    for path in locks:
        pid = _locking_pid(path)
        if pid is not None:
            return Holder(path, pid, _process_name(pid))
    return None


def wait_for_locks(
    limit_seconds: float,
    find: Callable[[], Optional[Holder]] = find_holder,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until all locks are free.

    Raises:
        PatchError: one is still held after the limit; the sentence names the holder.
    """
    end = clock() + limit_seconds
    while True:
        holder = find()
        if holder is None:
            return
        if clock() >= end:
            raise PatchError(
                "package_lock_held",
                "{} is still held by process {} ({}) after {:.0f} seconds.".format(
                    holder.path, holder.pid, holder.name, limit_seconds
                ),
            )
        pause(_PAUSE_SECONDS)


def _locking_pid(path: str) -> Optional[int]:
    # struct flock, as this Python's fcntl was compiled to use it: with 64-bit offsets or with native ones.
    layout = "hhqqi" if fcntl.F_GETLK == 12 else "hhlli"
    question = struct.pack(layout, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0) + bytes(8)
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        answer = fcntl.fcntl(file, fcntl.F_GETLK, question)
    finally:
        os.close(file)
    kind, _whence, _start, _length, pid = struct.unpack_from(layout, answer)
    return None if kind == fcntl.F_UNLCK else int(pid)


def _process_name(pid: int) -> str:
    if pid <= 0:
        return "outside of this host's own processes"
    try:
        with open("/proc/{}/comm".format(pid), encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return "already gone"
