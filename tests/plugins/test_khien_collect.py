"""The collector answers every probe in time, whatever one of them meets, and changes nothing."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.khien_probes.collect import collect
from ansible.module_utils.khien_probes.kinds import KINDS
from ansible.module_utils.khien_probes.machine import Machine, NoAnswerError, run_command
from recorded_host import make_machine

from khien.adapters.controls_yaml import YamlControls, compile_probes

ROOT = Path(__file__).parents[2]


def probe(kind: str, timeout: float = 5.0, **parameters: Any) -> dict[str, Any]:
    return {"id": f"{kind} {parameters}", "kind": kind, "parameters": parameters, "timeout": timeout}


def ask(machine: Machine, *probes: dict[str, Any], budget: float = 30.0) -> list[dict[str, Any]]:
    answers = collect(machine, probes, budget)
    return [answers[one["id"]] for one in probes]


def test_a_file_that_never_answers_costs_one_answer_and_not_the_others(tmp_path: Path) -> None:
    machine = make_machine(
        tmp_path, {"/etc/profile": "TMOUT=900\n", "/etc/passwd": "root:x:0:0::/root:/bin/sh\n"}
    )
    os.mkfifo(tmp_path / "etc/login.defs")  # opening it waits for a writer that never comes

    before, hanging, again, after = ask(
        machine,
        probe("shell_timeout"),
        probe("login_defs", timeout=0.3, key="UMASK"),
        probe("login_defs", timeout=0.3, key="PASS_MAX_DAYS"),
        probe("accounts", which="uid_zero"),
    )

    assert (before["value"], after["value"]) == ([900], ["root"])
    assert (hanging["answer"], again["answer"]) == ("timed_out", "timed_out")
    assert "/etc/login.defs" in hanging["detail"]
    assert "/etc/login.defs" in again["detail"]
    assert again["ms"] < 250, "what hung once is not waited for again"


def test_what_swallows_the_first_alarm_is_stopped_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rings = []

    def stubborn(_machine: Machine) -> None:
        while True:
            try:
                os.read(reader, 1)
            except BaseException:
                rings.append(1)
                if len(rings) > 1:
                    raise

    reader, _writer = os.pipe()
    monkeypatch.setitem(KINDS, "firewall", stubborn)  # type: ignore[arg-type]

    (answer,) = ask(make_machine(tmp_path), probe("firewall", timeout=0.1))

    assert (answer["answer"], len(rings)) == ("timed_out", 2)


def test_the_time_for_all_together_has_an_end_too(tmp_path: Path) -> None:
    machine = make_machine(tmp_path)
    for name in ("login.defs", "passwd", "sudoers"):
        (tmp_path / "etc").mkdir(exist_ok=True)
        os.mkfifo(tmp_path / "etc" / name)

    answers = ask(
        machine,
        probe("login_defs", key="UMASK"),
        probe("accounts", which="uid_zero"),
        probe("sudo_rules"),
        budget=0.4,
    )

    assert [answer["answer"] for answer in answers] == ["timed_out"] * 3
    assert "used up before" in answers[2]["detail"]


def test_what_breaks_a_probe_is_told_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_machine: Machine) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setitem(KINDS, "firewall", broken)  # type: ignore[arg-type]
    machine = make_machine(tmp_path, {"/etc/profile": ""})

    failed, wrong, unknown, fine = ask(
        machine,
        probe("firewall"),
        probe("shell_timeout", colour="red"),
        probe("weather"),
        probe("shell_timeout"),
    )

    assert (failed["answer"], failed["detail"]) == ("failed", "ZeroDivisionError: by zero")
    assert (wrong["answer"], unknown["answer"]) == ("failed", "unsupported")
    assert (fine["answer"], fine["value"]) == ("answered", [])


def test_an_answer_that_is_too_large_is_none(tmp_path: Path) -> None:
    shadow = "".join(f"user{number}::1:0:99999:7:::\n" for number in range(20_000))
    machine = make_machine(tmp_path, {"/etc/shadow": shadow, "/etc/passwd": ""})

    (answer,) = ask(machine, probe("accounts", which="empty_password"))

    assert answer["answer"] == "failed"
    assert "too large" in answer["detail"]
    assert "value" not in answer


def test_all_answers_together_stay_below_what_ansible_keeps_of_a_result(tmp_path: Path) -> None:
    files = {f"/proc/sys/net/x{number}": "x" * 100_000 for number in range(20)}
    machine = make_machine(tmp_path, files)

    answers = collect(machine, [probe("sysctl", key=f"net.x{number}") for number in range(20)], 30)

    assert len(json.dumps(answers)) < 600_000
    assert {answer["answer"] for answer in answers.values()} == {"answered", "failed"}


def test_bytes_that_are_no_text_do_not_break_the_result(tmp_path: Path) -> None:
    machine = make_machine(tmp_path, {"/etc/": ""})
    (tmp_path / "etc/passwd").write_bytes(b"r\xff\x00ot:x:0:0::/:/bin/sh\n")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/etc/cron.\xff")).mkdir()
    (tmp_path / "etc/crontab").write_text("")

    root, cron = ask(
        machine, probe("accounts", which="uid_zero"), probe("files", paths=["/etc/crontab", "/etc/cron.*"])
    )

    assert root["value"] == ["r\ufffd\x00ot"]
    json.dumps(cron, ensure_ascii=False).encode("utf-8")
    assert cron["value"][1]["path"] == "/etc/cron.?"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_this_user_may_not_read_needs_root(tmp_path: Path) -> None:
    machine = make_machine(tmp_path, {"/etc/shadow": "x"}, modes={"/etc/shadow": "0000"}, privileged=False)

    assert ask(machine, probe("accounts", which="root_password"))[0]["answer"] == "needs_root"


def test_a_refusal_is_needs_root_for_a_user_and_a_failure_for_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_machine: Machine) -> None:
        raise PermissionError("no")

    monkeypatch.setitem(KINDS, "firewall", refused)  # type: ignore[arg-type]

    as_user = ask(make_machine(tmp_path, privileged=False), probe("firewall"))[0]
    as_root = ask(make_machine(tmp_path, privileged=True), probe("firewall"))[0]

    assert (as_user["answer"], as_root["answer"]) == ("needs_root", "failed")


def test_one_command_answers_all_probes_about_units(tmp_path: Path) -> None:
    asked: list[list[str]] = []

    def run(argv: list[str], _limit: float) -> tuple[int, str]:
        asked.append(argv)
        return 0, "\n".join(
            f"Id={name}\nLoadState=loaded\nActiveState=active\n" for name in argv[argv.index("--") + 1 :]
        )

    make_machine(tmp_path, {"/run/systemd/system/": ""})
    machine = Machine(str(tmp_path), privileged=True, command=run)

    answers = ask(
        machine, probe("units", names=["a.service"]), probe("units", names=["b.service", "c.service"])
    )

    assert [answer["value"]["active"] for answer in answers] == [["a.service"], ["b.service", "c.service"]]
    assert len(asked) == 1


def test_a_command_that_does_not_end_is_ended_with_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"echo $$ > {pids}; sleep 600 & echo $! >> {pids}; wait"

    with pytest.raises(NoAnswerError, match="did not end"):
        run_command(["sh", "-c", script], 0.5)

    for pid in pids.read_text().split():
        assert has_ended(int(pid))


def has_ended(pid: int) -> bool:
    """Wait for a process to end, which a killed one does in a moment."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 20)[0])
    finally:
        os.close(handle)


