"""Hardening as one run: look, predict again, leave out who drifted, apply, look again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from khien.application.execute_run import execute_run
from khien.application.ports import EngineJob
from khien.domain.hardening import (
    GuardReport,
    GuardState,
    HardenReport,
    RefusedThing,
    RestoredThing,
    Stage,
    UndoReport,
)
from khien.domain.plan import ApprovedPlan, Plan
from khien.domain.prediction import Approval, prediction_hash
from khien.domain.reason import ReasonCode
from khien.domain.run import HostOutcome, HostState, Run, RunId, RunOptions, RunState, Verb
from khien.domain.selection import Selection
from tests.fakes.hardening_world import HardeningScript, change
from tests.fakes.run_world import FakeEngine, RunWorld

PLAN = RunId("plan-1")
RUN = RunId("run-1")
ONE, TWO = change(), change("d", "/etc/y", "0", "1")


class World(RunWorld):
    """A run world with a plan that was predicted."""

    script: HardeningScript

    def start(self, plan: Plan, run_id: RunId) -> RunState:
        run = Run(run_id, plan.verb, RunState.CREATED, plan.options, "lan", self.clock.now(), plan.hash)
        self.runs.create_run(run, plan)
        return execute_run(run_id, {}, self.tools())

    def predicted(self) -> Plan:
        """Predict, and return the plan of that."""
        selection = (Selection(self.hosts, ("c", "d"), 3),)
        plan = Plan(Verb.HARDEN, RunOptions(check=True), self.hosts, self.clock.now(), selection=selection)
        assert self.start(plan, PLAN) is RunState.FINISHED
        self.script.played.clear()
        return plan

    def approved(self) -> Plan:
        """Predict and approve, and return the plan that applies it."""
        plan = self.predicted()
        fixed = prediction_hash(plan, self.hardening.hardening(PLAN))
        self.hardening.approve(Approval(PLAN, fixed, "lan", self.clock.now()))
        return replace(plan, options=RunOptions(), approved=ApprovedPlan(PLAN, fixed))

    def ends(self, run_id: RunId = RUN) -> dict[str, HostOutcome]:
        return {outcome.host: outcome for outcome in self.runs.outcomes(run_id)}

    def states(self, run_id: RunId = RUN) -> dict[str, HostState]:
        return {host: outcome.state for host, outcome in self.ends(run_id).items()}


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[HardeningScript], World]]:
    made: list[World] = []

    def give(script: HardeningScript) -> World:
        world = World(tmp_path, FakeEngine(script), ("h1", "h2"))
        world.script = script
        made.append(world)
        return world

    yield give
    for world in made:
        world.database.close()


Make = Callable[[HardeningScript], World]


def test_a_prediction_looks_first_and_changes_nothing(make: Make) -> None:
    world = make(HardeningScript({"h1": (ONE,), "h2": ()}))

    plan = Plan(Verb.HARDEN, RunOptions(check=True), world.hosts, world.clock.now())
    world.start(plan, PLAN)

    assert world.script.played == [("verify", False, ("h1", "h2")), ("harden", True, ("h1", "h2"))]
    assert world.states(PLAN) == {"h1": HostState.CHANGED, "h2": HostState.OK}
    assert world.hardening.hardening(PLAN)["h1"].predicted_changes == (ONE,)


def test_what_was_approved_is_predicted_again_applied_and_looked_at(make: Make) -> None:
    world = make(HardeningScript({"h1": (ONE, TWO), "h2": (ONE,)}))
    plan = world.approved()

    assert world.start(plan, RUN) is RunState.FINISHED

    both = ("h1", "h2")
    assert world.script.played == [
        ("verify", False, both), ("harden", True, both), ("harden", False, both), ("verify", False, both),
    ]  # fmt: skip
    assert world.states() == {"h1": HostState.CHANGED, "h2": HostState.CHANGED}
    told = world.hardening.hardening(RUN)["h1"]
    assert told.predicted_changes == told.actual_changes == (ONE, TWO)
    pair = world.hardening.verification_pairs(RUN)["h1"]
    assert pair.before == pair.after == ()
    assert world.ends()["h1"].changed_tasks == 1


def test_a_host_where_nothing_changes_is_ok(make: Make) -> None:
    world = make(HardeningScript({"h1": (ONE,)}))
    world.start(world.approved(), RUN)

    assert world.states() == {"h1": HostState.CHANGED, "h2": HostState.OK}


def test_a_host_that_drifted_is_left_out_with_what_differs(make: Make) -> None:
    world = make(HardeningScript({"h1": (ONE,), "h2": (ONE,)}))
    plan = world.approved()
    world.script.predicts["h2"] = (replace(ONE, before="somebody was here"),)

    world.start(plan, RUN)

    outcome = world.ends()["h2"]
    assert (outcome.state, outcome.reason.code) == (HostState.NOT_STARTED, ReasonCode.DRIFTED_SINCE_PLAN)
    assert outcome.reason.arguments == {
        "number": 1,
        "thing": "/etc/x",
        "expected": "∅ → a",
        "seen": "somebody was here → a",
    }
    assert world.states()["h1"] is HostState.CHANGED
    assert ("harden", False, ("h1",)) in world.script.played


def test_a_retry_takes_what_is_left_of_the_approved_changes(make: Make) -> None:
    world = make(HardeningScript({"h1": (ONE, TWO), "h2": (ONE,)}))
    plan = world.approved()
    world.script.predicts["h1"] = (TWO,)

    world.start(plan, RUN)
    world.start(replace(plan, hosts=("h1",), parent=RUN), RunId("run-2"))

    assert world.states()["h1"] is HostState.NOT_STARTED
    assert world.states(RunId("run-2")) == {"h1": HostState.CHANGED}


@pytest.mark.parametrize("trick", ["none", "other_hash", "other_selection", "withdrawn"])
def test_what_is_not_approved_touches_no_host(make: Make, trick: str) -> None:
    world = make(HardeningScript({"h1": (ONE,), "h2": ()}))
    plan = world.approved()
    assert plan.approved is not None
    match trick:
        case "none":
            plan = replace(plan, approved=None)
        case "other_hash":
            plan = replace(plan, approved=ApprovedPlan(PLAN, "0" * 64))
        case "other_selection":
            plan = replace(plan, selection=(Selection(world.hosts, ("c", "d", "e"), 3),))
        case _:
            world.hardening.approve(Approval(PLAN, "0" * 64, "minh", world.clock.now()))

    world.start(plan, RUN)

    assert world.script.played == []
    assert world.runs.run(RUN).reason.code == ReasonCode.NOT_APPROVED
    assert set(world.states().values()) == {HostState.NOT_STARTED}


def test_a_guard_that_reverted_fails_the_host_names_the_change_and_the_host_is_looked_at(make: Make) -> None:
    world = make(HardeningScript({"h1": (ONE,), "h2": (ONE,)}))
    plan = world.approved()
    guard = GuardReport(GuardState.REVERTED, 120, "Connection refused")
    world.script.does["h1"] = HardenReport("sshd", Stage.APPLIED, guard=guard, problem="guard_reverted")

    world.start(plan, RUN)

    outcome = world.ends()["h1"]
    assert (outcome.state, outcome.reason.code) == (HostState.FAILED, ReasonCode.GUARD_REVERTED)
    assert outcome.reason.arguments["area"] == "sshd"
    assert outcome.reason.arguments["things"] == "/etc/x"
    assert world.script.played[-1] == ("verify", False, ("h1", "h2"))
    assert world.states()["h2"] is HostState.CHANGED


def test_a_host_where_something_else_was_changed_than_predicted_says_so(make: Make) -> None:
    world = make(HardeningScript({"h1": (ONE,), "h2": (ONE,)}))
    plan = world.approved()
    world.script.does["h1"] = HardenReport("sshd", Stage.APPLIED, (ONE, TWO))

    world.start(plan, RUN)

    outcome = world.ends()["h1"]
    assert (outcome.state, outcome.reason.code) == (HostState.CHANGED, ReasonCode.NOT_AS_PREDICTED)
    assert outcome.reason.arguments == {"number": 1, "things": "/etc/y"}
    assert world.ends()["h2"].reason.code == ""


def test_a_host_that_cannot_be_predicted_is_not_changed(make: Make) -> None:
    world = make(HardeningScript({"h1": (ONE,), "h2": (ONE,)}))
    plan = world.approved()
    world.script.unreachable = {Verb.VERIFY: frozenset({"h2"})}

    world.start(plan, RUN)

    assert world.states()["h2"] is HostState.UNREACHABLE
    assert ("harden", False, ("h1",)) in world.script.played


def cancel_at(world: World, verb: Verb, *, check: bool, times: int = 1) -> Callable[[EngineJob], None]:
    left = [times]

    def cancel(job: EngineJob) -> None:
        if job.plan.verb is verb and job.plan.options.check is check:
            left[0] -= 1
            if left[0] == 0:
                world.runs.request_cancel(RUN, world.clock.now())
                world.clock.advance(seconds=1)

    return cancel


def test_a_run_cancelled_while_it_predicts_has_started_nothing(make: Make) -> None:
    world = make(HardeningScript({"h1": (ONE,), "h2": (ONE,)}))
    plan = world.approved()
    world.script.after = cancel_at(world, Verb.HARDEN, check=True)

    assert world.start(plan, RUN) is RunState.CANCELLED

    assert world.states() == {"h1": HostState.NOT_STARTED, "h2": HostState.NOT_STARTED}


@pytest.mark.parametrize("moment", [(Verb.HARDEN, 1), (Verb.VERIFY, 2)])
def test_a_run_cancelled_after_a_host_was_hardened_says_that_it_was(
    make: Make, moment: tuple[Verb, int]
) -> None:
    world = make(HardeningScript({"h1": (ONE,), "h2": ()}))
    plan = world.approved()
    verb, times = moment
    world.script.after = cancel_at(world, verb, check=False, times=times)

    assert world.start(plan, RUN) is RunState.CANCELLED

    assert world.states() == {"h1": HostState.CHANGED, "h2": HostState.OK}


def test_an_undo_puts_back_and_looks(make: Make) -> None:
    world = make(HardeningScript())
    back = UndoReport(Stage.APPLIED, (RestoredThing("file", "/etc/x", "a", "∅"),))
    left = replace(back, refused=(RefusedThing("file", "/etc/y", "changed_since"),))
    world.script.undoes = {"h1": back, "h2": left}

    world.start(Plan(Verb.UNDO, RunOptions(), world.hosts, world.clock.now(), undoes=PLAN), RUN)

    both = ("h1", "h2")
    assert world.script.played == [("undo", False, both), ("verify", False, both)]
    assert world.states() == {"h1": HostState.CHANGED, "h2": HostState.FAILED}
    assert world.ends()["h2"].reason.arguments == {"number": 1, "things": "/etc/y"}
    assert world.hardening.undo_reports(RUN) == {"h1": back, "h2": left}


def test_an_undo_in_check_mode_says_what_would_be_refused(make: Make) -> None:
    world = make(HardeningScript())
    refused = UndoReport(Stage.PLANNED, refused=(RefusedThing("file", "/etc/y", "changed_since"),))
    world.script.undoes = {"h1": refused, "h2": UndoReport(Stage.PLANNED)}

    world.start(Plan(Verb.UNDO, RunOptions(check=True), world.hosts, world.clock.now(), undoes=PLAN), RUN)

    assert world.script.played == [("undo", True, ("h1", "h2"))]
    assert world.states() == {"h1": HostState.FAILED, "h2": HostState.OK}
