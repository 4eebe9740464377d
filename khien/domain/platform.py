"""Names of operating systems: what a host is called, and what a control says it is for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from khien.domain.control import Control
from khien.domain.observation import HostFacts

# Rebuilds of one system: they are named after it, because they carry the same packages and settings.
_RHEL_LIKE = frozenset({"rhel", "almalinux", "rocky", "ol", "centos"})


class Tested(StrEnum):
    """On what a platform's controls were tried."""

    REAL = "real"
    """Booted hosts of the lab."""
    RECORDED = "recorded"
    """Answers written down; never run on a real one."""


@dataclass(frozen=True, slots=True)
class Platform:
    """A system that the baseline is written for."""

    slug: str
    name: str
    words: frozenset[str]
    """Everything an `only_on` may call it: its family, its id, its slug."""
    family: str
    tested: Tested


PLATFORMS = (
    Platform("debian12", "Debian 12", frozenset({"debian", "debian12"}), "debian", Tested.REAL),
    Platform("debian13", "Debian 13", frozenset({"debian", "debian13"}), "debian", Tested.REAL),
    Platform(
        "ubuntu2204",
        "Ubuntu 22.04",
        frozenset({"debian", "ubuntu", "ubuntu2204"}),
        "debian",
        Tested.RECORDED,
    ),
    Platform(
        "ubuntu2404",
        "Ubuntu 24.04",
        frozenset({"debian", "ubuntu", "ubuntu2404"}),
        "debian",
        Tested.RECORDED,
    ),
    Platform("rhel9", "RHEL 9", frozenset({"redhat", "rhel", "rhel9"}), "redhat", Tested.RECORDED),
)
SYSTEM_WORDS = frozenset({"suse", *(word for platform in PLATFORMS for word in platform.words), *_RHEL_LIKE})
"""Every word that an `only_on` may hold."""


def system_words(facts: HostFacts) -> frozenset[str]:
    """Return everything a host's system may be called: family, id, and id with its version.

    Ubuntu's version keeps its month (`ubuntu2404`), the others' ends at the first dot (`debian12`,
    `rhel9`); rebuilds of RHEL are called `rhel` and `rhel9`, too.
    """
    words = {facts.os_family, facts.os_id}
    version = facts.os_version
    version = version.replace(".", "") if facts.os_id == "ubuntu" else version.split(".")[0]
    if facts.os_id and version:
        words.add(facts.os_id + version)
    if facts.os_id in _RHEL_LIKE:
        words.update(("rhel", f"rhel{version}") if version else ("rhel",))
    return frozenset(words - {""})


def platforms_of(control: Control) -> tuple[Platform, ...]:
    """Return the platforms on which something of a control is asked."""
    return tuple(
        platform
        for platform in PLATFORMS
        if platform.family in control.os_families
        and any(is_on(check.only_on, platform.words) for check in control.checks)
    )


def is_on(only_on: Collection[str], words: Collection[str]) -> bool:
    """Whether something said to be only on some systems is on one that has these words."""
    return not only_on or not frozenset(only_on).isdisjoint(words)
