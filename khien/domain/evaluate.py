"""Judging: what a host answered, held against what the controls expect. Pure, so it can be done again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
class _Judged:
    """One check of a control on a host."""

    verdict: Verdict
    reason: ReasonCode
    detail: str


def evaluate(controls: Iterable[Control], observations: ObservationSet) -> tuple[Finding, ...]:
    """Judge every control on one host; each control gets exactly one finding, in the order given.

    A check without an answer is never a pass. Dates are compared with the day of the collection.

    Args:
        controls: those that are demanded of the host, without open thresholds (see Levels.baseline).
        observations: what the host answered.
    """
    words = system_words(observations.facts)
    return tuple(_judge_control(control, observations, words) for control in controls)


def _judge_control(control: Control, observations: ObservationSet, words: frozenset[str]) -> Finding:
    facts = observations.facts
    if not facts.os_family:
        return Finding(control.id, Verdict.UNKNOWN, ReasonCode.NO_ANSWER, "os_family = ∅")
    if facts.os_family not in control.os_families:
        return Finding(control.id, Verdict.NOT_APPLICABLE, ReasonCode.OTHER_SYSTEM, _system(facts))
    if control.not_in_containers and facts.virtualization == "container":
        return Finding(control.id, Verdict.NOT_APPLICABLE, ReasonCode.IN_CONTAINER, _system(facts))
    checks = [check for check in control.checks if not check.only_on or is_on(check.only_on, words)]
    if control.checks and not checks:
        return Finding(control.id, Verdict.NOT_APPLICABLE, ReasonCode.OTHER_SYSTEM, _system(facts))
    today = observations.collected_at.date()
    evidence = _evidence(checks, observations)
    judged = [_judge_check(check, observations.observations.get(check.probe.id), today) for check in checks]
    if len(judged) == 1:  # as most controls are; the same as below, at half the cost
        (one,) = judged
        return Finding(control.id, one.verdict, one.reason, one.detail[:_LONGEST_DETAIL], evidence)
    verdict = combine([one.verdict for one in judged])
    deciding = [one for one in judged if one.verdict is verdict]
    detail = "; ".join(dict.fromkeys(one.detail for one in deciding if one.detail))
    reason = deciding[0].reason if deciding else ReasonCode.NO_ANSWER
    return Finding(control.id, verdict, reason, detail[:_LONGEST_DETAIL], evidence)


def combine(verdicts: Sequence[Verdict]) -> Verdict:
    """Return what several checks mean together: one failure fails, one gap in knowledge is unknown.

    Not applicable only when every check is; no check at all proves nothing.
    """
    for decisive in (Verdict.FAIL, Verdict.UNKNOWN, Verdict.PASS, Verdict.NOT_APPLICABLE):
        if decisive in verdicts:
            return decisive
    return Verdict.UNKNOWN


def _judge_check(check: Check, observation: Observation | None, today: date) -> _Judged:
    name = check.label
    if observation is None:
        return _Judged(Verdict.UNKNOWN, ReasonCode.NO_ANSWER, f"{name} = ?")
    if observation.answer is not Answer.ANSWERED:
        reason = _UNANSWERED.get(observation.answer, ReasonCode.NO_ANSWER)
        return _Judged(Verdict.UNKNOWN, reason, f"{name} = ? [{observation.detail or observation.answer}]")
    operator = OPERATORS.get(check.operator)
    if operator is None or _is_open(check.expected):
        return _Judged(Verdict.UNKNOWN, ReasonCode.NO_ANSWER, f"{name}: {check.operator}?")
    try:
        seen = _at(observation.value, check.field_path)
        if seen is None or (operator.every and seen == []):
            detail = f"{name} = {operator.evidence(None, check.expected, today, holds=False)}"
            return _Judged(_WHEN_ABSENT[check.when_absent], ReasonCode.ABSENT, detail)
        holds = operator.holds(seen, check.expected, today)
    except CannotCompareError as problem:
        return _Judged(Verdict.UNKNOWN, ReasonCode.NO_ANSWER, f"{name}: {problem}")
    detail = f"{name} = {operator.evidence(seen, check.expected, today, holds=holds)}"
    if holds:
        return _Judged(Verdict.PASS, ReasonCode.AS_EXPECTED, detail)
    return _Judged(Verdict.FAIL, ReasonCode.NOT_AS_EXPECTED, detail)


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


def _evidence(checks: Sequence[Check], observations: ObservationSet) -> tuple[Observation, ...]:
    answers = observations.observations
    ids = dict.fromkeys([check.probe.id for check in checks])
    return tuple([answers[key] for key in ids if key in answers])
