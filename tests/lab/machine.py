"""A host with a kernel of its own: what no container can show, such as auditd, modules and kernel.* sysctls."""

import os
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.host import Host
from tests.lab.processes import start_detached, to_text
from tests.lab.roots import give_cable
from tests.lab.shell import run
from tests.lab.trees import mounts_below
from tests.lab.waiting import wait_until

_EMULATOR = "qemu-system-x86_64"
_ENVIRONMENT = ("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root")


class Machine(Host):
    """A virtual machine on one emulated processor; its disk is a file in its folder.

    It boots the kernel of its base image, whatever kernel its own disk has got since.
    """

    # Emulated, a key exchange alone takes a second, and a boot a minute; on a busy machine many times that.
    boot_seconds = 900
    connect_seconds = 30

    @property
    def disk(self) -> Path:
        """Its disk, an ext4 file system."""
        return self.folder / "disk.img"

    def power_on(self, *, wait: bool = True) -> None:
        """Boot it with the disk it has; a disk of a fresh installation when it has none."""
        if not self.is_running:
            if not self.disk.exists():
                self._make_disk()
            process = start_detached(self._command(), self.folder / "qemu.log")
            (self.folder / "supervisor.pid").write_text(to_text(process))
        if wait:
            self.wait_ready()

    def power_off(self) -> None:
        """Cut its power: nothing on it gets to know."""
        process = self._supervisor()
        if process is not None:
            process.signal(signal.SIGKILL)
            wait_until(lambda: not process.is_alive, f"{self.name} does not lose its power", 20)

    def remove_disk(self) -> None:
        """Throw its disk away; it must have no power."""
        if self.is_running:
            raise LabError(f"{self.name} is running")
        self._unmount()
        self.disk.unlink(missing_ok=True)

    def lets_in(self) -> bool:
        """Whether a login works: while the system boots, sshd greets and pam_nologin refuses."""
        if not self.is_running:
            raise LabError(f"{self.name} ended: {self._said('qemu.log') or self._last_words()}")
        return self._ask("test ! -e /run/nologin && echo yes") == "yes"

    def inside(self, *argv: str) -> list[str]:
        """Return the words that run a command on it as root; the way in is its sshd."""
        if not self.is_running:
            raise LabError(f"{self.name} is not running")
        become = () if self.record.user == "root" else ("sudo", "-n", "--")
        return self.ssh_command(shlex.join([*become, *_ENVIRONMENT, *argv]))

    def boot_id(self) -> str:
        """Return something that differs after each boot; empty while nobody can ask."""
        return self._ask("cat /proc/sys/kernel/random/boot_id") if self.is_running else ""

    def _ask(self, command: str) -> str:
        """Return what a command says; empty when the host is too busy to answer."""
        if not self.greets():
            return ""
        try:
            return self.ssh(command).stdout.strip()
        except subprocess.TimeoutExpired:
            return ""

    def _command(self) -> list[str]:
        boot = Path(self.record.image, "boot")
        kernels = sorted(boot.glob("vmlinuz-*"))
        if not kernels:
            raise LabError(f"{self.record.image} has no kernel")
        link = self.network.link(self.record.number)
        # Locally administered, and never that of another host of any instance on this machine.
        address = f"52:54:00:4c:{self.network.index:02x}:{self.record.number:02x}"
        return [
            *(
                _EMULATOR,
                "-accel",
                "tcg",
                "-cpu",
                "max",
                "-smp",
                "1",
                "-m",
                str(self.record.memory_mebibytes),
            ),
            *("-name", f"{link}-khien-lab", "-nodefaults", "-no-user-config", "-display", "none"),
            *("-serial", f"file:{self.folder}/console.log", "-device", "virtio-rng-pci"),
            *("-drive", f"file={self.disk},if=virtio,format=raw,cache=unsafe"),
            *("-netdev", f"tap,id=cable,ifname={link},script=no,downscript=no"),
            *("-device", f"virtio-net-pci,netdev=cable,mac={address},romfile="),
            *(
                "-kernel",
                str(kernels[-1]),
                "-initrd",
                str(boot / kernels[-1].name.replace("vmlinuz", "initrd.img")),
            ),
            *("-append", "root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet"),
        ]

    def _make_disk(self) -> None:
        """Make it from the base image; the layer that makes it this host is gone afterwards."""
        if obstacle := machine_obstacle():
            raise LabError(obstacle)
        unfinished = self.folder / "disk.unfinished"
        unfinished.unlink(missing_ok=True)
        self._unmount()
        try:
            self._mount_overlay()
            give_cable(self.root, self.address, self.network.gateway)
            run(["mke2fs", "-q", "-t", "ext4", "-d", self.root, unfinished, f"{self.record.disk_mebibytes}m"])
        finally:
            self._unmount()
        unfinished.rename(self.disk)

    def _unmount(self) -> None:
        for point in (*mounts_below(self.root), *mounts_below(self.folder / "disk")):
            run(["umount", point])

    def _said(self, name: str) -> str:
        file = self.folder / name
        return file.read_text(errors="replace")[-300:].strip() if file.exists() else ""


def machine_obstacle() -> str:
    """Return why no virtual machine can run here; empty when one can."""
    missing = [
        package
        for program, package in ((_EMULATOR, "qemu-system-x86"), ("mke2fs", "e2fsprogs"))
        if not shutil.which(program)
    ]
    if missing:
        return f"hosts with a kernel of their own need these packages: {' '.join(missing)}"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "hosts with a kernel of their own need /dev/net/tun"
    return ""
