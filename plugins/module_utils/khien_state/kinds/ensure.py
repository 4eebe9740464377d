"""Whatever only a program can look at and bring about."""

from __future__ import annotations

from ..resource import Change, Plan, Resource, Skip, why_skipped
from ..system import System


class Ensure(Resource):
    """Words: control, thing (for people), unless (reads only; exit code 0: as wished), run, touches, keeps.

    touches: files that it may change; keeps: other things, as [{kind: nft, key: ruleset}].
    """

    kind = "ensure"
    required = ("control", "thing", "unless", "run")
    optional = ("touches", "keeps", "seconds")

    def plan(self, system: System, coming: frozenset[str]) -> Plan:
        """Ask whether it is as wished."""
        control, thing = self.words["control"], self.words["thing"]
        why = why_skipped(self.words, system, coming)
        if why == "absent":
            return Plan(skips=[Skip(control, self.kind, thing, why)])
        limit = float(self.words.get("seconds", 120))
        if not self.waits_for(coming):
            code, _output = system.run(self.words["unless"], limit)
            if code == 0:
                return Plan()
        if why:
            return Plan(skips=[Skip(control, self.kind, thing, why)])
        return Plan(
            changes=[Change(control, self.kind, thing, "no", "yes")],
            things=[
                *(("file", path) for path in self.words.get("touches") or []),
                *((one["kind"], one["key"]) for one in self.words.get("keeps") or []),
            ],
            act=lambda: _run(system, self.words["run"], limit),
        )


def _run(system: System, argv: list[str], limit: float) -> None:
    system.must_run(argv, limit)
