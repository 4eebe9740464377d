"""`khien verify` with the whole baseline against `ansible -m ping` on the same lab hosts in the same run."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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
            return command(ping, environment={"ANSIBLE_CONFIG": str(Path("ansible.cfg").absolute())})

        return compare("khien verify / ansible -m ping", verify, rival, runs=7, wall_limit=2.0, cpu_limit=2.0)


class _Verify:
    """The command as a person calls it; the CPU time of its detached run process is counted, too."""

    def __init__(self, program: Path, state: Path) -> None:
        self._command = [str(program), "verify", "-i", str(INVENTORY)]
        places = {"KHIEN_STATE_DIR": str(state), "KHIEN_RUNTIME_DIR": str(state / "r")}
        self._environment = {**os.environ, **places}
        # The run process is in a session of its own; as subreaper we are the parent who waits for it.
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def __call__(self) -> Cost:
        before, started = children_cpu_seconds(), time.perf_counter()
        done = subprocess.run(
            self._command, check=False, capture_output=True, text=True, env=self._environment
        )
        wall = time.perf_counter() - started
        if done.returncode not in (0, 1):
            raise SystemExit(f"khien verify ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        _wait_for_orphans()
        return Cost(wall, children_cpu_seconds() - before)


def _wait_for_orphans() -> None:
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


if __name__ == "__main__":
    sys.exit(not main())
