"""A transaction runs out of reach, is found again, and is remembered until it was reported."""

import os
import subprocess
from pathlib import Path

import pytest
from ansible.module_utils.khien_patch.command import Output, PatchError
from ansible.module_utils.khien_patch.launch import start, wait_for_end, write_script
from ansible.module_utils.khien_patch.plan import Change, Plan
from ansible.module_utils.khien_patch.transaction import (
    Transaction,
    acknowledge,
    discard,
    find_transaction,
    list_transactions,
    prepare,
    write_plan,
)

NOW = 2_000_000_000.0


def _no_systemd(argv: object, timeout: float = 300) -> Output:
    return Output(127, "", "systemd-run: not found")


@pytest.fixture
def home(tmp_path: Path) -> str:
    return str(tmp_path / "transactions")


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """Return a folder of tools that stand in for apt and dpkg; apt says what it was asked and obeys a file."""
    folder = tmp_path / "bin"
    folder.mkdir()
    wait = 'while [ -e "$0.wait" ]; do sleep 0.05; done'
    scripts = {
        "apt-get": f'echo "apt-get $*"; echo "$DEBIAN_FRONTEND"; {wait}; exit 7',
        "dpkg": 'echo "dpkg $*"',
        "dpkg-query": "printf 'ii \\tkd\\tall\\t2.0\\n'",
    }
    for name, text in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return folder


def _prepared(home: str, tools: Path, *steps: str) -> Transaction:
    transaction = prepare("run-1", home)
    transaction.write("preferences", "")
    write_script(transaction, 60, *steps)
    path = f"export PATH={tools}:{os.environ['PATH']}\n"
    transaction.write("environment", transaction.read("environment") + path)
    return transaction


def test_a_transaction_goes_on_in_a_session_of_its_own_and_records_its_end(home: str, tools: Path) -> None:
    (tools / "apt-get.wait").touch()
    transaction = _prepared(home, tools, "upgrade")

    start(_no_systemd, transaction, "ii \tkd\tall\t1.0\n", {"services": ("ssh.service",)})

    pid = int(transaction.read("process").split()[0])
    assert os.getsid(pid) == pid != os.getsid(0)
    assert transaction.is_running
    assert not Path(transaction.path("environment")).exists()
    (tools / "apt-get.wait").unlink()
    wait_for_end(transaction, 60)
    assert transaction.exit_code == 7
    assert transaction.read("packages.after") == "ii \tkd\tall\t2.0\n"
    assert transaction.read_json("units.json") == {"services": ["ssh.service"]}
    log = transaction.read("output.log")
    assert "--no-remove upgrade" in log
    assert "Dpkg::Options::=--force-confold" in log
    assert "noninteractive" in log


def test_systemd_gets_the_transaction_as_a_unit_that_a_shutdown_waits_for(home: str, tools: Path) -> None:
    transaction = _prepared(home, tools, "upgrade")
    seen: list[str] = []

    def systemd(argv: list[str], timeout: float = 300) -> Output:
        seen.extend(argv)
        return Output(subprocess.run(argv[-2:], check=False).returncode, "")

    start(systemd, transaction, "", {})

    assert "--unit=khien-transaction-run-1" in seen
    assert "KillSignal=SIGCONT" in seen
    assert transaction.is_ended


def test_a_repair_stops_at_its_first_failed_step(home: str, tools: Path) -> None:
    transaction = _prepared(home, tools, "configure", "mend", "upgrade")

    start(_no_systemd, transaction, "", {})
    wait_for_end(transaction, 60)

    log = transaction.read("output.log")
    assert log.startswith("dpkg --force-confdef --force-confold --configure -a")
    assert "--fix-broken install" in log
    assert "upgrade" not in log


def test_a_transaction_whose_process_is_gone_is_not_running_and_has_no_exit_code(home: str) -> None:
    transaction = prepare("run-1", home)
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    transaction.write("process", f"{os.getpid()} 1 {boot}\n")

    assert transaction.is_started
    assert not transaction.is_running
    assert transaction.exit_code is None


def test_a_process_note_that_a_power_cut_emptied_means_not_running(home: str) -> None:
    transaction = prepare("run-1", home)
    transaction.write("process", "")

    assert (transaction.is_started, transaction.is_running) == (True, False)


def test_a_transaction_beyond_the_limit_is_left_alone_and_told(home: str, tools: Path) -> None:
    (tools / "apt-get.wait").touch()
    transaction = _prepared(home, tools, "upgrade")
    start(_no_systemd, transaction, "", {})
    moments = iter([0.0, 5.0, 10.0])

    with pytest.raises(PatchError, match="still runs after 10 seconds"):
        wait_for_end(transaction, 10, clock=lambda: next(moments), pause=lambda _: None)

    assert transaction.is_running
    (tools / "apt-get.wait").unlink()
    wait_for_end(transaction, 60)


def test_a_plan_survives_the_disk(home: str) -> None:
    transaction = prepare("run-1", home)
    plan = Plan((Change("kd", "all", "1", "2", "Debian-Security"),), ("held",), ("kept",))

    write_plan(transaction, plan)

    assert Transaction(transaction.folder).plan == plan
    assert Transaction(transaction.path("absent")).plan == Plan()


def test_an_id_that_ran_before_gets_a_number_and_one_that_never_began_is_replaced(home: str) -> None:
    first = prepare("run-1", home)
    first.write("plan.json", "{}")

    again = prepare("run-1", home)
    assert (again.id, again.read("plan.json")) == ("run-1", "")

    again.write("exit_code", "0")
    assert prepare("run-1", home).id == "run-1-2"


def test_a_folder_without_the_marker_is_never_removed_and_never_taken_over(home: str) -> None:
    foreign = Path(home) / "run-1"
    foreign.mkdir(parents=True)
    (foreign / "precious").touch()

    discard(Transaction(str(foreign)))
    transaction = prepare("run-1", home)
    acknowledge(["run-1"], 0, NOW + 1e9, home)

    assert transaction.id == "run-1-2"
    assert (foreign / "precious").exists()
    assert not (foreign / "reported").exists()


def test_only_root_reads_transactions(home: str) -> None:
    transaction = prepare("run-1", home)

    assert Path(home).stat().st_mode & 0o077 == 0
    assert Path(transaction.folder).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["", "absent"])
def test_an_unknown_transaction_is_a_problem(home: str, name: str) -> None:
    prepare("run-1", home)

    with pytest.raises(PatchError):
        find_transaction(name, home)


def test_acknowledging_marks_forgets_the_oldest_and_keeps_what_nobody_heard_of(home: str) -> None:
    for number in range(5):
        transaction = prepare(f"run-{number}", home)
        transaction.write("exit_code", "0")
        os.utime(transaction.folder, (NOW + number, NOW + number))

    acknowledge(["run-0", "run-1", "run-2"], 1, NOW, home)

    left = {t.id: t.is_reported for t in list_transactions(home)}
    assert set(left) >= {"run-3", "run-4"}
    assert sum(left.values()) == 1


def test_what_was_prepared_long_ago_and_never_begun_is_forgotten(home: str) -> None:
    for name, age in (("old", 100_000), ("young", 60)):
        folder = prepare(name, home).folder
        os.utime(folder, (NOW - age, NOW - age))

    acknowledge([], 10, NOW, home)

    assert [t.id for t in list_transactions(home)] == ["young"]


def test_a_host_without_transactions_has_none(home: str) -> None:
    assert list_transactions(home) == ()
