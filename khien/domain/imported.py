"""What another tool said of a host: kept beside our own findings, never among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Said(StrEnum):
    """What the other tool's word means; its own word is kept beside it."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    WAIVED = "waived"
    NOT_APPLICABLE = "not_applicable"
    UNKNOWN = "unknown"
    """It should have been judged and was not: an error, a check that nobody made."""
    NOT_ASSESSED = "not_assessed"
    """Nobody asked for a judgement: not selected, information only."""


@dataclass(frozen=True, slots=True)
class ImportedResult:
    """One rule of another tool on one host; its texts are a file's, unsafe until passed through safe_text."""

    rule: str
    """The rule's id as its tool shortens it: sshd_disable_root_login, SSH-7408."""
    said: Said
    word: str
    """The tool's own word: pass, notchecked, suggestion …"""
    severity: str = ""
    title: str = ""
    detail: str = ""
    identifiers: tuple[str, ...] = ()
    """Other ids of the same rule, such as a STIG id."""


@dataclass(frozen=True, slots=True)
class SaidCounts:
    """How many rules were said to be what; the sum is the denominator."""

    passed: int = 0
    failed: int = 0
    waived: int = 0
    not_applicable: int = 0
    unknown: int = 0
    not_assessed: int = 0

    @classmethod
    def of(cls, results: Iterable[ImportedResult]) -> SaidCounts:
        """Count results."""
        seen = Counter(result.said for result in results)
        return cls(
            passed=seen[Said.PASS],
            failed=seen[Said.FAIL],
            waived=seen[Said.WAIVED],
            not_applicable=seen[Said.NOT_APPLICABLE],
            unknown=seen[Said.UNKNOWN],
            not_assessed=seen[Said.NOT_ASSESSED],
        )

    @property
    def applicable(self) -> int:
        """Rules that count: neither inapplicable nor left alone."""
        return self.passed + self.failed + self.waived + self.unknown


@dataclass(frozen=True, slots=True)
class ForeignReport:
    """What one tool found on one machine, as its file says."""

    format: str
    """openscap, lynis or inspec."""
    tool: str
    tool_version: str
    profile: str
    target: str
    """What the file calls the machine; empty when it does not name it."""
    collected_at: datetime
    results: tuple[ImportedResult, ...]
    benchmark: str = ""
    score: str = ""
    """The tool's own overall figure in its own scale; never turned into ours."""
    zone_assumed: bool = False
    """The file's moments name no time zone, so that of this machine was taken."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an import came from."""

    format: str
    tool: str
    tool_version: str
    profile: str
    benchmark: str
    target: str
    file: str
    """The file's name, without its folder."""
    sha256: str
    position: int = 1
    """Which report of the file, from 1."""
    zone_assumed: bool = False
    imported_by: str = ""


@dataclass(frozen=True, slots=True)
class Import:
    """One report of another tool in the store."""

    id: int
    host: str
    origin: Origin
    collected_at: datetime
    imported_at: datetime
    counts: SaidCounts
    score: str = ""
    results: tuple[ImportedResult, ...] = field(default=())
    """Empty in lists; filled when one import is asked for."""
