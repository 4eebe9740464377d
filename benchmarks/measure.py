"""Wall time and CPU time of whole commands, ours and the rival's in turn."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """What one execution took."""

    wall_seconds: float
    cpu_seconds: float
    """User and system time of the process and all children it waited for."""


def command(
    arguments: Sequence[str], *, expect: Sequence[int] = (0,), environment: Mapping[str, str] | None = None
) -> Cost:
    """Run a command to its end and return what it cost."""
    # A file, not a pipe: ssh's connection masters keep a pipe open long after the command has ended.
    with tempfile.TemporaryFile("w+") as output:
        before, started = children_cpu_seconds(), time.perf_counter()
        done = subprocess.run(
            arguments,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **(environment or {})},
        )
        wall, cpu = time.perf_counter() - started, children_cpu_seconds() - before
        if done.returncode not in expect:
            output.seek(0)
            raise SystemExit(f"{arguments[0]} ended with {done.returncode}:\n{output.read()}")
    return Cost(wall, cpu)


def children_cpu_seconds() -> float:
    """Return the CPU time of all children that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def compare(
    title: str,
    ours: Callable[[], Cost],
    rival: Callable[[], Cost],
    *,
    runs: int = 5,
    wall_limit: float | None = None,
    cpu_limit: float | None = None,
) -> bool:
    """Run both in turn after one warm-up each, print medians and ratios; true when within the limits."""
    ours(), rival()
    pairs = [(ours(), rival()) for _ in range(runs)]
    wall = statistics.median(mine.wall_seconds / other.wall_seconds for mine, other in pairs)
    cpu = statistics.median(mine.cpu_seconds / other.cpu_seconds for mine, other in pairs)
    mine_wall = statistics.median(mine.wall_seconds for mine, _ in pairs)
    other_wall = statistics.median(other.wall_seconds for _, other in pairs)
    mine_cpu = statistics.median(mine.cpu_seconds for mine, _ in pairs)
    other_cpu = statistics.median(other.cpu_seconds for _, other in pairs)
    print(f"{title} ({runs} pairs)")
    print(f"  wall: {mine_wall:7.3f} s against {other_wall:7.3f} s, ratio {wall:.2f}{_limit(wall_limit)}")
    print(f"  cpu:  {mine_cpu:7.3f} s against {other_cpu:7.3f} s, ratio {cpu:.2f}{_limit(cpu_limit)}")
    within = (wall_limit is None or wall <= wall_limit) and (cpu_limit is None or cpu <= cpu_limit)
    print("  within the limit" if within else "  ABOVE THE LIMIT", flush=True)
    return within


def _limit(limit: float | None) -> str:
    return f" (at most {limit:.2f})" if limit is not None else ""
