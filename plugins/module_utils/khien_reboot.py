"""Says whether a Debian-like host must be restarted for its updates to take effect, and why."""

from __future__ import annotations

import os
import re
from functools import cmp_to_key
from typing import Any, Callable, Iterable, Sequence

from ansible.module_utils.khien_dpkg_version import compare

_MARKS = ("run/reboot-required", "var/run/reboot-required")
_CODE = ("/usr/", "/lib", "/bin/", "/sbin/", "/opt/")
_PACKAGE_OF_RUNNING = re.compile(r" Debian (\d\S*) \(\d{4}-")

Say = Callable[[Sequence[str]], str]
"""Runs a command and returns its standard output; empty when it failed or is missing."""


def reboot_need(say: Say, root: str = "/") -> dict[str, Any]:
    """Return whether the host must be restarted, the reasons, and the services that run replaced code."""
    reasons = [*_requested(root), *_newer_kernel(say, root)]
    return {"needed": bool(reasons), "reasons": reasons, "services": outdated_units(root)}


def outdated_units(root: str = "/") -> list[str]:
    """Return the units with a process that still runs a program or library that was replaced on disk.

    systemd itself is init.scope: `systemctl daemon-reexec` renews it.
    """
    units = set()
    for pid in _numbers(os.path.join(root, "proc")):
        process = os.path.join(root, "proc", pid)
        if any(_is_replaced_code(line) for line in _lines(os.path.join(process, "maps"))):
            units.add(_unit(_lines(os.path.join(process, "cgroup"))))
    return sorted(units - {""})


def _requested(root: str) -> list[str]:
    if not any(os.path.exists(os.path.join(root, mark)) for mark in _MARKS):
        return []
    lines = [line.strip() for mark in _MARKS for line in _lines(os.path.join(root, mark + ".pkgs"))]
    return ["requested by " + (", ".join(sorted({*lines} - {""})) or "a package")]


def _newer_kernel(say: Say, root: str) -> list[str]:
    release = "".join(_lines(os.path.join(root, "proc/sys/kernel/osrelease"))).strip()
    images = _installed_kernels(
        say(["dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Package} ${Version}\\n", "linux-image-*"])
    )
    if release not in images:
        return []  # a container, or a kernel that is not of this distribution
    flavour = _split_release(release)[1]
    rivals = [image for image in images if _split_release(image)[1] == flavour]
    newest = max(rivals, key=lambda image: cmp_to_key(compare)(_split_release(image)[0]))
    if newest != release:
        return ["kernel {} is installed, {} is running".format(newest, release)]
    # An update under the same name replaces the files of the kernel that runs.
    running = _PACKAGE_OF_RUNNING.search("".join(_lines(os.path.join(root, "proc/version"))))
    if running and running.group(1) != images[release]:
        return ["kernel {} is installed, {} is running".format(images[release], running.group(1))]
    return []


def _installed_kernels(text: str) -> dict[str, str]:
    rows = [line.split() for line in text.splitlines()]
    found = [row for row in rows if len(row) == 3 and row[0][1:2] == "i"]
    names = {row[1][len("linux-image-") :]: row[2] for row in found}
    return {release: version for release, version in names.items() if release[:1].isdigit()}


def _split_release(release: str) -> tuple[str, str]:
    """Split 6.1.0-37-cloud-amd64 into its version and its flavour."""
    parts = release.split("-")
    start = next((i for i, part in enumerate(parts) if part[:1].isalpha()), len(parts))
    return "-".join(parts[:start]), "-".join(parts[start:])


def _is_replaced_code(line: str) -> bool:
    if "(deleted)" not in line:  # nearly every line; splitting them all would cost a busy host a second
        return False
    words = line.rstrip().split(None, 5)
    if len(words) < 6 or "x" not in words[1] or not words[5].endswith(" (deleted)"):
        return False
    return words[5].startswith(_CODE)


def _unit(lines: Iterable[str]) -> str:
    for line in lines:
        hierarchy, _, path = line.strip().partition(":")[2].partition(":")
        if hierarchy in ("", "name=systemd"):
            parts = [part for part in path.split("/") if part.endswith((".service", ".scope"))]
            if parts and (parts[-1].endswith(".service") or parts[-1] == "init.scope"):
                return parts[-1]
    return ""


def _numbers(folder: str) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if name.isdigit()]
    except OSError:
        return []


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.readlines()
    except OSError:
        return []
