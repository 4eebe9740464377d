"""The KeyScanner port: sees which host key each SSH service shows, without logging in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from khien.adapters.known_hosts import KnownHosts
from khien.adapters.ssh_door import DoorError, in_thread, knock
from khien.adapters.ssh_session import shake_hands
from khien.adapters.ssh_settings import SshSettings, UnclearSettingsError, read_ssh_settings
from khien.application.trust_hosts import ShownKey
from khien.domain.host import Host
from khien.domain.reason import ReasonCode
from khien.domain.run import Reason


class SshKeyScan:
    """Shakes hands with many hosts at once and compares their keys with what is recorded."""

    def __init__(self, *, known_hosts: Path, host_seconds: float = 10, workers: int = 64) -> None:
        """Take the file of known host keys where the inventory names none, and the limits."""
        self._known_hosts = known_hosts
        self._host_seconds = host_seconds
        self._workers = workers

    def scan(self, hosts: Sequence[Host], *, deadline_seconds: float) -> tuple[ShownKey, ...]:
        """Return one entry for every host, in the order given; nobody logs in and nothing is recorded."""
        return asyncio.run(self._scan_all(hosts, deadline_seconds)) if hosts else ()

    async def _scan_all(self, hosts: Sequence[Host], deadline: float) -> tuple[ShownKey, ...]:
        turns, known = asyncio.Semaphore(self._workers), KnownHosts()
        tasks = [asyncio.create_task(self._scan_one(host, turns, known)) for host in hosts]
        await asyncio.wait(tasks, timeout=deadline)
        late = Reason(ReasonCode.PREFLIGHT_TIMEOUT, {"seconds": round(deadline)})
        shown = tuple(
            task.result() if task.done() else ShownKey(host.name, host.address, reason=late)
            for host, task in zip(hosts, tasks, strict=True)
        )
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return shown

    async def _scan_one(self, host: Host, turns: asyncio.Semaphore, known: KnownHosts) -> ShownKey:
        if host.transport not in ("ssh", "smart", "paramiko", "paramiko_ssh"):
            reason = Reason(ReasonCode.TRANSPORT_UNSUPPORTED, {"transport": host.transport})
            return ShownKey(host.name, host.address, reason=reason)
        seconds = self._host_seconds
        try:
            async with turns:
                settings = await in_thread(lambda: read_ssh_settings(host, self._known_hosts))
            async with asyncio.timeout(seconds):
                connection = await knock(settings, seconds=seconds)
            try:
                async with turns, asyncio.timeout(seconds):
                    recorded = known.recorded(settings.lookup_name, settings.known_hosts)
                    transport, key = await in_thread(
                        lambda: shake_hands(connection, settings, recorded.keys, seconds=seconds)
                    )
                    transport.close()
            finally:
                connection.close()
        except UnclearSettingsError as exc:
            reason = Reason(ReasonCode.NOT_CHECKED_DIRECTLY, {"variable": exc.variable})
            return ShownKey(host.name, host.address, reason=reason)
        except DoorError as exc:
            return ShownKey(host.name, host.address, reason=exc.reason)
        except TimeoutError:
            reason = Reason(ReasonCode.PREFLIGHT_TIMEOUT, {"seconds": round(seconds)})
            return ShownKey(host.name, host.address, reason=reason)
        return ShownKey(
            host=host.name,
            address=settings.address,
            lookup_name=settings.lookup_name,
            file=_file_for_new_keys(settings, self._known_hosts),
            state=recorded.state_of(key),
            key=key,
            recorded=recorded.keys,
        )


def _file_for_new_keys(settings: SshSettings, known_hosts: Path) -> Path:
    """Return the first file that can keep anything; /dev/null is how some inventories switch checking off."""
    usable = [path for path in settings.known_hosts if path != Path("/dev/null")]
    return usable[0] if usable else known_hosts
