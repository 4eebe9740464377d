"""A run world whose hosts can be hardened: each says what its engine's script gives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from khien.application.ports import EngineEvent, EngineJob, EngineResult, HostStats, TaskEnded, TaskStatus
from khien.domain.hardening import Change, HardenReport, Stage, UndoReport
from khien.domain.observation import HostFacts, ObservationSet
from khien.domain.run import Verb

AT = datetime(2026, 11, 23, 1, 31, tzinfo=UTC)
Tell = Callable[[EngineEvent], None]


def change(control: str = "c", thing: str = "/etc/x", before: str = "∅", after: str = "a") -> Change:
    """Return a change."""
    return Change(control, "file", thing, before, after)


@dataclass
class HardeningScript:
    """An engine's script: what each host would change, does change, and takes back; the last one may fail."""

    predicts: dict[str, tuple[Change, ...]] = field(default_factory=dict)
    does: dict[str, HardenReport] = field(default_factory=dict)
    """Hosts whose real run is not what they predict."""
    undoes: dict[str, UndoReport] = field(default_factory=dict)
    after: Callable[[EngineJob], None] = lambda _job: None
    """Called at the end of every step."""
    unreachable: Mapping[Verb, frozenset[str]] = field(default_factory=dict)
    played: list[tuple[str, bool, tuple[str, ...]]] = field(default_factory=list)
    """The steps: verb, check mode, hosts."""

    def __call__(self, job: EngineJob, tell: Tell, stop: Callable[[], bool]) -> EngineResult:
        """Play one step."""
        plan = job.plan
        self.played.append((plan.verb.value, plan.options.check, plan.hosts))
        for host in plan.hosts:
            if host in self.unreachable.get(plan.verb, frozenset()):
                tell(TaskEnded(host, "look", TaskStatus.UNREACHABLE, AT, message="timed out"))
                tell(HostStats(host, unreachable=1))
            elif plan.verb is Verb.VERIFY:
                seen = ObservationSet(host, AT, HostFacts(os_id="debian"))
                tell(TaskEnded(host, "look", TaskStatus.OK, AT, result={"seen": seen}))
                tell(HostStats(host, ok=1))
            elif plan.verb is Verb.HARDEN:
                self._harden(host, tell, check=plan.options.check)
            else:
                self._say(host, tell, {"undo": self.undoes[host]}, changed=bool(self.undoes[host].restored))
        self.after(job)
        return EngineResult(completed=not stop(), exit_code=0)

    def _harden(self, host: str, tell: Tell, *, check: bool) -> None:
        changes = self.predicts.get(host, ())
        report = HardenReport("sshd", Stage.PLANNED if check else Stage.APPLIED, changes)
        if not check:
            report = self.does.get(host, report)
            if not report.problem:
                self.predicts[host] = ()
        self._say(host, tell, {"harden": report}, changed=bool(report.changes), problem=report.problem)

    @staticmethod
    def _say(host: str, tell: Tell, result: dict[str, object], *, changed: bool, problem: str = "") -> None:
        status = TaskStatus.FAILED if problem else TaskStatus.CHANGED if changed else TaskStatus.OK
        tell(TaskEnded(host, "harden", status, AT, message=problem, result=result))
        tell(HostStats(host, ok=1, changed=int(changed), failures=int(bool(problem))))
