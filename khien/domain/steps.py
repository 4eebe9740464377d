"""The executions of Ansible that one run consists of."""

from __future__ import annotations

from dataclasses import dataclass

from khien.domain.plan import Plan
from khien.domain.run import Verb


@dataclass(frozen=True, slots=True)
class Step:
    """One execution of a playbook within a run."""

    verb: Verb
    """Whose playbook."""
    check: bool = False
    decides: bool = True
    """Whether its changes are the run's, so that a host's outcome is made of them."""
    is_prediction: bool = False
    """Whether hosts go on only when it predicts what was approved."""
    is_last: bool = True

    @property
    def changes_hosts(self) -> bool:
        """Whether it may change a host."""
        return self.verb.changes_hosts and not self.check


def steps_of(plan: Plan) -> tuple[Step, ...]:
    """Return what a run executes, in order; exactly one step decides and only the last one is last."""
    check = plan.options.check
    look_before = Step(Verb.VERIFY, decides=False, is_last=False)
    look_after = Step(Verb.VERIFY, decides=False)
    match plan.verb:
        case Verb.HARDEN if check:
            return (look_before, Step(Verb.HARDEN, check=True))
        case Verb.HARDEN:
            predict = Step(Verb.HARDEN, check=True, decides=False, is_prediction=True, is_last=False)
            return (look_before, predict, Step(Verb.HARDEN, is_last=False), look_after)
        case Verb.UNDO if not check:
            return (Step(Verb.UNDO, is_last=False), look_after)
        case _:
            return (Step(plan.verb, check=check),)
