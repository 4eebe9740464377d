"""What hosts answer to probes; schema `khien.observations/1`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

SCHEMA = "khien.observations/1"


class Answer(StrEnum):
    """Whether a probe was answered, or why not."""

    ANSWERED = "answered"
    """The value holds; a value of None means: the thing asked about does not exist on the host."""
    NEEDS_ROOT = "needs_root"
    TIMED_OUT = "timed_out"
    FAILED = "failed"
    UNSUPPORTED = "unsupported"
    """The host's system or collector does not know this kind of probe."""


@dataclass(frozen=True, slots=True)
class Observation:
    """A probe's answer, or why there is none."""

    probe_id: str
    answer: Answer
    value: object = None
    """JSON value; meaningful only when answered."""
    detail: str = ""
    """Why there is no answer, as the host said it."""
    milliseconds: int = 0


@dataclass(frozen=True, slots=True)
class HostFacts:
    """The few facts every collection brings along."""

    os_id: str = ""
    """ID of os-release: debian, ubuntu, rhel, almalinux …"""
    os_family: str = ""
    """debian, redhat, suse or windows."""
    os_version: str = ""
    """VERSION_ID of os-release."""
    os_name: str = ""
    """PRETTY_NAME of os-release."""
    kernel: str = ""
    architecture: str = ""
    virtualization: str = ""
    """none, container, vm, or empty when unknown."""
    boot_id: str = ""
    uptime_seconds: int = 0
    privileged: bool = False
    """Whether the collector ran as root."""


@dataclass(frozen=True, slots=True)
class ObservationSet:
    """All answers of one host from one collection."""

    host: str
    collected_at: datetime
    """Aware; the controller's clock when the answers arrived."""
    facts: HostFacts
    observations: Mapping[str, Observation] = field(default_factory=dict)
    """By probe id."""
