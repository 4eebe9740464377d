"""Decides from a host's few answers whether a run may start on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from khien.domain.reason import ReasonCode
from khien.domain.run import Reason

NEEDED_PYTHON = (3, 9)
"""Below it, neither Ansible's modules nor ours start."""
NEEDED_MB: Mapping[str, int] = {
    "/": 50,
    "/tmp": 20,  # noqa: S108 - a place on managed hosts, looked at and not written to
    "/var": 200,
    "/var/cache/apt": 200,
    "/boot": 50,
}
"""Room that updates need: below it, a package transaction may stop half way."""
SKEW_SECONDS = 60
"""Beyond it, certificates and package lists may look expired or not yet valid."""


@dataclass(frozen=True, slots=True)
class FreeSpace:
    """Room in one place."""

    path: str
    mount: str
    """Where the file system that holds it is mounted."""
    free_mb: int


@dataclass(frozen=True, slots=True)
class HeldLock:
    """A package lock and the process that holds it."""

    path: str
    pid: int
    holder: str


@dataclass(frozen=True, slots=True)
class DoorAnswers:
    """What a host said at its door."""

    user: str
    sudo_wanted: bool = False
    """Whether the inventory itself asks for sudo; if it does not, its lack is only worth a warning."""
    sudo_code: int | None = None
    """Exit code of sudo; None when it was not tried."""
    sudo_message: str = ""
    python_path: str = ""
    python_version: tuple[int, ...] = ()
    wanted_python: str = ""
    """The interpreter that the inventory names; empty when Ansible looks for one."""
    free: Sequence[FreeSpace] = ()
    skew_seconds: int = 0
    locks: Sequence[HeldLock] = ()
    unfinished_packages: Sequence[str] = ()
    has_unfinished_journal: bool = False
    """dpkg left a journal behind: it was stopped while writing."""
    facts: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def sudo_asks_password(self) -> bool:
        """Whether sudo would do it for a password."""
        return bool(self.sudo_code) and "password is required" in self.sudo_message


def judge_readiness(answers: DoorAnswers) -> tuple[tuple[Reason, ...], tuple[Reason, ...]]:
    """Return what stands in the way of a run, and what is only worth knowing."""
    troubles: list[Reason] = []
    warnings: list[Reason] = []
    if (sudo := _sudo(answers)) is not None:
        (troubles if answers.sudo_wanted else warnings).append(sudo)
    troubles += _python(answers)
    troubles += _disks(answers.free)
    troubles += [
        Reason(
            ReasonCode.PACKAGE_LOCK_HELD, {"path": held.path, "holder": held.holder or "?", "pid": held.pid}
        )
        for held in answers.locks[:1]
    ]
    # While a transaction goes on, half configured packages are its normal way and no damage.
    if not answers.locks:
        troubles += _packages(answers)
    if abs(answers.skew_seconds) > SKEW_SECONDS:
        warnings.append(Reason(ReasonCode.CLOCK_SKEW, {"seconds": answers.skew_seconds}))
    return tuple(troubles), tuple(warnings)


def _sudo(answers: DoorAnswers) -> Reason | None:
    if not answers.sudo_code:
        return None
    if answers.sudo_asks_password:
        return Reason(ReasonCode.SUDO_NEEDS_PASSWORD, {"user": answers.user})
    return Reason(ReasonCode.SUDO_REFUSED, {"user": answers.user, "message": answers.sudo_message})


def _python(answers: DoorAnswers) -> list[Reason]:
    if not answers.python_path:
        return [
            Reason(
                ReasonCode.PYTHON_MISSING, {"path": answers.wanted_python} if answers.wanted_python else {}
            )
        ]
    if answers.python_version[:2] >= NEEDED_PYTHON:
        return []
    arguments = {
        "path": answers.python_path,
        "version": ".".join(map(str, answers.python_version)),
        "needed": ".".join(map(str, NEEDED_PYTHON)),
    }
    return [Reason(ReasonCode.PYTHON_TOO_OLD, arguments)]


def _disks(places: Sequence[FreeSpace]) -> list[Reason]:
    """Judge each file system once, by the greatest need of the places on it."""
    needed: dict[str, int] = {}
    free: dict[str, int] = {}
    for place in places:
        needed[place.mount] = max(needed.get(place.mount, 0), NEEDED_MB.get(place.path, 0))
        free[place.mount] = place.free_mb
    return [
        Reason(ReasonCode.DISK_FULL, {"path": mount, "free_mb": free[mount], "needed_mb": need})
        for mount, need in needed.items()
        if free[mount] < need
    ]


def _packages(answers: DoorAnswers) -> list[Reason]:
    if answers.unfinished_packages:
        return [Reason(ReasonCode.PACKAGES_BROKEN, {"detail": ", ".join(answers.unfinished_packages)})]
    if answers.has_unfinished_journal:
        return [Reason(ReasonCode.PACKAGES_BROKEN, {"detail": "/var/lib/dpkg/updates"})]
    return []
