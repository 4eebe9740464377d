"""Asks all probes of one host, each within its own time, and turns whatever happens into an answer."""

from __future__ import annotations

import json
import signal
import time
from types import FrameType
from typing import Any, Callable, Mapping, Optional, Sequence

from .kinds import KINDS
from .machine import Hung, Machine, NoAnswerError, UnsupportedError

SCHEMA = "khien.observations/1"
_LARGEST_VALUE = 128 * 1024
_LARGEST_RESULT = 560 * 1024
_SHORTEST_TIME = 0.05

Answer = dict[str, Any]


def collect(
    machine: Machine,
    probes: Sequence[Mapping[str, Any]],
    budget_seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Answer]:
    """Return one answer for every probe, by its id.

    Args:
        machine: the host.
        probes: `id`, `kind`, `parameters`, `timeout` each.
        budget_seconds: the time that all together may take.
        clock: seconds that only go forward.
    """
    machine.units_of_interest = _names(probes, "units")
    machine.packages_of_interest = _names(probes, "packages")
    ends = clock() + budget_seconds
    room = _LARGEST_RESULT
    answers: dict[str, Answer] = {}
    earlier = signal.signal(signal.SIGALRM, _ring)
    try:
        for probe in probes:
            begun = clock()
            limit = min(float(probe["timeout"]), ends - begun)
            answer = _ask(machine, probe, limit)
            size = len(json.dumps(answer.get("value")))
            if size > min(_LARGEST_VALUE, room):
                answer = {"answer": "failed", "detail": "the answer is too large: %d bytes" % size}
            else:
                room -= size
            answer["ms"] = int((clock() - begun) * 1000)
            answers[probe["id"]] = answer
    finally:
        signal.signal(signal.SIGALRM, earlier)
    return answers


def _ask(machine: Machine, probe: Mapping[str, Any], limit: float) -> Answer:
    kind = KINDS.get(probe["kind"])
    if kind is None:
        return {"answer": "unsupported", "detail": "this collector does not know %s" % probe["kind"]}
    if limit < _SHORTEST_TIME:
        return {"answer": "timed_out", "detail": "the time for all questions together was used up before"}
    machine.waiting_for = ""
    try:
        try:
            # The alarm rings again each second: code that swallows the first ring cannot hang the collection.
            signal.setitimer(signal.ITIMER_REAL, limit, 1.0)
            value = kind(machine, **probe["parameters"])
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        return {"answer": "answered", "value": _clean(value)}
    except Hung:
        place = ", waiting for %s" % machine.waiting_for if machine.waiting_for else ""
        return {"answer": "timed_out", "detail": "no answer within %g s%s" % (limit, place)}
    except UnsupportedError as problem:
        return {"answer": "unsupported", "detail": str(problem)}
    except PermissionError as problem:
        if machine.privileged:
            return {"answer": "failed", "detail": str(problem)}
        return {"answer": "needs_root", "detail": str(problem)}
    except NoAnswerError as problem:
        return {"answer": "failed", "detail": str(problem)}
    # The outermost edge of one question: whatever broke in it must not cost the host its other answers.
    except Exception as problem:  # noqa: BLE001
        return {"answer": "failed", "detail": "%s: %s" % (type(problem).__name__, problem)}


def _ring(_number: int, _frame: Optional[FrameType]) -> None:
    raise Hung


def _names(probes: Sequence[Mapping[str, Any]], kind: str) -> list[str]:
    """Return what all probes of a kind ask about, so that one command answers them together."""
    asking = (probe for probe in probes if probe["kind"] == kind)
    return sorted({name for probe in asking for name in probe["parameters"]["names"]})


def _clean(value: Any) -> Any:
    """Return a value as JSON knows it, with bytes that are no text replaced."""
    text = json.dumps(value)
    if "\\ud" in text:
        text = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode("utf-8")
    return json.loads(text)
