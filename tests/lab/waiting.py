"""Waiting for things to come to pass, with a limit and a complaint."""

import socket
import time
from collections.abc import Callable
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.processes import Process, reap


def wait_until(question: Callable[[], bool], complaint: str, patience_seconds: float = 60) -> None:
    """Ask again and again until the answer is yes.

    Raises:
        LabError: the complaint, when the patience is at its end.
    """
    deadline = time.monotonic() + patience_seconds
    while not question():
        if time.monotonic() > deadline:
            raise LabError(complaint)
        time.sleep(0.05)


def wait_listening(address: str, port: int, process: Process, log: Path) -> None:
    """Wait until a server that we started takes connections."""

    def listens() -> bool:
        reap()
        if not process.is_alive:
            raise LabError(f"the server ended at once: {log.read_text()[-500:]}")
        try:
            socket.create_connection((address, port), timeout=1).close()
        except OSError:
            return False
        return True

    wait_until(listens, f"nothing listens on {address}:{port}: {log.read_text()[-500:]}", 20)
