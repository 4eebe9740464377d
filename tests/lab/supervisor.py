"""Keeps one host running: `python supervisor.py GROUP NSPAWN-ARGUMENTS…`; boots it again when it restarts itself."""

import subprocess
import sys
from functools import partial
from pathlib import Path

_RESTARTS = 133
_HIERARCHIES = ("systemd", "unified", ".")


def main() -> None:
    """Boot the host until it powers off.

    It is the first process of a pid namespace: its end, however it comes, is a power cut of the host.
    """
    group, *argv = sys.argv[1:]
    while subprocess.Popen(argv, preexec_fn=partial(_enter, group)).wait() == _RESTARTS:
        pass


def _enter(group: str) -> None:
    # Two systemds in one control group take each other's services for their own, and boots fail at random.
    for hierarchy in _HIERARCHIES:
        top = Path("/sys/fs/cgroup", hierarchy)
        if (top / "cgroup.procs").exists():
            (top / group).mkdir(exist_ok=True)
            (top / group / "cgroup.procs").write_text("0")


if __name__ == "__main__":
    main()
