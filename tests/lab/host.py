"""One real host of the lab."""

import shlex
import socket
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.lab.network import Network
from tests.lab.processes import Process, from_text
from tests.lab.record import read_record
from tests.lab.roots import personalise
from tests.lab.shell import run
from tests.lab.waiting import wait_until


class Host(ABC):
    """A host with systemd and sshd on the lab's bridge; what it runs on is its subclass' own business."""

    boot_seconds: float = 120
    connect_seconds = 5

    def __init__(
        self, folder: Path, network: Network, key: Path, known_hosts: Path, sources: Callable[[str], str]
    ) -> None:
        self.folder = folder
        self.network = network
        self.key = key
        self.known_hosts = known_hosts
        self._sources = sources
        self.record = read_record(folder)

    @property
    def name(self) -> str:
        """Its name in the inventory."""
        return self.record.name

    @property
    def address(self) -> str:
        """Its address on the bridge."""
        return self.network.address(self.record.number)

    @property
    def root(self) -> Path:
        """Its root folder as seen from outside."""
        return self.folder / "root"

    @property
    def is_running(self) -> bool:
        """Whether it has power."""
        supervisor = self._supervisor()
        return supervisor is not None and supervisor.is_alive

    @abstractmethod
    def power_on(self, *, wait: bool = True) -> None:
        """Boot it with the disk it has; a disk of a fresh installation when it has none."""

    @abstractmethod
    def power_off(self) -> None:
        """Cut its power: nothing on it gets to know."""

    @abstractmethod
    def remove_disk(self) -> None:
        """Throw its disk away; it must have no power."""

    @abstractmethod
    def lets_in(self) -> bool:
        """Whether a login works: while the system boots, sshd greets and pam_nologin refuses."""

    @abstractmethod
    def inside(self, *argv: str) -> list[str]:
        """Return the words that run a command on it as root."""

    @abstractmethod
    def boot_id(self) -> str:
        """Return something that differs after each boot; empty when it has no power."""

    def reset(self, *, wait: bool = True) -> None:
        """Give it the disk of a fresh installation."""
        self.power_off()
        self.remove_disk()
        self.power_on(wait=wait)

    def wait_ready(self, patience_seconds: float | None = None) -> None:
        """Wait until its sshd greets and lets people in."""
        wait_until(
            self.lets_in,
            f"{self.name} does not come up: {self._last_words()}",
            patience_seconds or self.boot_seconds,
        )

    def wait_until(self, question: Callable[[], bool], complaint: str, patience_seconds: float = 60) -> None:
        """Wait until something is so on this host."""
        wait_until(question, f"{self.name}: {complaint}", patience_seconds)

    def greets(self, timeout_seconds: float = 1.0) -> bool:
        """Whether its sshd says its banner."""
        try:
            with socket.create_connection((self.address, 22), timeout=timeout_seconds) as connection:
                connection.settimeout(timeout_seconds)
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def exec(
        self, argv: Sequence[str], *, check: bool = True, stdin: str | None = None, timeout: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on it as root, from the outside; in a container also when it is cut or hung."""
        return run(self.inside(*argv), check=check, stdin=stdin or "", timeout=timeout)

    def ssh_command(self, *argv: str) -> list[str]:
        """Return the ssh command line for a command on it."""
        options = (
            "BatchMode=yes",
            f"UserKnownHostsFile={self.known_hosts}",
            "GlobalKnownHostsFile=/dev/null",
            "StrictHostKeyChecking=yes",
            f"ConnectTimeout={self.connect_seconds}",
        )
        words = [word for option in options for word in ("-o", option)]
        return ["ssh", "-i", str(self.key), *words, f"{self.record.user}@{self.address}", *argv]

    def ssh(self, *argv: str, timeout_seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command on it by way of its sshd."""
        return run(self.ssh_command(*argv), check=False, timeout=timeout_seconds)

    def cut(self) -> None:
        """Pull its network cable."""
        run(["ip", "link", "set", self.network.link(self.record.number), "down"])

    def mend(self) -> None:
        """Plug it in again."""
        run(["ip", "link", "set", self.network.link(self.record.number), "up"])

    def use_own_repository(self, *, only: bool = False) -> None:
        """Let its apt read the lab's own repository, too; or only that."""
        self.write("/etc/apt/sources.list.d/khien-lab.list", self._sources("own"))
        if only:
            self.write("/etc/apt/sources.list.d/debian.list", "")

    def use_own_repository_only(self) -> None:
        """Let its apt read nothing but the lab's own repository."""
        self.use_own_repository(only=True)

    def use_distribution(self) -> None:
        """Let its apt read the distribution alone again."""
        self.exec(["rm", "-f", "/etc/apt/sources.list.d/khien-lab.list"])
        self.write("/etc/apt/sources.list.d/debian.list", self._sources(self.record.codename))

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file on it."""
        script = f'mkdir -p "$(dirname {shlex.quote(path)})" && cat > {shlex.quote(path)}'
        self.exec(["sh", "-c", f"{script} && chmod {mode:o} {shlex.quote(path)}"], stdin=text)

    def _supervisor(self) -> Process | None:
        try:
            return from_text((self.folder / "supervisor.pid").read_text())
        except FileNotFoundError:
            return None

    def _mount_overlay(self) -> None:
        """Lay a layer of its own, in memory, over the base image and make that this host's root folder."""
        layer = self.folder / "disk"
        layer.mkdir(exist_ok=True)
        self.root.mkdir(exist_ok=True)
        size = f"size={self.record.disk_mebibytes}m"
        run(["mount", "-t", "tmpfs", "-o", size, f"khien-lab-{self.name}", layer])
        (layer / "upper").mkdir()
        (layer / "work").mkdir()
        layers = f"lowerdir={self.record.image},upperdir={layer}/upper,workdir={layer}/work"
        run(["mount", "-t", "overlay", "-o", layers, "overlay", self.root])
        key = self.key.with_suffix(".pub").read_text()
        personalise(self.root, self.record, self.address, key, self._sources)

    def _last_words(self) -> str:
        try:
            return (self.folder / "console.log").read_text(errors="replace")[-300:]
        except FileNotFoundError:
            return ""
