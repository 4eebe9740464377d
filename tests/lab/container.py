"""A host in a container: systemd and sshd of its own on this machine's kernel, up in seconds."""

import signal
import sys
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.groups import group_of, remove_group
from tests.lab.host import Host
from tests.lab.processes import Process, identify, start_detached, to_text
from tests.lab.settings import CHECKOUT
from tests.lab.shell import run
from tests.lab.trees import mounts_below
from tests.lab.waiting import wait_until

_MACHINE = "khien-lab"


class Container(Host):
    """A container with systemd and sshd on an overlay of a base image; its disk lives in memory."""

    def power_on(self, *, wait: bool = True) -> None:
        """Boot it with the disk it has; a disk of a fresh installation when it has none."""
        if self.is_running:
            return
        if not mounts_below(self.root):
            self._mount_overlay()
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

    def remove_disk(self) -> None:
        """Throw its disk away; it must have no power."""
        if self.is_running:
            raise LabError(f"{self.name} is running")
        for point in (*mounts_below(self.root), *mounts_below(self.folder / "disk")):
            run(["umount", point])

    def lets_in(self) -> bool:
        """Whether a login works: while the system boots, sshd greets and pam_nologin refuses."""
        leader = self._leader()
        return (
            leader is not None
            and self.greets()
            and not Path(f"/proc/{leader.pid}/root/run/nologin").exists()
            and not self.ssh("true").returncode
        )

    def inside(self, *argv: str) -> list[str]:
        """Return the words that run a command on it as root: works on a cut or hung host, too."""
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
            *("--root", "--wd", "--", *environment, *argv),
        ]

    def boot_id(self) -> str:
        """Return something that differs after each boot."""
        leader = self._leader()
        return to_text(leader)

    def leader_pid(self) -> int:
        """Return the pid of its first process on this machine."""
        leader = self._leader()
        if leader is None:
            raise LabError(f"{self.name} is not running")
        return leader.pid

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
