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
    def make(cls, runtime_dir: Path, name: str) -> PrivateFolder:
        """Make a new one; names are never reused, so nothing of an earlier run can leak into this one."""
        runtime_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = tempfile.mkdtemp(prefix=f"{name[:8]}-", dir=runtime_dir)
        if len(os.fsencode(folder)) > _LONGEST_FOLDER:
            Path(folder).rmdir()
            folder = tempfile.mkdtemp(prefix="khien-")
        made = cls(Path(folder))
        made.write(_MARKER, "")
        return made

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
