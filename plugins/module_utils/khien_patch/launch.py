"""Runs a package transaction that nobody can interrupt.

Its script runs as a unit of its own, or without systemd in a session of its own, so neither a lost connection
nor a killed Ansible reaches dpkg. Whoever comes next reads the transaction's folder.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from typing import Callable, Mapping, Sequence

from .command import PatchError, Run, environment
from .packages import FORMAT
from .plan import UPGRADE, Workplace
from .transaction import Transaction

_START_SECONDS = 30
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
