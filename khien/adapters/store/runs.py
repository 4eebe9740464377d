"""Runs, the outcome of each of their hosts, and the journal of how it came to be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from khien.adapters.store import schema as t
from khien.adapters.store.codec import decode, encode
from khien.adapters.store.connect import Database
from khien.application.ports import LogLine
from khien.domain.plan import Plan
from khien.domain.run import (
    HostOutcome,
    HostState,
    ProcessIdentity,
    Reason,
    Run,
    RunId,
    RunOptions,
    RunState,
    Verb,
)
from khien.errors import StoreError, UsageError
from khien.i18n import _

_ACTIVE = [state.value for state in RunState if not state.is_final]
_FINAL = [state.value for state in RunState if state.is_final]


def _reason_text(reason: Reason | None) -> str | None:
    return encode(Reason, reason) if reason is not None and reason.code else None


def _reason(text: str | None) -> Reason:
    return decode(Reason, text) if text else Reason()


class SqlRunStore:
    """The RunStore port over SQL."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def create_run(self, run: Run, plan: Plan) -> None:
        """Record a new run with every host of its plan as waiting and the left-out ones as skipped."""
        rows = [_host_row(run.id, HostOutcome(host, HostState.WAITING)) for host in plan.hosts]
        rows += [
            _host_row(run.id, HostOutcome(left.host, HostState.SKIPPED, left.reason))
            for left in plan.left_out
        ]
        with self._db.write() as connection:
            connection.execute(
                t.runs.insert().values(
                    id=run.id,
                    verb=run.verb.value,
                    state=run.state.value,
                    requested_by=run.requested_by,
                    created_at=run.created_at,
                    parent=run.parent,
                    plan_hash=run.plan_hash,
                    options=encode(RunOptions, plan.options),
                    plan=encode(Plan, plan),
                )
            )
            if rows:
                connection.execute(t.run_hosts.insert(), rows)
            _journal(connection, rows, run.created_at)

    def run(self, run_id: RunId) -> Run:
        """Return a run by id or unique prefix."""
        with self._db.read() as connection:
            found = self._select(connection, t.runs.c.id == run_id, limit=1) or self._select(
                connection, t.runs.c.id.startswith(run_id, autoescape=True), limit=2
            )
        if not found:
            raise UsageError(_("There is no run {run}.").format(run=run_id))
        if len(found) > 1:
            raise UsageError(_("Several runs begin with {run}; give more of the id.").format(run=run_id))
        return found[0]

    def runs(self, *, limit: int = 50, active_only: bool = False) -> tuple[Run, ...]:
        """Return runs, newest first."""
        where = t.runs.c.state.in_(_ACTIVE) if active_only else sa.true()
        with self._db.read() as connection:
            return self._select(connection, where, limit=limit)

    def _select(
        self, connection: Connection, where: sa.ColumnElement[bool], *, limit: int
    ) -> tuple[Run, ...]:
        newest_first = (t.runs.c.created_at.desc(), t.runs.c.id.desc())
        rows = connection.execute(t.runs.select().where(where).order_by(*newest_first).limit(limit)).all()
        counts: dict[str, dict[HostState, int]] = {row.id: {} for row in rows}
        grouped = (
            sa.select(t.run_hosts.c.run_id, t.run_hosts.c.state, sa.func.count())
            .where(t.run_hosts.c.run_id.in_(counts))
            .group_by(t.run_hosts.c.run_id, t.run_hosts.c.state)
        )
        for run_id, state, number in connection.execute(grouped):
            counts[run_id][HostState(state)] = number
        return tuple(_run(row, counts[row.id]) for row in rows)

    def plan(self, run_id: RunId) -> Plan:
        """Return the plan that the run executes."""
        with self._db.read() as connection:
            text = connection.execute(sa.select(t.runs.c.plan).where(t.runs.c.id == run_id)).scalar()
        if text is None:
            raise UsageError(_("There is no run {run}.").format(run=run_id))
        return decode(Plan, text)

    def outcomes(self, run_id: RunId, states: frozenset[HostState] | None = None) -> tuple[HostOutcome, ...]:
        """Return the hosts of a run by name."""
        query = t.run_hosts.select().where(t.run_hosts.c.run_id == run_id).order_by(t.run_hosts.c.host)
        if states is not None:
            query = query.where(t.run_hosts.c.state.in_([state.value for state in states]))
        with self._db.read() as connection:
            return tuple(_outcome(row) for row in connection.execute(query))

    def log(
        self, run_id: RunId, *, host: str | None = None, after: int = 0, limit: int = 1000
    ) -> tuple[LogLine, ...]:
        """Return log lines in order."""
        columns = t.log_lines.c
        query = t.log_lines.select().where(columns.run_id == run_id, columns.id > after)
        if host is not None:
            query = query.where(columns.host == host)
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(columns.id).limit(limit)).all()
        return tuple(LogLine(row.id, row.at, row.host, row.task, row.status, row.text) for row in rows)

    def claim(self, run_id: RunId, process: ProcessIdentity, at: datetime) -> None:
        """Say which process executes the run."""
        claimed = {
            "state": RunState.RUNNING.value,
            "started_at": at,
            "process": encode(ProcessIdentity, process),
        }
        with self._db.write() as connection:
            changed = connection.execute(
                t.runs.update()
                .where(t.runs.c.id == run_id, t.runs.c.state == RunState.CREATED.value)
                .values(claimed)
            )
            if changed.rowcount != 1:
                raise StoreError(f"run {run_id} is not waiting to be started")

    def expect(self, run_id: RunId, process: ProcessIdentity) -> None:
        """Say which process was started for the run."""
        with self._db.write() as connection:
            connection.execute(
                t.runs.update()
                .where(t.runs.c.id == run_id, t.runs.c.state == RunState.CREATED.value)
                .values(process=encode(ProcessIdentity, process))
            )

    def process(self, run_id: RunId) -> ProcessIdentity | None:
        """Return the process that executes the run."""
        with self._db.read() as connection:
            text = connection.execute(sa.select(t.runs.c.process).where(t.runs.c.id == run_id)).scalar()
        return decode(ProcessIdentity, text) if text else None

    def set_state(self, run_id: RunId, state: RunState, at: datetime, reason: Reason | None = None) -> None:
        """Move the run to a state; a final state is never left again."""
        values: dict[str, Any] = {"state": state.value}
        if state.is_final:
            values["ended_at"] = at
        if reason is not None:
            values["reason"] = _reason_text(reason)
        with self._db.write() as connection:
            connection.execute(
                t.runs.update().where(t.runs.c.id == run_id, t.runs.c.state.not_in(_FINAL)).values(**values)
            )

    def request_cancel(self, run_id: RunId, at: datetime) -> None:
        """Ask the run's process to stop."""
        with self._db.write() as connection:
            connection.execute(
                t.runs.update()
                .where(t.runs.c.id == run_id, t.runs.c.state.in_(_ACTIVE))
                .values(cancel_requested_at=at)
            )

    def cancel_requested(self, run_id: RunId) -> bool:
        """Whether somebody asked the run to stop."""
        with self._db.read() as connection:
            query = sa.select(t.runs.c.cancel_requested_at).where(t.runs.c.id == run_id)
            return connection.execute(query).scalar() is not None

    def record(self, run_id: RunId, outcomes: Sequence[HostOutcome], lines: Sequence[LogLine] = ()) -> None:
        """Store host transitions with a journal row each, and log lines, in one durable transaction."""
        if not outcomes and not lines:
            return
        rows = [_host_row(run_id, outcome) for outcome in outcomes]
        with self._db.write() as connection:
            known = _known_states(connection, run_id, {row["host"] for row in rows})
            entries: list[dict[str, Any]] = []
            for row, outcome in zip(rows, outcomes, strict=True):
                if known.get(outcome.host) == outcome.state.value:
                    continue
                known[outcome.host] = outcome.state.value
                at = outcome.ended_at or outcome.started_at
                if at is None:
                    raise ValueError(f"{outcome.host} changes its state at no known time")
                entries.append(_journal_row(row, at))
            # Of several changes of one host, the last one is how things stand.
            last = {row["host"]: row for row in rows}
            _update_each(connection, t.run_hosts, ("run_id", "host"), list(last.values()))
            if entries:
                connection.execute(t.journal.insert(), entries)
            if lines:
                connection.execute(t.log_lines.insert(), [_line_row(run_id, line) for line in lines])
            final = {outcome.host: outcome for outcome in outcomes if outcome.state.is_final}
            _remember_last_outcomes(connection, run_id, list(final.values()))

    def lock_hosts(
        self,
        run_id: RunId,
        hosts: Sequence[str],
        process: ProcessIdentity,
        is_alive: Callable[[ProcessIdentity], bool],
    ) -> Mapping[str, RunId]:
        """Lock hosts for a changing run; return those another live run holds, with that run."""
        me = encode(ProcessIdentity, process)
        busy: dict[str, RunId] = {}
        with self._db.write() as connection:
            wanted = set(hosts)
            held = [row for row in connection.execute(t.host_locks.select()) if row.host in wanted]
            alive = {text: is_alive(decode(ProcessIdentity, text)) for text in {row.process for row in held}}
            for row in held:
                if row.run_id != run_id and alive[row.process]:
                    busy[row.host] = RunId(row.run_id)
            stale = [row.host for row in held if row.host not in busy]
            for part in _parts(stale):
                connection.execute(t.host_locks.delete().where(t.host_locks.c.host.in_(part)))
            free = [{"host": host, "run_id": run_id, "process": me} for host in sorted(wanted - busy.keys())]
            if free:
                connection.execute(t.host_locks.insert(), free)
        return busy

    def unlock_hosts(self, run_id: RunId) -> None:
        """Give up all locks of the run."""
        with self._db.write() as connection:
            connection.execute(t.host_locks.delete().where(t.host_locks.c.run_id == run_id))


