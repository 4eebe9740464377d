"""The words that Typer itself says are in the chosen language, and its exit codes are ours."""

from __future__ import annotations

import subprocess
import sys

import pytest


def khien(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "khien.cli.main", *arguments], capture_output=True, text=True, check=False
    )


def test_help_has_no_english_heading_in_vietnamese() -> None:
    shown = khien("--lang", "vi", "run", "retry", "-h")

    assert shown.returncode == 0
    assert "Cách dùng: khien run retry [TÙY CHỌN]" in shown.stdout
    assert "Hiện phần trợ giúp này." in shown.stdout
    for english in ("Usage", "Arguments", "Options", "Show this", "required"):
        assert english not in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nope"], "Không có lệnh nope."),
        (["verify", "--nope"], "Không có tùy chọn --nope."),
        (["verify", "--forks"], "Tùy chọn --forks cần một giá trị."),
        (["verify", "-f", "0"], "Giá trị của -f/--forks không hợp lệ"),
        (["host", "show"], "Thiếu tham số name."),
        (["runs", "a", "b"], "Thừa tham số: a b"),
    ],
)
def test_wrong_use_is_explained_in_vietnamese_and_exits_with_2(arguments: list[str], words: str) -> None:
    refused = khien("--lang", "vi", *arguments)

    assert refused.returncode == 2
    assert words in refused.stderr
    assert "Error:" not in refused.stderr
    assert not refused.stdout
