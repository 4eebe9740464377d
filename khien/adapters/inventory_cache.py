"""Remembers on disk what Ansible made of a static inventory; holds no secret and is always safe to delete."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

from khien.domain.host import Host, HostRole

_FORMAT = "khien.inventory-cache/1"
_MOST_ENTRIES = 32
_MOST_FILES = 20_000
_MOST_BYTES = 64_000_000
# Sources that can answer differently from one call to the next: inventory plugins and vaulted files.
_LIVE_SOURCE = re.compile(rb"^\s*plugin\s*:|^\$ANSIBLE_VAULT", re.MULTILINE)
_LIVE_CONFIG = re.compile(
    rb"^\s*(vars_plugins|enable_plugins|inventory_plugins|vars_plugins_enabled)\s*=", re.MULTILINE
)
_LIVE_ENVIRONMENT = frozenset(
    {"ANSIBLE_VARS_PLUGINS", "ANSIBLE_VARS_ENABLED", "ANSIBLE_INVENTORY_PLUGINS", "ANSIBLE_INVENTORY_ENABLED"}
)


class _LiveSourceError(Exception):
    """The inventory may answer differently next time, so its answer is not kept."""


def cache_key(
    sources: Sequence[str], limit: str, *, configs: Iterable[Path], environment: Mapping[str, str]
) -> str | None:
    """Return what identifies the answer to this question, or None when it must not be kept."""
    if not sources or limit.lstrip().startswith("@") or _LIVE_ENVIRONMENT & environment.keys():
        return None
    digest = hashlib.sha256(_FORMAT.encode())
    settings = sorted((k, v) for k, v in environment.items() if k.startswith("ANSIBLE_"))
    try:
        place = os.fspath(Path.cwd())
        digest.update(repr((metadata.version("ansible-core"), place, limit, settings)).encode())
        for config in configs:
            content = config.read_bytes() if config.is_file() else b""
            if _LIVE_CONFIG.search(content):
                return None
            digest.update(repr((str(config), content)).encode())
        for source in sources:
            digest.update(repr(source).encode())
            if "," not in source:
                _digest_tree(Path(source), digest)
    except (OSError, _LiveSourceError):
        return None
    return digest.hexdigest()


def _digest_tree(source: Path, digest: hashlib._Hash) -> None:
    files = total = 0
    for path in _files_of(source):
        state = path.stat()
        files, total = files + 1, total + state.st_size
        if files > _MOST_FILES or total > _MOST_BYTES or state.st_mode & 0o111:
            raise _LiveSourceError(path)
        content = path.read_bytes()
        if _LIVE_SOURCE.search(content):
            raise _LiveSourceError(path)
        digest.update(repr((str(path), state.st_mtime_ns, len(content))).encode() + content)


def _files_of(source: Path) -> Iterator[Path]:
    if source.is_dir():
        yield from _walk(source)
        return
    yield source
    for adjacent in ("group_vars", "host_vars"):
        if (folder := source.parent / adjacent).is_dir():
            yield from _walk(folder)


def _walk(folder: Path) -> Iterator[Path]:
    for directory, folders, files in os.walk(folder, onerror=_give_up, followlinks=True):
        folders[:] = sorted(name for name in folders if name != ".git")
        if len(Path(directory).parts) > 60:
            raise _LiveSourceError(directory)
        for name in sorted(files):
            yield Path(directory, name)


def _give_up(error: OSError) -> None:
    raise error


class InventoryCache:
    """A folder of answers, readable by its owner only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> tuple[Host, ...] | None:
        """Return the kept hosts, or None when there are none or they cannot be trusted."""
        path = self._folder / f"{key}.json"
        try:
            if not self._is_private():
                return None
            stored = json.loads(path.read_bytes())
            return tuple(
                Host(**{**entry, "role": HostRole(entry["role"]), "groups": tuple(entry["groups"])})
                for entry in stored["hosts"]
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, key: str, hosts: Sequence[Host]) -> None:
        """Keep the hosts; a folder that cannot be written only means that nothing is kept."""
        content = json.dumps({"hosts": [asdict(host) for host in hosts]}, ensure_ascii=False)
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._is_private():
                return
            handle, name = tempfile.mkstemp(dir=self._folder, suffix=".part")  # created 0600
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(content)
                Path(name).replace(self._folder / f"{key}.json")
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise
            self._forget_oldest()

    def _is_private(self) -> bool:
        state = self._folder.stat()
        return state.st_uid == os.geteuid() and not state.st_mode & 0o022

    def _forget_oldest(self) -> None:
        entries = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in entries[_MOST_ENTRIES:]:
            path.unlink(missing_ok=True)
