"""The only place that deletes folders: below the lab's state root, with the lab's marker, and nothing mounted."""

import os
import shutil
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.settings import CHECKOUT

MARKER = ".khien-lab"


def make_tree(path: Path) -> Path:
    """Make a folder that `remove_tree` may remove again."""
    path.mkdir(parents=True, exist_ok=True)
    (path / MARKER).touch()
    return path


def remove_tree(path: Path | str, state_root: Path) -> None:
    """Remove a folder of the lab.

    Raises:
        LabError: it is not absolute, not strictly below the state root, a link, without marker, holds the
            checkout, or has mounts.
    """
    if not str(path) or not Path(path).is_absolute():
        raise LabError(f"refusing to remove {str(path)!r}: it is not an absolute path")
    if not state_root.is_absolute() or len(state_root.parts) < 3:
        raise LabError(f"refusing to remove anything below {state_root}: that is no state root")
    given = Path(path)
    whole = Path(os.path.normpath(given))
    if whole != given or given.resolve() != given:
        raise LabError(f"refusing to remove {given}: it is not the path of a folder itself")
    if given == CHECKOUT or given in CHECKOUT.parents:
        raise LabError(f"refusing to remove {given}: it holds the lab itself")
    root = state_root.resolve()
    if root == given or root not in given.parents:
        raise LabError(f"refusing to remove {given}: it is not below {root}")
    if given.is_symlink() or not given.is_dir():
        raise LabError(f"refusing to remove {given}: it is no folder")
    if not (given / MARKER).is_file():
        raise LabError(f"refusing to remove {given}: it does not carry the lab's marker")
    mounted = mounts_below(given)
    if mounted:
        raise LabError(f"refusing to remove {given}: {mounted[0]} is mounted")
    shutil.rmtree(given)


def mounts_below(path: Path) -> list[Path]:
    """Return what is mounted at or below a folder, the innermost first."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        point = Path(line.split()[4].encode().decode("unicode_escape"))
        if point == path or path in point.parents:
            found.append(point)
    return sorted(found, key=lambda point: len(point.parts), reverse=True)
