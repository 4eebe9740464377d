"""Lets apt work out the transaction: exactly what the real run will do, because it is the same command."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import Mapping, Sequence

from .command import Output, PatchError, Run
from .policy import (
    PackageFile,
    marking_preferences,
    parse_candidates,
    parse_package_files,
    parse_versions,
    security_files,
    security_only_preferences,
)

UPGRADE = (
    "--with-new-pkgs",  # a new kernel is a new package
    "--no-install-recommends",  # a security update brings what it needs and no more
    "--no-remove",
    "upgrade",
)
LISTS = "/var/lib/apt/lists"
_NO_DIRECTORY = "/dev/null"
_MOST_ATTEMPTS = 20
_INST = re.compile(r"^Inst (\S+)(?: \[([^\]]+)\])? \((\S+) (.*?) ?\[(\S+)\]\)")
_REMV = re.compile(r"^Remv (\S+) \[([^\]]+)\]")


@dataclass(frozen=True)
class Change:
    """One package that a transaction changes."""

    name: str
    architecture: str
    from_version: str
    to_version: str
    origin: str = ""

    @property
    def kind(self) -> str:
        """upgrade, install or remove."""
        if not self.from_version:
            return "install"
        return "upgrade" if self.to_version else "remove"

    def as_result(self) -> dict[str, str]:
        """Return it as the report's schema has it."""
        return {
            "name": self.name,
            "architecture": self.architecture,
            "from_version": self.from_version,
            "to_version": self.to_version,
            "origin": self.origin,
            "kind": self.kind,
        }


@dataclass(frozen=True)
class Plan:
    """What the security updates of a host change, and what they cannot."""

    changes: tuple[Change, ...] = ()
    held: tuple[str, ...] = ()
    kept_back: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sources:
    """What apt knows of package sources."""

    files: tuple[PackageFile, ...]
    security: tuple[PackageFile, ...]
    """Those of them that hold security updates."""


@dataclass(frozen=True)
class Workplace:
    """Where the planning keeps its files, and what apt must be told to look there."""

    folder: str
    options: tuple[str, ...] = ()
    lists: str = LISTS
    """Where apt keeps the package lists."""

    @property
    def preferences(self) -> str:
        """Path of the preferences for security updates only."""
        return os.path.join(self.folder, "preferences")

    @property
    def marking(self) -> str:
        """Path of the preferences that mark security origins."""
        return os.path.join(self.folder, "marking")

    def apt_get(self, *words: str) -> list[str]:
        """Return an apt-get command that sees security updates only."""
        return ["apt-get", "-q", *self.options, "-o", "Dir::Etc::Preferences=" + self.preferences, *words]


@dataclass(frozen=True)
class Simulation:
    """What `apt-get -s` says it would do."""

    changes: tuple[Change, ...]
    kept_back: tuple[str, ...] = ()
    downgraded: tuple[str, ...] = ()


def read_sources(run: Run, workplace: Workplace, security_origins: Sequence[str]) -> Sources:
    """Return the package files that apt knows, and those of the security origins."""
    files = parse_package_files(_say(run, ["apt-cache", *workplace.options, "policy"]))
    with open(workplace.marking, "w", encoding="utf-8") as file:
        file.write(marking_preferences(security_origins))
    return Sources(files, security_files(parse_package_files(_say(run, _marked(workplace)))))


def make_plan(run: Run, workplace: Workplace, sources: Sources, host_preferences: str) -> Plan:
    """Return what the security updates would change; the preferences for it stay in the workplace.

    Raises:
        PatchError: apt cannot work it out, as when dependencies of installed packages are not met.
    """
    simulation = _without_exceptions(run, workplace, sources, host_preferences)
    held = _held_back(run, workplace, simulation)
    waiting = sorted(set(simulation.kept_back) - set(held))
    changes = tuple(replace(change, name=change.name.split(":")[0]) for change in simulation.changes)
    return Plan(changes, held, _with_security_candidate(run, workplace, waiting))


