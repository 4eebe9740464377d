"""Writes the apt preferences under which an upgrade installs security updates and nothing else.

apt itself decides; these preferences only tell it what a security update is. For a package version the first
matching record that names the package counts; else, for each package file, the first matching record for all
packages. So a record of the host's administrator that names a package goes on working, as does a hold.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from typing import Iterable, Mapping, Sequence

_SECURITY_MARK = 1234
_HIGHEST = 990  # from 1000 on apt would install an older version
_ENTRY = re.compile(r"^ *(-?\d+) (.+)$")
_VERSION = re.compile(r"^ (?:\*\*\*|   ) (\S+)(?: -?\d+)?$")


@dataclass(frozen=True)
class PackageFile:
    """One index of packages that apt knows, with the priority it gives to what is in it."""

    priority: int
    place: str
    """As apt shows it: address, suite and component, architecture."""
    release: str = ""
    """As apt shows it: v=12,o=Debian,a=stable …"""

    @property
    def is_installed_list(self) -> bool:
        """Whether it is dpkg's own status file."""
        return self.release == "a=now" or self.place.endswith("/dpkg/status")

    @property
    def address(self) -> str:
        """The address its source line gives."""
        return self.place.split(" ", 1)[0]

    @property
    def suite(self) -> str:
        """The suite its source line gives; a flat repository has a folder instead."""
        words = self.place.split(" ")
        suite = words[1] if len(words) > 1 else ""
        return suite if suite.endswith("/") else suite.rsplit("/", 1)[0]


def parse_package_files(text: str) -> tuple[PackageFile, ...]:
    """Read what `apt-cache policy` says about package files."""
    files: list[PackageFile] = []
    for line in text.splitlines():
        entry = _ENTRY.match(line)
        if line.startswith("Pinned packages"):
            break
        if entry:
            files.append(PackageFile(int(entry.group(1)), entry.group(2).rstrip()))
        elif files and line.strip().startswith("release "):
            last = files[-1]
            files[-1] = PackageFile(last.priority, last.place, line.strip()[len("release ") :])
    return tuple(files)


def marking_preferences(security_origins: Sequence[str]) -> str:
    """Return preferences that give every security origin a priority by which it can be recognised."""
    return "\n".join(_record("*", "release " + origin, _SECURITY_MARK) for origin in security_origins)


def security_files(marked: Iterable[PackageFile]) -> tuple[PackageFile, ...]:
    """Return the package files of security origins, read under the marking preferences."""
    return tuple(file for file in marked if file.priority == _SECURITY_MARK)


def has_origin(file: PackageFile, security_origins: Sequence[str]) -> bool:
    """Whether one of the release expressions fits a package file, as apt would see it."""
    facts = dict(part.split("=", 1) for part in file.release.split(",") if "=" in part)

    def fits(expression: str) -> bool:
        key, _, pattern = expression.strip().partition("=")
        word = facts.get(key, "").lower()
        if len(pattern) > 1 and pattern.startswith("/") and pattern.endswith("/"):
            return re.search(pattern[1:-1], word, re.IGNORECASE) is not None
        return fnmatch.fnmatchcase(word, pattern.strip().lower())

    return any(all(fits(part) for part in origin.split(",")) for origin in security_origins)


def parse_versions(text: str) -> Mapping[str, Mapping[str, bool]]:
    """Read all versions of packages, and which of them are security updates.

    Args:
        text: what `apt-cache policy NAME…` says under the marking preferences.
    """
    packages: dict[str, dict[str, bool]] = {}
    versions: dict[str, bool] = {}
    version = ""
    for line in text.splitlines():
        shown = _VERSION.match(line)
        if line.endswith(":") and not line.startswith(" "):
            versions = packages.setdefault(line[:-1], {})
        elif shown:
            version = shown.group(1)
            versions[version] = False
        elif line.startswith("      ") and line.split(None, 1)[0] == str(_SECURITY_MARK):
            versions[version] = True
    return packages


def parse_candidates(text: str) -> Mapping[str, str]:
    """Read from `apt-cache policy NAME…` which version apt would install instead of the installed one."""
    candidates: dict[str, str] = {}
    name = installed = ""
    for line in text.splitlines():
        if line.endswith(":") and not line.startswith(" "):
            name = line[:-1]
        elif line.startswith("  Installed: "):
            installed = line.split(": ", 1)[1]
        elif line.startswith("  Candidate: ") and line.split(": ", 1)[1] != installed:
            candidates[name] = line.split(": ", 1)[1]
    return candidates


def security_only_preferences(
    files: Iterable[PackageFile],
    security: Iterable[PackageFile],
    exceptions: Iterable[tuple[str, str]],
    host_preferences: str,
) -> str:
    """Return the preferences under which only security updates replace installed packages.

    Args:
        files: all package files with the priorities the host itself gives them.
        security: those of them that hold security updates.
        exceptions: packages, and versions of them, that a record of the host would install although they are
            no security updates.
        host_preferences: the host's own preferences file.
    """
    places = {file.place for file in security}
    records = [_record(name, "version " + version, 50) for name, version in exceptions]
    records.append(_record("*", "release a=now", 100))
    for file in files:
        if file.release and not file.is_installed_list:
            priority = _raised(file.priority) if file.place in places else _lowered(file.priority)
            records.append(_record("*", "release " + file.release, priority))
    records.append(_record("*", "release *", 1))
    return "\n".join([*records, host_preferences])


def _raised(priority: int) -> int:
    """Keep a security source's priority above what is installed, and below downgrades."""
    if priority < 0:
        return priority
    return min(priority, _HIGHEST) if priority > 100 else 500


def _lowered(priority: int) -> int:
    """Bring another source below what is installed; the order among the others stays."""
    if priority < 0:
        return priority
    return max(1, min(99, priority // 10))


def _record(package: str, pin: str, priority: int) -> str:
    return "Package: {}\nPin: {}\nPin-Priority: {}\n".format(package, pin, priority)
