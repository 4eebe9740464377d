"""Who may know whom."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def modules_after(statement: str) -> set[str]:
    """Return the top-level packages that a fresh interpreter has loaded after a statement."""
    code = f"{statement}\nimport sys\nprint(' '.join({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_the_rooms_import_inward_only() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program], check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        (
            "import khien.bootstrap",
            {"textual", "rich", "typer", "sqlalchemy", "paramiko", "pydantic", "ansible"},
        ),
        ("import khien.domain.evaluate", {"textual", "rich", "yaml", "pydantic", "sqlalchemy"}),
        ("import khien.cli.app", {"textual", "ansible", "sqlalchemy", "paramiko", "jinja2", "openpyxl"}),
        ("import khien.cli.run_process", {"textual", "rich", "typer"}),
    ],
)
def test_a_room_brings_no_heavy_guests(statement: str, unwanted: set[str]) -> None:
    assert modules_after(statement) & unwanted == set()
