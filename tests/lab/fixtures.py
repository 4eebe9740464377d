"""pytest fixtures that give tests real hosts."""

import os
from collections.abc import Callable, Iterator

import pytest

from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.lifecycle import bring_up, obstacle, take_down
from tests.lab.processes import identify
from tests.lab.repository import Repository
from tests.lab.settings import read_settings


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """Give a lab without hosts that lives as long as the session; if that is killed, the next one removes it."""
    if reason := obstacle():
        pytest.skip(reason)
    settings = read_settings(name=f"test-{os.getpid()}")
    yield bring_up(settings, 0, owner=identify(os.getpid()))
    assert take_down(settings) == []


@pytest.fixture
def fresh_host(lab: Lab) -> Iterator[Callable[..., Host]]:
    """Give a function that boots a host as freshly installed: fresh_host(), fresh_host("trixie")."""
    given: list[Host] = []

    def give(codename: str = "bookworm") -> Host:
        given.extend(lab.fresh_hosts(codename))
        return given[-1]

    yield give
    lab.give_back(given)


@pytest.fixture
def fresh_hosts(lab: Lab) -> Iterator[Callable[..., list[Host]]]:
    """Give a function that boots several fresh hosts at once: fresh_hosts("bookworm", "trixie")."""
    given: list[Host] = []

    def give(*codenames: str) -> list[Host]:
        hosts = lab.fresh_hosts(*codenames)
        given.extend(hosts)
        return hosts

    yield give
    lab.give_back(given)


@pytest.fixture
def repository(lab: Lab) -> Repository:
    """Give the lab's own package repository, empty."""
    lab.repository.wake()
    lab.repository.clear()
    return lab.repository