def _parts(names: Sequence[str], size: int = 500) -> Iterable[Sequence[str]]:
    # SQLite bounds the number of variables in one statement.
    return (names[start : start + size] for start in range(0, len(names), size))


def _known_states(connection: Connection, run_id: RunId, names: set[str]) -> dict[str, str]:
    known: dict[str, str] = {}
    for part in _parts(sorted(names)):
        query = sa.select(t.run_hosts.c.host, t.run_hosts.c.state).where(
            t.run_hosts.c.run_id == run_id, t.run_hosts.c.host.in_(part)
        )
        known.update((row.host, row.state) for row in connection.execute(query))
    return known


def _host_row(run_id: RunId, outcome: HostOutcome) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "host": outcome.host,
        "state": outcome.state.value,
        "reason": _reason_text(outcome.reason),
        "task": outcome.task,
        "changed_tasks": outcome.changed_tasks,
        "started_at": outcome.started_at,
        "ended_at": outcome.ended_at,
    }


def _line_row(run_id: RunId, line: LogLine) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "host": line.host,
        "task": line.task,
        "status": line.status,
        "text": line.text,
        "at": line.at,
    }


def _journal(connection: Connection, rows: Sequence[Mapping[str, Any]], at: datetime) -> None:
    if rows:
        connection.execute(t.journal.insert(), [_journal_row(row, at) for row in rows])


