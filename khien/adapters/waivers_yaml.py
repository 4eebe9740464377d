"""The waivers as reviewed YAML: one file or a folder of files; strict, errors name file and line."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from pathlib import Path

from khien.adapters.yaml_places import Place, read_yaml
from khien.domain.waiver import ScopeKind, Waiver
from khien.errors import InputError

SCHEMA = "khien.waivers/1"
_WORDS = ("id", "control", "scope", "reason", "approver", "issued", "expires")


def waiver_files(path: Path) -> tuple[Path, ...]:
    """Return the files that hold waivers: the path itself, or what lies in it; none where nothing is."""
    if path.is_dir():
        return tuple(sorted(file for suffix in ("yml", "yaml") for file in path.glob(f"*.{suffix}")))
    return (path,) if path.exists() else ()


def load_waivers(path: Path, controls: Collection[str]) -> tuple[Waiver, ...]:
    """Read all waivers, or none.

    Args:
        path: a file or a folder; one that does not exist holds no waiver.
        controls: the controls there are.

    Raises:
        InputError: a file says something unusable; file and line are named.
    """
    waivers, problems = read_waivers(path, controls)
    if problems:
        raise problems[0]
    return waivers


def read_waivers(path: Path, controls: Collection[str]) -> tuple[tuple[Waiver, ...], tuple[InputError, ...]]:
    """Read every waiver that can be read, and say of each other one what is wrong with it."""
    found: dict[str, Waiver] = {}
    problems: list[InputError] = []
    for file in waiver_files(path):
        try:
            entries = waiver_entries(read_yaml(file))
        except InputError as problem:
            problems.append(problem)
            continue
        for entry in entries:
            try:
                waiver = read_waiver(entry, controls)
                if waiver.id in found:
                    raise entry.error(f"the waiver {waiver.id!r} exists already at {found[waiver.id].place}")
            except InputError as problem:
                problems.append(problem)
            else:
                found[waiver.id] = waiver
    return tuple(found[key] for key in sorted(found)), tuple(problems)


def waiver_entries(document: Place) -> list[Place]:
    """Return the entries of a file of waivers; `waivers:` with nothing behind it is a list without any."""
    top = document.mapping(("schema", "waivers"))
    top["schema"].one_of((SCHEMA,))
    return [] if top["waivers"].value() is None else list(top["waivers"].items())


def read_waiver(place: Place, controls: Collection[str]) -> Waiver:
    """Read one waiver."""
    entries = place.mapping(_WORDS, ("revoked", "revoked_by"))
    scope = entries["scope"].mapping((), [kind.value for kind in ScopeKind])
    if len(scope) != 1:
        raise entries["scope"].error(f"expected exactly one of: {', '.join(ScopeKind)}")
    kind, name = scope.popitem()
    issued, expires = _day(entries["issued"]), _day(entries["expires"])
    if expires < issued:
        raise entries["expires"].error(f"expires, {expires}, must not be before issued, {issued}")
    if "revoked_by" in entries:
        entries["revoked_by"].text()
    return Waiver(
        id=entries["id"].text(),
        control=entries["control"].one_of(controls),
        kind=ScopeKind(kind),
        scope=name.text(),
        reason=entries["reason"].text(),
        approver=entries["approver"].text(),
        issued=issued,
        expires=expires,
        revoked=_day(entries["revoked"]) if "revoked" in entries else None,
        file=str(place.path),
        line=place.line,
    )


def _day(place: Place) -> date:
    value = place.value()
    if isinstance(value, datetime) or not isinstance(value, date):
        raise place.error(f"expected a day as YYYY-MM-DD, found {value!r}")
    return value
