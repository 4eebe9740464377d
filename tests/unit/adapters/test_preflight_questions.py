"""The script that preflight runs, by real shells, and the reading of what comes back."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from khien.adapters import preflight_questions
from khien.adapters.preflight_questions import read_answers, script_for
from khien.application.judge_readiness import DoorAnswers, FreeSpace, HeldLock
from khien.domain.host import Host

HOST = Host("web1", connection={"ansible_python_interpreter": "/bin/echo 3.9.2", "ansible_become": False})
SHELLS = [shell for name in ("dash", "bash", "busybox") if (shell := shutil.which(name))]


def ask(host: Host = HOST, shell: str = "/bin/sh") -> str:
    command = [shell, "sh", "-s"] if shell.endswith("busybox") else [shell, "-s"]
    done = subprocess.run(command, input=script_for(host), capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout


def read(output: str, host: Host = HOST, at: float = 1000.0) -> DoorAnswers | None:
    return read_answers(output, host, "automation", asked_at=at, answered_at=at + 2)


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_answers_all_questions(shell: str) -> None:
    answers = read(ask(shell=shell))

    assert answers is not None
    assert answers.python_version == (3, 9, 2)
    assert {place.path for place in answers.free} >= {"/", "/tmp", "/var"}
    assert all(place.mount.startswith("/") for place in answers.free)
    assert answers.facts["boot_id"]
    assert answers.sudo_code is None


def test_a_held_lock_is_seen_with_its_holder_and_only_while_it_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "lock"
    monkeypatch.setattr(preflight_questions, "_LOCKS", str(lock))
    with lock.open("w") as file:
        assert _locks() == ()
        fcntl.lockf(file, fcntl.LOCK_EX)
        held = _locks()
        fcntl.lockf(file, fcntl.LOCK_UN)

    assert held == (HeldLock(str(lock), os.getpid(), Path("/proc/self/comm").read_text().strip()),)
    assert _locks() == ()


def _locks() -> tuple[HeldLock, ...]:
    answers = read(ask())
    assert answers is not None
    return tuple(answers.locks)


def test_the_script_asks_for_sudo_as_ansible_would() -> None:
    def first(**connection: object) -> str:
        return script_for(Host("a", connection=connection)).splitlines()[0]

    assert first() == "become_user=root"
    assert first(ansible_become="yes", ansible_become_user="db admin") == "become_user='db admin'"
    assert first(ansible_become="false") == "become_user=''"
    assert first(ansible_become_method="community.general.doas") == "become_user=''"


def test_what_a_login_script_prints_is_no_answer() -> None:
    answers = read("Welcome!\nkhien1x now 5\n now 5\nkhien1 now 1001\nkhien1 end\nlast words\n")

    assert answers is not None
    assert answers.skew_seconds == 0


@pytest.mark.parametrize(
    ("remote", "skew"), [(1000, 0), (1002, 0), (999, 0), (940, -60), (1102, 100), ("tomorrow", 0)]
)
def test_the_clock_is_judged_by_the_time_in_which_it_was_read(remote: object, skew: int) -> None:
    answers = read(f"khien1 now {remote}\nkhien1 end\n")

    assert answers is not None
    assert answers.skew_seconds == skew


def test_a_script_that_did_not_reach_its_end_is_no_answer() -> None:
    assert read("khien1 now 1000\n") is None
    assert read("This account is currently not available.\n") is None


def test_answers_that_are_not_as_asked_count_as_not_given() -> None:
    lines = ("sudo x y", "disk /", "disk / a /", "python x /p", "lock /f pid", "uptime_seconds -", "nonsense")

    answers = read("".join(f"khien1 {line}\n" for line in lines) + "khien1 end\n")

    assert answers == DoorAnswers(
        "automation", wanted_python="/bin/echo 3.9.2", facts={"clock_skew_seconds": 0}, free=(), locks=()
    )


def test_escapes_in_answers_are_taken_out() -> None:
    answers = read(
        "khien1 lock /f 7 \x1b[31mapt\nkhien1 unfinished \x1b]0;x\x07pkg\nkhien1 disk / 2048 /mnt \x1b[2Jx\nkhien1 end\n"
    )

    assert answers is not None
    assert answers.locks[0] == HeldLock("/f", 7, "apt")
    assert answers.unfinished_packages == ("pkg",)
    assert answers.free[0] == FreeSpace("/", "/mnt x", 2)
