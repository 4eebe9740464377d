"""What an installation is told about itself, as values: each setting with its type, default and limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_URL_PASSWORD = re.compile(r"^([^:/]+://[^:@/]*:).*@")
_QUERY_SECRET = re.compile(r"([?&](?:password|sslpassword|passwd|pwd)=)[^&]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting; `minimum`, `maximum` and `choices` in the metadata are what a loader checks."""

    state_dir: Path
    """Where the store, the journals and the logs of runs are kept. Root: /var/lib/khien, others:
    $XDG_STATE_HOME/khien or ~/.local/state/khien."""
    runtime_dir: Path
    """Where a run keeps what must not outlive it. Root: /run/khien when it can be written, others:
    STATE_DIR/run; not $XDG_RUNTIME_DIR, which systemd removes at logout while a run goes on."""
    known_hosts: Path
    """The SSH host keys that were confirmed: ~/.ssh/known_hosts."""
    waivers: Path = Path("waivers")
    """The waivers: a YAML file or a folder of them. Default: `waivers` beside the first inventory, or in
    STATE_DIR when no inventory is configured."""
    inventory: tuple[str, ...] = ()
    """Ansible inventories, as for -i; empty: inventory/local of the installation."""
    store_url: str = field(default="", metadata={"secret": True})
    """SQLAlchemy URL of the store; empty: SQLite in STATE_DIR/khien.db."""
    forks: int = field(default=20, metadata={"minimum": 1, "maximum": 500})
    """How many hosts Ansible works on at once."""
    language: str = field(default="", metadata={"choices": ("", "en", "vi"), "environment": "KHIEN_LANG"})
    """en or vi; empty: taken from LC_ALL, LC_MESSAGES or LANG."""
    preflight_deadline_seconds: float = field(default=15, metadata={"minimum": 1, "maximum": 600})
    """How long preflight waits for the slowest host."""
    cancel_grace_seconds: float = field(default=15, metadata={"minimum": 0, "maximum": 600})
    """How long a cancelled run may tidy up before its processes are killed."""
    package_lock_wait_seconds: float = field(default=300, metadata={"minimum": 0, "maximum": 86400})
    """How long patching waits on a host for another holder of the package lock."""
    harden_guard_seconds: float = field(default=120, metadata={"minimum": 30, "maximum": 3600})
    """How long a host waits for a fresh login before it takes a change of its management access back."""
    stale_after_hours: float = field(default=48, metadata={"minimum": 1, "maximum": 8760})
    """Age at which a verification counts as stale."""
    event_batch_milliseconds: int = field(default=100, metadata={"minimum": 1, "maximum": 10000})
    """How long events are gathered before they are stored together."""
    read_only: bool = False
    """Refuse every run that would change a host."""

    @property
    def database_url(self) -> str:
        """The URL the store is opened with."""
        return self.store_url or f"sqlite:///{self.state_dir / 'khien.db'}"

    @property
    def sqlite_file(self) -> Path | None:
        """The file of the store; None when a server keeps it."""
        kind, _separator, path = self.database_url.partition(":///")
        return Path(path) if kind.split("+")[0] == "sqlite" and path else None


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings in force and where each came from."""

    settings: Settings
    origins: Mapping[str, str]
    """By setting: "default", "/etc/khien/khien.toml:3" or "environment KHIEN_FORKS"."""
    files: tuple[Path, ...] = ()
    """The files that were read, in order; a later one wins."""
    unused_environment: tuple[str, ...] = ()
    """KHIEN_* variables that name no setting."""


def masked_secret(value: str) -> str:
    """Return a URL with every password in it replaced by asterisks."""
    return _QUERY_SECRET.sub(r"\1***", _URL_PASSWORD.sub(r"\1***@", value))
