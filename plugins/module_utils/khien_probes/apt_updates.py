"""Pending security updates on systems with apt: its package lists held against what dpkg has installed.

No apt is started: as root even its simulations write caches, and they cost a second of the host's time.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
from typing import Any, Callable, NamedTuple, Optional

from ansible.module_utils.khien_dpkg_version import is_newer

from .dpkg import Package, field, installed_packages
from .machine import Machine, NoAnswerError

_LISTS = "/var/lib/apt/lists"
_STAMPS = ("/var/lib/apt/periodic/update-success-stamp", _LISTS + "/partial")
_RELEASE = re.compile(r"(.*_)(?:InRelease|Release)$")
_PACKAGES = re.compile(r"_Packages(\.[a-z0-9]+)?$")
_WORDS = re.compile(r"^(Label|Suite|Codename|Origin): *(.*)$", re.M)
_READERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".xz": lzma.decompress,
    ".bz2": bz2.decompress,
    "": bytes,
}
_DAY = 86400


class Source(NamedTuple):
    """One repository of security updates whose lists the host has."""

    label: str
    prefix: str
    release: str


class Candidate(NamedTuple):
    """The newest version that a security repository offers."""

    version: str
    origin: str


def security_updates(machine: Machine, max_age_days: int) -> dict[str, Any]:
    """Return the installed packages of which a security repository has a newer version.

    Lists that are missing, too old or incomplete prove nothing, so they are no answer.
    """
    sources = security_sources(machine)
    if not sources:
        if not any(_RELEASE.match(name) for name in machine.names(_LISTS)):
            raise NoAnswerError("the package lists were never fetched")
        raise NoAnswerError("no package list is of a security repository")
    age = lists_age(machine, sources)
    if age > max_age_days * _DAY:
        raise NoAnswerError("the package lists are %d days old" % (age // _DAY))
    installed = installed_packages(machine)
    offered = _offered(machine, sources, {package.name for package in installed})
    waiting, held = [], []
    for package in installed:
        newest = _newest(package, offered.get(package.name, {}))
        if newest is None:
            continue
        if package.is_held:
            held.append(package.name)
            continue
        row = {"name": package.name, "arch": package.architecture, "from": package.version}
        waiting.append({**row, "to": newest.version, "origin": newest.origin})
    return {"packages": waiting, "held": sorted(set(held)), "lists_age_seconds": age}


def security_sources(machine: Machine) -> list[Source]:
    """Return the repositories of security updates among the host's package lists.

    They are those the patch role installs from: labelled Debian-Security, or of a suite named …-security.
    """
    found = []
    for name in machine.names(_LISTS):
        match = _RELEASE.match(name)
        if not match:
            continue
        release = machine.text(_LISTS + "/" + name) or ""
        words = dict(_WORDS.findall(release.split("\nMD5Sum")[0].split("\nSHA256")[0]))
        suites = [suite for suite in (words.get("Suite"), words.get("Codename")) if suite]
        if words.get("Label") == "Debian-Security" or any(s.endswith("-security") for s in suites):
            label = words.get("Label") or words.get("Origin") or match.group(1)
            if label == words.get("Origin") and suites:
                label = "%s %s" % (label, suites[0])
            found.append(Source(label, match.group(1), release))
    return found


def lists_age(machine: Machine, sources: list[Source]) -> int:
    """Return how many seconds ago the lists of security updates were last known to be fetched.

    A list keeps the time its server gave it; a fetch that finds it unchanged touches only lists/partial, and
    one that fails touches nothing.
    """
    paths = [_LISTS + "/" + s.prefix + end for s in sources for end in ("InRelease", "Release")]
    times = []
    for path in (*paths, *_STAMPS):
        try:
            times.append(os.stat(machine.path(path)).st_mtime)
        except FileNotFoundError:
            continue
    return max(0, int(machine.now - max(times)))


def _offered(machine: Machine, sources: list[Source], wanted: set[str]) -> dict[str, dict[str, Candidate]]:
    """Return the newest offered version of each wanted package, by name and then by architecture."""
    offered: dict[str, dict[str, Candidate]] = {}
    for source in sources:
        for data in _indexes(machine, source):
            for paragraph in data.split(b"\n\n"):
                name = (field(paragraph, b"Package") or b"").decode()
                if name not in wanted:
                    continue
                version = (field(paragraph, b"Version") or b"").decode()
                architecture = (field(paragraph, b"Architecture") or b"all").decode()
                versions = offered.setdefault(name, {})
                known = versions.get(architecture)
                if known is None or is_newer(version, known.version):
                    versions[architecture] = Candidate(version, source.label)
    return offered


def _newest(package: Package, offered: dict[str, Candidate]) -> Optional[Candidate]:
    """Return what replaces a package; it may move between its architecture and "all"."""
    newest = None
    for architecture, candidate in offered.items():
        fits = package.architecture in (architecture, "all") or architecture == "all"
        if fits and is_newer(candidate.version, newest.version if newest else package.version):
            newest = candidate
    return newest


def _indexes(machine: Machine, source: Source) -> list[bytes]:
    """Return the contents of a repository's package lists."""
    listed = machine.names(_LISTS)
    names = [name for name in listed if name.startswith(source.prefix) and _PACKAGES.search(name)]
    if not names and re.search(r"^ \S+ +[1-9][0-9]* +\S*/binary-\S+/Packages$", source.release, re.M):
        raise NoAnswerError("the package lists of %s are incomplete" % source.label)
    return [_unpacked(machine, _LISTS + "/" + name) for name in names]


def _unpacked(machine: Machine, path: str) -> bytes:
    ending = os.path.splitext(path)[1] if not path.endswith("_Packages") else ""
    reader = _READERS.get(ending)
    if reader is not None:
        return reader(machine.data(path) or b"")
    code, output = machine.run(["/usr/lib/apt/apt-helper", "cat-file", path], 30)
    if code != 0:
        raise NoAnswerError("%s cannot be unpacked: %s" % (path, output[-200:]))
    return output.encode("utf-8")
