"""Reads and writes known_hosts files as ssh does: hashed names, patterns, markers; comments are kept."""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import hmac
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from khien.application.trust_hosts import HostKey, KeyState, ShownKey
from khien.errors import UsageError
from khien.i18n import _


@dataclass(frozen=True, slots=True)
class _Entry:
    marker: str
    names: tuple[str, ...]
    key: HostKey

    def covers(self, name: str) -> bool:
        if self.names[0].startswith("|1|"):
            return _hashed_matches(self.names[0], name)
        refused = any(_pattern_matches(p[1:], name) for p in self.names if p.startswith("!"))
        return not refused and any(_pattern_matches(p, name) for p in self.names if not p.startswith("!"))


@dataclass(frozen=True, slots=True)
class Recorded:
    """What known_hosts files say of one host."""

    keys: tuple[HostKey, ...] = ()
    revoked: tuple[HostKey, ...] = ()
    has_authority: bool = False
    """Whether an authority may vouch for the host by a certificate."""

    def state_of(self, key: HostKey) -> KeyState:
        """Judge a key that the host shows."""
        if key in self.revoked:
            return KeyState.REVOKED
        if key in self.keys:
            return KeyState.KNOWN
        # A key of a kind that is not recorded is no better than a changed one.
        return KeyState.CHANGED if self.keys else KeyState.NEW


class _File:
    """One file, with the entries that name hosts outright found by name: there are thousands of them."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._by_name: dict[str, list[_Entry]] = {}
        self._others: list[_Entry] = []
        for entry in (parsed for line in lines if (parsed := _parse(line)) is not None):
            if entry.marker or any(set("|*?!") & set(name) for name in entry.names):
                self._others.append(entry)
                continue
            for name in entry.names:
                self._by_name.setdefault(name.lower(), []).append(entry)

    def entries(self, name: str) -> list[_Entry]:
        return [*self._by_name.get(name, ()), *(entry for entry in self._others if entry.covers(name))]


class KnownHosts:
    """The known_hosts files of this machine; each is read once per instance."""

    def __init__(self) -> None:
        self._files: dict[Path, _File] = {}

    def recorded(self, name: str, files: Sequence[Path]) -> Recorded:
        """Return what the files say of a name such as `web1` or `[web1]:2222`.

        Raises:
            UsageError: a file cannot be read.
        """
        keys: list[HostKey] = []
        revoked: list[HostKey] = []
        has_authority = False
        for entry in (entry for file in files for entry in self._read(file).entries(name)):
            if entry.marker == "@revoked":
                revoked.append(entry.key)
            elif entry.marker == "@cert-authority":
                has_authority = True
            else:
                keys.append(entry.key)
        return Recorded(tuple(keys), tuple(revoked), has_authority)

    def _read(self, file: Path) -> _File:
        if file not in self._files:
            self._files[file] = _File(_lines(file))
        return self._files[file]

    def record(self, keys: Sequence[ShownKey], *, replace: bool) -> None:
        """Write keys into their files; with replace, other keys of these names are taken out first."""
        by_file: dict[Path, list[ShownKey]] = {}
        for shown in keys:
            if shown.file is not None and shown.key is not None:
                by_file.setdefault(shown.file, []).append(shown)
        for file, of_file in by_file.items():
            try:
                with _locked(file):
                    _write(file, _merged(_lines(file), of_file, replace=replace))
            except OSError as exc:
                raise UsageError(
                    _("{path} cannot be written: {reason}").format(path=file, reason=exc.strerror)
                ) from exc
            self._files.pop(file, None)


def _merged(lines: list[str], keys: Sequence[ShownKey], *, replace: bool) -> list[str]:
    kept = lines
    if replace:
        names = [shown.lookup_name for shown in keys]
        kept = [remaining for line in lines if (remaining := _without(line, names)) is not None]
    present = _File(kept)
    new: dict[str, None] = {}
    for shown in keys:
        if shown.key and shown.key not in [entry.key for entry in present.entries(shown.lookup_name)]:
            blob = base64.b64encode(shown.key.blob).decode()
            new[f"{shown.lookup_name} {shown.key.key_type} {blob}"] = None
    return [*kept, *new]


def _without(line: str, names: Iterable[str]) -> str | None:
    """Take names out of a line; None when nothing of it is left. Markers and patterns stay as they are."""
    entry = _parse(line)
    if entry is None or entry.marker:
        return line
    if entry.names[0].startswith("|1|"):
        return None if any(entry.covers(name) for name in names) else line
    gone = set(names)
    remaining = [name for name in entry.names if name.lower() not in gone]
    if len(remaining) == len(entry.names):
        return line
    return line.replace(",".join(entry.names), ",".join(remaining), 1) if remaining else None


def _parse(line: str) -> _Entry | None:
    fields = line.split()
    if not fields or fields[0].startswith("#"):
        return None
    marker = fields.pop(0) if fields[0].startswith("@") else ""
    if len(fields) < 3:
        return None
    try:
        blob = base64.b64decode(fields[2], validate=True)
    except (binascii.Error, ValueError):
        return None
    return _Entry(marker, tuple(fields[0].split(",")), HostKey(fields[1], blob))


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except FileNotFoundError:
        return []
    except OSError as exc:
        raise UsageError(_("{path} cannot be read: {reason}").format(path=file, reason=exc.strerror)) from exc


def _hashed_matches(hashed: str, name: str) -> bool:
    try:
        salt, digest = (base64.b64decode(part) for part in hashed.split("|")[2:4])
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(hmac.digest(salt, name.encode(), hashlib.sha1), digest)


def _pattern_matches(pattern: str, name: str) -> bool:
    if "*" not in pattern and "?" not in pattern:
        return pattern.lower() == name
    expression = re.escape(pattern.lower()).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, name) is not None


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Let nobody of ours write the file at the same time; the folder is locked, as the file gets replaced."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(file: Path, lines: Sequence[str]) -> None:
    target = file.resolve()  # a symbolic link stays one
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as fresh:
            fresh.writelines(line + "\n" for line in lines)
            fresh.flush()
            os.fsync(fresh.fileno())
            os.fchmod(fresh.fileno(), mode)
        Path(name).replace(target)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
