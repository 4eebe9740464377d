"""The private folder of one run: readable by nobody else, gone afterwards."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

# A UNIX socket's path holds 107 bytes; ssh adds a name of its own below cp/.
_LONGEST_FOLDER = 60
_MARKER = ".khien-run"


class PrivateFolder:
    """A folder of mode 0700 that is removed when the run ends."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def make(cls, runtime_dir: Path, run_id: str) -> PrivateFolder:
        """Make a new one; names are never reused, so nothing of an earlier run can leak into this one."""
        runtime_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = tempfile.mkdtemp(prefix=_prefix(run_id), dir=runtime_dir)
        if len(os.fsencode(folder)) > _LONGEST_FOLDER:
            Path(folder).rmdir()
            folder = tempfile.mkdtemp(prefix=_prefix(run_id))
        made = cls(Path(folder))
        made.write(_MARKER, "")
        return made

    @classmethod
    def left_by(cls, runtime_dir: Path, run_id: str) -> tuple[PrivateFolder, ...]:
        """Return the folders that a dead run left behind."""
        places = (runtime_dir, Path(tempfile.gettempdir()))
        return tuple(cls(path) for place in places for path in place.glob(f"{_prefix(run_id)}*"))

    @classmethod
    def existing(cls, path: Path) -> PrivateFolder:
        """Return the folder that another process made."""
        return cls(path)

    def write(self, name: str, text: str) -> Path:
        """Write a file that only we can read."""
        path = self.path / name
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        return path

    def remove(self) -> None:
        """Remove the folder and all in it; a folder that no run made is never touched."""
        if self.path.is_absolute() and (self.path / _MARKER).is_file():
            shutil.rmtree(self.path, ignore_errors=True)


def _prefix(run_id: str) -> str:
    return f"khien-{run_id}-"
