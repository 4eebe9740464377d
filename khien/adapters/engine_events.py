"""ansible-runner's events as the engine port's values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from khien.application.ports import EngineEvent, HostStats, TaskEnded, TaskStarted, TaskStatus
from khien.domain.text import safe_lines

_MESSAGE_LIMIT = 4000

_ENDED = {
    "runner_on_ok": TaskStatus.OK,
    "runner_on_failed": TaskStatus.FAILED,
    "runner_on_unreachable": TaskStatus.UNREACHABLE,
    "runner_on_skipped": TaskStatus.SKIPPED,
}


def translate(event: Mapping[str, Any]) -> Iterator[EngineEvent]:
    """Yield what one event of ansible-runner says about hosts; most events say nothing."""
    name = event.get("event")
    data = event.get("event_data") or {}
    if name == "runner_on_start":
        yield TaskStarted(str(data["host"]), str(data.get("task", "")), _moment(event))
    elif name in _ENDED:
        yield _ended(_ENDED[name], data, _moment(event))
    elif name == "playbook_on_stats":
        yield from _stats(data)


def _moment(event: Mapping[str, Any]) -> datetime:
    try:
        at = datetime.fromisoformat(str(event.get("created")))
    except ValueError:
        return datetime.now(UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _ended(status: TaskStatus, data: Mapping[str, Any], at: datetime) -> TaskEnded:
    result = data.get("res")
    result = result if isinstance(result, dict) else {}
    if status is TaskStatus.OK and result.get("changed"):
        status = TaskStatus.CHANGED
    return TaskEnded(
        host=str(data["host"]),
        task=str(data.get("task", "")),
        status=status,
        at=at,
        ignored=bool(data.get("ignore_errors")),
        message=_message(result),
        result=_own(result.get("khien")),
    )


def _own(found: object) -> Mapping[str, object]:
    """Return what our own module says; the collector sends it as one text."""
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except ValueError:
            return {}
    return found if isinstance(found, dict) else {}


def _message(result: Mapping[str, Any]) -> str:
    parts = [result.get("msg"), result.get("module_stderr"), result.get("stderr")]
    return safe_lines("\n".join(str(part) for part in parts if part).strip(), _MESSAGE_LIMIT)


def _stats(data: Mapping[str, Any]) -> Iterator[HostStats]:
    kinds = ("ok", "changed", "failures", "dark", "skipped", "rescued", "ignored")
    hosts = {host for kind in (*kinds, "processed") for host in data.get(kind) or {}}
    for host in sorted(hosts):
        number = {kind: int((data.get(kind) or {}).get(host, 0)) for kind in kinds}
        yield HostStats(
            host=host,
            ok=number["ok"],
            changed=number["changed"],
            failures=number["failures"],
            unreachable=number["dark"],
            skipped=number["skipped"],
            rescued=number["rescued"],
            ignored=number["ignored"],
        )
