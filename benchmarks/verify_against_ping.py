"""`khien verify` with the whole baseline against `ansible -m ping` on the same lab hosts in the same run."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import tempfile
from pathlib import Path

import psutil

from benchmarks.measure import Cost, children_cpu_seconds, command, compare

INVENTORY = Path(os.environ.get("KHIEN_BENCH_INVENTORY", ".lab/inventory"))
_PR_SET_CHILD_SUBREAPER = 36


def main() -> bool:
    """Print the ratios of wall time and of the controller's CPU time."""
    if not INVENTORY.exists():
        print(f"verify against ping: no lab is up ({INVENTORY} is missing; make lab-up N=10)")
        return False
    programs = Path(sys.executable).parent
    with tempfile.TemporaryDirectory(prefix="khb") as state:
        verify = _Verify(programs / "khien", Path(state))
        ping = [str(programs / "ansible"), "-i", str(INVENTORY), "all", "-m", "ping"]

        def rival() -> Cost:
            # Both begin without open connections: ours never leave any, ansible's would serve the next ping.
            with tempfile.TemporaryDirectory(prefix="khc") as sockets:
                places = {
                    "ANSIBLE_CONFIG": str(Path("ansible.cfg").absolute()),
                    "ANSIBLE_SSH_CONTROL_PATH_DIR": sockets,
                }
                cost = command(ping, environment=places)
                _end_connection_masters()
            return cost

        return compare("khien verify / ansible -m ping", verify, rival, runs=7, wall_limit=2.0, cpu_limit=2.0)


class _Verify:
    """The command as a person calls it; the CPU time of its detached run process is counted, too."""

    def __init__(self, program: Path, state: Path) -> None:
        self._command = [str(program), "verify", "-i", str(INVENTORY)]
        places = {"KHIEN_STATE_DIR": str(state), "KHIEN_RUNTIME_DIR": str(state / "r")}
        self._environment = places
        # The run process is in a session of its own; as subreaper we are the parent who waits for it.
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def __call__(self) -> Cost:
        before = children_cpu_seconds()
        cost = command(self._command, expect=(0, 1), environment=self._environment)
        _wait_for_run_process()
        return Cost(cost.wall_seconds, children_cpu_seconds() - before)


def _wait_for_run_process() -> None:
    """Take the exit code, and so the CPU time, of the run process and its guard."""
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess, ChildProcessError):
            if child.name() != "ssh":
                os.waitpid(child.pid, 0)


def _end_connection_masters() -> None:
    """End what ansible leaves for a minute, and take their CPU time out of the next measurement."""
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess, ChildProcessError):
            if child.name() == "ssh":
                child.kill()
                os.waitpid(child.pid, 0)


if __name__ == "__main__":
    sys.exit(not main())
