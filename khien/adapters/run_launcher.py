"""Starts run processes that outlive whoever asked for them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

from khien.adapters.private_folder import PrivateFolder
from khien.adapters.processes import LinuxProcesses
from khien.application.settings import Settings
from khien.domain.run import ProcessIdentity, RunId
from khien.errors import EngineError

# What a run process may inherit. Everything else – tokens, passwords of other tools – stays behind, because
# the environment of a process can be read by whoever has its account.
_INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TZ", "LANG", "LANGUAGE", "SSH_AUTH_SOCK", "TMPDIR")
_INHERITED_PREFIXES = ("LC_", "XDG_", "KHIEN_", "ANSIBLE_", "KRB5", "PYTHON")


class DetachedLauncher:
    """The RunLauncher port: a process in a session of its own, told its secrets through a pipe.

    Args:
        settings: where the runs' own words and private files lie.
        execute: executes a run in this very process and returns when it is over; with it, a process without
            other threads forks instead of starting a second Python, which halves what a short run costs.
        before_fork: closes what must not be open in two processes, such as connections to the store.
    """

    def __init__(
        self,
        settings: Settings,
        execute: Callable[[RunId, Mapping[str, str]], None] | None = None,
        before_fork: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._execute = execute
        self._before_fork = before_fork

    def launch(self, run_id: RunId, secrets: Mapping[str, str]) -> ProcessIdentity:
        """Start the process that executes the run."""
        log = run_log(self._settings.state_dir, run_id)
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as output:
                if self._execute is not None and threading.active_count() == 1:
                    pid = self._fork(self._execute, run_id, secrets, output.fileno())
                else:
                    pid = _start(run_id, secrets, output.fileno())
        except OSError as error:
            raise EngineError(f"the run process could not be started: {error}") from error
        return LinuxProcesses().identify(pid)

    def _fork(
        self,
        execute: Callable[[RunId, Mapping[str, str]], None],
        run_id: RunId,
        secrets: Mapping[str, str],
        output: int,
    ) -> int:
        self._before_fork()
        pid = os.fork()
        if pid:
            return pid
        # From here on we are the run process, and must never return into the code of the one who asked.
        code = 1
        try:
            os.setsid()
            nothing = os.open(os.devnull, os.O_RDONLY)
            for source, target in ((nothing, 0), (output, 1), (output, 2)):
                os.dup2(source, target)
            kept = _environment()
            os.environ.clear()
            os.environ.update(kept)
            execute(run_id, secrets)
            code = 0
        except BaseException:  # noqa: BLE001 - the outermost edge of this process: its last words
            traceback.print_exc()
        finally:
            os._exit(code)

    def last_words(self, run_id: RunId) -> str:
        """Return the last line that the run's process said itself."""
        try:
            lines = run_log(self._settings.state_dir, run_id).read_text(errors="replace").splitlines()
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def tidy(self, run_id: RunId) -> None:
        """Remove the private files that a dead run left behind."""
        for folder in PrivateFolder.left_by(self._settings.runtime_dir, run_id):
            folder.remove()


def _start(run_id: RunId, secrets: Mapping[str, str], output: int) -> int:
    process = subprocess.Popen(
        [sys.executable, "-m", "khien.cli.run_process", run_id],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output,
        env=_environment(),
        start_new_session=True,
    )
    assert process.stdin is not None  # noqa: S101 - it was started with a pipe
    with contextlib.suppress(BrokenPipeError):  # it died at once: whoever looks at the run is told
        process.stdin.write(json.dumps(dict(secrets)).encode())
        process.stdin.close()
    # Nobody waits for it here; without this, Python would warn when the object goes away.
    process.returncode = 0
    return process.pid


def _environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name in _INHERITED or name.startswith(_INHERITED_PREFIXES)
    }


def run_log(state_dir: Path, run_id: RunId) -> Path:
    """Return the file that takes what the run process itself says; normally empty."""
    return state_dir / "logs" / f"{run_id}.log"
