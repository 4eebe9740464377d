"""Running commands, and telling what they said when they fail."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.lab.errors import LabError


def run(
    argv: Sequence[str | Path], *, check: bool = True, stdin: str | None = None, timeout: float = 600
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; a failure is a LabError with its last words."""
    words = [str(word) for word in argv]
    done = subprocess.run(words, input=stdin, capture_output=True, text=True, check=False, timeout=timeout)
    if check and done.returncode:
        said = (done.stderr or done.stdout).strip()[-2000:]
        raise LabError(f"{' '.join(words[:6])} ended with {done.returncode}: {said}")
    return done
