"""The checkpoint of one task on a host: what every touched thing was before and became after.

    /var/lib/khien/checkpoints/RUN/NN-AREA/manifest.json    what, before, after, what to reload
    /var/lib/khien/checkpoints/RUN/blobs/SHA256             contents of files, root only

The manifest is written before anything changes, so that a host that dies in between can be put back.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from typing import Any, Iterable, Mapping, Optional, Sequence

from .system import ApplyError, System
from .things import NoBlobs, look

SCHEMA = "khien.checkpoint/1"
FOLDER = "/var/lib/khien/checkpoints"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}\Z")
_MANIFEST = "manifest.json"


def safe_name(name: str) -> str:
    """Return a name that is one plain file name.

    Raises:
        ApplyError: it is not.
    """
    if not _NAME.match(name):
        raise ApplyError("%r is no name for a run or an area" % name)
    return name


class FolderBlobs:
    """Contents of files in a folder, each once."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def put(self, data: bytes) -> str:
        """Keep bytes; return the name that finds them again."""
        name = hashlib.sha256(data).hexdigest()
        place = os.path.join(self._folder, name)
        if not os.path.exists(place):
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            _write(place, data)
        return name

    def get(self, name: str) -> bytes:
        """Return kept bytes.

        Raises:
            ApplyError: they are gone or are not what they were.
        """
        try:
            with open(os.path.join(self._folder, name), "rb") as stream:
                data = stream.read()
        except OSError as problem:
            raise ApplyError("the kept content %s cannot be read: %s" % (name[:12], problem)) from problem
        if hashlib.sha256(data).hexdigest() != name:
            raise ApplyError("the kept content %s is damaged" % name[:12])
        return data


class Checkpoint:
    """One task's part of a run's checkpoint."""

    def __init__(self, system: System, folder: str, manifest: dict[str, Any]) -> None:
        self._system = system
        self.folder = folder
        self.manifest = manifest
        self.blobs = FolderBlobs(os.path.join(os.path.dirname(folder), "blobs"))

    @classmethod
    def begin(
        cls, system: System, run: str, area: str, restore_actions: Sequence[Mapping[str, Any]]
    ) -> Checkpoint:
        """Make the folder of a task's checkpoint."""
        top = os.path.join(system.path(FOLDER), safe_name(run))
        os.makedirs(top, mode=0o700, exist_ok=True)
        number = len([name for name in os.listdir(top) if name != "blobs"]) + 1
        folder = os.path.join(top, "%02d-%s" % (number, safe_name(area)))
        os.mkdir(folder, 0o700)
        manifest = {
            "schema": SCHEMA,
            "run": run,
            "area": area,
            "created_at": int(time.time()),
            "closed": False,
            "entries": [],
            "actions": list(restore_actions),
        }
        return cls(system, folder, manifest)

    @property
    def identity(self) -> str:
        """RUN/NN-AREA."""
        return "%s/%s" % (self.manifest["run"], os.path.basename(self.folder))

    @property
    def entries(self) -> list[dict[str, Any]]:
        """What is kept: kind, key, before, after."""
        entries: list[dict[str, Any]] = self.manifest["entries"]
        return entries

    def keep(self, things: Iterable[tuple[str, str]]) -> None:
        """Keep what things are now, each once; durable when it returns.

        Raises:
            ApplyError: one cannot be kept, so nothing of it may be changed.
        """
        known = {(entry["kind"], entry["key"]) for entry in self.entries}
        for kind, key in things:
            if (kind, key) not in known:
                known.add((kind, key))
                before = look(self._system, kind, key, self.blobs)
                self.entries.append({"kind": kind, "key": key, "before": before, "after": None})
        self.save()

    def close(self) -> None:
        """Note what the kept things have become; those that did not change are forgotten."""
        for entry in self.entries:
            entry["after"] = look(self._system, entry["kind"], entry["key"], NoBlobs())
        self.manifest["entries"] = [entry for entry in self.entries if entry["after"] != entry["before"]]
        self.manifest["closed"] = True
        self.save()

    def save(self) -> None:
        """Write the manifest durably."""
        _write(os.path.join(self.folder, _MANIFEST), json.dumps(self.manifest, indent=1).encode())

    def forget(self) -> None:
        """Remove this task's part; for a task that changed nothing, or put all back."""
        shutil.rmtree(self.folder)


def load(system: System, folder: str) -> Checkpoint:
    """Read a task's checkpoint.

    Raises:
        ApplyError: it is damaged, or of a version that is not known here.
    """
    try:
        with open(os.path.join(folder, _MANIFEST), encoding="utf-8") as stream:
            manifest = json.load(stream)
    except (OSError, ValueError) as problem:
        raise ApplyError("the checkpoint %s cannot be read: %s" % (folder, problem)) from problem
    if manifest.get("schema") != SCHEMA:
        raise ApplyError("the checkpoint %s has another form: %s" % (folder, manifest.get("schema")))
    return Checkpoint(system, folder, manifest)


def of_run(system: System, run: str) -> list[Checkpoint]:
    """Return the checkpoints of a run, the last one first; none when the host has none."""
    top = os.path.join(system.path(FOLDER), safe_name(run))
    if not os.path.isdir(top):
        return []
    names = sorted((name for name in os.listdir(top) if name != "blobs"), reverse=True)
    return [
        load(system, os.path.join(top, name))
        for name in names
        if os.path.exists(os.path.join(top, name, _MANIFEST))
    ]


def prune(system: System, run: str, keep_runs: int, largest_bytes: int) -> list[str]:
    """Remove the oldest runs' checkpoints beyond a number or a size, never this run's; return their names."""
    top = system.path(FOLDER)
    if not os.path.isdir(top):
        return []
    others = sorted(
        (name for name in os.listdir(top) if name != run and os.path.isdir(os.path.join(top, name))),
        key=lambda name: os.stat(os.path.join(top, name)).st_mtime,
        reverse=True,
    )
    room = largest_bytes - _size(os.path.join(top, run))
    removed = []
    for number, name in enumerate(others):
        size = _size(os.path.join(top, name))
        room -= size
        if number + 1 >= keep_runs or room < 0:
            shutil.rmtree(os.path.join(top, name))
            removed.append(name)
            room += size
    return removed


def run_size(system: System, run: str) -> int:
    """Return how many bytes a run's checkpoint takes."""
    return _size(os.path.join(system.path(FOLDER), run))


def _size(folder: str) -> int:
    return sum(
        os.lstat(os.path.join(base, name)).st_size
        for base, _folders, files in os.walk(folder)
        for name in files
    )


def _write(place: str, data: bytes) -> None:
    fresh = "%s.%d" % (place, os.getpid())
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    os.rename(fresh, place)


def newest(system: System, run: str, area: str) -> Optional[Checkpoint]:
    """Return the last checkpoint that a task of this area made in a run."""
    return next((one for one in of_run(system, run) if one.manifest["area"] == area), None)
