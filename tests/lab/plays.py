"""Plays playbooks with plain ansible-playbook on lab hosts, and reads what they said."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]
_QUICK = {"patch_settle_seconds": 1, "patch_lock_wait_seconds": 60}


@dataclass(frozen=True)
class Outcome:
    """What a play said."""

    code: int
    lines: tuple[dict[str, Any], ...]
    text: str = field(repr=False, default="")

    def reports(self, host: str) -> list[dict[str, Any]]:
        """Return the reports of one host in their order."""
        results = [line["result"] for line in self.lines if line.get("host") == host]
        return [result["khien"] for result in results if "khien" in result]

    def report(self, host: str) -> dict[str, Any]:
        """Return the last report of one host."""
        reports = self.reports(host)
        assert reports, self.text
        return reports[-1]

    def changes(self, host: str) -> dict[str, tuple[str, str]]:
        """Return the changes of a host's last report: versions before and after by name."""
        rows = self.report(host)["changes"]
        return {row["name"]: (row["from_version"], row["to_version"]) for row in rows}

    def stats(self, host: str) -> dict[str, int]:
        """Return Ansible's own count for one host."""
        return dict(self.lines[-1]["stats"][host])

    def statuses(self, host: str) -> list[str]:
        """Return how each task of a host ended."""
        return [line["status"] for line in self.lines if line.get("host") == host]


class Play:
    """One ansible-playbook that runs."""

    def __init__(
        self, inventory: Path, *arguments: str, playbook: str = "playbooks/patch.yml", **variables: object
    ) -> None:
        words = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory)]
        words += [playbook, "-e", json.dumps({**_QUICK, **variables}), *arguments]
        environment = {
            **os.environ,
            "ANSIBLE_CALLBACK_PLUGINS": str(_ROOT / "tests/fixtures/callback_plugins"),
            "ANSIBLE_STDOUT_CALLBACK": "json_lines",
            "ANSIBLE_CONFIG": str(_ROOT / "ansible.cfg"),
            "ANSIBLE_ROLES_PATH": f"{_ROOT / 'roles'}:{_ROOT / 'tests/lab/content/roles'}",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(inventory / "cp"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._process = subprocess.Popen(
            words,
            cwd=_ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def wait(self, timeout_seconds: float = 240) -> Outcome:
        """Return what it said when it has ended."""
        out, _ = self._process.communicate(timeout=timeout_seconds)
        return Outcome(self._process.returncode, tuple(_lines(out)), out)

    def lines_until(self, host: str, stage: str) -> list[dict[str, Any]]:
        """Read on until a host reports that stage."""
        assert self._process.stdout is not None
        seen = []
        for text in self._process.stdout:
            seen += _lines(text)
            khien = seen[-1].get("result", {}).get("khien", {}) if seen else {}
            if seen and seen[-1].get("host") == host and khien.get("stage") == stage:
                return seen
        raise AssertionError(f"{host} never reported {stage}: {seen}")

    def kill(self) -> None:
        """End ansible-playbook and its workers at once, as a power cut of the controller does."""
        for pid in _descendants(self._process.pid):
            os.kill(pid, signal.SIGKILL)
        self._process.communicate()


def play(
    inventory: Path, *arguments: str, playbook: str = "playbooks/patch.yml", **variables: object
) -> Outcome:
    """Play a playbook to its end."""
    return Play(inventory, *arguments, playbook=playbook, **variables).wait()


def _lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def _descendants(pid: int) -> Sequence[int]:
    """Return a process and all below it; the workers of ansible-playbook have sessions of their own."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found
