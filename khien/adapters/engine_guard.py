"""Tidies up after a run process that was killed: ends its engine's processes and removes its private files.

Run as a script: `python -I -S engine_guard.py RUN_ID PRIVATE_DIR` with a pipe on stdin. It waits for the pipe
to close. "done" on it means the run process tidied up by itself.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    """Wait for the run process to end, then tidy up unless it says it has."""
    run_id, private = sys.argv[1], Path(sys.argv[2])
    os.chdir("/")
    if sys.stdin.buffer.read() == b"done":
        return
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from khien.adapters.private_folder import PrivateFolder
    from khien.adapters.processes import LinuxProcesses
    from khien.domain.run import RunId

    # Its engine got SIGINT from the kernel at the same moment; let it take its workers along.
    LinuxProcesses().end_leftovers(RunId(run_id), grace_seconds=5.0)
    PrivateFolder.existing(private).remove()


if __name__ == "__main__":
    main()
