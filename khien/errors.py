"""Every error Khiên raises on purpose.

KhienError
├── UsageError            wrong arguments, unknown name                     exit 2
│   └── InputError        a file says something unusable: file, line, why   exit 2
├── RefusedError          a lock, a freeze, a missing approval              exit 4
├── StoreError            the store cannot be opened, read or migrated      exit 5
└── EngineError           Ansible itself could not be started or broke      exit 5
"""

from __future__ import annotations

from pathlib import Path


class KhienError(Exception):
    """Root of all errors that carry a message meant for the user."""

    exit_code = 5


class UsageError(KhienError):
    """The request itself is wrong: an unknown host, control, run or option."""

    exit_code = 2


class InputError(UsageError):
    """A file holds something unusable; the message names file, line and what was expected."""

    def __init__(self, message: str, *, path: Path | str, line: int | None = None) -> None:
        self.path = Path(path)
        self.line = line
        self.problem = message
        place = f"{path}:{line}" if line is not None else str(path)
        super().__init__(f"{place}: {message}")


class RefusedError(KhienError):
    """The request is understood and not allowed now."""

    exit_code = 4


class StoreError(KhienError):
    """The store cannot be opened, read or brought to the current schema."""


class EngineError(KhienError):
    """Ansible could not be started, or ended without telling how it went."""
