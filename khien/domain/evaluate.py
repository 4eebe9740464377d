"""Judging: what a host answered, held against what the controls expect. Pure, so it can be done again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from khien.domain.control import Check, Control, Threshold, WhenAbsent
from khien.domain.expectation import OPERATORS, CannotCompareError
from khien.domain.finding import Finding, Verdict
from khien.domain.observation import Answer, HostFacts, Observation, ObservationSet
from khien.domain.platform import is_on, system_words
from khien.domain.reason import ReasonCode
from khien.domain.shown import show

_UNANSWERED = {
    Answer.NEEDS_ROOT: ReasonCode.NEEDS_ROOT,
    Answer.TIMED_OUT: ReasonCode.TIMED_OUT,
}
_WHEN_ABSENT = {
    WhenAbsent.PASS: Verdict.PASS,
    WhenAbsent.FAIL: Verdict.FAIL,
    WhenAbsent.NOT_APPLICABLE: Verdict.NOT_APPLICABLE,
}
_LONGEST_DETAIL = 1500


@dataclass(frozen=True, slots=True)
class Judged:
    """What the answers of a host mean to a check, or to all checks of a control."""

    verdict: Verdict
    reason: ReasonCode
    detail: str


_MOST_REMEMBERED = 100_000


@dataclass(slots=True)
class Memory:
    """What equal answers to the same control meant before: judging is pure, and hosts answer much alike.

    Keys hold the identity of a control, and values the control itself, so that it cannot become another's.
    """

    checks: dict[tuple[int, frozenset[str]], tuple[Control, tuple[Check, ...], tuple[str, ...]]] = field(
        default_factory=dict
    )
    """By control and kind of system: the checks that are meant for it, and the probes they ask."""
    judged: dict[tuple[object, ...], tuple[Control, Judged]] = field(default_factory=dict)

    def checks_of(self, control: Control, words: frozenset[str]) -> tuple[tuple[Check, ...], tuple[str, ...]]:
        """Return the checks that are meant for a kind of system, and the probes they ask, each once."""
        key = (id(control), words)
        if key not in self.checks:
            meant = tuple(c for c in control.checks if not c.only_on or is_on(c.only_on, words))
            self.checks[key] = (control, meant, tuple(dict.fromkeys(c.probe.id for c in meant)))
        return self.checks[key][1:]


def evaluate(
    controls: Iterable[Control], observations: ObservationSet, memory: Memory | None = None
) -> tuple[Finding, ...]:
    """Judge every control on one host; each control gets exactly one finding, in the order given.

    A check without an answer is never a pass. Dates are compared with the day of the collection.

    Args:
        controls: those that are demanded of the host, without open thresholds (see Levels.baseline).
        observations: what the host answered.
        memory: kept from host to host, where many are judged.
    """
    words = system_words(observations.facts)
    memory = memory if memory is not None else Memory()
    if len(memory.judged) > _MOST_REMEMBERED:
        memory.judged.clear()
    return tuple([_judge_control(control, observations, words, memory) for control in controls])


def _judge_control(
    control: Control, observations: ObservationSet, words: frozenset[str], memory: Memory
) -> Finding:
    facts = observations.facts
    if not facts.os_family:
        return Finding(control.id, Verdict.UNKNOWN, ReasonCode.NO_ANSWER, "os_family = ∅")
    if facts.os_family not in control.os_families:
        return Finding(control.id, Verdict.NOT_APPLICABLE, ReasonCode.OTHER_SYSTEM, _system(facts))
    if control.not_in_containers and facts.virtualization == "container":
        return Finding(control.id, Verdict.NOT_APPLICABLE, ReasonCode.IN_CONTAINER, _system(facts))
    checks, probes = memory.checks_of(control, words)
    if control.checks and not checks:
        return Finding(control.id, Verdict.NOT_APPLICABLE, ReasonCode.OTHER_SYSTEM, _system(facts))
    answers = observations.observations
    seen = [answers.get(probe) for probe in probes]
    today = observations.collected_at.date()
    key = (id(control), words, today, *[_essence(one) for one in seen])
    known = memory.judged.get(key)
    if known is None:
        known = memory.judged[key] = (control, _judge_checks(checks, answers, today))
    judged = known[1]
    evidence = tuple([one for one in seen if one is not None])
    return Finding(control.id, judged.verdict, judged.reason, judged.detail, evidence)


def _essence(observation: Observation | None) -> object:
    """Return all of an answer that can decide a judgement; how long it took does not."""
    if observation is None:
        return None
    if observation.answer is not Answer.ANSWERED:
        return observation.answer, observation.detail
    try:
        return repr(observation.value)
    except RecursionError:
        return object()  # nested without end: equal to nothing, so it is judged each time


def _judge_checks(checks: Sequence[Check], answers: Mapping[str, Observation], today: date) -> Judged:
    judged = [_judge_check(check, answers.get(check.probe.id), today) for check in checks]
    verdict = combine([one.verdict for one in judged])
    deciding = [one for one in judged if one.verdict is verdict]
    detail = "; ".join(dict.fromkeys(one.detail for one in deciding if one.detail))
    reason = deciding[0].reason if deciding else ReasonCode.NO_ANSWER
    return Judged(verdict, reason, detail[:_LONGEST_DETAIL])


def combine(verdicts: Sequence[Verdict]) -> Verdict:
    """Return what several checks mean together: one failure fails, one gap in knowledge is unknown.

    Not applicable only when every check is; no check at all proves nothing.
    """
    for decisive in (Verdict.FAIL, Verdict.UNKNOWN, Verdict.PASS, Verdict.NOT_APPLICABLE):
        if decisive in verdicts:
            return decisive
    return Verdict.UNKNOWN


def _judge_check(check: Check, observation: Observation | None, today: date) -> Judged:
    name = check.label
    if observation is None:
        return Judged(Verdict.UNKNOWN, ReasonCode.NO_ANSWER, f"{name} = ?")
    if observation.answer is not Answer.ANSWERED:
        reason = _UNANSWERED.get(observation.answer, ReasonCode.NO_ANSWER)
        return Judged(Verdict.UNKNOWN, reason, f"{name} = ? [{observation.detail or observation.answer}]")
    operator = OPERATORS.get(check.operator)
    if operator is None or _is_open(check.expected):
        return Judged(Verdict.UNKNOWN, ReasonCode.NO_ANSWER, f"{name}: {check.operator}?")
    try:
        seen = _at(observation.value, check.field_path)
        if seen is None or (operator.every and seen == []):
            detail = f"{name} = {operator.evidence(None, check.expected, today, holds=False)}"
            return Judged(_WHEN_ABSENT[check.when_absent], ReasonCode.ABSENT, detail)
        holds = operator.holds(seen, check.expected, today)
    except CannotCompareError as problem:
        return Judged(Verdict.UNKNOWN, ReasonCode.NO_ANSWER, f"{name}: {problem}")
    detail = f"{name} = {operator.evidence(seen, check.expected, today, holds=holds)}"
    if holds:
        return Judged(Verdict.PASS, ReasonCode.AS_EXPECTED, detail)
    return Judged(Verdict.FAIL, ReasonCode.NOT_AS_EXPECTED, detail)


def _is_open(expected: object) -> bool:
    """Whether an expectation still waits for a level's value; nothing can hold against it."""
    if isinstance(expected, list):
        return any(isinstance(entry, Threshold) for entry in expected)
    return isinstance(expected, Threshold)


def _at(value: object, path: tuple[str, ...]) -> object:
    """Return the part of an answer that a path points at; a path goes into every entry of a list."""
    for position, key in enumerate(path):
        if value is None:
            return None
        if isinstance(value, list):
            return [_at(entry, path[position:]) for entry in value]
        if not isinstance(value, dict) or key not in value:
            raise CannotCompareError(f"{show(value)}[{key}]?")
        value = value[key]
    return value


def label(check: Check) -> str:
    """Return a check's name in the words of its probe, in no human language."""
    return check.label


def _system(facts: HostFacts) -> str:
    return facts.os_name or f"{facts.os_id} {facts.os_version}".strip() or facts.os_family
