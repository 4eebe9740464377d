"""Makes the root folder of a base image that of one particular host: its names, its keys, its package sources."""

from collections.abc import Callable
from pathlib import Path

from tests.lab.record import Record
from tests.lab.shell import run


def personalise(root: Path, record: Record, address: str, key: str, sources: Callable[[str], str]) -> None:
    """Write what makes a host this one: user, sudo, keys, name, mirror; and let nothing fetch by itself."""
    home = root / ("root" if record.user == "root" else f"home/{record.user}")
    if record.user != "root":
        run(["useradd", "--root", root, "--create-home", "--shell", "/bin/bash", record.user])
        put(root / f"etc/sudoers.d/{record.user}", f"{record.user} ALL=(ALL) NOPASSWD: ALL\n", 0o440)
    put(home / ".ssh/authorized_keys", key, 0o600)
    (home / ".ssh").chmod(0o700)
    if record.user != "root":
        run(["chroot", root, "chown", "-R", f"{record.user}:", f"/home/{record.user}/.ssh"])
    put(root / "etc/ssh/ssh_host_ed25519_key", record.host_key, 0o600)
    put(root / "etc/hostname", f"{record.name}\n")
    put(root / "etc/hosts", f"127.0.0.1 localhost\n{address} {record.name}\n")
    (root / "etc/apt/sources.list").unlink(missing_ok=True)
    put(root / "etc/apt/apt.conf.d/90lab", sources("options"))
    put(root / "etc/apt/keyrings/khien-lab.asc", sources("key"))
    put(root / "etc/apt/sources.list.d/debian.list", sources(record.codename))
    for timer in ("apt-daily.timer", "apt-daily-upgrade.timer"):
        place = root / "etc/systemd/system" / timer
        place.unlink(missing_ok=True)
        place.symlink_to("/dev/null")


def give_cable(root: Path, address: str, gateway: str) -> None:
    """Let a host with a kernel of its own mount its disk and find its address by itself."""
    put(root / "etc/fstab", "/dev/vda / ext4 defaults,errors=remount-ro 0 1\n")
    network = (
        f"[Match]\nName=eth0\n\n[Network]\nAddress={address}/20\nGateway={gateway}\nLinkLocalAddressing=no\n"
    )
    put(root / "etc/systemd/network/10-lab.network", network)
    wanted = root / "etc/systemd/system/multi-user.target.wants/systemd-networkd.service"
    wanted.parent.mkdir(parents=True, exist_ok=True)
    wanted.unlink(missing_ok=True)
    wanted.symlink_to("/lib/systemd/system/systemd-networkd.service")


def put(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file anew, never through what lies there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_text(text)
    path.chmod(mode)
