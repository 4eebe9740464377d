"""The Preflight port over SSH: hundreds of hosts looked at together, each within its own limit of time."""

from __future__ import annotations

import asyncio
import resource
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import paramiko

from khien.adapters.known_hosts import KnownHosts
from khien.adapters.preflight_questions import become_method, become_user, read_answers, script_for
from khien.adapters.ssh_door import Connection, DoorError, in_thread, knock
from khien.adapters.ssh_session import KeyRing, log_in, run_command, run_script, shake_hands
from khien.adapters.ssh_settings import SshSettings, UnclearSettingsError, read_ssh_settings
from khien.application.judge_readiness import DoorAnswers, judge_readiness
from khien.application.ports import PreflightResult
from khien.application.trust_hosts import KeyState
from khien.domain.host import Host
from khien.domain.reason import ReasonCode
from khien.domain.run import Reason
from khien.domain.text import safe_text

_WITHOUT_SSH = frozenset({"winrm", "psrp"})
_SSH = frozenset({"ssh", "smart", "paramiko", "paramiko_ssh"})


@dataclass(frozen=True, slots=True)
class _Secrets:
    """Passwords on their way to a host; they print as nothing."""

    connection: str | None = None
    become: str | None = None

    def __repr__(self) -> str:
        return "_Secrets()"


