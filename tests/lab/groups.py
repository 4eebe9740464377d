"""The control group of each host, which its systemd takes for the whole machine."""

import os
import re
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.waiting import wait_until

_HIERARCHIES = ("systemd", "unified", ".")
_OURS = re.compile(r"khien-lab-kh\d{1,2}-\d{1,3}\Z")


def group_of(link: str) -> str:
    """Return the name of a host's control group."""
    return f"khien-lab-{link}"


def remove_group(name: str) -> None:
    """Remove the empty control group of a host without power; only folders that are empty can go."""
    if not _OURS.match(name):
        raise LabError(f"refusing to remove {name!r}: that is no control group of the lab")
    for hierarchy in _HIERARCHIES:
        top = Path("/sys/fs/cgroup", hierarchy, name)
        if (top / "cgroup.procs").exists():
            wait_until(lambda top=top: _is_gone(top), f"the control group {name} does not become empty", 10)


def _is_gone(top: Path) -> bool:
    try:
        for folder, _, _ in os.walk(top, topdown=False):
            Path(folder).rmdir()
    except FileNotFoundError:
        return not top.exists()
    except OSError:
        return False
    return True
