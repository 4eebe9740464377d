"""The steps of patching one host: predict or plan, begin, finish."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace

from ansible.module_utils.khien_reboot import reboot_need

from .command import PatchError, Run
from .launch import start, wait_for_end, write_script
from .lists import find_empty_sources, private_workplace, refresh, require_fresh
from .lock import wait_for_locks
from .outcome import report
from .packages import half_done, has_interrupted_journal, list_packages
from .plan import Plan, Workplace, make_plan, read_sources, write_preferences
from .result import Result, Wishes
from .services import failed_units, running_services
from .transaction import Transaction, discard, find_transaction, list_transactions, prepare, write_plan

_HOST_PREFERENCES = "/etc/apt/preferences"


def predict(run: Run, wishes: Wishes) -> Result:
    """Work out what a real run would do, without changing anything on the host."""
    _require_system()
    _wait_for_earlier(wishes)
    _require_whole(list_packages(run), wishes)
    with tempfile.TemporaryDirectory(prefix="khien-", dir="/var/tmp") as folder:
        os.chmod(folder, 0o711)  # noqa: S103 - apt fetches as a user of its own, which must pass through
        return _planned(run, _plan(run, private_workplace(folder), wishes))


def plan(run: Run, wishes: Wishes) -> Result:
    """Refresh the lists and prepare the transaction; when there is nothing to do, say how things stand."""
    _require_system()
    _wait_for_earlier(wishes)
    wait_for_locks(wishes.lock_wait_seconds)
    packages = list_packages(run)
    _require_whole(packages, wishes)
    if _is_broken(packages):
        _repair(run, wishes)
    try:
        transaction, made = _prepare(run, wishes)
    except PatchError as error:
        if not (wishes.may_repair and error.code == "packages_broken"):
            raise
        _repair(run, wishes)
        transaction, made = _prepare(run, wishes)
    if made.changes:
        return replace(_planned(run, made), transaction=transaction.id)
    discard(transaction)
    return replace(report(run, wishes), held=made.held, kept_back=made.kept_back)


def begin(run: Run, wishes: Wishes) -> Result:
    """Start the prepared transaction; one that was started already just goes on."""
    transaction = find_transaction(wishes.transaction_id)
    if not transaction.is_started:
        start(run, transaction, list_packages(run), _units(run))
    made = transaction.plan
    return Result("started", made.changes, made.held, made.kept_back, transaction=transaction.id)


def finish(run: Run, wishes: Wishes) -> Result:
    """Wait for the transaction's end and say what it did."""
    wait_for_end(find_transaction(wishes.transaction_id), wishes.transaction_limit_seconds)
    return report(run, wishes)


def _prepare(run: Run, wishes: Wishes) -> tuple[Transaction, Plan]:
    transaction = prepare(wishes.transaction_id)
    try:
        made = _plan(run, Workplace(transaction.folder), wishes)
        write_plan(transaction, made)
        write_script(transaction, wishes.lock_wait_seconds, "upgrade")
    except BaseException:
        discard(transaction)
        raise
    return transaction, made


def _require_system() -> None:
    if not (os.path.exists("/usr/bin/apt-get") and os.path.exists("/usr/bin/dpkg-query")):
        raise PatchError("unsupported_system", "This host has no apt.")
    if os.geteuid() != 0:
        raise PatchError("needs_root", "Packages can be looked after by root only; use become.")


def _wait_for_earlier(wishes: Wishes) -> None:
    for transaction in list_transactions():
        wait_for_end(transaction, wishes.transaction_limit_seconds)


def _is_broken(packages: str) -> bool:
    return bool(half_done(packages)) or has_interrupted_journal()


def _require_whole(packages: str, wishes: Wishes) -> None:
    if _is_broken(packages) and not wishes.may_repair:
        names = ", ".join(half_done(packages)) or "dpkg's journal is not empty"
        raise PatchError("packages_broken", "An earlier package operation was interrupted: {}.".format(names))


def _plan(run: Run, workplace: Workplace, wishes: Wishes) -> Plan:
    output = refresh(run, workplace, wishes.lists_timeout_seconds)
    if "Could not get lock" in output.err:  # somebody came between our look at the locks and this
        wait_for_locks(wishes.lock_wait_seconds)
        output = refresh(run, workplace, wishes.lists_timeout_seconds)
    sources = read_sources(run, workplace, wishes.security_origins)
    if not sources.security:
        empty = find_empty_sources(output, workplace, wishes.security_origins)
        sources = replace(sources, security=empty)
    require_fresh(output, sources, wishes.security_origins)
    return make_plan(run, workplace, sources, _host_preferences())


def _planned(run: Run, made: Plan) -> Result:
    need = reboot_need(lambda argv: run(argv).out)
    return Result("planned", made.changes, made.held, made.kept_back, need)


def _host_preferences() -> str:
    try:
        with open(_HOST_PREFERENCES, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _repair(run: Run, wishes: Wishes) -> None:
    transaction = prepare(wishes.transaction_id + "-repair")
    workplace = Workplace(transaction.folder)
    sources = read_sources(run, workplace, wishes.security_origins)
    write_preferences(workplace, sources, (), _host_preferences())
    write_script(transaction, wishes.lock_wait_seconds, "configure", "mend")
    start(run, transaction, list_packages(run), _units(run))
    wait_for_end(transaction, wishes.transaction_limit_seconds)
    packages = list_packages(run)
    if _is_broken(packages):
        names = ", ".join(half_done(packages))
        raise PatchError("packages_broken", "The repair did not make the packages whole: {}.".format(names))


def _units(run: Run) -> dict[str, tuple[str, ...]]:
    return {"services": running_services(run), "failed": failed_units(run)}
