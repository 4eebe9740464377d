"""Instances come up and go down; what a crashed one left is found in its own folder and nowhere else."""

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.images import find_mirror
from tests.lab.lab import Lab, is_instance
from tests.lab.mirror import start_cache
from tests.lab.processes import Process, from_text, reap, to_text
from tests.lab.settings import Settings, free_index, locked, taken_indexes
from tests.lab.shell import run
from tests.lab.trees import MARKER, make_tree, remove_tree

_PROGRAMS = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "ssh": "openssh-client",
    "apt-cacher-ng": "apt-cacher-ng",
    "apt-ftparchive": "apt-utils",
    "dpkg-deb": "dpkg",
    "gpg": "gnupg",
}
_INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")


def obstacle() -> str:
    """Return why no lab can run here; empty when one can."""
    if os.geteuid() != 0:
        return "the lab needs root"
    missing = sorted({package for program, package in _PROGRAMS.items() if not shutil.which(program)})
    return f"the lab needs these packages: {' '.join(missing)}" if missing else ""


def bring_up(settings: Settings, count: int, owner: Process | None = None, *, machines: int = 0) -> Lab:
    """Start an instance with so many hosts, a mix of Debian 12 and 13.

    Args:
        settings: the instance.
        count: how many hosts.
        machines: how many more, each with a kernel of its own.
        owner: the process that the instance must not outlive; another lab that comes up takes it down then.
    """
    if reason := obstacle():
        raise LabError(reason)
    with locked(settings.state_root / "lock"):
        _take_down_orphans(settings)
        if is_instance(settings.folder):
            _take_down(settings)
        _refuse_folder_of_others(settings.folder)
        _raise_limits()
        index = free_index(taken_indexes(settings.state_root), _wanted_index())
        make_tree(settings.folder)
        known = {"index": index, "mirror": asdict(find_mirror()), "owner": to_text(owner)}
        (settings.folder / "instance.json").write_text(json.dumps(known))
        lab = Lab(settings)
        lab.network.up()
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "khien-lab", "-f", lab.key])
    storage = settings.cache / f"packages-{index}"
    cache = start_cache(settings.folder / "package-cache", storage, lab.network)
    (settings.folder / "cache.pid").write_text(to_text(cache))
    lab.repository.create()
    lab.repository.serve(lab.network)
    lab.add_hosts(_mix(count))
    lab.add_hosts(_mix(machines), "machine")
    return lab


def _mix(count: int) -> list[str]:
    return [("bookworm", "trixie")[number % 2] for number in range(count)]


def take_down(settings: Settings) -> list[str]:
    """End an instance and remove all it used; return what could not be removed."""
    with locked(settings.state_root / "lock"):
        return _take_down(settings) if is_instance(settings.folder) else []


def _take_down(settings: Settings) -> list[str]:
    lab = Lab(settings)
    for host in lab.hosts:
        lab.remove(host)
    for process in lab.processes():
        process.end()
    reap()
    lab.network.down()
    run(["gpgconf", "--homedir", settings.folder / "repository/keys", "--kill", "all"], check=False)
    left = lab.leftovers()
    if not left:
        remove_tree(settings.folder, settings.state_root)
        _forget_public(settings)
    return left


def _refuse_folder_of_others(folder: Path) -> None:
    # A marker in it would let the next `down` remove what somebody else keeps there.
    if folder.is_symlink() or (folder.exists() and not (folder / MARKER).is_file()):
        raise LabError(f"{folder} is there already and no lab made it: choose another name or state folder")


def _forget_public(settings: Settings) -> None:
    """Remove the files that we announced, by name."""
    public = settings.public
    for name in ("inventory/hosts.yml", "key", "key.pub", "known_hosts"):
        (public / name).unlink(missing_ok=True)
    for folder in (public / "inventory", public):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _take_down_orphans(settings: Settings) -> None:
    """End instances below our own state root whose owner died."""
    for folder in sorted(settings.state_root.iterdir()):
        if folder == settings.folder or not is_instance(folder):
            continue
        owner = from_text(json.loads((folder / "instance.json").read_text()).get("owner", ""))
        if owner is not None and not owner.is_alive:
            _take_down(Settings(folder.name, settings.state_root, settings.cache, settings.disk_mebibytes))


def _wanted_index() -> int | None:
    word = os.environ.get("KHIEN_LAB_INDEX")
    return int(word) if word else None


def _raise_limits() -> None:
    # With the kernel's own limit, the first process of the 16th host cannot start.
    if int(_INOTIFY.read_text()) < 4096:
        _INOTIFY.write_text("4096")
