"""Tells what transactions did and how the host is after them."""

from __future__ import annotations

from dataclasses import dataclass

from ansible.module_utils.khien_reboot import reboot_need

from .command import Output, PatchError, Run
from .packages import compare_packages, half_done, list_packages, merge_changes, parse_packages
from .plan import Change, Plan, last_error, with_origins
from .result import Result, Wishes
from .services import failed_units, running_services, services_down
from .transaction import Transaction, list_transactions


@dataclass(frozen=True)
class Untold:
    """Transactions that are over and were not reported yet, the oldest first, and what they did together."""

    transactions: tuple[Transaction, ...]
    changes: tuple[Change, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """Their ids."""
        return tuple(transaction.id for transaction in self.transactions)

    @property
    def last_id(self) -> str:
        """The id of the last one; empty when there is none."""
        return self.ids[-1] if self.transactions else ""

    @property
    def plan(self) -> Plan:
        """What was predicted for the last one."""
        return self.transactions[-1].plan if self.transactions else Plan()


def report(run: Run, wishes: Wishes, services: tuple[str, ...] = ()) -> Result:
    """Say what the transactions did that were not reported yet, and how the host is now.

    Args:
        run: runs commands.
        wishes: what the role's variables ask for.
        services: services that ran before, when no transaction knows it.
    """
    told = _untold(run)
    ran, failed = services, failed_units(run)
    if told.transactions:
        units = told.transactions[0].read_json("units.json")
        ran, failed = tuple(units.get("services", ())), tuple(units.get("failed", ()))
    problem, detail = _look_after(run, wishes, told, ran, failed)
    return Result(
        "finished",
        told.changes,
        told.plan.held,
        told.plan.kept_back,
        reboot_need(lambda argv: run(argv).out),
        told.last_id,
        problem,
        detail,
        told.ids,
        ran or running_services(run),
    )


def failure(run: Run, error: PatchError) -> Result:
    """Say why a step could not be done, and what transactions did that nobody heard of yet."""
    told = _untold(run)
    return Result(
        "finished" if told.transactions else "planned",
        told.changes,
        transaction=told.last_id,
        problem=error.code,
        problem_detail=error.detail,
        transactions=told.ids,
    )


def _untold(run: Run) -> Untold:
    over = tuple(t for t in list_transactions() if t.is_started and not t.is_running and not t.is_reported)
    changes: tuple[Change, ...] = ()
    for transaction in over:
        # One that was cut short, as by a power cut, left no list: what is installed now is the best there is.
        after = transaction.read("packages.after") if transaction.is_ended else list_packages(run)
        done = compare_packages(parse_packages(transaction.read("packages.before")), parse_packages(after))
        changes = merge_changes(changes, with_origins(done, transaction.plan.changes))
    return Untold(over, changes)


def _look_after(
    run: Run, wishes: Wishes, told: Untold, ran: tuple[str, ...], failed: tuple[str, ...]
) -> tuple[str, str]:
    """Return what is wrong with the host after its transactions: a reason code and a sentence, or nothing."""
    broken = half_done(list_packages(run))
    # What became of an earlier transaction is history: its rest was planned anew.
    if told.last_id == wishes.transaction_id and told.transactions[-1].exit_code != 0:
        last = told.transactions[-1]
        how = "was interrupted" if last.exit_code is None else "failed"
        word = last_error(Output(1, last.read("output.log")))
        names = " Not configured: {}.".format(", ".join(broken)) if broken else ""
        return "transaction_failed", "The package transaction {} {}.{} {}".format(last.id, how, names, word)
    if broken:
        return "packages_broken", "Packages are not configured: {}.".format(", ".join(broken))
    down = services_down(run, ran, wishes.settle_seconds)
    down += tuple(unit for unit in failed_units(run) if unit not in failed and unit not in down)
    if down:
        return "service_down_after", "Running before the updates, down after them: {}.".format(
            ", ".join(down)
        )
    return "", ""