def run_module(arguments: dict[str, Any], folder: Path, *tracer: str) -> dict[str, Any]:
    """Run the module as a process of its own and return its result."""
    starter = (
        "import ansible.module_utils, json, runpy, sys\n"
        "from ansible.module_utils import basic\n"
        f"ansible.module_utils.__path__.append({str(ROOT / 'plugins/module_utils')!r})\n"
        "basic._ANSIBLE_ARGS = sys.stdin.buffer.read()\n"
        "basic._ANSIBLE_PROFILE = 'legacy'\n"
        f"runpy.run_path({str(ROOT / 'plugins/modules/khien_collect.py')!r}, run_name='__main__')\n"
    )
    done = subprocess.run(
        [*tracer, sys.executable, "-B", "-c", starter],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_the_module_answers_and_says_that_nothing_changed(tmp_path: Path) -> None:
    question = {"id": "q", "kind": "sysctl", "parameters": {"key": "kernel.ostype"}, "timeout": 5}

    result = run_module({"probes": [question], "_ansible_check_mode": True}, tmp_path)

    assert result["changed"] is False
    assert not result.get("invocation"), "the questions do not travel back with the answers"
    answer = json.loads(result["khien"])
    assert answer["schema"] == "khien.observations/1"
    assert answer["observations"]["q"]["value"] == "Linux"
    assert answer["facts"]["privileged"] is (os.geteuid() == 0)


CHANGING = "creat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,link,linkat,symlink,symlinkat,mknod,mknodat," \
    "chmod,fchmod,fchmodat,chown,fchown,lchown,fchownat,truncate,ftruncate,utimensat,setxattr,fsetxattr,mount,umount2," \
    "init_module,finit_module,delete_module,sethostname,settimeofday,adjtimex,clock_settime,reboot"  # fmt: skip
HARMLESS = re.compile(r'"(/dev/null|/dev/tty|/dev/urandom|/proc/self/[^"]*)"')


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is the witness here")
def test_asking_everything_writes_nothing_on_the_host(tmp_path: Path) -> None:
    probes = compile_probes(YamlControls(ROOT / "roles").controls())
    trace = tmp_path / "trace"

    result = run_module(
        {"probes": probes},
        tmp_path,
        "strace",
        "-f",
        "-qq",
        "-s",
        "200",
        "-o",
        str(trace),
        "-e",
        f"trace=open,openat,{CHANGING}",
    )

    assert len(json.loads(result["khien"])["observations"]) == len(probes)
    calls = [
        line.split(None, 1)[1]
        for line in trace.read_text(errors="replace").splitlines()
        if "= -1 " not in line
    ]
    assert any("openat(" in call and "/etc/passwd" in call for call in calls), "the trace saw nothing"
    writing = [call for call in calls if not call.startswith(("openat(", "open(", "---", "+++", "<..."))]
    writing += [call for call in calls if re.search(r"O_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)", call)]
    assert [call for call in writing if not HARMLESS.search(call)] == []
