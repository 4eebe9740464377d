"""The fleet screen with 5,000 stored hosts, in a real terminal: opening and filtering, against DataTable."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

HOSTS = 5000
ROWS, COLUMNS = 50, 180
TYPED = "pc-12"
PAIRS = 3
OPEN_LIMIT_SECONDS = 2.0
"""From the start of the process to all hosts on the screen."""
KEY_LIMIT_RATIO = 0.25
"""A key in the filter takes at most this part of what it takes with a DataTable."""
_STARTED = "KHIEN_BENCHMARK_STARTED"


def _fill(url: str) -> None:
    from khien.adapters.store import SqlFleetStore, SqlRunStore, open_database
    from khien.domain.finding import Finding, Verdict
    from khien.domain.host import Host
    from khien.domain.observation import HostFacts, ObservationSet
    from khien.domain.plan import Plan
    from khien.domain.run import Run, RunId, RunOptions, RunState, Verb

    database = open_database(url)
    runs, fleet = SqlRunStore(database), SqlFleetStore(database)
    now = datetime.now(UTC)
    names = [f"{'srv' if n % 10 == 0 else 'pc'}-{n:04}" for n in range(HOSTS)]
    fleet.remember_hosts(
        [Host(name, agency=f"so_{n % 40:02}", level=2 + n % 3) for n, name in enumerate(names)]
    )
    plan = Plan(Verb.VERIFY, RunOptions(), tuple(names), now)
    runs.create_run(
        Run(RunId("bench"), Verb.VERIFY, RunState.CREATED, plan.options, "bench", now, plan.hash), plan
    )
    verdicts = (Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN)
    facts = HostFacts(os_id="debian", os_name="Debian GNU/Linux 13 (trixie)", privileged=True)
    for n, name in enumerate(names):
        findings = [Finding(f"c{k}", verdicts[(n + k) % 3], "as_expected") for k in range(5)]
        fleet.record_verification(RunId("bench"), ObservationSet(name, now, facts), findings)
    database.close()


def _ours(url: str) -> Any:
    from khien.adapters.store import SqlFleetStore, open_database
    from khien.application.console import Console
    from khien.application.overview import Overview
    from tui.app import KhienApp
    from tui.desk import Desk

    class Stored:
        """As much of the console as the fleet screen asks, over a real store."""

        def __init__(self) -> None:
            self.fleet = SqlFleetStore(open_database(url)).fleet

        def runs(self, limit: int = 50) -> tuple[()]:
            del limit
            return ()

    return KhienApp(Desk(cast("Console", Stored()), cast("Overview", None)))


def _rival(url: str) -> Any:
    from textual.app import App, ComposeResult
    from textual.widgets import DataTable, Input

    from khien.adapters.store import SqlFleetStore, open_database

    class Rival(App[None]):
        """The same rows in a DataTable; filtering it means to clear it and add what is left."""

        def compose(self) -> ComposeResult:
            yield Input()
            yield DataTable[str]()

        def on_mount(self) -> None:
            table = self.query_one(DataTable)
            table.add_columns("host", "agency", "role", "compliance", "updates", "reboot", "seen", "last")
            self.lines = [
                (
                    status.host.name,
                    status.host.agency,
                    status.host.role.value,
                    f"{status.counts.passed}/{status.counts.applicable}" if status.counts else "?",
                    "?",
                    "?",
                    str(status.seen_at),
                    str(status.last_state),
                )
                for status in SqlFleetStore(open_database(url)).fleet()
            ]
            self.show("")

        def show(self, words: str) -> None:
            table = self.query_one(DataTable)
            table.clear()
            table.add_rows(line for line in self.lines if words in line[0])

        def on_input_changed(self, event: Input.Changed) -> None:
            self.show(event.value)

    return Rival()


def _shown(app: Any) -> int:
    from textual.widgets import DataTable

    from tui.widgets.virtual_table import VirtualTable

    for table in app.screen.query("VirtualTable, DataTable"):
        if isinstance(table, VirtualTable):
            return len(table.lines)
        if isinstance(table, DataTable):
            return table.row_count
    return 0


async def _drive(app: Any, started: float, result: Path) -> None:
    """Wait for the hosts, type into the filter, and note when each answer was drawn."""
    from textual.widgets import Input

    async def until(what: Callable[[], bool]) -> float:
        while not what():
            await asyncio.sleep(0.001)
        drawn = asyncio.Event()
        app.screen.call_after_refresh(drawn.set)
        await drawn.wait()
        return time.monotonic()

    opened = await until(lambda: _shown(app) == HOSTS) - started
    box = app.screen.query_one(Input)
    names = [f"{'srv' if n % 10 == 0 else 'pc'}-{n:04}" for n in range(HOSTS)]
    texts = [TYPED[:n] for n in range(1, len(TYPED) + 1)]
    texts += reversed(texts[:-1])
    delays: list[float] = []
    for text in [*texts, ""]:
        expected = sum(text in name for name in names)
        begun = time.monotonic()
        box.value = text
        # Equal numbers of hosts before and after are told apart by the turn of the loop between.
        await asyncio.sleep(0)
        delays.append(await until(lambda expected=expected: _shown(app) == expected) - begun)
    result.write_text(
        json.dumps({"opened": opened, "key": statistics.median(delays), "slowest key": max(delays)})
    )
    app.exit()


def _child(kind: str, url: str, result: str) -> None:
    app = {"ours": _ours, "rival": _rival}[kind](url)
    started = float(os.environ[_STARTED])
    driving: list[Awaitable[None]] = []

    def begin() -> None:
        driving.append(asyncio.ensure_future(_drive(app, started, Path(result))))

    app.call_later(begin)
    app.run()


def _measure(kind: str, url: str, folder: Path) -> Mapping[str, float]:
    """Run one side in a terminal of its own."""
    import fcntl
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    result = folder / f"{kind}.json"
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.tui_fleet", kind, url, str(result)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**environment, _STARTED: repr(time.monotonic())},
        start_new_session=True,
    )
    os.close(theirs)
    said = bytearray()

    def drain() -> None:
        try:
            while data := os.read(ours, 65536):
                said[:] = (said + data)[-4000:]
        except OSError:
            return  # the other end is closed

    reader = threading.Thread(target=drain)
    reader.start()
    code = process.wait(timeout=120)
    reader.join()
    os.close(ours)
    if code or not result.exists():
        raise SystemExit(f"{kind} ended with {code}:\n{said.decode(errors='replace')}")
    return dict(json.loads(result.read_text()))


def main() -> bool:
    """Print what both take and the ratio; true when within the limits."""
    with tempfile.TemporaryDirectory(prefix="khb") as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'khien.db'}"
        _fill(url)
        pairs = [(_measure("ours", url, folder), _measure("rival", url, folder)) for _ in range(PAIRS)]
    print(f"fleet screen / DataTable, {HOSTS} stored hosts, terminal {COLUMNS}x{ROWS} ({PAIRS} pairs)")
    figures: dict[str, tuple[float, float]] = {}
    for what in pairs[0][0]:
        mine, other = (statistics.median(_column(pairs, side, what)) for side in (0, 1))
        figures[what] = mine, mine / other
        limit = {
            "opened": f" (at most {OPEN_LIMIT_SECONDS:.1f} s)",
            "key": f" (ratio at most {KEY_LIMIT_RATIO})",
        }.get(what, "")
        print(f"  {what:<12} {mine:7.3f} s against {other:7.3f} s, ratio {mine / other:.2f}{limit}")
    within = figures["opened"][0] <= OPEN_LIMIT_SECONDS and figures["key"][1] <= KEY_LIMIT_RATIO
    print("  within the limit" if within else "  ABOVE THE LIMIT", flush=True)
    return within


def _column(
    pairs: Sequence[tuple[Mapping[str, float], Mapping[str, float]]], side: int, what: str
) -> list[float]:
    return [pair[side][what] for pair in pairs]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _child(*sys.argv[1:])
    else:
        sys.exit(not main())