class SshPreflight:
    """Looks at SSH doors; never changes anything there, and never trusts a key that is not recorded."""

    def __init__(
        self,
        *,
        known_hosts: Path,
        secrets: Mapping[str, str] | None = None,
        host_seconds: float = 10,
        workers: int = 64,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """Take what all hosts share.

        Args:
            known_hosts: the file of known host keys, where the inventory names none.
            secrets: connection_password and become_password, as in a run.
            host_seconds: the longest that one host may take to speak, and then to answer.
            workers: how many hosts are logged in to at the same time.
            wall_clock: tells the time that the hosts' clocks are compared with.
        """
        self._known_hosts = known_hosts
        given = secrets or {}
        self._secrets = _Secrets(given.get("connection_password"), given.get("become_password"))
        self._host_seconds = host_seconds
        self._workers = workers
        self._wall_clock = wall_clock

    def with_secrets(self, secrets: Mapping[str, str]) -> SshPreflight:
        """Return the same preflight that uses these passwords where keys and sudo rules do not do."""
        return SshPreflight(
            known_hosts=self._known_hosts,
            secrets=secrets,
            host_seconds=self._host_seconds,
            workers=self._workers,
            wall_clock=self._wall_clock,
        )

    def check(self, hosts: Sequence[Host], *, deadline_seconds: float) -> tuple[PreflightResult, ...]:
        """Check all hosts concurrently; every host has a result at the latest after the deadline."""
        return asyncio.run(self._check_all(hosts, deadline_seconds)) if hosts else ()

    async def _check_all(self, hosts: Sequence[Host], deadline: float) -> tuple[PreflightResult, ...]:
        visit = _Visit(
            known_hosts_file=self._known_hosts,
            secrets=self._secrets,
            seconds=min(self._host_seconds, deadline),
            wall_clock=self._wall_clock,
            logins=asyncio.Semaphore(self._workers),
            sockets=asyncio.Semaphore(_sockets_at_once()),
            known=KnownHosts(),
            keys=KeyRing(),
        )
        tasks = [asyncio.create_task(visit.result(host)) for host in hosts]
        await asyncio.wait(tasks, timeout=deadline)
        late = Reason(ReasonCode.PREFLIGHT_TIMEOUT, {"seconds": round(deadline)})
        results = tuple(
            task.result()
            if task.done()
            else PreflightResult(
                host.name, ready=False, troubles=(late,), milliseconds=round(deadline * 1000)
            )
            for host, task in zip(hosts, tasks, strict=True)
        )
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return results


def _sockets_at_once() -> int:
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(32, min(2000, soft - 256 if soft != resource.RLIM_INFINITY else 2000))


@dataclass(frozen=True, slots=True)
class _Visit:
    """One look at many hosts."""

    known_hosts_file: Path
    secrets: _Secrets
    seconds: float
    wall_clock: Callable[[], float]
    logins: asyncio.Semaphore
    sockets: asyncio.Semaphore
    known: KnownHosts
    keys: KeyRing

    async def result(self, host: Host) -> PreflightResult:
        """Look at one host; every trouble on the way becomes a result."""
        if host.transport == "local":
            return PreflightResult(host.name, ready=True)
        if host.transport in _WITHOUT_SSH:
            reason = Reason(ReasonCode.TRANSPORT_UNSUPPORTED, {"transport": safe_text(host.transport)})
            return PreflightResult(host.name, ready=False, troubles=(reason,))
        if host.transport not in _SSH:
            return _unclear(host, "ansible_connection")
        async with self.sockets:
            began = time.monotonic()
            result = await self._looked_at(host)
        took = round((time.monotonic() - began) * 1000)
        return replace(result, milliseconds=took)

    async def _looked_at(self, host: Host) -> PreflightResult:
        try:
            async with self.logins:
                settings = await in_thread(lambda: read_ssh_settings(host, self.known_hosts_file))
            async with asyncio.timeout(self.seconds):
                connection = await knock(settings, seconds=self.seconds)
            try:
                # Waiting for its turn is not the host's fault and is not taken from its time.
                async with self.logins, asyncio.timeout(self.seconds):
                    return await in_thread(lambda: self._inside(host, settings, connection))
            finally:
                connection.close()
        except UnclearSettingsError as exc:
            return _unclear(host, exc.variable)
        except DoorError as exc:
            return PreflightResult(host.name, ready=False, troubles=(exc.reason,))
        except TimeoutError:
            reason = Reason(ReasonCode.PREFLIGHT_TIMEOUT, {"seconds": round(self.seconds)})
            return PreflightResult(host.name, ready=False, troubles=(reason,))

    def _inside(self, host: Host, settings: SshSettings, connection: Connection) -> PreflightResult:
        """Do all that blocks, in a thread."""
        recorded = self.known.recorded(settings.lookup_name, settings.known_hosts)
        transport, key = shake_hands(connection, settings, recorded.keys, seconds=self.seconds)
        try:
            state = recorded.state_of(key)
            arguments = {
                "address": settings.lookup_name,
                "key_type": key.key_type,
                "fingerprint": key.fingerprint,
            }
            if state is KeyState.NEW and recorded.has_authority:
                return _unclear(host, "@cert-authority")
            if state is KeyState.NEW:
                raise DoorError(ReasonCode.HOST_KEY_UNKNOWN, **arguments)
            if state is not KeyState.KNOWN:
                old = ", ".join(sorted({k.fingerprint for k in recorded.keys})) or "@revoked"
                raise DoorError(ReasonCode.HOST_KEY_CHANGED, recorded=old, **arguments)
            log_in(transport, settings, self.keys, password=self.secrets.connection)
            return self._asked(host, settings, transport)
        finally:
            transport.close()

    def _asked(self, host: Host, settings: SshSettings, transport: paramiko.Transport) -> PreflightResult:
        asked_at = self.wall_clock()
        output = run_script(transport, script_for(host), seconds=self.seconds)
        answers = read_answers(output, host, settings.user, asked_at=asked_at, answered_at=self.wall_clock())
        if answers is None:
            said = safe_text(output.strip().rpartition("\n")[2], 200)
            raise DoorError(ReasonCode.LOGIN_REFUSED, user=settings.user, message=said)
        troubles, warnings = judge_readiness(self._with_password(host, answers, transport))
        if become_method(host) != "sudo":
            unclear = Reason(ReasonCode.NOT_CHECKED_DIRECTLY, {"variable": "ansible_become_method"})
            warnings = (*warnings, unclear)
        return PreflightResult(host.name, not troubles, troubles, warnings, facts=answers.facts)

    def _with_password(self, host: Host, answers: DoorAnswers, transport: paramiko.Transport) -> DoorAnswers:
        """Try sudo again with the password of the run, where it does not do without."""
        password = self.secrets.become
        if password is None or not answers.sudo_asks_password:
            return answers
        # -k: a password is asked for even if one was given a minute ago, so a wrong one is found out.
        command = f"LC_ALL=C sudo -k -S -p '' -H -u {shlex.quote(become_user(host))} /bin/sh -c :"
        code, said = run_command(transport, command, password + "\n", seconds=self.seconds)
        message = safe_text(said.replace(password, ""), 300)
        return replace(answers, sudo_code=code, sudo_message=message)


def _unclear(host: Host, variable: str) -> PreflightResult:
    """Let a host pass that only Ansible can reach: a refusal would be a false alarm."""
    reason = Reason(ReasonCode.NOT_CHECKED_DIRECTLY, {"variable": variable})
    return PreflightResult(host.name, ready=True, warnings=(reason,))
