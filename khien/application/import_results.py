"""Bringing other tools' results into the store: all of the named files, or none."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from khien.application.ports import Clock
from khien.domain.imported import ForeignReport, Import, Origin, SaidCounts
from khien.domain.text import safe_text
from khien.errors import InputError
from khien.i18n import _


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """What was read from one file."""

    path: Path
    sha256: str
    reports: tuple[ForeignReport, ...]


class ResultReader(Protocol):
    """Reads the files of other tools."""

    def read(self, path: Path, format_name: str) -> ForeignFile:
        """Return what a file says.

        Args:
            path: the file.
            format_name: openscap, lynis, inspec, or auto to recognise it.

        Raises:
            InputError: it cannot be read or says something unusable; file, line and element are named.
        """
        ...


class ImportStore(Protocol):
    """Remembers what other tools said."""

    def add(self, imports: Sequence[Import]) -> tuple[int, ...]:
        """Store new imports in one transaction, whatever their `id`; return the ids they got, in order."""
        ...

    def imports(self, host: str | None = None) -> tuple[Import, ...]:
        """Return imports without their results, the newest first, all or those of one host."""
        ...

    def latest(self, host: str) -> tuple[Import, ...]:
        """Return the newest import of each tool and profile on a host, with its results."""
        ...

    def forget(self, import_id: int) -> Import:
        """Remove one import and return what it was.

        Raises:
            UsageError: there is no such import.
        """
        ...


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of the files."""

    added: tuple[Import, ...]
    known: tuple[Import, ...]
    """Reports that are in the store already: the same bytes for the same host."""


def import_results(
    files: Sequence[Path],
    *,
    host: str,
    format_name: str,
    person: str,
    hosts: Collection[str],
    reader: ResultReader,
    store: ImportStore,
    clock: Clock,
) -> Imported:
    """Read every file, then store all that they say at once; nothing is kept when one of them is unusable.

    Args:
        files: the files.
        host: whose results they are; empty: each file's own word decides.
        format_name: auto, openscap, lynis or inspec.
        person: who imports.
        hosts: the names of all hosts that are known.
        reader: reads the files.
        store: where the results go.
        clock: tells the moment of import.

    Raises:
        InputError: a file is unusable, or the machine it is about is no host of ours.
    """
    now = clock.now()
    there = {_key(one.host, one.origin): one for one in store.imports()}
    new: dict[tuple[str, str, int], Import] = {}
    known: list[Import] = []
    for path in files:
        file = reader.read(path, format_name)
        for position, report in enumerate(file.reports, 1):
            name = host or _host_of(report, hosts, path)
            one = _import(file, position, report, name, person, now)
            key = _key(name, one.origin)
            if key in there:
                known.append(there[key])
            else:
                new.setdefault(key, one)
    ids = store.add(tuple(new.values())) if new else ()
    added = (
        Import(number, one.host, one.origin, one.collected_at, one.imported_at, one.counts, one.score)
        for number, one in zip(ids, new.values(), strict=True)
    )
    return Imported(tuple(added), tuple(known))


def _key(host: str, origin: Origin) -> tuple[str, str, int]:
    return host, origin.sha256, origin.position


def _import(
    file: ForeignFile, position: int, report: ForeignReport, host: str, person: str, now: datetime
) -> Import:
    if report.collected_at > now:
        raise InputError(
            _("its results are of {moment}, which is still to come; one of the clocks is wrong").format(
                moment=report.collected_at.isoformat()
            ),
            path=file.path,
        )
    origin = Origin(
        format=report.format,
        tool=report.tool,
        tool_version=report.tool_version,
        profile=report.profile,
        benchmark=report.benchmark,
        target=report.target,
        file=file.path.name,
        sha256=file.sha256,
        position=position,
        zone_assumed=report.zone_assumed,
        imported_by=person,
    )
    return Import(
        id=0,
        host=host,
        origin=origin,
        collected_at=report.collected_at,
        imported_at=now,
        counts=SaidCounts.of(report.results),
        score=report.score,
        results=report.results,
    )


def _host_of(report: ForeignReport, hosts: Collection[str], path: Path) -> str:
    target = report.target
    if not target:
        raise InputError(_("it does not say which host it is about; name it with --host"), path=path)
    if target in hosts:
        return target
    # A machine often knows only the first label of its name, or a longer name than the inventory.
    label = target.lower().partition(".")[0]
    like = [name for name in hosts if name.lower() == target.lower()] or [
        name
        for name in hosts
        if name.lower().partition(".")[0] == label and ("." not in target or "." not in name)
    ]
    if len(like) == 1:
        return like[0]
    shown = safe_text(target, 80)
    if like:
        raise InputError(
            _("it is about {target}, which may be {names}; say which with --host").format(
                target=shown, names=", ".join(sorted(like))
            ),
            path=path,
        )
    raise InputError(
        _("it is about {target}, which is no host of the inventory; name the host with --host").format(
            target=shown
        ),
        path=path,
    )
