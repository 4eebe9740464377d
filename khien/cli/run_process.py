"""The run process: `python -m khien.cli.run_process RUN_ID`, started detached by the launcher."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys

from khien.bootstrap import services
from khien.domain.run import RunId

_PR_SET_CHILD_SUBREAPER = 36


def main() -> None:
    """Execute the run named on the command line with the secrets that come on stdin."""
    run_id = RunId(sys.argv[1])
    secrets: dict[str, str] = json.load(sys.stdin) if not sys.stdin.isatty() else {}
    everything = services()
    os.chdir("/")
    # A terminal that closes, or Ctrl-C in it, ends the one who watches and not the run.
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: everything.runs.request_cancel(run_id, everything.clock.now()))
    # Ansible's workers leave their session; as a subreaper we are still the parent of their orphans.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    from khien.application.execute_run import execute_run

    execute_run(run_id, secrets, everything.run_tools())


if __name__ == "__main__":
    main()
