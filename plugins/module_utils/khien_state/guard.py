"""The lock-out guard: a revert that the host carries out by itself unless a fresh login disarms it.

Armed before anything that management access depends on is touched. It is a timer of systemd with files of its
own, so it survives the death of sshd, of the connection and of the controller, and a restart of the host (its
time then starts again). It reads the checkpoint, needs no network, and leaves a report.
"""

from __future__ import annotations

import fcntl
import json
import os
import pkgutil
import shutil
import time
from contextlib import contextmanager
from typing import Any, Iterator, Mapping

from .checkpoint import Checkpoint, load, safe_name
from .restore import restore
from .system import ApplyError, System

FOLDER = "/var/lib/khien/guard"
_UNITS = "/etc/systemd/system"
# What the revert needs: all of it only standard library.
_CODE = ("__init__", "system", "things", "checkpoint", "restore", "guard")

_SERVICE = """\
[Unit]
Description=Khien takes back a change that nobody confirmed (%(identity)s)
ConditionPathExists=%(folder)s/order.json

[Service]
Type=oneshot
ExecStart=%(python)s -I -c "import sys; sys.path.insert(0, '%(folder)s/code'); \
from khien_state.guard import main; main('%(name)s')"
"""
_TIMER = """\
[Unit]
Description=Khien takes back a change unless it is confirmed (%(identity)s)

[Timer]
OnActiveSec=%(seconds)d
AccuracySec=1s

[Install]
WantedBy=timers.target
"""


def arm(system: System, checkpoint: Checkpoint, seconds: int, python: str) -> str:
    """Arm the revert of a task's checkpoint; return the guard's name.

    Raises:
        ApplyError: this host cannot arm it, so nothing guarded may be changed.
    """
    if not system.exists("/run/systemd/system"):
        raise ApplyError("no systemd runs here, so no revert can be armed")
    name = safe_name(checkpoint.identity.replace("/", "."))
    folder = system.path(os.path.join(FOLDER, name))
    _forget_old(system)
    os.makedirs(os.path.join(folder, "code", "khien_state"), mode=0o700)
    for module in _CODE:
        _put(os.path.join(folder, "code", "khien_state", module + ".py"), _source(module))
    order = {"checkpoint": checkpoint.folder, "armed_at": int(time.time()), "seconds": seconds}
    _put(os.path.join(folder, "order.json"), json.dumps({**order, "state": "armed"}).encode())
    words = {
        "identity": checkpoint.identity,
        "folder": folder,
        "python": python,
        "name": name,
        "seconds": seconds,
    }
    try:
        _install_units(system, name, words)
    except BaseException:
        _remove_units(system, name)
        shutil.rmtree(folder)
        raise
    return name


def _install_units(system: System, name: str, words: Mapping[str, object]) -> None:
    _put(system.path(_unit(name, "service")), (_SERVICE % words).encode(), 0o644)
    _put(system.path(_unit(name, "timer")), (_TIMER % words).encode(), 0o644)
    wants = system.path(os.path.join(_UNITS, "timers.target.wants"))
    os.makedirs(wants, mode=0o755, exist_ok=True)
    os.symlink(_unit(name, "timer"), os.path.join(wants, _unit_name(name, "timer")))
    system.must_run(["systemctl", "daemon-reload"], 60)
    system.must_run(["systemctl", "start", _unit_name(name, "timer")], 60)


def disarm(system: System, name: str) -> dict[str, Any]:
    """Take the guard away, if it is still armed; return what became of it, however often it is asked.

    The states: none (no such guard), disarmed, reverted (with `report`).
    """
    folder = system.path(os.path.join(FOLDER, safe_name(name)))
    if not os.path.isdir(folder):
        return {"state": "none"}
    with _order(folder) as order:
        if order["state"] == "armed":
            order["state"] = "disarmed"
            _remove_units(system, name)
    return order


def _forget_old(system: System) -> None:
    """Remove what guards that are over left behind: until now somebody might still have asked them."""
    top = system.path(FOLDER)
    for name in os.listdir(top) if os.path.isdir(top) else []:
        with _order(os.path.join(top, name)) as order:
            is_over = order["state"] != "armed"
        if is_over:
            shutil.rmtree(os.path.join(top, name))


def note(system: System, name: str, result: Mapping[str, Any]) -> None:
    """Keep a task's result on the host, for a controller that the change itself cut off."""
    folder = system.path(os.path.join(FOLDER, safe_name(name)))
    with _order(folder) as order:
        order["result"] = dict(result)


def find(system: System, run: str, area: str) -> str:
    """Return the name of the last guard that a task of this area armed in a run, or nothing."""
    top = system.path(FOLDER)
    names = os.listdir(top) if os.path.isdir(top) else []
    ours = sorted(name for name in names if name.startswith(run + ".") and name.endswith("-" + area))
    return ours[-1] if ours else ""


def main(name: str) -> None:
    """Be the revert: called by systemd when the time is over."""
    system = System()
    folder = os.path.join(FOLDER, safe_name(name))
    with _order(folder) as order:
        if order["state"] != "armed":
            return
        done = restore(system, load(system, order["checkpoint"]), force=True)
        order["state"] = "reverted"
        order["reverted_at"] = int(time.time())
        order["report"] = {"restored": done.restored, "refused": done.refused}
        if not done.refused:
            shutil.rmtree(order["checkpoint"])
    _remove_units(system, name)


@contextmanager
def _order(folder: str) -> Iterator[dict[str, Any]]:
    """Read and write a guard's order; whoever confirms and whoever reverts wait for each other."""
    with open(os.path.join(folder, "lock"), "a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        place = os.path.join(folder, "order.json")
        with open(place, encoding="utf-8") as stream:
            order = json.load(stream)
        before = json.dumps(order)
        yield order
        after = json.dumps(order)
        if after != before:
            _put(place, after.encode())


def _remove_units(system: System, name: str) -> None:
    timer = _unit_name(name, "timer")
    # Stopping the service from within itself would end the report half-way; a timer can be stopped.
    system.run(["systemctl", "stop", timer], 60)
    wants = os.path.join(_UNITS, "timers.target.wants", timer)
    for place in (wants, _unit(name, "timer"), _unit(name, "service")):
        if os.path.lexists(system.path(place)):
            os.unlink(system.path(place))
    system.run(["systemctl", "daemon-reload"], 60)


def _unit_name(name: str, kind: str) -> str:
    return "khien-guard-%s.%s" % (name, kind)


def _unit(name: str, kind: str) -> str:
    return os.path.join(_UNITS, _unit_name(name, kind))


def _source(module: str) -> bytes:
    data = pkgutil.get_data(__package__ or "khien_state", module + ".py")
    if data is None:
        raise ApplyError("the code of %s is not at hand" % module)
    return data


def _put(place: str, data: bytes, mode: int = 0o600) -> None:
    fresh = place + ".new"
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    os.chmod(fresh, mode)
    os.rename(fresh, place)
