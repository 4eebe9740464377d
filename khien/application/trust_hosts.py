"""Decides which host keys may be recorded: unknown ones when confirmed, changed ones only by name."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from khien.domain.host import Host
from khien.domain.run import Reason


@dataclass(frozen=True, slots=True)
class HostKey:
    """A public key that a host shows to prove who it is."""

    key_type: str
    blob: bytes = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """SHA256 fingerprint, written as ssh-keygen -l writes it."""
        digest = hashlib.sha256(self.blob).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


class KeyState(StrEnum):
    """How the key that a host shows stands to what is recorded."""

    KNOWN = "known"
    NEW = "new"
    CHANGED = "changed"
    REVOKED = "revoked"
    UNSEEN = "unseen"
    """The host showed no key."""


@dataclass(frozen=True, slots=True)
class ShownKey:
    """One host, the key it shows, and what is recorded of it."""

    host: str
    address: str
    lookup_name: str = ""
    """The name under which known_hosts keeps it."""
    file: Path | None = None
    """Where it is, or would be, recorded."""
    state: KeyState = KeyState.UNSEEN
    key: HostKey | None = None
    recorded: tuple[HostKey, ...] = ()
    reason: Reason = field(default_factory=Reason)
    """Why the host showed no key."""


class KeyScanner(Protocol):
    """Looks at the keys that hosts show."""

    def scan(self, hosts: Sequence[Host], *, deadline_seconds: float) -> tuple[ShownKey, ...]:
        """Return one entry for every host, in the order given; nobody logs in and nothing is recorded."""
        ...


class KeyBook(Protocol):
    """Records host keys."""

    def record(self, keys: Sequence[ShownKey], *, replace: bool) -> None:
        """Write keys into their files; with replace, other keys of these names are taken out first.

        Raises:
            UsageError: a file cannot be read or written.
        """
        ...


@dataclass(frozen=True, slots=True)
class TrustPlan:
    """What would be recorded, and what would not."""

    new: tuple[ShownKey, ...]
    replaced: tuple[ShownKey, ...]
    """Changed keys that the person named with --replace."""
    refused: tuple[ShownKey, ...]
    """Changed or revoked keys, and keys that are not on the list of expected fingerprints."""
    known: tuple[ShownKey, ...]
    unseen: tuple[ShownKey, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be recorded."""
        return not self.new and not self.replaced


def plan_trust(
    shown: Sequence[ShownKey],
    *,
    replace: Collection[str] = (),
    expected: Collection[str] | None = None,
) -> TrustPlan:
    """Sort the shown keys into what is recorded and what is not.

    Args:
        shown: what the scan found.
        replace: names of hosts whose changed key was checked and may take the place of the old one.
        expected: fingerprints that were read at the hosts' consoles; a key that is not among them is refused.
    """
    plan: dict[str, list[ShownKey]] = {"new": [], "replaced": [], "refused": [], "known": [], "unseen": []}
    for entry in shown:
        plan[_fate(entry, replace, expected)].append(entry)
    return TrustPlan(**{name: tuple(entries) for name, entries in plan.items()})


def _fate(entry: ShownKey, replace: Collection[str], expected: Collection[str] | None) -> str:
    if entry.state is KeyState.UNSEEN or entry.key is None:
        return "unseen"
    if entry.state is KeyState.KNOWN:
        return "known"
    if entry.state is KeyState.REVOKED or (expected is not None and entry.key.fingerprint not in expected):
        return "refused"
    if entry.state is KeyState.CHANGED:
        return "replaced" if entry.host in replace else "refused"
    return "new"


def record_trust(plan: TrustPlan, book: KeyBook) -> None:
    """Record what the plan says; call it only when a person confirmed it."""
    book.record(plan.replaced, replace=True)
    book.record(plan.new, replace=False)
