"""Where the lab lives: everything comes from the environment or has a default."""

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.errors import LabError

CHECKOUT = Path(__file__).resolve().parents[2]
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,30}\Z")
_INSTANCES = 16
# The memory is that of a host with a kernel of its own; containers share the machine's.
_MEBIBYTES = (("DISK", 2048), ("MEMORY", 1024))


@dataclass(frozen=True)
class Settings:
    """One instance of the lab."""

    name: str
    state_root: Path
    cache: Path
    disk_mebibytes: int = 2048
    memory_mebibytes: int = 1024

    @property
    def folder(self) -> Path:
        """The folder of this instance."""
        return self.state_root / self.name

    @property
    def public(self) -> Path:
        """Where people find the inventory, the key and the host keys."""
        top = CHECKOUT / ".lab"
        return top if self.name == "lab" else top / "instances" / self.name


def read_settings(name: str | None = None) -> Settings:
    """Read KHIEN_LAB, KHIEN_LAB_STATE, KHIEN_LAB_CACHE, KHIEN_LAB_DISK and KHIEN_LAB_MEMORY."""
    chosen = name or os.environ.get("KHIEN_LAB") or "lab"
    state = Path(os.environ.get("KHIEN_LAB_STATE") or "/var/lib/khien-lab")
    cache = Path(os.environ.get("KHIEN_LAB_CACHE") or "/var/cache/khien-lab")
    if not _NAME.match(chosen):
        raise LabError(
            f"KHIEN_LAB={chosen!r} is no name for a lab: small letters, digits, dashes and underscores"
        )
    if not (state.is_absolute() and cache.is_absolute()):
        raise LabError("KHIEN_LAB_STATE and KHIEN_LAB_CACHE must be absolute paths")
    state.mkdir(parents=True, exist_ok=True)
    disk, memory = (int(os.environ.get(f"KHIEN_LAB_{word}") or size) for word, size in _MEBIBYTES)
    return Settings(chosen, state.resolve(), cache, disk, memory)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file's lock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def taken_indexes(state_root: Path) -> set[int]:
    """Return the network numbers of all instances below a state root."""
    found = set()
    for file in state_root.glob("*/instance.json"):
        try:
            found.add(int(json.loads(file.read_text())["index"]))
        except (ValueError, KeyError):
            continue
    return found


def free_index(taken: set[int], wanted: int | None) -> int:
    """Return a network number that no instance has and no bridge of this machine uses."""
    used = {link.name for link in Path("/sys/class/net").iterdir()}
    order = [wanted] if wanted is not None else [0, *range(1, _INSTANCES)]
    for index in order:
        if index not in taken and f"khien{index}" not in used:
            return index
    raise LabError("no network number is free: take other instances of the lab down first")
