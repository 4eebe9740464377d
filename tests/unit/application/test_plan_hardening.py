"""A hardening is predicted, approved by somebody, and applied as approved or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from khien.application.live_console import LiveConsole
from khien.application.settings import Settings
from khien.domain.baseline import Levels
from khien.domain.control import Control
from khien.domain.finding import Finding, Verdict
from khien.domain.hardening import RestoredThing, Stage, UndoReport
from khien.domain.host import Host
from khien.domain.judge import Judge, Judgement
from khien.domain.plan import ApprovedPlan, LeftOut, Plan
from khien.domain.reason import ReasonCode
from khien.domain.run import HostState, Reason, RunId, RunOptions, RunState, Verb
from khien.domain.selection import Selection
from khien.errors import RefusedError, UsageError
from tests.fakes.hardening_world import HardeningScript, change
from tests.fakes.run_world import FakeEngine, FakeInventory, RunWorld
from tests.unit.domain.test_proof import FIX

CONTROLS = (FIX, replace(FIX, id="d"), replace(FIX, id="r", fix_variable=None))
CHECK = RunOptions(check=True)


class Catalogue:
    """Knows three controls."""

    def controls(self) -> tuple[Control, ...]:
        return CONTROLS


class Desk:
    """A console whose runs are executed when the test says so."""

    def __init__(self, folder: Path) -> None:
        self.script = HardeningScript({"h1": (change(),), "h2": ()})
        self.world = RunWorld(folder, FakeEngine(self.script), ("h1", "h2"))
        self.waived: set[str] = set()
        self.console = LiveConsole(
            runs_store=self.world.runs,
            fleet_store=self.world.fleet,
            hardening_store=self.world.hardening,
            inventory=FakeInventory(self.world.hosts),
            catalogue=Catalogue(),
            preflight_port=self.world.preflight,
            processes=self.world.processes,
            launcher=self.world.launcher,
            clock=self.world.clock,
            settings=Settings(folder, folder, folder),
            person="lan",
            demands=lambda: self.demands,
            rules=lambda: Judge((), Levels(3)),
        )

    def demands(self, _host: Host, control: Control) -> bool:
        return control.id not in self.waived

    def execute(self, plan: Plan) -> RunId:
        from khien.application.execute_run import execute_run

        run_id = self.console.launch(plan)
        assert execute_run(run_id, {}, self.world.tools()) is RunState.FINISHED
        return run_id

    def predict(self) -> RunId:
        return self.execute(self.console.make_plan(Verb.HARDEN, CHECK))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.world.database.close()


def test_hosts_are_hardened_for_what_is_demanded_and_can_be_fixed(desk: Desk) -> None:
    plan = desk.console.make_plan(Verb.HARDEN, replace(CHECK, level=4))

    assert plan.hosts == ("h1", "h2")
    assert plan.selection == (Selection(("h1", "h2"), ("c", "d"), 4),)


def test_a_host_of_which_nothing_is_demanded_is_left_out(desk: Desk) -> None:
    desk.waived = {"c", "d"}

    plan = desk.console.make_plan(Verb.HARDEN, CHECK)

    nothing = Reason(ReasonCode.NOTHING_SELECTED)
    assert (plan.hosts, plan.left_out) == ((), (LeftOut("h1", nothing), LeftOut("h2", nothing)))


@pytest.mark.parametrize(("wanted", "words"), [("r", "report only"), ("nope", "no control nope")])
def test_a_control_that_cannot_be_fixed_is_refused(desk: Desk, wanted: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        desk.console.make_plan(Verb.HARDEN, replace(CHECK, controls=(wanted,)))


def test_a_plan_is_what_a_check_run_predicted(desk: Desk) -> None:
    run_id = desk.predict()

    plan = desk.console.stored_plan(run_id[:8])

    assert (plan.run.id, plan.changes, plan.approval) == (run_id, 1, None)
    assert set(plan.predictions) == {"h1", "h2"}
    assert desk.console.plans() == (plan,)


def test_only_what_was_approved_can_be_applied(desk: Desk) -> None:
    run_id = desk.predict()
    with pytest.raises(RefusedError, match="not approved"):
        desk.console.make_approved_plan(run_id)

    approval = desk.console.approve_plan(run_id)
    plan = desk.console.make_approved_plan(run_id)

    assert (approval.by, approval.at) == ("lan", desk.world.clock.now())
    assert plan.approved == ApprovedPlan(run_id, approval.hash)
    assert (plan.options.check, plan.hosts) == (False, ("h1", "h2"))
    hardened = desk.execute(plan)
    assert desk.console.run(hardened).counts == {HostState.CHANGED: 1, HostState.OK: 1}


def test_an_approval_of_something_else_than_what_was_looked_at_is_refused(desk: Desk) -> None:
    run_id = desk.predict()

    with pytest.raises(RefusedError, match="hash"):
        desk.console.approve_plan(run_id, "0123")
    assert desk.console.stored_plan(run_id).approval is None
    desk.console.approve_plan(run_id, desk.console.stored_plan(run_id).hash[:12])


def test_a_plan_that_is_no_longer_what_was_approved_is_refused(desk: Desk) -> None:
    run_id = desk.predict()
    approval = desk.console.approve_plan(run_id)
    desk.world.hardening.approve(replace(approval, hash="0" * 64))

    with pytest.raises(RefusedError, match="not what was approved"):
        desk.console.make_approved_plan(run_id)


def test_a_control_that_was_waived_since_makes_the_plan_void(desk: Desk) -> None:
    run_id = desk.predict()
    desk.console.approve_plan(run_id)
    desk.waived = {"d"}

    with pytest.raises(RefusedError, match="demanded"):
        desk.console.make_approved_plan(run_id)


def test_a_host_that_left_the_inventory_makes_the_plan_void(desk: Desk) -> None:
    run_id = desk.predict()
    desk.console.approve_plan(run_id)
    smaller = replace(desk.console, inventory=FakeInventory(("h1",)))

    with pytest.raises(RefusedError, match="no longer in the inventory: h2"):
        smaller.make_approved_plan(run_id)


def test_a_plan_without_changes_needs_no_approval(desk: Desk) -> None:
    desk.script.predicts = {}

    with pytest.raises(UsageError, match="nothing to approve"):
        desk.console.approve_plan(desk.predict())


def test_hosts_that_could_not_be_predicted_are_left_out(desk: Desk) -> None:
    desk.script.unreachable = {Verb.HARDEN: frozenset({"h2"})}
    run_id = desk.predict()
    desk.console.approve_plan(run_id)

    plan = desk.console.make_approved_plan(run_id)

    assert plan.hosts == ("h1",)
    assert plan.left_out == (LeftOut("h2", Reason(ReasonCode.NOT_PREDICTED, {"run": run_id})),)


def test_hardening_without_an_approved_plan_is_not_even_started(desk: Desk) -> None:
    with pytest.raises(RefusedError, match="approved plan"):
        desk.console.launch(desk.console.make_plan(Verb.HARDEN, RunOptions()))
    assert desk.world.launcher.started == []


def test_a_read_only_installation_predicts_and_never_applies(desk: Desk) -> None:
    run_id = desk.predict()
    desk.console.approve_plan(run_id)
    watcher = replace(desk.console, settings=replace(desk.console.settings, read_only=True))

    assert watcher.make_plan(Verb.HARDEN, CHECK).hosts
    with pytest.raises(RefusedError, match="read-only"):
        watcher.make_plan(Verb.HARDEN, RunOptions())
    with pytest.raises(RefusedError, match="read-only"):
        watcher.make_approved_plan(run_id)


def test_other_runs_are_no_plans(desk: Desk) -> None:
    verified = desk.execute(desk.console.make_plan(Verb.VERIFY, RunOptions()))

    with pytest.raises(UsageError, match="no plan"):
        desk.console.stored_plan(verified)
    unfinished = desk.console.launch(desk.console.make_plan(Verb.HARDEN, CHECK))
    with pytest.raises(UsageError, match="still being made"):
        desk.console.stored_plan(unfinished)


def harden(desk: Desk) -> RunId:
    run_id = desk.predict()
    desk.console.approve_plan(run_id)
    return desk.execute(desk.console.make_approved_plan(run_id))


def test_the_proof_of_a_run_says_was_and_is(desk: Desk) -> None:
    verdicts = [Verdict.FAIL] * 4 + [Verdict.PASS] * 2

    def judge(_host: Host, _seen: object) -> Judgement:
        return Judgement((Finding("c", verdicts.pop(0), ReasonCode.NOT_AS_EXPECTED),), "")

    tools = desk.world.tools
    desk.world.tools = lambda: replace(tools(), judge=judge)  # type: ignore[method-assign]

    proofs = desk.console.proofs(harden(desk))

    (result,) = proofs["h1"]
    assert (result.was, result.now, result.as_predicted) == (Verdict.FAIL, Verdict.PASS, True)
    assert result.actual == (change(),)


def test_undo_concerns_the_hosts_that_the_run_changed(desk: Desk) -> None:
    hardened = harden(desk)

    plan = desk.console.make_undo_plan(hardened, RunOptions(force=True))

    assert (plan.verb, plan.undoes, plan.hosts) == (Verb.UNDO, hardened, ("h1",))
    assert plan.left_out == (LeftOut("h2", Reason(ReasonCode.NOTHING_TO_DO)),)
    assert plan.options.force


def test_an_undo_can_itself_be_undone(desk: Desk) -> None:
    back = UndoReport(Stage.APPLIED, (RestoredThing("file", "/etc/x", "a", "∅"),))
    desk.script.undoes = {"h1": back}

    undone = desk.execute(desk.console.make_undo_plan(harden(desk), RunOptions()))

    assert desk.console.undo_reports(undone) == {"h1": back}
    assert desk.console.make_undo_plan(undone, RunOptions()).hosts == ("h1",)


def test_what_changed_nothing_cannot_be_undone(desk: Desk) -> None:
    predicted = desk.predict()
    with pytest.raises(UsageError, match="cannot be undone"):
        desk.console.make_undo_plan(predicted, RunOptions())


def test_a_read_only_installation_undoes_nothing(desk: Desk) -> None:
    hardened = harden(desk)
    watcher = replace(desk.console, settings=replace(desk.console.settings, read_only=True))

    assert watcher.make_undo_plan(hardened, CHECK).hosts == ("h1",)
    with pytest.raises(RefusedError, match="read-only"):
        watcher.make_undo_plan(hardened, RunOptions())