def _journal_row(row: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    return {key: row[key] for key in ("run_id", "host", "state", "reason", "task")} | {"at": at}


def _update_each(
    connection: Connection, table: sa.Table, keys: tuple[str, ...], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Update many rows with one prepared statement: statement by statement costs more than all else."""
    if not rows:
        return
    statement = table.update().where(*(table.c[key] == sa.bindparam(f"key_{key}") for key in keys))
    statement = statement.values({name: sa.bindparam(name) for name in rows[0] if name not in keys})
    connection.execute(
        statement, [{f"key_{key}" if key in keys else key: row[key] for key in row} for row in rows]
    )


def _remember_last_outcomes(connection: Connection, run_id: RunId, outcomes: Sequence[HostOutcome]) -> None:
    if not outcomes:
        return
    verb = connection.execute(sa.select(t.runs.c.verb).where(t.runs.c.id == run_id)).scalar()
    rows = [
        {
            "name": outcome.host,
            "last_run": run_id,
            "last_verb": verb,
            "last_state": outcome.state.value,
            "last_reason": _reason_text(outcome.reason),
        }
        for outcome in outcomes
    ]
    _update_each(connection, t.hosts, ("name",), rows)


def _run(row: Row[Any], counts: Mapping[HostState, int]) -> Run:
    return Run(
        id=RunId(row.id),
        verb=Verb(row.verb),
        state=RunState(row.state),
        options=decode(RunOptions, row.options),
        requested_by=row.requested_by,
        created_at=row.created_at,
        plan_hash=row.plan_hash,
        started_at=row.started_at,
        ended_at=row.ended_at,
        parent=RunId(row.parent) if row.parent else None,
        reason=_reason(row.reason),
        counts=counts,
    )


def _outcome(row: Row[Any]) -> HostOutcome:
    return HostOutcome(
        host=row.host,
        state=HostState(row.state),
        reason=_reason(row.reason),
        task=row.task,
        changed_tasks=row.changed_tasks,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )
