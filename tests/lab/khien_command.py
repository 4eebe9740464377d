"""The `khien` command on lab hosts, with a state of its own."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

KHIEN = Path(sys.executable).with_name("khien")


class Khien:
    """One installation that knows one inventory."""

    def __init__(self, state: Path, inventory: Path, **settings: object) -> None:
        self.state = state
        self.runtime = state / "r"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("KHIEN_")}
        named = {f"KHIEN_{name.upper()}": str(value) for name, value in settings.items()}
        self.environment = {
            **kept,
            "KHIEN_STATE_DIR": str(state),
            "KHIEN_RUNTIME_DIR": str(self.runtime),
            "KHIEN_INVENTORY": str(inventory),
            "XDG_CONFIG_HOME": str(state / "config"),
            "LANG": "C.UTF-8",
            **named,
        }

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        return subprocess.run(
            [KHIEN, *arguments],
            check=False,
            capture_output=True,
            text=True,
            env=self.environment,
            stdin=subprocess.DEVNULL,
        )

    def json(self, *arguments: str) -> dict[str, Any]:
        """Run the command and return its document, whatever its exit code."""
        done = self.call(*arguments, "--json")
        assert done.stdout, f"{arguments} ended with {done.returncode}:\n{done.stderr}"
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def start(self, *arguments: str) -> str:
        """Start a detached run and return its id."""
        started: str = self.json(*arguments, "--detach")["run"]["id"]
        return started


@contextmanager
def installation(inventory: Path, **settings: object) -> Iterator[Khien]:
    """Give an installation that is gone afterwards; its folder's name is short for ssh's sockets."""
    with tempfile.TemporaryDirectory(prefix="kl") as folder:
        yield Khien(Path(folder), inventory, **settings)


def states(document: dict[str, Any]) -> dict[str, str]:
    """Return each host's state in a run's document."""
    return {host["host"]: host["state"] for host in document["hosts"]}
