"""`khien harden`, `plan` and `undo` over a made-up province: what they ask for, print and refuse."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from khien.bootstrap import Services
from khien.cli import harden, plans, runs, undo
from khien.domain.plan import Plan
from khien.domain.run import Run, RunId, RunOptions, Verb
from khien.errors import RefusedError
from khien.i18n import choose_language, current_language
from tests.fakes.console import HARDENED, FakeConsole


class QuickConsole(FakeConsole):
    """Runs are over as soon as they are looked at."""

    def run(self, run_id: str) -> Run:
        self.finish(super().run(run_id).id)
        return super().run(run_id)


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Iterator[QuickConsole]:
    """A console in English that every command gets."""
    made = QuickConsole()
    services = cast("Services", SimpleNamespace(console=made))
    for module in (harden, plans, undo, runs):
        monkeypatch.setattr(module, "services", lambda _context: services)
    before = current_language()
    choose_language("en")
    yield made
    choose_language(before)


def call(*arguments: str) -> Result:
    app = typer.Typer()
    app.command("harden")(harden.harden)
    app.add_typer(plans.app, name="plan")
    app.add_typer(runs.app, name="run")
    app.command("undo")(undo.undo)
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def document(*arguments: str) -> dict[str, Any]:
    return dict(json.loads(call(*arguments, "--json").stdout))


def test_a_plan_is_only_predicted_and_says_what_to_do_next(console: QuickConsole) -> None:
    result = call("harden", "--plan", "--level", "3", "-c", "b", "-c", "a")

    (plan,) = console.launched
    assert (plan.verb, plan.options.check) == (Verb.HARDEN, True)
    assert (plan.options.level, plan.options.controls) == (3, ("a", "b"))
    assert "net.ipv4.conf.all.rp_filter" in result.stdout
    assert "PermitRootLogin no" in result.stdout
    assert "khien plan approve" in result.stderr
    assert console.approvals == {}


def test_without_a_yes_nothing_is_approved(console: QuickConsole) -> None:
    with pytest.raises(RefusedError):
        call("harden")

    assert [plan.options.check for plan in console.launched] == [True]
    assert console.approvals == {}


def test_with_yes_what_was_predicted_is_approved_and_applied(console: QuickConsole) -> None:
    result = call("harden", "--yes")

    predicted, applied = console.launched
    (approval,) = console.approvals.values()
    assert applied.approved is not None
    assert (applied.options.check, applied.approved.hash) == (False, approval.hash)
    assert predicted.options.check
    assert "exactly as predicted" in result.stdout


def test_a_read_only_installation_refuses_before_it_predicts(console: QuickConsole) -> None:
    console.refuse = RefusedError("read-only")

    with pytest.raises(RefusedError):
        call("harden", "--yes")
    assert console.launched == []


@pytest.fixture
def planned(console: QuickConsole) -> Callable[[], RunId]:
    def plan() -> RunId:
        call("harden", "--check")
        return RunId(next(iter(console.records)))

    return plan


def test_plans_are_listed_shown_approved_and_run(console: QuickConsole, planned: Callable[[], RunId]) -> None:
    name = planned()

    (listed,) = document("plan", "list")["plans"]
    shown = document("plan", "show", name)
    assert (listed["id"], listed["approved"], listed["approval"]) == (name, False, None)
    assert listed["changes_total"] == len(HARDENED) * len(listed["predictions"])
    assert shown["plan"] == listed
    with pytest.raises(RefusedError):
        call("plan", "run", name)
    with pytest.raises(RefusedError):
        call("plan", "approve", name, "--hash", "zzz")

    approved = document("plan", "approve", name, "--hash", listed["hash"][:10])
    done = document("plan", "run", name)

    assert approved["plan"]["approval"]["by"] == "lan"
    assert "lan" in call("plan", "list").stdout
    hardening = next(host["hardening"] for host in done["hosts"] if "hardening" in host)
    assert (hardening["as_predicted"], hardening["changes_applied"]) == (True, len(HARDENED))
    assert {"control", "was", "is", "predicted", "applied", "as_predicted", "why_not"} == set(
        hardening["controls"][0]
    )


def test_what_a_run_did_can_be_looked_at_later(console: QuickConsole, planned: Callable[[], RunId]) -> None:
    name = planned()
    call("plan", "approve", name)
    call("plan", "run", name, "--detach")
    run_id = list(console.records)[-1]

    shown = call("run", "show", run_id)

    assert "As predicted" in shown.stdout
    assert "Left as it is" in shown.stdout


def test_an_undo_says_thing_by_thing_what_was_put_back(
    console: QuickConsole, planned: Callable[[], RunId]
) -> None:
    name = planned()
    call("plan", "approve", name)
    call("plan", "run", name)
    run_id = list(console.records)[-1]

    foretold = call("undo", run_id, "--check")
    with pytest.raises(RefusedError):
        call("undo", run_id)
    done = call("undo", run_id, "--force", "--yes")

    assert "would be put back" in foretold.stdout
    assert "put back" in done.stdout
    plan: Plan = console.launched[-1]
    assert (plan.verb, plan.undoes, plan.options) == (Verb.UNDO, run_id, RunOptions(force=True))
    restored = document("run", "show", list(console.records)[-1])
    undone = next(host["undo"] for host in restored["hosts"] if "undo" in host)
    assert [one["thing"] for one in undone["restored"]] == [change.thing for change in HARDENED]


def test_words_of_hosts_are_data(console: QuickConsole, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = tuple(
        type(change)(change.control, change.kind, "\x1b[31m[bold]x", "a\nb", "[/]") for change in HARDENED
    )
    monkeypatch.setattr("tests.fakes.console.HARDENED", hostile)

    result = call("harden", "--check")

    assert "\x1b" not in result.stdout
    assert "[bold]x" in result.stdout
    assert "a b" in result.stdout
