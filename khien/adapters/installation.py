"""Looks at this machine for `khien doctor`; judges nothing and changes nothing."""

from __future__ import annotations

import ctypes
import importlib
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from importlib import metadata
from pathlib import Path

from khien.application.installation import FolderFacts, InstallationFacts
from khien.application.settings import LoadedSettings, masked_secret
from khien.i18n import LANGUAGES

_LOCALES = Path(__file__).parents[1] / "locale"
_SCRIPTS = ("ansible-playbook", "ansible-inventory")
_TIME_ERROR = 5
_TIMEX_BYTES = 512


def inspect_installation(
    loaded: LoadedSettings, environ: Mapping[str, str], now: datetime
) -> InstallationFacts:
    """Look at everything that an installation needs and that no other adapter owns."""
    settings = loaded.settings
    known_hosts = settings.known_hosts
    size = shutil.get_terminal_size()
    return InstallationFacts(
        python=sys.version_info[:3],
        ansible_core=_installed("ansible-core"),
        ansible_runner=_installed("ansible-runner") if _can_import("ansible_runner") else "",
        missing_scripts=tuple(name for name in _SCRIPTS if not _script(name, environ)),
        ssh=_ssh_version(environ),
        state=folder_facts(settings.state_dir),
        runtime=folder_facts(settings.runtime_dir),
        uses_sqlite=settings.sqlite_file is not None,
        known_hosts=known_hosts,
        known_hosts_exists=known_hosts.exists(),
        known_hosts_readable=os.access(known_hosts, os.R_OK),
        known_hosts_mode=_mode(known_hosts),
        missing_catalogues=tuple(
            language
            for language in LANGUAGES
            if language != "en" and not (_LOCALES / language / "LC_MESSAGES" / "khien.mo").is_file()
        ),
        is_terminal=sys.stdout.isatty(),
        columns=size.columns,
        rows=size.lines,
        encoding=sys.stdout.encoding or "ascii",
        now=now,
        clock_is_synchronised=_clock_is_synchronised(),
        unused_environment=loaded.unused_environment,
        exposed_secret_files=_exposed_secret_files(loaded),
    )


def folder_facts(path: Path) -> FolderFacts:
    """Look at a folder; of one that does not exist yet, at the nearest that does."""
    nearest = next(p for p in (path, *path.parents) if p.exists())
    space = os.statvfs(nearest)
    return FolderFacts(
        path=path,
        exists=nearest == path,
        is_writable=nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK),
        mode=_mode(path),
        filesystem=_filesystem(nearest.resolve()),
        free_bytes=space.f_bavail * space.f_frsize,
        free_inodes=space.f_favail if space.f_files else None,
    )


def _mode(path: Path) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return 0


def _filesystem(path: Path) -> str:
    """Return the type of the file system that holds a path."""
    best, kind = Path(), ""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        point = Path(fields[1].replace("\\040", " "))
        # A later mount on the same point hides an earlier one.
        if path.is_relative_to(point) and len(point.parts) >= len(best.parts):
            best, kind = point, fields[2]
    return kind


def _installed(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _can_import(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def _script(name: str, environ: Mapping[str, str]) -> str | None:
    beside = Path(sys.executable).parent
    return shutil.which(name, path=os.pathsep.join((str(beside), environ.get("PATH", os.defpath))))


def _ssh_version(environ: Mapping[str, str]) -> str:
    program = shutil.which("ssh", path=environ.get("PATH", os.defpath))
    if program is None:
        return ""
    try:
        done = subprocess.run(
            [program, "-V"], capture_output=True, text=True, timeout=5, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stderr.strip().split(",")[0] if done.returncode == 0 else ""


def _clock_is_synchronised() -> bool | None:
    """Ask the kernel; needs no right and changes nothing, because no mode bit is set."""
    try:
        ask = ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):
        return None
    answer = int(ask(ctypes.create_string_buffer(_TIMEX_BYTES)))
    return None if answer < 0 else answer != _TIME_ERROR


def _exposed_secret_files(loaded: LoadedSettings) -> tuple[Path, ...]:
    url = loaded.settings.store_url
    origin = loaded.origins["store_url"]
    if masked_secret(url) == url:
        return ()
    return tuple(path for path in loaded.files if origin.startswith(f"{path}:") and _mode(path) & 0o044)
