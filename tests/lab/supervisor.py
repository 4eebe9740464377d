"""Keeps one host running: `python supervisor.py NSPAWN-ARGUMENTS…`; boots it again when it restarts itself."""

import os
import signal
import subprocess
import sys

_RESTARTS = 133


def main() -> None:
    """Boot the host until it powers off or we are told to end; its own end is then a power cut."""
    child: subprocess.Popen[bytes] | None = None

    def cut_power(_number: int, _frame: object) -> None:
        if child is not None:
            child.kill()
        os._exit(0)

    signal.signal(signal.SIGTERM, cut_power)
    while True:
        child = subprocess.Popen(sys.argv[1:])
        if child.wait() != _RESTARTS:
            return


if __name__ == "__main__":
    main()
