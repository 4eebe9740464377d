"""Writes imported hosts as Ansible inventory files, one for each agency, the same every time."""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import yaml

from khien.application.import_inventory import ListedHost
from khien.domain.host import HostRole
from khien.errors import RefusedError
from khien.i18n import _

_HEADER = "# Written by `khien inventory import`; docs/guides/inventory.md says what the words mean.\n---\n"


class _Unsafe(str):
    """Text in which Ansible must see no template."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Writes plain YAML, and marks text that Ansible would take for a template."""


def _represent_unsafe(dumper: yaml.SafeDumper, value: _Unsafe) -> yaml.Node:
    return dumper.represent_scalar("!unsafe", str(value), style="'")


_Dumper.add_representer(_Unsafe, _represent_unsafe)


@dataclass(frozen=True, slots=True)
class InventoryFile:
    """A file as it should become."""

    path: Path
    content: str
    former: str | None
    """What it says now; None when there is no such file."""

    @property
    def is_changed(self) -> bool:
        """Whether writing it would change anything."""
        return self.content != self.former

    def difference(self) -> str:
        """Return what changes, as diff -u shows it."""
        return "".join(
            difflib.unified_diff(
                (self.former or "").splitlines(keepends=True),
                self.content.splitlines(keepends=True),
                str(self.path) if self.former is not None else "/dev/null",
                str(self.path),
            )
        )


def inventory_files(hosts: Sequence[ListedHost], folder: Path) -> tuple[InventoryFile, ...]:
    """Return one file for each agency of the hosts; nothing is written."""
    files = []
    for agency, members in groupby(sorted(hosts, key=lambda h: (h.agency, h.name)), key=lambda h: h.agency):
        path = folder / f"{agency}.yml"
        former = path.read_text(encoding="utf-8") if path.exists() else None
        files.append(InventoryFile(path, _content(agency, tuple(members)), former))
    return tuple(files)


def write_inventory_files(files: Sequence[InventoryFile], *, overwrite: bool) -> None:
    """Write the files that change.

    Raises:
        RefusedError: a file says something else already and may not be overwritten; none is written then.
    """
    standing = [file for file in files if file.former is not None and file.is_changed]
    if standing and not overwrite:
        raise RefusedError(
            _(
                "These files say something else now, so nothing was written; --force overwrites: {paths}"
            ).format(paths=", ".join(str(file.path) for file in standing))
        )
    for file in files:
        if not file.is_changed:
            continue
        file.path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.path.parent, prefix=f".{file.path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as fresh:
            fresh.write(file.content)
            # Inventories hold no secret and are read by whoever runs Ansible here.
            os.fchmod(fresh.fileno(), 0o644)
        Path(name).replace(file.path)


def _content(agency: str, hosts: Sequence[ListedHost]) -> str:
    variables: dict[str, object] = {"khien_agency": agency}
    if agency_name := next((host.agency_name for host in hosts if host.agency_name), ""):
        variables["khien_agency_name"] = _text(agency_name)
    group = {"hosts": {host.name: _variables(host) for host in hosts}, "vars": variables}
    document = {"all": {"children": {agency: group}}}
    return _HEADER + yaml.dump(
        document, Dumper=_Dumper, allow_unicode=True, default_flow_style=False, sort_keys=True, width=10_000
    )


def _variables(host: ListedHost) -> Mapping[str, object]:
    found: dict[str, object] = {
        "ansible_host": host.address,
        "ansible_port": host.port,
        "ansible_user": _text(host.user),
        "ansible_connection": "winrm" if host.is_windows else "",
        "khien_level": host.level,
        "khien_owner": _text(host.owner),
        "khien_role": (host.role or HostRole.SERVER).value,
        "khien_site": _text(host.site),
        "khien_window": _text(host.window),
    }
    return {name: value for name, value in found.items() if value}


def _text(value: str) -> str:
    return _Unsafe(value) if any(mark in value for mark in ("{{", "{%", "{#")) else value
