"""One real host of the lab."""

import json
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.groups import group_of, remove_group
from tests.lab.network import Network
from tests.lab.processes import Process, from_text, identify, start_detached, to_text
from tests.lab.settings import CHECKOUT
from tests.lab.shell import run
from tests.lab.trees import mounts_below
from tests.lab.waiting import wait_until

_MACHINE = "khien-lab"


@dataclass(frozen=True)
class Record:
    """What the lab remembers of a host."""

    name: str
    number: int
    codename: str
    user: str
    image: str
    disk_mebibytes: int
    host_key: str = ""


class Host:
    """A container with systemd and sshd on an overlay of a base image; its disk lives in memory."""

    def __init__(
        self, folder: Path, network: Network, key: Path, known_hosts: Path, sources: Callable[[str], str]
    ) -> None:
        self.folder = folder
        self.network = network
        self.key = key
        self.known_hosts = known_hosts
        self._sources = sources
        self.record = Record(**json.loads((folder / "host.json").read_text()))

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

    def power_on(self, *, wait: bool = True) -> None:
        """Boot it with the disk it has; a disk of a fresh installation when it has none."""
        if self.is_running:
            return
        if not mounts_below(self.root):
            self._insert_disk()
        name = self.network.link(self.record.number)
        argv = [
            # Whatever kills the supervisor, or unshare before it, takes the whole host along.
            *("unshare", "--pid", "--fork", "--kill-child", "--mount-proc"),
            *(sys.executable, str(CHECKOUT / "tests/lab/supervisor.py"), group_of(name)),
            *("systemd-nspawn", "--quiet"),
            *("--boot", "--register=no", "--keep-unit", "--capability=CAP_NET_ADMIN", "--resolv-conf=off"),
            f"--directory={self.root}",
            f"--network-namespace-path=/run/netns/{name}",
            f"--hostname={self.name}",
            f"--machine={name}-{_MACHINE}",
        ]
        # Makes net.* sysctls of the host's own namespace writable.
        process = start_detached(
            ["env", "SYSTEMD_NSPAWN_API_VFS_WRITABLE=network", *argv], self.folder / "console.log"
        )
        (self.folder / "supervisor.pid").write_text(to_text(process))
        if wait:
            self.wait_ready()

    def power_off(self) -> None:
        """Cut its power: nothing on it gets to know."""
        supervisor = self._supervisor()
        leader = self._leader()
        if supervisor is not None:
            supervisor.signal(signal.SIGKILL)
            wait_until(lambda: not supervisor.is_alive, f"{self.name} does not lose its power", 20)
        if leader is not None:
            leader.signal(signal.SIGKILL)
            wait_until(lambda: not leader.is_alive, f"{self.name} does not lose its power", 20)
        remove_group(group_of(self.network.link(self.record.number)))

    def reset(self, *, wait: bool = True) -> None:
        """Give it the disk of a fresh installation."""
        self.power_off()
        self.remove_disk()
        self.power_on(wait=wait)

    def wait_ready(self, patience_seconds: float = 120) -> None:
        """Wait until its sshd greets and lets people in."""
        wait_until(self.lets_in, f"{self.name} does not come up: {self._last_words()}", patience_seconds)

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

    def lets_in(self) -> bool:
        """Whether a login works: while the system boots, sshd greets and pam_nologin refuses."""
        leader = self._leader()
        return (
            leader is not None
            and self.greets()
            and not Path(f"/proc/{leader.pid}/root/run/nologin").exists()
            and not self.ssh("true").returncode
        )

    def exec(
        self, argv: Sequence[str], *, check: bool = True, stdin: str | None = None, timeout: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on it as root, from the outside: works on a cut or hung host, too."""
        return run([*self.inside(), *argv], check=check, stdin=stdin, timeout=timeout)

    def inside(self) -> list[str]:
        """Return the words that put a command into the host."""
        leader = self._leader()
        if leader is None:
            raise LabError(f"{self.name} is not running")
        environment = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root"]
        return [
            *(
                "nsenter",
                "--target",
                str(leader.pid),
                "--mount",
                "--uts",
                "--ipc",
                "--net",
                "--pid",
                "--cgroup",
            ),
            *("--root", "--wd", "--", *environment),
        ]

    def ssh_command(self, *argv: str) -> list[str]:
        """Return the ssh command line for a command on it."""
        options = (
            "BatchMode=yes",
            f"UserKnownHostsFile={self.known_hosts}",
            "GlobalKnownHostsFile=/dev/null",
            "StrictHostKeyChecking=yes",
            "ConnectTimeout=5",
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

    def boot_id(self) -> str:
        """Return something that differs after each boot."""
        leader = self._leader()
        return to_text(leader)

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

    def leader_pid(self) -> int:
        """Return the pid of its first process on this machine."""
        leader = self._leader()
        if leader is None:
            raise LabError(f"{self.name} is not running")
        return leader.pid

    def _supervisor(self) -> Process | None:
        try:
            return from_text((self.folder / "supervisor.pid").read_text())
        except FileNotFoundError:
            return None

    def _leader(self) -> Process | None:
        """Return the host's first process: what nspawn started as number 1 of a pid namespace."""
        supervisor = self._supervisor()
        if supervisor is None or not supervisor.is_alive:
            return None
        processes = _processes()
        below, keepers = {supervisor.pid}, set[int]()
        for _ in range(3):
            below = {pid for pid, (parent, _) in processes.items() if parent in below}
            for pid in below:
                # The supervisor is number 1 of a namespace, too: never take it for the host.
                if processes[pid][0] in keepers and _is_first(pid):
                    return identify(pid)
            keepers = {pid for pid in below if processes[pid][1] == "systemd-nspawn"}
        return None

    def _insert_disk(self) -> None:
        disk = self.folder / "disk"
        disk.mkdir(exist_ok=True)
        self.root.mkdir(exist_ok=True)
        size = f"size={self.record.disk_mebibytes}m"
        run(["mount", "-t", "tmpfs", "-o", size, f"{_MACHINE}-{self.name}", disk])
        (disk / "upper").mkdir()
        (disk / "work").mkdir()
        layers = f"lowerdir={self.record.image},upperdir={disk}/upper,workdir={disk}/work"
        run(["mount", "-t", "overlay", "-o", layers, "overlay", self.root])
        self._personalise()

    def remove_disk(self) -> None:
        """Throw its disk away; it must have no power."""
        if self.is_running:
            raise LabError(f"{self.name} is running")
        for point in (*mounts_below(self.root), *mounts_below(self.folder / "disk")):
            run(["umount", point])

    def _personalise(self) -> None:
        record, root = self.record, self.root
        key = self.key.with_suffix(".pub").read_text()
        home = root / ("root" if record.user == "root" else f"home/{record.user}")
        if record.user != "root":
            run(["useradd", "--root", root, "--create-home", "--shell", "/bin/bash", record.user])
            _put(root / f"etc/sudoers.d/{record.user}", f"{record.user} ALL=(ALL) NOPASSWD: ALL\n", 0o440)
        _put(home / ".ssh/authorized_keys", key, 0o600)
        (home / ".ssh").chmod(0o700)
        if record.user != "root":
            run(["chroot", root, "chown", "-R", f"{record.user}:", f"/home/{record.user}/.ssh"])
        _put(root / "etc/ssh/ssh_host_ed25519_key", record.host_key, 0o600)
        _put(root / "etc/hostname", f"{self.name}\n")
        _put(root / "etc/hosts", f"127.0.0.1 localhost\n{self.address} {self.name}\n")
        (root / "etc/apt/sources.list").unlink(missing_ok=True)
        _put(root / "etc/apt/apt.conf.d/90lab", self._sources("options"))
        _put(root / "etc/apt/keyrings/khien-lab.asc", self._sources("key"))
        _put(root / "etc/apt/sources.list.d/debian.list", self._sources(record.codename))
        for timer in ("apt-daily.timer", "apt-daily-upgrade.timer"):
            place = root / "etc/systemd/system" / timer
            place.unlink(missing_ok=True)
            place.symlink_to("/dev/null")

    def _last_words(self) -> str:
        try:
            return (self.folder / "console.log").read_text(errors="replace")[-300:]
        except FileNotFoundError:
            return ""


def new_host(folder: Path, record: Record) -> None:
    """Make the folder of a host, with an SSH key of its own."""
    key = folder / "key"
    if not key.exists():
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", record.name, "-f", key])
    words = asdict(record) | {"host_key": key.read_text()}
    (folder / "host.json").touch(mode=0o600)
    (folder / "host.json").write_text(json.dumps(words))


def public_host_key(folder: Path) -> str:
    """Return the public key that a host shows."""
    return " ".join((folder / "key.pub").read_text().split()[:2])


def _processes() -> dict[int, tuple[int, str]]:
    """Return the parent and the name of each process."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                left, _, right = (entry / "stat").read_text().rpartition(")")
            except OSError:
                continue
            found[int(entry.name)] = (int(right.split()[1]), left.partition("(")[2])
    return found


def _is_first(pid: int) -> bool:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return False
    spaces = next((line.split()[1:] for line in lines if line.startswith("NSpid")), [])
    return len(spaces) > 1 and spaces[-1] == "1"


def _put(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_text(text)
    path.chmod(mode)
