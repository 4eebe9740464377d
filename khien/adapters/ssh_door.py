"""Knocks at SSH doors: name, TCP and banner of many hosts at once, none of them holding up the others."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import socket
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from khien.adapters.ssh_settings import SshSettings
from khien.domain.reason import ReasonCode
from khien.domain.run import Reason
from khien.domain.text import safe_text

_CONNECT_SECONDS = 5.0
_T = TypeVar("_T")
_Addresses = list[tuple[socket.AddressFamily, tuple[object, ...]]]


class DoorError(Exception):
    """The door stays shut; the reason says why."""

    def __init__(self, code: ReasonCode, **arguments: str | int) -> None:
        self.reason = Reason(code, arguments)
        super().__init__(code)


class Connection:
    """An open way to a host's SSH service whose first words have arrived but are not yet read."""

    def __init__(self, sock: socket.socket, proxy: subprocess.Popen[bytes] | None = None) -> None:
        self.sock = sock
        self._proxy = proxy

    def close(self) -> None:
        """End the connection; whoever still waits for it in another thread wakes up."""
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        if self._proxy is not None:
            self._proxy.kill()
            self._proxy.wait()
            if self._proxy.stderr is not None:
                self._proxy.stderr.close()

    def last_words_of_proxy(self) -> str:
        """Return what the proxy command said last before it ended."""
        if self._proxy is None or self._proxy.stderr is None:
            return ""
        said = os.read(self._proxy.stderr.fileno(), 4096).decode(errors="replace").strip().splitlines()
        return safe_text(said[-1], 300) if said else ""


async def in_thread(work: Callable[[], _T]) -> _T:
    """Run blocking work in a thread of its own that is forgotten, not waited for, when it hangs."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_T] = loop.create_future()

    def settle(result: _T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as exc:  # noqa: BLE001 - it is raised again where the work is awaited
            error = exc
        # The loop may be gone when a forgotten thread comes back at last.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, daemon=True, name="khien-preflight").start()
    return await done


async def knock(settings: SshSettings, *, seconds: float) -> Connection:
    """Open the way to a host and wait until its SSH service speaks.

    Args:
        settings: how the host is reached.
        seconds: the host's whole time; four fifths of it may pass until it speaks.

    Raises:
        DoorError: it does not come so far.
    """
    connection = _through_proxy(settings) if settings.proxy else await _directly(settings, seconds)
    try:
        async with asyncio.timeout(seconds * 0.8):
            await _await_banner(connection, settings)
    except TimeoutError as exc:
        connection.close()
        raise _silent(settings) from exc
    except BaseException:
        connection.close()
        raise
    return connection


async def _directly(settings: SshSettings, seconds: float) -> Connection:
    loop = asyncio.get_running_loop()
    problem = DoorError(ReasonCode.NAME_UNRESOLVED, address=settings.address)
    for family, address in await _resolve(settings):
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            async with asyncio.timeout(min(_CONNECT_SECONDS, seconds / 2)):
                await loop.sock_connect(sock, address)
        except OSError as exc:  # TimeoutError is one, too
            sock.close()
            problem = _connect_problem(exc, settings)
        except BaseException:
            sock.close()
            raise
        else:
            return Connection(sock)
    raise problem


async def _resolve(settings: SshSettings) -> _Addresses:
    with suppress(ValueError):
        literal = ipaddress.ip_address(settings.address)
        family = socket.AF_INET if literal.version == 4 else socket.AF_INET6
        return [(family, (settings.address, settings.port))]
    try:
        found = await in_thread(
            lambda: socket.getaddrinfo(settings.address, settings.port, type=socket.SOCK_STREAM)
        )
    except (OSError, UnicodeError) as exc:
        raise DoorError(ReasonCode.NAME_UNRESOLVED, address=settings.address) from exc
    return [(family, address) for family, _kind, _protocol, _name, address in found]


def _connect_problem(error: OSError, settings: SshSettings) -> DoorError:
    if isinstance(error, ConnectionRefusedError):
        return DoorError(ReasonCode.TCP_REFUSED, address=settings.address, port=settings.port)
    if isinstance(error, TimeoutError):
        return DoorError(ReasonCode.TCP_TIMEOUT, address=settings.address, port=settings.port)
    message = os.strerror(error.errno or errno.EHOSTUNREACH)
    return DoorError(ReasonCode.NO_ROUTE, address=settings.address, message=message)


def _through_proxy(settings: SshSettings) -> Connection:
    ours, theirs = socket.socketpair()
    try:
        proxy = subprocess.Popen(
            settings.proxy, stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=subprocess.PIPE
        )
    except OSError as exc:
        ours.close()
        raise DoorError(ReasonCode.CONNECTION_LOST, message=f"{settings.proxy[0]}: {exc.strerror}") from exc
    finally:
        theirs.close()
    ours.setblocking(False)
    return Connection(ours, proxy)


async def _await_banner(connection: Connection, settings: SshSettings) -> None:
    loop = asyncio.get_running_loop()
    readable: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not readable.done():
            readable.set_result(None)

    loop.add_reader(connection.sock, wake)
    try:
        await readable
        # Only looked at: the words are for whoever shakes hands next.
        first = connection.sock.recv(1, socket.MSG_PEEK)
    except OSError as exc:
        raise _silent(settings) from exc
    finally:
        loop.remove_reader(connection.sock)
    if not first:
        words = await in_thread(connection.last_words_of_proxy) if settings.proxy else ""
        raise DoorError(ReasonCode.CONNECTION_LOST, message=words) if words else _silent(settings)


def _silent(settings: SshSettings) -> DoorError:
    return DoorError(ReasonCode.NO_BANNER, address=settings.address, port=settings.port)
