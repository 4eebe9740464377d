"""Judging 10,000 stored hosts by 120 controls and storing it, against reading the same rows as JSON."""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from benchmarks.measure import Cost
from khien.adapters.content import content_root
from khien.adapters.controls_yaml import YamlControls
from khien.adapters.levels_yaml import load_levels
from khien.adapters.store import SqlFleetStore, SqlJudgementStore, SqlRunStore, open_database
from khien.adapters.store import schema as t
from khien.adapters.store.codec import encode
from khien.application.rejudge import rejudge
from khien.domain.control import Control, Probe
from khien.domain.expectation import OPERATORS
from khien.domain.host import Host, HostRole
from khien.domain.judge import Judge
from khien.domain.observation import Answer, HostFacts, Observation, ObservationSet
from khien.domain.plan import Plan
from khien.domain.run import Run, RunId, RunOptions, RunState, Verb

HOSTS = int(os.environ.get("KHIEN_BENCHMARK_HOSTS", "10000"))
CONTROLS = 120
LIMIT_SECONDS = 30.0
"""CPU time, for the machine is shared; on a quiet one it is the wall time, too."""
RSS_LIMIT_MIB = 200
_RUN = RunId("bench")
_NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)


def _judge() -> Judge:
    """Return the first 120 controls of the baseline; every one is demanded of every host."""
    levels = load_levels(content_root() / "compliance" / "levels.yml")
    controls = YamlControls(content_root() / "roles", levels.thresholds).controls()
    if len(controls) < CONTROLS:
        raise SystemExit(f"the baseline has only {len(controls)} controls")
    asked = [control for control in controls if "debian" in control.os_families][:CONTROLS]
    return Judge(levels.with_values(asked, 3, HostRole.SERVER), type(levels)(3))


def _answers(controls: tuple[Control, ...], number: int) -> ObservationSet:
    """Make answers of which most hold, as a hardened host gives them; a tenth differs by host."""
    answers: dict[str, Observation] = {}
    for place, control in enumerate(controls):
        for check in control.checks:
            probe: Probe = check.probe
            if (place + number * 7) % 10 == 0:
                other = f"something else {number % 199}"
                answers.setdefault(probe.id, Observation(probe.id, Answer.ANSWERED, other, milliseconds=3))
                continue
            value: object = check.expected
            compared = check.operator.removeprefix("all_")
            if isinstance(value, list) and compared in ("between", "one_of", "not_one_of"):
                value = value[0]
            for key in reversed(check.field_path):
                value = {key: value}
            if OPERATORS[check.operator].every:
                value = [value, value]
            elif check.operator == "is_empty":
                value = [] if check.expected else [{"name": "x", "from": "1", "to": "2"}]
            answers.setdefault(probe.id, Observation(probe.id, Answer.ANSWERED, value, milliseconds=3))
    answers["host"] = Observation("host", Answer.ANSWERED, number)
    facts = HostFacts(os_id="debian", os_family="debian", os_version="12", privileged=True)
    return ObservationSet(f"host-{number:05}", _NOW, facts, answers)


def _fill(url: str) -> None:
    database = open_database(url)
    runs, fleet = SqlRunStore(database), SqlFleetStore(database)
    hosts = [Host(f"host-{number:05}", agency=f"so_{number % 40:02}", level=3) for number in range(HOSTS)]
    fleet.remember_hosts(hosts)
    plan = Plan(Verb.VERIFY, RunOptions(), (hosts[0].name,), _NOW)
    runs.create_run(Run(_RUN, Verb.VERIFY, RunState.CREATED, plan.options, "bench", _NOW, plan.hash), plan)
    controls = tuple(_judge().controls)
    counts = {"passed": 0, "failed": 0, "waived": 0, "not_applicable": 0, "unknown": 0}
    with database.write() as connection:
        for start in range(0, HOSTS, 500):
            rows = [
                {
                    "id": number + 1,
                    "run_id": _RUN,
                    "host": hosts[number].name,
                    "collected_at": _NOW,
                    "observations": encode(ObservationSet, _answers(controls, number)),
                    "findings": '{"items":[]}',
                    **counts,
                }
                for number in range(start, min(HOSTS, start + 500))
            ]
            connection.execute(t.verifications.insert(), rows)
            sheets = [
                {
                    "verification_id": row["id"],
                    "host": row["host"],
                    "collected_at": _NOW,
                    "verdicts": "{}",
                }
                for row in rows
            ]
            connection.execute(t.verdict_sheets.insert(), sheets)
        connection.execute(
            t.hosts.update().values(
                verification_id=sa.select(t.verifications.c.id)
                .where(t.verifications.c.host == t.hosts.c.name)
                .scalar_subquery()
            )
        )
    database.close()


def _ours(url: str) -> int:
    database = open_database(url)
    done = rejudge(SqlJudgementStore(database), _judge(), _NOW.date(), described={})
    number = sum(one.after.applicable + one.after.not_applicable for one in done)
    database.close()
    return number


def _rival(file: str) -> int:
    """Read every row and understand its JSON: what any program must do that looks at the answers at all."""
    connection = sqlite3.connect(file)
    query = "SELECT observations FROM verifications ORDER BY id"
    number = sum(len(json.loads(text)["observations"]) for (text,) in connection.execute(query))
    connection.close()
    return number


def _measured(what: str, argument: str) -> tuple[Cost, int, int]:
    """Do one of the two in a process of its own; return its cost, its peak memory in MiB, what it counted."""
    program = f"from benchmarks.judging import child; child({what!r}, {argument!r})"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    wall, cpu, peak, number = json.loads(done.stdout)
    return Cost(wall, cpu), peak // 1024, number


def child(what: str, argument: str) -> None:
    """Run one side and print wall seconds, CPU seconds, peak KiB and what it counted."""
    started, before = time.perf_counter(), time.process_time()
    number = _ours(argument) if what == "ours" else _rival(argument)
    cost = time.perf_counter() - started, time.process_time() - before
    print(json.dumps([*cost, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, number]))


def main() -> bool:
    """Print both costs, their ratio and the memory."""
    with tempfile.TemporaryDirectory(prefix="khb") as name:
        file = Path(name) / "khien.db"
        _fill(f"sqlite:///{file}")
        rival, rival_peak, _answered = _measured("rival", str(file))
        ours, peak, judged = _measured("ours", f"sqlite:///{file}")
    if judged != HOSTS * CONTROLS:
        raise SystemExit(f"judged were {judged} controls, not {HOSTS * CONTROLS}")
    print(f"judging {HOSTS} stored hosts by {CONTROLS} controls and storing it / reading their rows as JSON")
    print(f"  wall: {ours.wall_seconds:7.2f} s against {rival.wall_seconds:7.2f} s")
    ratio = ours.cpu_seconds / rival.cpu_seconds
    print(f"  cpu:  {ours.cpu_seconds:7.2f} s against {rival.cpu_seconds:7.2f} s, ratio {ratio:.1f}")
    print(f"  peak: {peak} MiB against {rival_peak} MiB (at most {RSS_LIMIT_MIB})")
    within = ours.cpu_seconds <= LIMIT_SECONDS and peak <= RSS_LIMIT_MIB
    print(f"  {'within the limit' if within else 'ABOVE THE LIMIT'} of {LIMIT_SECONDS:.0f} s", flush=True)
    return within


if __name__ == "__main__":
    sys.exit(not main())
