"""A package repository of our own with a security suite: a test publishes an update and knows the outcome."""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from tests.lab.network import Network
from tests.lab.processes import Process, from_text, start_detached, to_text
from tests.lab.settings import CHECKOUT, locked
from tests.lab.shell import run
from tests.lab.waiting import wait_listening

Suite = Literal["main", "security"]
PORT = 8070
_SIGNER = "lab@example.org"
_SUITES: Mapping[Suite, tuple[str, str]] = {
    "main": ("khienlab", "Khien-Lab"),
    "security": ("khienlab-security", "Khien-Lab-Security"),
}


class Repository:
    """The repository of one instance."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._site = folder / "site"
        self._keys = folder / "keys"

    @property
    def public_key(self) -> str:
        """The key that hosts trust, as text."""
        return (self._folder / "key.asc").read_text()

    def create(self) -> None:
        """Make it, empty, with a key of its own."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._keys.mkdir(mode=0o700, exist_ok=True)
        for suite in _SUITES:
            (self._site / "pool" / suite).mkdir(parents=True, exist_ok=True)
        self._gpg("--quick-generate-key", "--passphrase", "", f"Lab <{_SIGNER}>", "ed25519", "sign", "never")
        (self._folder / "key.asc").write_text(self._gpg("--armor", "--export", _SIGNER))
        self._index()

    def serve(self, network: Network) -> Process:
        """Start the server."""
        log = self._folder / "server.log"
        script = CHECKOUT / "tests/lab/repository_server.py"
        argv = [sys.executable, script, str(self._site), network.gateway, str(PORT)]
        process = start_detached(argv, log)
        wait_listening(network.gateway, PORT, process, log)
        (self._folder / "server.pid").write_text(to_text(process))
        return process

    def publish(
        self,
        name: str,
        version: str,
        *,
        suite: Suite = "main",
        depends: str = "",
        postinst: str = "",
        scripts: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
        conffiles: Mapping[str, str] | None = None,
        size_kib: int = 0,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        """Publish a version of a package.

        Args:
            name: Name of the package.
            version: Its Debian version.
            suite: The suite that gets it.
            depends: The Depends field.
            postinst: Shell lines that run after unpacking; they may sleep or fail.
            scripts: More maintainer scripts by name (preinst, prerm, postrm), as shell lines.
            files: Contents of further files by absolute path; those below /etc are not made conffiles.
            conffiles: Contents of configuration files by absolute path.
            size_kib: Size of an extra file that does not compress.
            fields: More control fields (Conflicts, Provides, Priority and the like).
        """
        control = {
            "Package": name,
            "Version": version,
            "Architecture": "all",
            "Depends": depends,
            "Maintainer": f"Lab <{_SIGNER}>",
            "Section": "misc",
            "Priority": "optional",
            "Installed-Size": str(size_kib + 8),
            "Description": f"test package {name}",
            **(fields or {}),
        }
        contents = {f"/usr/share/{name}/version": f"{version}\n", **(files or {}), **(conffiles or {})}
        with locked(self._folder / "lock"), tempfile.TemporaryDirectory(dir=self._folder) as top:
            tree = Path(top)
            tree.chmod(0o755)
            for path, text in contents.items():
                _write(tree / path.lstrip("/"), text, 0o755 if "/bin/" in path else 0o644)
            if size_kib:
                (tree / f"usr/share/{name}/weight").write_bytes(os.urandom(size_kib * 1024))
            lines = (f"{key}: {text}\n" for key, text in control.items() if text)
            _write(tree / "DEBIAN/control", "".join(lines))
            if conffiles:
                _write(tree / "DEBIAN/conffiles", "".join(f"{path}\n" for path in conffiles))
            for script, commands in {"postinst": postinst, **(scripts or {})}.items():
                if commands:
                    _write(tree / "DEBIAN" / script, f"#!/bin/sh\nset -e\n{commands}\n", 0o755)
            pool = self._site / "pool" / suite
            run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", tree, pool])
            self._index()

    def remove(self, name: str, version: str | None = None) -> None:
        """Take one version of a package, or all of them, out of both suites."""
        with locked(self._folder / "lock"):
            for file in self._site.glob(f"pool/*/{name}_{version or '*'}_all.deb"):
                file.unlink()
            self._index()

    def clear(self) -> None:
        """Take every package out."""
        with locked(self._folder / "lock"):
            for file in self._site.glob("pool/*/*.deb"):
                file.unlink()
            self._index()

    def hang(self) -> None:
        """Let the server take connections and say nothing: `apt-get update` on hosts hangs."""
        self._server().signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let it answer again."""
        self._server().signal(signal.SIGCONT)

    def _server(self) -> Process:
        process = from_text((self._folder / "server.pid").read_text())
        assert process is not None
        return process

    def _index(self) -> None:
        for suite, (codename, label) in _SUITES.items():
            packages = run(["sh", "-c", f"cd '{self._site}' && apt-ftparchive packages pool/{suite}"]).stdout
            dists = self._site / "dists" / codename
            _write(dists / "main/binary-all/Packages", "")
            machine = run(["dpkg", "--print-architecture"]).stdout.strip()
            _write(dists / f"main/binary-{machine}/Packages", packages)
            options = {
                "Origin": "Khien-Lab",
                "Label": label,
                "Suite": codename,
                "Codename": codename,
                "Architectures": f"{machine} all",
                "Components": "main",
            }
            argv = ["apt-ftparchive"]
            for key, word in options.items():
                argv += ["-o", f"APT::FTPArchive::Release::{key}={word}"]
            # HTTP tells times in whole seconds: a host must see that two versions of one second differ.
            latest = dists / "InRelease"
            moment = max(int(time.time()), int(latest.stat().st_mtime) + 1 if latest.exists() else 0)
            for old in ("Release", "InRelease"):
                (dists / old).unlink(missing_ok=True)
            release = run([*argv, "release", dists]).stdout
            fresh = dists / "InRelease.new"
            _write(fresh, self._gpg("--clearsign", stdin=release))
            os.utime(fresh, (moment, moment))
            fresh.rename(latest)

    def _gpg(self, *arguments: str, stdin: str | None = None) -> str:
        argv = ["gpg", "--homedir", self._keys, "--batch", "--pinentry-mode", "loopback", "--quiet"]
        return run([*argv, *arguments], stdin=stdin).stdout


def apt_sources(network: Network) -> str:
    """Return what a host's sources say about the repository; the key lies beside it."""
    lines = (
        f"deb [signed-by=/etc/apt/keyrings/khien-lab.asc] http://{network.gateway}:{PORT} {codename} main\n"
        for codename, _ in _SUITES.values()
    )
    return "".join(lines)


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
