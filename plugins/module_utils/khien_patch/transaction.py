"""Runs a package transaction that nobody can interrupt, and remembers it on the host until it was reported.

A transaction is a folder. Its script runs as a unit of its own, or without systemd in a session of its own,
so neither a lost connection nor a killed Ansible reaches dpkg. Whoever comes next reads the folder.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import time
from dataclasses import dataclass
from typing import Any, Callable, Mapping, Optional, Sequence

from .command import PatchError, Run, environment
from .packages import FORMAT
from .plan import UPGRADE, Change, Plan, Workplace

HOME = "/var/lib/khien/transactions"
_START_SECONDS = 30
_FORGET_SECONDS = 24 * 3600
_KEEP_SETTINGS = ("--force-confdef", "--force-confold")
_UNIT_PROPERTIES = (
    # What a package starts in the background stays, as with apt-daily-upgrade.service.
    "KillMode=process",
    "OOMPolicy=continue",
    # SIGCONT says nothing: at a shutdown systemd waits for the transaction instead of ending it half-way.
    "KillSignal=SIGCONT",
    "TimeoutStopSec=900",
    "After=network.target dbus.service",
)

_SCRIPT = """\
#!/bin/sh
cd {folder} || exit 1
umask 022
exec >output.log 2>&1 </dev/null
. ./environment; rm -f environment
echo "$$ $(cut -d' ' -f22 /proc/$$/stat) $(cat /proc/sys/kernel/random/boot_id)" >process.new
mv process.new process
{commands}
code=$?
dpkg-query -W -f {format} >packages.after
sync packages.after
echo "$code" >exit_code.new
sync exit_code.new
mv exit_code.new exit_code
"""


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
        folders = [entry.path for entry in os.scandir(home) if entry.is_dir()]
    except FileNotFoundError:
        return ()
    return tuple(Transaction(folder) for folder in sorted(folders, key=os.path.getmtime))


def find_transaction(transaction_id: str, home: str = HOME) -> Transaction:
    """Return the transaction of that id.

    Raises:
        PatchError: there is none.
    """
    transaction = Transaction(os.path.join(home, transaction_id))
    if not transaction_id or not os.path.isdir(transaction.folder):
        raise PatchError("transaction_failed", "There is no transaction {}.".format(transaction_id))
    return transaction


def prepare(wanted_id: str, home: str = HOME) -> Transaction:
    """Make the folder of a new transaction; an id that was used before gets a number."""
    os.makedirs(home, mode=0o700, exist_ok=True)
    folder, number = os.path.join(home, wanted_id), 1
    while True:
        try:
            os.mkdir(folder, 0o700)
            return Transaction(folder)
        except FileExistsError:
            if not Transaction(folder).is_started:
                shutil.rmtree(folder)  # prepared and never begun
                continue
            number += 1
            folder = os.path.join(home, "{}-{}".format(wanted_id, number))


def write_script(transaction: Transaction, lock_wait_seconds: int, *steps: str) -> None:
    """Write the script that does the transaction.

    Args:
        transaction: its preferences are there already.
        lock_wait_seconds: how long apt waits for dpkg's lock.
        steps: configure, mend or upgrade, in their order.
    """
    keep = ["Dpkg::Options::=" + choice for choice in _KEEP_SETTINGS]
    settings = ["DPkg::Lock::Timeout={}".format(lock_wait_seconds), "Dpkg::Use-Pty=0", *keep]
    options = [word for setting in settings for word in ("-o", setting)]
    apt = Workplace(transaction.folder).apt_get("-y", *options)
    known = {
        "configure": ["dpkg", *_KEEP_SETTINGS, "--configure", "-a"],
        "mend": [*apt, "--no-install-recommends", "--no-remove", "--fix-broken", "install"],
        "upgrade": [*apt, *UPGRADE],
    }
    commands = " &&\n".join(" ".join(shlex.quote(word) for word in known[step]) for step in steps)
    names = {"folder": transaction.folder, "format": FORMAT}
    quoted = {key: shlex.quote(text) for key, text in names.items()}
    transaction.write("script", _SCRIPT.format(commands=commands, **quoted))
    exports = ("export {}={}\n".format(key, shlex.quote(value)) for key, value in environment().items())
    transaction.write("environment", "".join(exports))


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


def start(run: Run, transaction: Transaction, packages: str, units: Mapping[str, Sequence[str]]) -> None:
    """Start it, out of reach of whatever happens to the connection.

    Args:
        run: runs commands.
        transaction: one with its script.
        packages: dpkg's list as it is before.
        units: running services and failed units as they are before.

    Raises:
        PatchError: it does not begin.
    """
    transaction.write("packages.before", packages)
    transaction.write("units.json", json.dumps(units))
    script = transaction.path("script")
    unit = "khien-transaction-" + transaction.id
    properties = [word for text in _UNIT_PROPERTIES for word in ("-p", text)]
    launched = run(["systemd-run", "--quiet", "--collect", "--unit=" + unit, *properties, "/bin/sh", script])
    if launched.code != 0:
        subprocess.Popen(
            ["/bin/sh", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(),
            start_new_session=True,
        )
    end = time.monotonic() + _START_SECONDS
    while not transaction.is_started:
        if time.monotonic() >= end:
            raise PatchError(
                "transaction_failed", "The transaction did not start: {}".format(launched.err.strip())
            )
        time.sleep(0.1)


def wait_for_end(
    transaction: Transaction,
    limit_seconds: float,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until it does not run any more.

    Raises:
        PatchError: it still runs after the limit; it is left alone.
    """
    end = clock() + limit_seconds
    while transaction.is_running:
        if clock() >= end:
            raise PatchError(
                "transaction_failed",
                "The transaction {} still runs after {:.0f} seconds and is left alone.".format(
                    transaction.id, limit_seconds
                ),
            )
        pause(0.5)


def acknowledge(ids: Sequence[str], keep: int, now: float, home: str = HOME) -> None:
    """Remember that these were reported; forget the oldest reported ones and what was never begun."""
    for transaction in list_transactions(home):
        if transaction.id in ids:
            transaction.write("reported", "")
    done = [t for t in list_transactions(home) if t.is_reported and not t.is_running]
    for transaction in done[: max(0, len(done) - keep)]:
        shutil.rmtree(transaction.folder)
    for transaction in list_transactions(home):
        if not transaction.is_started and now - os.path.getmtime(transaction.folder) > _FORGET_SECONDS:
            shutil.rmtree(transaction.folder)


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
