"""Understands the answers of the collector: JSON that a host made, so nothing in it is believed unseen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime

from khien.domain.observation import SCHEMA, Answer, HostFacts, Observation, ObservationSet
from khien.domain.text import safe_text

_LONGEST_FACT = 300
_LONGEST_DETAIL = 1000
_ANSWERS = {answer.value: answer for answer in Answer}


def read_observations(host: str, result: Mapping[str, object], at: datetime) -> ObservationSet | None:
    """Return a host's answers; nothing when the result is of another schema.

    An answer that cannot be understood counts as failed and spoils no other. When nothing can be understood
    there are no answers at all: every control of the host is then unknown, which never passes for compliance.

    Args:
        host: the name in the inventory; what the host calls itself is not asked.
        result: the `khien` key of the collector's result.
        at: when it arrived, by the controller's clock.
    """
    if result.get("schema") != SCHEMA:
        return None
    facts, observations = result.get("facts"), result.get("observations")
    if not isinstance(facts, Mapping) or not isinstance(observations, Mapping):
        return ObservationSet(host, at, HostFacts())
    answers = {str(key): _observation(str(key), entry) for key, entry in observations.items()}
    return ObservationSet(host, at, _facts(facts), answers)


def _facts(found: Mapping[str, object]) -> HostFacts:
    """Keep every fact that has the type it must have; the others stay unknown."""
    kept: dict[str, object] = {}
    for field in fields(HostFacts):
        value, default = found.get(field.name), field.default
        if type(value) is type(default):
            kept[field.name] = safe_text(value, _LONGEST_FACT) if isinstance(value, str) else value
    return HostFacts(**kept)  # type: ignore[arg-type]


def _observation(probe_id: str, entry: object) -> Observation:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("answer"), str):
        return Observation(probe_id, Answer.FAILED, detail="the collector's answer is malformed")
    answer = _ANSWERS.get(entry["answer"])
    if answer is None or (answer is Answer.ANSWERED and "value" not in entry):
        return Observation(probe_id, Answer.FAILED, detail="the collector's answer is malformed")
    milliseconds = entry.get("ms")
    return Observation(
        probe_id=probe_id,
        answer=answer,
        value=entry.get("value") if answer is Answer.ANSWERED else None,
        detail=safe_text(entry.get("detail") or "", _LONGEST_DETAIL),
        milliseconds=milliseconds if type(milliseconds) is int and milliseconds >= 0 else 0,
    )
