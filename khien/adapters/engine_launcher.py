"""Becomes ansible-playbook, tied to the life of the process that started it.

Run as a script: `python -I -S engine_launcher.py PIDFILE PARENT_PID COMMAND...`. Standard library only and no
import of Khiên, so that it costs milliseconds.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask the kernel for SIGINT at the parent's death, leave our pid behind, and exec the command."""
    pid_file, parent, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    # SIGINT is the one signal after which ansible-playbook takes all its workers along.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(99)  # the parent died before we asked
    # A shell that starts background jobs leaves SIGINT ignored, and that would survive exec.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with open(pid_file, "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib costs more than all the rest
        file.write(str(os.getpid()))
    os.execvp(command[0], command)  # noqa: S606 - the command is ansible-playbook, found by the engine


if __name__ == "__main__":
    main()
