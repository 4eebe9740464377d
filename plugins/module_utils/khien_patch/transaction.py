"""Remembers package transactions on the host, each in a folder, until they were reported."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from typing import Any, Optional, Sequence

from .command import PatchError
from .plan import Change, Plan

HOME = "/var/lib/khien/transactions"
_FORGET_SECONDS = 24 * 3600
_MARKER = "khien-transaction"


@dataclass(frozen=True)
class Transaction:
    """One package transaction, by its folder."""

    folder: str

    @property
    def id(self) -> str:
        """The id it was given by the run that started it."""
        return os.path.basename(self.folder)

    def path(self, name: str) -> str:
        """Return the path of one of its files."""
        return os.path.join(self.folder, name)

    def read(self, name: str) -> str:
        """Return the text of one of its files; empty when there is none."""
        try:
            with open(self.path(name), encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def write(self, name: str, text: str) -> None:
        """Write one of its files so that it is whole or absent, even after a power cut."""
        fresh = self.path(name + ".new")
        with open(fresh, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self.path(name))

    def read_json(self, name: str) -> dict[str, Any]:
        """Return the content of one of its JSON files; empty when there is none."""
        text = self.read(name)
        content = json.loads(text) if text else {}
        return content if isinstance(content, dict) else {}

    @property
    def plan(self) -> Plan:
        """What was predicted for it."""
        words = self.read_json("plan.json")
        names = ("name", "architecture", "from_version", "to_version", "origin")
        changes = tuple(Change(*(row[name] for name in names)) for row in words.get("changes", ()))
        return Plan(changes, tuple(words.get("held", ())), tuple(words.get("kept_back", ())))

    @property
    def is_started(self) -> bool:
        """Whether it was started at all."""
        return os.path.exists(self.path("process")) or self.is_ended

    @property
    def is_ended(self) -> bool:
        """Whether its script came to its end."""
        return os.path.exists(self.path("exit_code"))

    @property
    def is_running(self) -> bool:
        """Whether its script still runs."""
        return self.is_started and not self.is_ended and _is_alive(self.read("process"))

    @property
    def is_reported(self) -> bool:
        """Whether its outcome reached the controller."""
        return os.path.exists(self.path("reported"))

    @property
    def exit_code(self) -> Optional[int]:
        """How it ended; none when it did not come to its end."""
        text = self.read("exit_code").strip()
        return int(text) if text else None


def list_transactions(home: str = HOME) -> tuple[Transaction, ...]:
    """Return all transactions of the host, the oldest first."""
    try:
        folders = [e.path for e in os.scandir(home) if e.is_dir(follow_symlinks=False) and _is_marked(e.path)]
    except FileNotFoundError:
        return ()
    return tuple(Transaction(folder) for folder in sorted(folders, key=os.path.getmtime))


def find_transaction(transaction_id: str, home: str = HOME) -> Transaction:
    """Return the transaction of that id.

    Raises:
        PatchError: there is none.
    """
    transaction = Transaction(os.path.join(home, transaction_id))
    if not transaction_id or not _is_marked(transaction.folder):
        raise PatchError("transaction_failed", "There is no transaction {}.".format(transaction_id))
    return transaction


def prepare(wanted_id: str, home: str = HOME) -> Transaction:
    """Make the folder of a new transaction; an id that was used before gets a number."""
    os.makedirs(home, mode=0o700, exist_ok=True)
    folder, number = os.path.join(home, wanted_id), 1
    while True:
        try:
            os.mkdir(folder, 0o700)
            transaction = Transaction(folder)
            transaction.write(_MARKER, "")
            return transaction
        except FileExistsError:
            if _is_marked(folder) and not Transaction(folder).is_started:
                discard(Transaction(folder))  # prepared and never begun
                continue
            number += 1
            folder = os.path.join(home, "{}-{}".format(wanted_id, number))


def discard(transaction: Transaction) -> None:
    """Remove a transaction's folder; only one that carries the marker of its making is removed."""
    if os.path.isabs(transaction.folder) and _is_marked(transaction.folder):
        shutil.rmtree(transaction.folder)


def write_plan(transaction: Transaction, plan: Plan) -> None:
    """Write down what is predicted for it."""
    changes = [change.as_result() for change in plan.changes]
    words = {
        "schema": "khien.transaction/1",
        "changes": changes,
        "held": plan.held,
        "kept_back": plan.kept_back,
    }
    transaction.write("plan.json", json.dumps(words, indent=1))


def acknowledge(ids: Sequence[str], keep: int, now: float, home: str = HOME) -> None:
    """Remember that these were reported; forget the oldest reported ones and what was never begun."""
    for transaction in list_transactions(home):
        if transaction.id in ids:
            transaction.write("reported", "")
    done = [t for t in list_transactions(home) if t.is_reported and not t.is_running]
    for transaction in done[: max(0, len(done) - keep)]:
        discard(transaction)
    for transaction in list_transactions(home):
        if not transaction.is_started and now - os.path.getmtime(transaction.folder) > _FORGET_SECONDS:
            discard(transaction)


def _is_marked(folder: str) -> bool:
    return os.path.isfile(os.path.join(folder, _MARKER)) and not os.path.islink(folder)


def _is_alive(process: str) -> bool:
    """Whether the very process of that note lives: same pid, same start, same boot."""
    try:
        pid, started, boot = process.split()
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            same_boot = file.read().strip() == boot
        with open("/proc/{}/stat".format(pid), encoding="utf-8", errors="replace") as file:
            return same_boot and file.read().rpartition(")")[2].split()[19] == started
    except (OSError, ValueError, IndexError):
        return False
