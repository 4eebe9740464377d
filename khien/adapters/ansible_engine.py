"""The engine: ansible-playbook under ansible-runner, so that it always ends and leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from khien.adapters.content import content_root
from khien.adapters.engine_events import translate
from khien.adapters.engine_files import command_line
from khien.adapters.private_folder import PrivateFolder
from khien.adapters.processes import ENGINE_MARK, LinuxProcesses
from khien.application.ports import EngineEvent, EngineJob, EngineResult
from khien.domain.run import RunId
from khien.domain.text import safe_lines
from khien.errors import EngineError

_LAUNCHER = Path(__file__).with_name("engine_launcher.py")
_GUARD = Path(__file__).with_name("engine_guard.py")
_POLL_SECONDS = 0.05
_SAID_LINES = 20


class AnsibleEngine:
    """The Engine port over ansible-runner.

    Args:
        runtime_dir: where the private folder of a run is made.
        forks: hosts at once, when the run does not say.
        cancel_grace_seconds: how long ansible-playbook may take to stop before it is killed.
        known_hosts: the file of confirmed host keys when it is not ssh's own; what an inventory says of its
            hosts in ansible_ssh_common_args goes before it.
    """

    def __init__(
        self,
        *,
        runtime_dir: Path,
        forks: int,
        cancel_grace_seconds: float,
        known_hosts: Path | None = None,
    ) -> None:
        self._runtime_dir = runtime_dir
        self._forks = forks
        self._grace = cancel_grace_seconds
        self._known_hosts = known_hosts
        self._processes = LinuxProcesses()

    def execute(
        self, job: EngineJob, on_event: Callable[[EngineEvent], None], should_stop: Callable[[], bool]
    ) -> EngineResult:
        """Run the playbook to its end, or stop it soon after should_stop() turns true."""
        folder = PrivateFolder.make(self._runtime_dir, job.run)
        guard = _start_guard(job.run, folder.path)
        try:
            execution = _Execution(job, folder, self._forks, self._known_hosts, on_event)
            return execution.supervise(should_stop, self._grace)
        finally:
            # Connection masters of ssh outlive ansible-playbook on purpose; not our runs.
            self._processes.end_leftovers(job.run)
            folder.remove()
            assert guard.stdin is not None  # noqa: S101 - it was started with a pipe
            with contextlib.suppress(BrokenPipeError):
                guard.stdin.write(b"done")
                guard.stdin.close()
            guard.wait()


def _start_guard(run_id: RunId, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(_GUARD), run_id, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


class _Execution:
    """One ansible-playbook, from start to end."""

    def __init__(
        self,
        job: EngineJob,
        folder: PrivateFolder,
        forks: int,
        known_hosts: Path | None,
        on_event: Callable[[EngineEvent], None],
    ) -> None:
        self._job = job
        self._folder = folder
        self._forks = forks
        self._known_hosts = known_hosts
        self._on_event = on_event
        self._pid_file = folder.path / "engine.pid"
        self._completed = False
        self._said: list[str] = []
        self._failure: BaseException | None = None
        self._lost: Exception | None = None
        self._exit_code: int | None = None

    def supervise(self, should_stop: Callable[[], bool], grace_seconds: float) -> EngineResult:
        """Run it in a thread of its own and watch over it from this one."""
        worker = threading.Thread(target=self._run, name="ansible-runner", daemon=True)
        worker.start()
        processes = LinuxProcesses()
        interrupted_at: float | None = None
        while worker.is_alive():
            worker.join(_POLL_SECONDS)
            pid = self._engine_pid()
            if pid is None:
                continue
            if not _exists(pid):
                # Killed from outside: its workers would hold the terminal open and go on changing hosts.
                processes.end_leftovers(self._job.run)
            elif interrupted_at is None and should_stop():
                interrupted_at = time.monotonic()
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGINT)
            elif interrupted_at is not None and time.monotonic() - interrupted_at > grace_seconds:
                processes.end_leftovers(self._job.run)
        if self._lost is not None:
            raise EngineError(f"an event could not be taken: {self._lost!r}") from self._lost
        if self._failure is not None and not self._completed:
            raise EngineError(f"ansible-runner failed: {self._failure!r}") from self._failure
        return EngineResult(self._completed, self._exit_code, "\n".join(self._said[-_SAID_LINES:]))

    def _engine_pid(self) -> int | None:
        try:
            text = self._pid_file.read_text()
        except FileNotFoundError:
            return None
        return int(text) if text else None

    def _run(self) -> None:
        try:
            self._run_ansible()
        except BaseException as error:  # noqa: BLE001 - raised again by supervise, in the thread that asked
            self._failure = error

    def _run_ansible(self) -> None:
        # Costs 70 ms and is needed only by the process that executes a run.
        from ansible_runner import Runner, RunnerConfig

        config = RunnerConfig(
            private_data_dir=str(self._folder.path / "runner"),
            ident=str(self._job.run),
            binary=_program(),
            envvars=self._environment(),
            settings={"pexpect_timeout": 0.1, "suppress_output_file": True},
            fact_cache_type="memory",
            quiet=True,
        )
        config.prepare()
        playbook = command_line(self._job, self._folder, _program(), self._forks)
        config.command = [
            *(sys.executable, "-I", "-S", str(_LAUNCHER), str(self._pid_file), str(os.getpid())),
            *playbook,
        ]
        config.cwd = str(content_root())
        runner = Runner(config, event_handler=self._handle)
        runner.run()
        self._exit_code = runner.rc

    def _environment(self) -> Mapping[str, str]:
        known = self._known_hosts
        return {
            **({"ANSIBLE_SSH_COMMON_ARGS": f"-o UserKnownHostsFile={known}"} if known else {}),
            ENGINE_MARK: str(self._job.run),
            "ANSIBLE_CONFIG": str(content_root() / "ansible.cfg"),
            # ansible-runner would switch it off.
            "ANSIBLE_HOST_KEY_CHECKING": "True",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self._folder.path / "cp"),
            "ANSIBLE_LOCAL_TEMP": str(self._folder.path / "tmp"),
            # Else it would make a .ansible in the home of whoever runs it.
            "ANSIBLE_HOME": str(self._folder.path / "home"),
            "ANSIBLE_NOCOLOR": "1",
            # The callback replaces larger results by {} without a word.
            "MAX_EVENT_RES": "5000000",
        }

    def _handle(self, event: dict[str, Any]) -> bool:
        """Pass an event on; it must not block, and must not raise into ansible-runner."""
        try:
            if event.get("event") == "playbook_on_stats":
                self._completed = True
            if event.get("event") in ("error", "verbose", "warning", "playbook_on_no_hosts_matched"):
                said = safe_lines(event.get("stdout", "")).splitlines()
                self._said += [line for line in said if line.strip()]
                del self._said[:-_SAID_LINES]
            for value in translate(event):
                self._on_event(value)
        except Exception as error:  # noqa: BLE001 - raised again by supervise
            self._lost = error
        return False  # no file per event


def _program() -> str:
    beside = Path(sys.executable).with_name("ansible-playbook")
    return str(beside) if beside.exists() else "ansible-playbook"


def _exists(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
