"""The engine with real ansible-playbook processes on local connections; nothing here is changed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from khien.adapters.ansible_engine import AnsibleEngine
from khien.adapters.private_folder import PrivateFolder
from khien.adapters.processes import LinuxProcesses, marked_processes
from khien.application.ports import (
    EngineEvent,
    EngineJob,
    EngineResult,
    HostStats,
    TaskEnded,
    TaskStarted,
    TaskStatus,
)
from khien.domain.plan import Plan
from khien.domain.run import RunId, RunOptions, Verb
from khien.errors import EngineError

CANARY = "canary-9f2c-secret"


@pytest.fixture
def runtime() -> Iterator[Path]:
    # Short, so that ssh's sockets fit below it and the engine does not choose another place.
    with tempfile.TemporaryDirectory(prefix="kh") as folder:
        yield Path(folder)


@pytest.fixture
def engine(runtime: Path) -> AnsibleEngine:
    return AnsibleEngine(runtime_dir=runtime, forks=5, cancel_grace_seconds=10)


def job(tmp_path: Path, tasks: str, *, run: str = "run-1", hosts: int = 2, **options: object) -> EngineJob:
    names = tuple(f"h{number}" for number in range(hosts))
    how = f"ansible_connection=local ansible_python_interpreter={sys.executable}"
    inventory = tmp_path / "inventory.ini"
    inventory.write_text("\n".join(f"{name} {how}" for name in names))
    playbook = tmp_path / f"{run}.yml"
    head = "- hosts: all\n  gather_facts: false\n  tasks:\n"
    playbook.write_text(head + textwrap.indent(textwrap.dedent(tasks), "    "))
    extra = options.pop("extra", {})
    secrets = options.pop("secrets", {})
    chosen = RunOptions(inventory=(str(inventory),), **options)  # type: ignore[arg-type]
    plan = Plan(Verb.VERIFY, chosen, names, datetime.now(UTC))
    return EngineJob(RunId(run), plan, playbook, extra, secrets)  # type: ignore[arg-type]


def execute(engine: AnsibleEngine, work: EngineJob) -> tuple[list[EngineEvent], EngineResult]:
    events: list[EngineEvent] = []
    result = engine.execute(work, events.append, lambda: False)
    return events, result


def statuses(events: list[EngineEvent]) -> set[TaskStatus]:
    return {event.status for event in events if isinstance(event, TaskEnded)}


def test_every_task_and_the_final_count_of_each_host_arrive(engine: AnsibleEngine, tmp_path: Path) -> None:
    events, result = execute(engine, job(tmp_path, "- debug: {msg: hello}\n"))

    assert result.completed
    assert {e.host for e in events if isinstance(e, TaskStarted)} == {"h0", "h1"}
    assert statuses(events) == {TaskStatus.OK}
    counted = {(e.host, e.ok, e.failures) for e in events if isinstance(e, HostStats)}
    assert counted == {("h0", 1, 0), ("h1", 1, 0)}


def test_only_the_planned_hosts_are_touched(engine: AnsibleEngine, tmp_path: Path) -> None:
    work = job(tmp_path, "- debug: {msg: hello}\n", hosts=3)
    plan = Plan(Verb.VERIFY, work.plan.options, ("h1",), datetime.now(UTC))

    events, _ = execute(engine, EngineJob(work.run, plan, work.playbook, {}))

    assert {event.host for event in events} == {"h1"}


def test_a_failed_task_carries_its_message(engine: AnsibleEngine, tmp_path: Path) -> None:
    tasks = "- fail: {msg: the disk is full}\n  name: look\n"
    events, result = execute(engine, job(tmp_path, tasks, hosts=1))

    assert result.completed
    (failed,) = [e for e in events if isinstance(e, TaskEnded)]
    assert (failed.status, failed.task, failed.message) == (TaskStatus.FAILED, "look", "the disk is full")


def test_a_playbook_that_cannot_be_read_is_not_completed_and_says_why(
    engine: AnsibleEngine, tmp_path: Path
) -> None:
    _, result = execute(engine, job(tmp_path, "- no_such_module_at_all: {}\n"))

    assert not result.completed
    assert "no_such_module_at_all" in result.message


def test_nothing_is_left_in_the_runtime_folder(engine: AnsibleEngine, tmp_path: Path, runtime: Path) -> None:
    execute(engine, job(tmp_path, "- debug: {msg: hello}\n", secrets={"become_password": CANARY}))

    assert list(runtime.iterdir()) == []


def test_a_second_run_does_not_see_the_variables_of_the_first(engine: AnsibleEngine, tmp_path: Path) -> None:
    tasks = "- fail: {msg: leaked}\n  when: one is defined and two is defined\n"
    execute(engine, job(tmp_path, tasks, run="first", extra={"one": "1"}))

    events, _ = execute(engine, job(tmp_path, tasks, run="second", extra={"two": "2"}))

    assert TaskStatus.FAILED not in statuses(events)


def test_extra_variables_are_read_as_ansible_reads_them(engine: AnsibleEngine, tmp_path: Path) -> None:
    given = ("a='two words' b=2", '{"c": [1, 2]}')
    tasks = "- assert:\n    that:\n      - a == 'two words'\n      - b == '2'\n      - c == [1, 2]\n"

    events, _ = execute(engine, job(tmp_path, tasks, hosts=1, extra_vars=given))

    assert statuses(events) == {TaskStatus.OK}


def test_secrets_are_in_no_command_line_and_no_environment_while_it_runs(
    engine: AnsibleEngine, tmp_path: Path
) -> None:
    secrets = {"become_password": CANARY}
    work = job(tmp_path, "- command: sleep 2\n", hosts=1, secrets=secrets, extra={"v": CANARY})
    seen: list[bytes] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            for pid in marked_processes("run-1"):
                for name in ("cmdline", "environ"):
                    try:
                        seen.append(Path(f"/proc/{pid}/{name}").read_bytes())
                    except OSError:
                        continue
            done.wait(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    execute(engine, work)
    done.set()
    watcher.join()

    assert any(b"ansible-playbook" in text for text in seen)
    assert not any(CANARY.encode() in text for text in seen)


def test_host_key_checking_stays_on(engine: AnsibleEngine, tmp_path: Path) -> None:
    tasks = "- fail: {msg: off}\n  when: not lookup('config', 'HOST_KEY_CHECKING')\n"

    events, _ = execute(engine, job(tmp_path, tasks, hosts=1))

    assert TaskStatus.FAILED not in statuses(events)


def test_a_result_of_a_megabyte_arrives_whole(engine: AnsibleEngine, tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "big.py").write_text(
        "from ansible.module_utils.basic import AnsibleModule\n"
        "m = AnsibleModule(argument_spec={})\n"
        "m.exit_json(changed=False, khien={'schema': 'test', 'text': 'x' * 1000000})\n"
    )

    events, _ = execute(engine, job(tmp_path, "- big:\n", hosts=1))

    (ended,) = [e for e in events if isinstance(e, TaskEnded)]
    assert len(str(ended.result["text"])) == 1_000_000


def test_cancelling_ends_every_process_of_the_run(engine: AnsibleEngine, tmp_path: Path) -> None:
    work = job(tmp_path, "- command: sleep 60\n", hosts=4)
    events: list[EngineEvent] = []

    result = engine.execute(work, events.append, lambda: any(isinstance(e, TaskStarted) for e in events))

    assert not result.completed
    assert list(marked_processes("run-1")) == []


def test_an_engine_that_is_killed_takes_its_workers_along(
    engine: AnsibleEngine, tmp_path: Path, runtime: Path
) -> None:
    work = job(tmp_path, "- command: sleep 60\n", hosts=4)
    events: list[EngineEvent] = []

    def kill_once_started() -> bool:
        if any(isinstance(e, TaskStarted) for e in events):
            (pid_file,) = runtime.glob("*/engine.pid")
            os.kill(int(pid_file.read_text()), signal.SIGKILL)
        return False

    result = engine.execute(work, events.append, kill_once_started)

    assert not result.completed
    assert list(marked_processes("run-1")) == []
    assert list(runtime.iterdir()) == []


def test_no_event_of_many_is_lost(engine: AnsibleEngine, tmp_path: Path) -> None:
    events, result = execute(engine, job(tmp_path, "- debug: {msg: hello}\n" * 5, hosts=20))

    assert result.completed
    assert sum(isinstance(e, TaskEnded) for e in events) == 100


def test_an_error_in_the_handler_is_never_silent(engine: AnsibleEngine, tmp_path: Path) -> None:
    def broken(_event: EngineEvent) -> None:
        raise RuntimeError("no space left")

    with pytest.raises(EngineError, match="no space left"):
        engine.execute(job(tmp_path, "- debug: {msg: hello}\n"), broken, lambda: False)

    assert list(marked_processes("run-1")) == []


_PARENT = """
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
from tests.unit.adapters.test_ansible_engine import job
from khien.adapters.ansible_engine import AnsibleEngine
base = Path({base!r})
engine = AnsibleEngine(runtime_dir=Path({runtime!r}), forks=5, cancel_grace_seconds=10)
work = job(base, "- command: sleep 60\\n", run="orphan", hosts=4)
engine.execute(work, lambda e: print("event", flush=True), lambda: False)
"""


def test_a_killed_run_process_leaves_no_process_and_no_file(tmp_path: Path, runtime: Path) -> None:
    code = _PARENT.format(here=str(Path(__file__).parents[3]), base=str(tmp_path), runtime=str(runtime))
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    parent.stdout.readline()

    parent.kill()
    parent.wait()
    parent.stdout.close()

    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and (list(marked_processes("orphan")) or list(runtime.iterdir())):
        time.sleep(0.05)
    assert list(marked_processes("orphan")) == []
    assert list(runtime.iterdir()) == []


def test_a_process_is_known_by_pid_and_start() -> None:
    processes = LinuxProcesses()
    child = subprocess.Popen(["sleep", "60"])
    identity = processes.identify(child.pid)
    later = type(identity)(identity.machine, identity.boot, identity.pid, identity.started + 1)

    assert processes.is_alive(identity)
    assert not processes.is_alive(later)

    child.kill()
    child.wait()
    assert not processes.is_alive(identity)


def test_a_folder_that_no_run_made_is_never_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "precious").write_text("work of a year")
    monkeypatch.chdir(tmp_path)

    for path in (tmp_path, Path(), Path(), Path()):
        PrivateFolder.existing(path).remove()

    assert (tmp_path / "precious").read_text() == "work of a year"


def test_a_private_folder_is_ours_alone_and_goes_whole(runtime: Path) -> None:
    folder = PrivateFolder.make(runtime, "run-1")
    secret = folder.write("secret", CANARY)

    assert (folder.path.stat().st_mode & 0o777, secret.stat().st_mode & 0o777) == (0o700, 0o600)
    folder.remove()
    assert not folder.path.exists()


def test_what_a_dead_run_left_is_found_by_its_id(runtime: Path) -> None:
    dead, other = PrivateFolder.make(runtime, "run-1"), PrivateFolder.make(runtime, "run-11")

    assert [folder.path for folder in PrivateFolder.left_by(runtime, "run-1")] == [dead.path]
    assert other.path.exists()
