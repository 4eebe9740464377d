"""What was found on this machine for `khien doctor`, not yet judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """What was found at a folder; of one that does not exist yet, at the nearest that does."""

    path: Path
    exists: bool
    is_writable: bool
    mode: int = 0
    filesystem: str = ""
    free_bytes: int = 0
    free_inodes: int | None = None
    """None: the file system has no such number."""


@dataclass(frozen=True, slots=True)
class InstallationFacts:
    """What was found on this machine, not yet judged."""

    python: tuple[int, int, int]
    ansible_core: str
    """Version; empty when it is not installed."""
    ansible_runner: str
    """Version; empty when it cannot be imported."""
    missing_scripts: tuple[str, ...]
    ssh: str
    """What `ssh -V` says; empty when there is none."""
    state: FolderFacts
    runtime: FolderFacts
    uses_sqlite: bool
    known_hosts: Path
    known_hosts_exists: bool
    known_hosts_readable: bool
    known_hosts_mode: int
    missing_catalogues: tuple[str, ...]
    """Languages without a compiled catalogue."""
    is_terminal: bool
    columns: int
    rows: int
    encoding: str
    now: datetime
    clock_is_synchronised: bool | None
    """None: the system does not say."""
    unused_environment: tuple[str, ...]
    exposed_secret_files: tuple[Path, ...]
    """Configuration files with a password in them that others can read."""


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """What the parts of the program said when they were asked to work; a text is their complaint."""

    store: str = ""
    store_is_new: bool = False
    """There is none yet: the first command that needs it makes it."""
    newest_run: datetime | None = None
    dead_runs: tuple[str, ...] = ()
    """Runs that the store calls active and whose process is gone."""
    leftover_folders: tuple[Path, ...] = ()
    """Private folders of runs, while no run is active."""
    inventory: int | str = 0
    """Hosts in it, or the complaint."""
    controls: int | str = 0
