"""The host as hardening sees it: its files, its commands, what kind of system it is."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import tempfile
from typing import Any, Callable, Optional, Sequence

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_FAMILIES = {
    "debian": {"debian", "ubuntu"},
    "redhat": {"rhel", "centos", "almalinux", "rocky", "ol", "fedora"},
    "suse": {"sles", "opensuse-leap", "suse", "opensuse"},
}


class ApplyError(Exception):
    """Something that hardening tried did not work; the message is for people."""


class System:
    """One host. All that reads or changes it goes through here; tests put it below another root."""

    def __init__(self, root: str = "/") -> None:
        self.root = root.rstrip("/")
        self._release: Optional[dict[str, str]] = None
        self._container: Optional[bool] = None

    def path(self, path: str) -> str:
        """Return where a path of the host lies for us."""
        return self.root + path

    def exists(self, path: str) -> bool:
        """Whether a path exists; a dangling link does."""
        return os.path.lexists(self.path(path))

    def read(self, path: str) -> Optional[bytes]:
        """Return a file's bytes, or None when there is no such file."""
        try:
            with open(self.path(path), "rb") as stream:
                return stream.read()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def text(self, path: str) -> Optional[str]:
        """Return a file's text, or None when there is none; bytes that are no text survive a rewrite."""
        data = self.read(path)
        return None if data is None else data.decode("utf-8", "surrogateescape")

    def write(self, path: str, data: bytes, mode: int, uid: int, gid: int) -> None:
        """Put a file in its place at once and durably: whoever reads it sees the old one or the new one."""
        place = self.path(path)
        handle, fresh = tempfile.mkstemp(prefix=".khien-", dir=os.path.dirname(place))
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                os.fchown(stream.fileno(), uid, gid)
                os.fchmod(stream.fileno(), mode)
                stream.flush()
                os.fsync(stream.fileno())
            os.rename(fresh, place)
        except BaseException:
            os.unlink(fresh)
            raise

    def run(
        self, argv: Sequence[str], limit: float = 120.0, env: Optional[dict[str, str]] = None
    ) -> tuple[int, str]:
        """Run a command without input; return its exit code and its output."""
        words = ["chroot", self.root, *argv] if self.root else list(argv)
        environment = {"LC_ALL": "C", "PATH": _PATH, "DEBIAN_FRONTEND": "noninteractive", **(env or {})}
        try:
            done = subprocess.run(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=environment,
                timeout=limit,
                check=False,
            )
        except FileNotFoundError:
            return 127, "%s: no such program" % argv[0]
        except subprocess.TimeoutExpired:
            return 124, "%s did not end within %g s" % (argv[0], limit)
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def must_run(self, argv: Sequence[str], limit: float = 120.0) -> str:
        """Run a command that has to succeed; return its output.

        Raises:
            ApplyError: it did not.
        """
        code, output = self.run(argv, limit)
        if code != 0:
            words = " ".join(shlex.quote(word) for word in argv)
            raise ApplyError("%s: exit code %d: %s" % (words, code, output.strip()[-500:]))
        return output

    @property
    def release(self) -> dict[str, str]:
        """The words of os-release."""
        if self._release is None:
            text = self.text("/etc/os-release") or self.text("/usr/lib/os-release") or ""
            pairs = (line.split("=", 1) for line in text.split("\n") if "=" in line)
            self._release = {key.strip(): value.strip().strip("\"'") for key, value in pairs}
        return self._release

    @property
    def names(self) -> set[str]:
        """All words that `only_on` may use for this system: family, id, id with version."""
        identity = self.release.get("ID", "")
        like = set(self.release.get("ID_LIKE", "").split()) | {identity}
        family = {name for name, members in _FAMILIES.items() if like & members}
        version = self.release.get("VERSION_ID", "")
        slugs = {identity + version.replace(".", "")}
        if "redhat" in family:
            slugs.add("rhel" + version.split(".")[0])
        return family | slugs | {identity}

    @property
    def family(self) -> str:
        """The family: debian, redhat, suse, or empty when unknown."""
        return next(iter(sorted(self.names & set(_FAMILIES))), "")

    @property
    def in_container(self) -> bool:
        """Whether the kernel belongs to somebody else."""
        if self._container is None:
            self._container = self.exists("/run/systemd/container") or (
                self.run(["systemd-detect-virt", "--quiet", "--container"])[0] == 0
            )
        return self._container

    @property
    def machine(self) -> str:
        """The architecture, such as x86_64."""
        return platform.machine()


Action = Callable[[System], Any]
