"""Package locks are waited for, and a holder is named."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible.module_utils.khien_patch.command import PatchError
from ansible.module_utils.khien_patch.lock import Holder, find_holder, wait_for_locks

_HOLD = (
    "import fcntl,sys; f=open(sys.argv[1],'r+'); fcntl.lockf(f, fcntl.LOCK_EX); print(1,flush=True); input()"
)


@pytest.fixture
def held(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    lock = tmp_path / "lock"
    lock.touch()
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        yield lock, holder.pid
        holder.communicate(b"\n")


def test_the_holder_of_a_lock_is_found_with_pid_and_name(held: tuple[Path, int]) -> None:
    lock, pid = held

    holder = find_holder([str(lock.with_name("absent")), str(lock)])

    assert holder is not None
    assert (holder.path, holder.pid) == (str(lock), pid)
    assert holder.name == Path(f"/proc/{pid}/comm").read_text().strip()


def test_a_free_lock_has_no_holder_and_is_not_touched(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.touch()
    before = lock.stat()

    assert find_holder([str(lock)]) is None
    assert lock.stat().st_mtime_ns == before.st_mtime_ns


def test_a_lock_that_is_let_go_in_time_is_waited_for() -> None:
    answers = [Holder("/lock", 7, "apt-get"), Holder("/lock", 7, "apt-get"), None]
    pauses: list[float] = []

    wait_for_locks(10, find=lambda: answers.pop(0), clock=lambda: 0.0, pause=pauses.append)

    assert len(pauses) == 2


def test_a_lock_held_beyond_the_limit_is_a_problem_that_names_the_holder() -> None:
    moments = iter([0.0, 5.0, 10.0])

    with pytest.raises(PatchError, match=r"process 7 \(apt-get\) after 10 seconds") as caught:
        wait_for_locks(
            10, find=lambda: Holder("/lock", 7, "apt-get"), clock=lambda: next(moments), pause=lambda _: None
        )

    assert caught.value.code == "package_lock_held"
