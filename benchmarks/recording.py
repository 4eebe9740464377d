"""A playbook executed and recorded by Khiên against plain ansible-playbook, 200 local connections."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measure import Cost, command, compare
from khien.adapters.ansible_engine import AnsibleEngine
from khien.adapters.module_results import ModuleResults
from khien.adapters.processes import LinuxProcesses
from khien.adapters.store import SqlFleetStore, SqlHardeningStore, SqlRunStore, open_database
from khien.application.execute_run import RunTools, execute_run
from khien.bootstrap import SystemClock
from khien.domain.host import Host
from khien.domain.judge import Judgement
from khien.domain.plan import Plan
from khien.domain.run import Run, RunId, RunOptions, RunState, Verb

HOSTS = tuple(f"local{number:03}" for number in range(200))
FORKS = 20


class _Recorded:
    """The playbook by way of the engine, the recorder and a store of its own."""

    def __init__(self, folder: Path, inventory: Path, playbook: Path) -> None:
        database = open_database(f"sqlite:///{folder / 'khien.db'}")
        self._runs = SqlRunStore(database)
        self._fleet = SqlFleetStore(database)
        self._hardening = SqlHardeningStore(database)
        self._fleet.remember_hosts([Host(name) for name in HOSTS])
        self._folder, self._inventory, self._playbook = folder, inventory, playbook
        self._number = 0

    def __call__(self) -> Cost:
        self._number += 1
        now = datetime.now(UTC)
        plan = Plan(Verb.VERIFY, RunOptions(inventory=(str(self._inventory),)), HOSTS, now)
        name = RunId(f"bench-{self._number}")
        run = Run(name, Verb.VERIFY, RunState.CREATED, plan.options, "bench", now, plan.hash)
        self._runs.create_run(run, plan)
        before, started = _cpu(), time.perf_counter()
        state = execute_run(run.id, {}, self._tools())
        cost = Cost(time.perf_counter() - started, _cpu() - before)
        counts = self._runs.run(run.id).counts
        if state is not RunState.FINISHED or sum(counts.values()) != len(HOSTS):
            raise SystemExit(f"the recorded run went wrong: {state}, {counts}")
        return cost

    def _tools(self) -> RunTools:
        return RunTools(
            runs=self._runs,
            fleet=self._fleet,
            hardening=self._hardening,
            inventory=None,  # type: ignore[arg-type]  # a verification never asks for it
            preflight=None,  # type: ignore[arg-type]  # nor for this
            engine=AnsibleEngine(runtime_dir=self._folder / "run", forks=FORKS, cancel_grace_seconds=10),
            processes=LinuxProcesses(),
            clock=SystemClock(),
            reader=ModuleResults(),
            judge=lambda _host, _seen: Judgement((), ""),
            playbook=lambda _: self._playbook,
            extra_vars=lambda _run, _plan: {},
            documents=lambda _plan: {},
            preflight_deadline_seconds=1,
            batch_seconds=0.1,
        )


def _cpu() -> float:
    total = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        used = resource.getrusage(who)
        total += used.ru_utime + used.ru_stime
    return total


def main() -> bool:
    """Print one ratio for a task that does nothing and one for a module."""
    within = True
    for title, task, limit in (
        ("no-op task (debug)", "ansible.builtin.debug: {msg: hello}", 1.25),
        ("module task (ping)", "ansible.builtin.ping: {}", 1.10),
    ):
        # A run's private folder lies in /run, which is memory on every system that systemd booted.
        memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
        with tempfile.TemporaryDirectory(prefix="khb", dir=memory) as name:
            folder = Path(name)
            inventory, playbook = folder / "hosts.ini", folder / "play.yml"
            how = f"ansible_connection=local ansible_python_interpreter={sys.executable}"
            inventory.write_text("\n".join(f"{host} {how}" for host in HOSTS))
            playbook.write_text(
                f"- hosts: all\n  gather_facts: false\n  tasks:\n    - name: do\n      {task}\n"
            )
            plain = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory)]
            plain += ["--forks", str(FORKS), str(playbook)]

            def rival(plain: list[str] = plain) -> Cost:
                return command(plain, environment={"ANSIBLE_CONFIG": str(Path("ansible.cfg").absolute())})

            recorded = _Recorded(folder, inventory, playbook)
            what = f"recorded / plain, {len(HOSTS)} hosts, {title}"
            within &= compare(what, recorded, rival, wall_limit=limit)
    return within


if __name__ == "__main__":
    sys.exit(not main())