def write_preferences(
    workplace: Workplace, sources: Sources, exceptions: Sequence[tuple[str, str]], host_preferences: str
) -> None:
    """Write the preferences under which only security updates replace installed packages."""
    with open(workplace.preferences, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(security_only_preferences(sources.files, sources.security, exceptions, host_preferences))


def parse_simulation(text: str) -> Simulation:
    """Read the output of `apt-get -s upgrade`."""
    changes: list[Change] = []
    lists: dict[str, list[str]] = {"kept back:": [], "DOWNGRADED:": []}
    names: list[str] | None = None
    for line in text.splitlines():
        if names is not None and line.startswith(" "):
            names.extend(line.split())
            continue
        names = next((found for title, found in lists.items() if line.endswith(title)), None)
        inst, remv = _INST.match(line), _REMV.match(line)
        if inst:
            name, before, after, origins, architecture = inst.groups()
            changes.append(Change(name, architecture, before or "", after, _label(origins)))
        elif remv:
            changes.append(Change(remv.group(1), "", remv.group(2), ""))
    changes.sort(key=lambda change: (change.name, change.architecture))
    return Simulation(tuple(changes), tuple(lists["kept back:"]), tuple(lists["DOWNGRADED:"]))


def _label(origins: str) -> str:
    """Return the label of the most telling of several sources, Debian-Security before Debian."""
    labels = [origin.split(":", 1)[0] for origin in origins.split(", ")]
    return next((label for label in labels if "security" in label.lower()), labels[0])


def _without_exceptions(
    run: Run, workplace: Workplace, sources: Sources, host_preferences: str
) -> Simulation:
    # A record of the host that names a package may raise a version that is no security update. Such a version
    # is excepted by name, and apt is asked again.
    exceptions: list[tuple[str, str]] = []
    for _attempt in range(_MOST_ATTEMPTS):
        write_preferences(workplace, sources, exceptions, host_preferences)
        simulation = _simulate(run, workplace)
        strangers = _strangers(run, workplace, simulation)
        if not strangers:
            return simulation
        exceptions.extend(strangers)
    raise PatchError(
        "transaction_failed",
        "apt keeps choosing versions that are no security updates: {}.".format(
            ", ".join("{} {}".format(*stranger) for stranger in exceptions[-5:])
        ),
    )


def _strangers(run: Run, workplace: Workplace, simulation: Simulation) -> list[tuple[str, str]]:
    """Return the versions to except, of every package that would move to no security update."""
    upgrades = [change for change in simulation.changes if change.kind == "upgrade"]
    known = _versions(run, workplace, [change.name for change in upgrades])
    strangers: list[tuple[str, str]] = []
    for change in upgrades:
        versions = known.get(change.name, {})
        if not versions.get(change.to_version, False):
            others = {v for v, is_security in versions.items() if not is_security} - {change.from_version}
            strangers.extend((change.name, version) for version in sorted(others | {change.to_version}))
        elif change.name in simulation.downgraded:
            strangers.append((change.name, change.to_version))
    return strangers


def _simulate(run: Run, workplace: Workplace, *options: str) -> Simulation:
    return parse_simulation(_say(run, workplace.apt_get("-s", *options, *UPGRADE)))


def _held_back(run: Run, workplace: Workplace, simulation: Simulation) -> tuple[str, ...]:
    """Return the packages that only a hold keeps from their security update."""
    holds = set(_say(run, ["apt-mark", *workplace.options, "showhold"]).split())
    if not holds:
        return ()
    planned = {change.name for change in simulation.changes}
    freed = _simulate(run, workplace, "--ignore-hold").changes
    candidates = sorted({c.name for c in freed if c.kind == "upgrade"} & holds - planned)
    known = _versions(run, workplace, candidates)
    targets = {change.name: change.to_version for change in freed}
    return tuple(name for name in candidates if known.get(name, {}).get(targets[name], False))


def _with_security_candidate(run: Run, workplace: Workplace, names: Sequence[str]) -> tuple[str, ...]:
    """Return those of the packages that a security update waits for."""
    if not names:
        return ()
    ours = ["-o", "Dir::Etc::Preferences=" + workplace.preferences]
    candidates = parse_candidates(_say(run, ["apt-cache", *workplace.options, *ours, "policy", *names]))
    known = _versions(run, workplace, list(candidates))
    return tuple(name for name in names if known.get(name, {}).get(candidates.get(name, ""), False))


def _versions(run: Run, workplace: Workplace, names: Sequence[str]) -> Mapping[str, Mapping[str, bool]]:
    return parse_versions(_say(run, [*_marked(workplace), *names])) if names else {}


def _marked(workplace: Workplace) -> list[str]:
    only_ours = {"Dir::Etc::Preferences": workplace.marking, "Dir::Etc::PreferencesParts": _NO_DIRECTORY}
    words = [word for key, value in only_ours.items() for word in ("-o", key + "=" + value)]
    return ["apt-cache", *workplace.options, *words, "policy"]


def _say(run: Run, argv: Sequence[str]) -> str:
    output = run(argv)
    if output.code != 0:
        is_broken = "nmet dependencies" in output.out + output.err
        code = (
            "packages_broken" if is_broken else "lists_failed" if "policy" in argv else "transaction_failed"
        )
        raise PatchError(code, "{} failed: {}".format(argv[0], last_error(output)))
    return output.out


def last_error(output: Output) -> str:
    """Return the most telling line of a failed command."""
    if output.timed_out:
        return "it took too long and was ended"
    lines = [line.strip() for line in (output.err + "\n" + output.out).splitlines() if line.strip()]
    for kind in ("E:", "dpkg: error", "W: Failed"):
        telling = [line for line in lines if line.startswith(kind)]
        if telling:
            return telling[0]
    return lines[-1] if lines else "it said nothing"


def with_origins(changes: Sequence[Change], planned: Sequence[Change]) -> tuple[Change, ...]:
    """Give changes seen in dpkg the origins that were planned for them."""
    origins = {(change.name, change.to_version): change.origin for change in planned}
    return tuple(replace(c, origin=origins.get((c.name, c.to_version), c.origin)) for c in changes)
