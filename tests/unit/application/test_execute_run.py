"""What becomes of hosts and runs, whatever the engine does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from khien.adapters.store.schema import host_locks
from khien.application.execute_run import execute_run
from khien.application.ports import (
    EngineEvent,
    EngineJob,
    EngineResult,
    HostStats,
    PreflightResult,
    TaskEnded,
    TaskStarted,
    TaskStatus,
)
from khien.application.reconcile_runs import reconcile_runs
from khien.domain.finding import Finding, Verdict
from khien.domain.observation import HostFacts, ObservationSet
from khien.domain.packages import PackageChange, PatchReport
from khien.domain.reason import ReasonCode
from khien.domain.run import HostState, ProcessIdentity, Reason, RunId, RunState, Verb
from khien.errors import EngineError
from tests.fakes.run_world import FakeEngine, RunWorld, Script

AT = datetime(2026, 11, 23, 1, 31, tzinfo=UTC)
RUN = RunId("run-1")
Tell = Callable[[EngineEvent], None]
World = Callable[[Script], RunWorld]


def ended(host: str, status: TaskStatus = TaskStatus.OK, **words: object) -> TaskEnded:
    return TaskEnded(host, "install", status, AT, **words)  # type: ignore[arg-type]


def all_well(job: EngineJob, tell: Tell, _stop: object) -> EngineResult:
    for host in job.plan.hosts:
        tell(TaskStarted(host, "install", AT))
        tell(ended(host, TaskStatus.CHANGED))
        tell(HostStats(host, ok=1, changed=1))
    return EngineResult(completed=True, exit_code=0)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made: list[RunWorld] = []

    def make(script: Script) -> RunWorld:
        made.append(RunWorld(tmp_path, FakeEngine(script)))
        return made[-1]

    yield make
    for each in made:
        each.database.close()


def states(world: RunWorld) -> dict[str, HostState]:
    return {outcome.host: outcome.state for outcome in world.runs.outcomes(RUN)}


def reasons(world: RunWorld) -> dict[str, str]:
    return {outcome.host: outcome.reason.code for outcome in world.runs.outcomes(RUN)}


def locks(world: RunWorld) -> list[str]:
    with world.database.read() as connection:
        return list(connection.execute(sa.select(host_locks.c.host)).scalars())


def reconcile(world: RunWorld) -> tuple[RunId, ...]:
    return reconcile_runs(
        runs=world.runs, processes=world.processes, launcher=world.launcher, clock=world.clock
    )


def test_every_host_of_a_good_run_has_its_outcome(world: World) -> None:
    here = world(all_well)
    state = execute_run(here.create(), {}, here.tools())

    assert state is RunState.FINISHED
    assert set(states(here).values()) == {HostState.CHANGED}
    assert here.runs.run(RUN).state is RunState.FINISHED
    assert locks(here) == []


def test_the_ends_of_hosts_are_different_things(world: World) -> None:
    def script(job: EngineJob, tell: Tell, _stop: object) -> EngineResult:
        tell(ended("h1"))
        tell(HostStats("h1", ok=1))
        tell(ended("h2", TaskStatus.FAILED, message="no space"))
        tell(HostStats("h2", failures=1))
        tell(ended("h3", TaskStatus.UNREACHABLE, message="timed out"))
        tell(HostStats("h3", unreachable=1))
        return EngineResult(completed=True, exit_code=2)

    here = world(script)
    here.hosts = ("h1", "h2", "h3", "h4")
    execute_run(here.create(), {}, here.tools())

    assert states(here) == {
        "h1": HostState.OK,
        "h2": HostState.FAILED,
        "h3": HostState.UNREACHABLE,
        "h4": HostState.NOT_STARTED,
    }
    assert reasons(here)["h2"] == ReasonCode.TASK_FAILED
    assert reasons(here)["h3"] == ReasonCode.CONNECTION_LOST


def test_a_rescued_or_ignored_failure_is_no_outcome(world: World) -> None:
    def script(_job: EngineJob, tell: Tell, _stop: object) -> EngineResult:
        tell(ended("h1", TaskStatus.FAILED, message="first try"))
        tell(HostStats("h1", ok=3, rescued=1))
        tell(ended("h2", TaskStatus.FAILED, ignored=True))
        tell(HostStats("h2", ok=3, ignored=1))
        tell(HostStats("h3", ok=3))
        return EngineResult(completed=True, exit_code=0)

    here = world(script)
    execute_run(here.create(), {}, here.tools())

    assert set(states(here).values()) == {HostState.OK}
    assert set(reasons(here).values()) == {""}


def test_a_host_lost_during_its_transaction_is_said_to_go_on_by_itself(world: World) -> None:
    def script(_job: EngineJob, tell: Tell, _stop: object) -> EngineResult:
        tell(ended("h1", result={"patch": PatchReport("started")}))
        tell(ended("h1", TaskStatus.UNREACHABLE))
        tell(HostStats("h1", unreachable=1))
        tell(HostStats("h2", ok=1))
        tell(HostStats("h3", ok=1))
        return EngineResult(completed=True, exit_code=4)

    here = world(script)
    execute_run(here.create(), {}, here.tools())

    assert states(here)["h1"] is HostState.UNREACHABLE
    assert reasons(here)["h1"] == ReasonCode.TRANSACTION_CONTINUES


def test_the_module_s_own_problem_is_the_reason(world: World) -> None:
    held = PatchReport("planned", problem=ReasonCode.PACKAGE_LOCK_HELD, problem_detail="apt-get (pid 77)")

    def script(_job: EngineJob, tell: Tell, _stop: object) -> EngineResult:
        tell(ended("h1", TaskStatus.FAILED, message="lock", result={"patch": held}))
        tell(HostStats("h1", failures=1))
        return EngineResult(completed=True, exit_code=2)

    here = world(script)
    execute_run(here.create(), {}, here.tools())

    (first, *_rest) = here.runs.outcomes(RUN)
    assert first.reason == Reason(ReasonCode.PACKAGE_LOCK_HELD, {"detail": "apt-get (pid 77)"})


def test_an_engine_that_breaks_leaves_no_host_without_an_outcome(world: World) -> None:
    def script(_job: EngineJob, tell: Tell, _stop: object) -> EngineResult:
        tell(TaskStarted("h1", "install", AT))
        raise EngineError("ansible-playbook is not there")

    here = world(script)
    state = execute_run(here.create(), {}, here.tools())

    assert state is RunState.BROKEN
    assert states(here) == {
        "h1": HostState.UNKNOWN,
        "h2": HostState.NOT_STARTED,
        "h3": HostState.NOT_STARTED,
    }
    assert here.runs.run(RUN).reason.code == ReasonCode.ENGINE_BROKE
    assert locks(here) == []


def test_an_engine_that_ends_without_its_count_is_a_broken_run(world: World) -> None:
    def script(_job: EngineJob, tell: Tell, _stop: object) -> EngineResult:
        tell(ended("h1"))
        return EngineResult(completed=False, exit_code=4, message="a syntax error")

    here = world(script)

    assert execute_run(here.create(), {}, here.tools()) is RunState.BROKEN
    assert here.runs.run(RUN).reason.arguments["message"] == "a syntax error"
    # It had begun, and nobody knows how far it came.
    assert states(here)["h1"] is HostState.UNKNOWN


def test_cancelling_stops_the_engine_and_names_each_host_s_state(world: World) -> None:
    def script(_job: EngineJob, tell: Tell, stop: Callable[[], bool]) -> EngineResult:
        tell(TaskStarted("h1", "install", AT))
        tell(ended("h2", result={"patch": PatchReport("started")}))
        here.runs.request_cancel(RUN, AT)
        here.clock.advance(seconds=1)
        assert stop()
        return EngineResult(completed=False, exit_code=99)

    here = world(script)
    state = execute_run(here.create(), {}, here.tools())

    assert state is RunState.CANCELLED
    assert states(here) == {
        "h1": HostState.UNKNOWN,
        "h2": HostState.UNKNOWN,
        "h3": HostState.NOT_STARTED,
    }
    assert reasons(here)["h2"] == ReasonCode.TRANSACTION_CONTINUES
    assert reasons(here)["h3"] == ReasonCode.RUN_CANCELLED


def test_a_run_cancelled_before_it_begins_touches_no_host(world: World) -> None:
    here = world(all_well)
    run = here.create()
    here.runs.request_cancel(run, AT)

    assert execute_run(run, {}, here.tools()) is RunState.CANCELLED
    assert here.engine.jobs == []
    assert set(states(here).values()) == {HostState.NOT_STARTED}


def test_a_hung_host_is_reported_and_costs_the_others_nothing(world: World) -> None:
    here = world(all_well)
    here.preflight.troubled = {
        "h2": PreflightResult("h2", ready=False, troubles=(Reason(ReasonCode.NO_BANNER),)),
        "h3": PreflightResult("h3", ready=False, troubles=(Reason(ReasonCode.DISK_FULL),)),
    }
    execute_run(here.create(), {}, here.tools())

    assert states(here) == {
        "h1": HostState.CHANGED,
        "h2": HostState.UNREACHABLE,
        "h3": HostState.FAILED,
    }
    assert here.engine.jobs[0].plan.hosts == ("h1",)


def test_a_held_package_lock_is_left_to_the_playbook_which_waits(world: World) -> None:
    here = world(all_well)
    held = Reason(ReasonCode.PACKAGE_LOCK_HELD)
    here.preflight.troubled = {"h2": PreflightResult("h2", ready=False, troubles=(held,))}

    execute_run(here.create(), {}, here.tools())

    assert states(here)["h2"] is HostState.CHANGED


def test_the_look_at_the_door_knows_the_passwords_of_the_run(world: World) -> None:
    here = world(all_well)
    secrets = {"become_password": "only-for-this-run"}

    execute_run(here.create(), secrets, here.tools())

    assert here.preflight.secrets == secrets


def test_verifying_looks_at_no_door_and_takes_no_lock(world: World) -> None:
    def script(job: EngineJob, tell: Tell, stop: Callable[[], bool]) -> EngineResult:
        assert locks(here) == []
        return all_well(job, tell, stop)

    here = world(script)
    execute_run(here.create(Verb.VERIFY), {}, here.tools())

    assert here.preflight.looked_at == []


def test_a_host_that_another_run_changes_is_not_started(world: World) -> None:
    here = world(all_well)
    other = ProcessIdentity("m", "b", 99, 1)
    here.runs.lock_hosts(RunId("other"), ("h2",), other, lambda _: True)

    execute_run(here.create(), {}, here.tools())

    assert states(here) == {
        "h1": HostState.CHANGED,
        "h2": HostState.NOT_STARTED,
        "h3": HostState.CHANGED,
    }
    assert reasons(here)["h2"] == ReasonCode.LOCKED_BY_RUN
    assert locks(here) == ["h2"]


def test_findings_are_judged_and_stored_as_answers_come_in(world: World) -> None:
    def script(_job: EngineJob, tell: Tell, _stop: object) -> EngineResult:
        tell(ended("h1", result={"seen": ObservationSet("h1", AT, HostFacts(os_id="debian"))}))
        tell(HostStats("h1", ok=1))
        return EngineResult(completed=True, exit_code=0)

    here = world(script)
    here.findings = (Finding("c1", Verdict.FAIL, ReasonCode.NOT_AS_EXPECTED, "1 instead of 2"),)
    execute_run(here.create(Verb.VERIFY), {}, here.tools())

    assert here.fleet.host("h1").findings == here.findings


def test_a_report_of_updates_reaches_the_host(world: World) -> None:
    change = PackageChange("sudo", "amd64", "1", "2")

    def script(_job: EngineJob, tell: Tell, _stop: object) -> EngineResult:
        tell(ended("h1", TaskStatus.CHANGED, result={"patch": PatchReport("finished", (change,))}))
        tell(HostStats("h1", ok=1, changed=1))
        return EngineResult(completed=True, exit_code=0)

    here = world(script)
    execute_run(here.create(), {}, here.tools())

    assert here.fleet.host("h1").history[0].changes == (change,)
    assert here.fleet.host("h1").status.pending_security == 0


class FullDisk:
    """A run store that can do everything but record."""

    def __init__(self, world: RunWorld) -> None:
        self._runs = world.runs

    def __getattr__(self, name: str) -> object:
        return getattr(self._runs, name)

    def record(self, *_: object) -> None:
        raise OSError(28, "No space left on device")


def test_a_store_that_fails_stops_the_engine_and_is_not_hidden(world: World) -> None:
    def script(_job: EngineJob, tell: Tell, stop: Callable[[], bool]) -> EngineResult:
        tell(TaskStarted("h1", "install", AT))
        while not stop():
            pass
        return EngineResult(completed=False, exit_code=99)

    here = world(script)
    run = here.create(Verb.VERIFY)
    tools = here.tools()
    parts = {name: getattr(tools, name) for name in tools.__slots__}

    with pytest.raises(OSError, match="No space"):
        execute_run(run, {}, type(tools)(**parts | {"runs": FullDisk(here)}))


def test_a_dead_run_is_found_interrupted_and_its_hosts_are_not_invented(world: World) -> None:
    class Killed(BaseException):
        pass

    def script(_job: EngineJob, tell: Tell, _stop: object) -> EngineResult:
        tell(TaskStarted("h1", "install", AT))
        raise Killed

    here = world(script)
    run = here.create()
    with pytest.raises(Killed):
        execute_run(run, {}, here.tools())
    assert here.runs.run(run).state is RunState.RUNNING
    here.processes.dead.add(here.processes.me)

    assert reconcile(here) == (run,)

    assert here.runs.run(run).state is RunState.INTERRUPTED
    assert set(states(here).values()) <= {HostState.UNKNOWN, HostState.NOT_STARTED}
    assert set(reasons(here).values()) == {ReasonCode.RUN_INTERRUPTED}
    assert here.processes.ended == here.launcher.tidied == [run]
    assert reconcile(here) == ()


def test_a_run_whose_process_never_came_up_is_interrupted_after_a_while(world: World) -> None:
    here = world(all_well)
    run = here.create()

    assert reconcile(here) == ()
    here.clock.advance(seconds=31)
    assert reconcile(here) == (run,)
    assert set(states(here).values()) == {HostState.NOT_STARTED}


def test_a_process_that_dies_before_its_claim_is_noticed_at_once_with_its_words(world: World) -> None:
    here = world(all_well)
    run = here.create()
    started = here.launcher.launch(run, {})
    here.runs.expect(run, started)
    here.processes.dead.add(started)
    here.launcher.words = "ImportError: no such thing"

    assert reconcile(here) == (run,)
    assert here.runs.run(run).reason.arguments == {"message": "ImportError: no such thing"}
